"""doctor: what works here, what is missing, how to get it."""

from __future__ import annotations

from typing import Annotated

import typer

from thisismy.cli.output import console, print_json


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this installation and the library; exits with 1 when something that is needed does not work."""
    from thisismy.diagnosis import diagnose

    checks = diagnose(context.obj.library)
    if json:
        print_json({"checks": checks, "ok": all(check.ok or check.optional for check in checks)})
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        for check in checks:
            mark = "[green]ok[/]" if check.ok else ("[yellow]no[/]" if check.optional else "[red]broken[/]")
            table.add_row(mark, check.name, Text(check.detail))
        console().print(table)
    if any(not check.ok and not check.optional for check in checks):
        raise typer.Exit(1)
