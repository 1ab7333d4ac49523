"""learn: concepts of what was named."""

from __future__ import annotations

from typing import Annotated

import typer

from thisismy.cli.numbers import LARGEST_SEED
from thisismy.cli.output import console, print_json, progress_bar
from thisismy.cli.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(learn)


def learn(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Learn just these again; none: what has changed.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="`thisismy evaluate --list` names all; with arguments: NAME?ARGUMENT=VALUE&... "
            "Default: as last time, at first prototype-context."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="An argument of the method, such as tokens=1; may be repeated. "
            "Without --method, those of last time stay.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=LARGEST_SEED, help="Same seed, same concepts. Default: as last time, at first 0."
        ),
    ] = None,
    judge: Annotated[
        bool, typer.Option("--judge/--no-judge", help="Say how well, by leaving examples out.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Learn what was named from its confirmed examples, and say how well that works.

    A search learns by itself what it needs; this does it ahead, judges it, or chooses another method, which
    the library then keeps.
    """
    from thisismy.library import Library
    from thisismy.personalization.registry import parse_method

    arguments = read_settings(settings or [])
    if method is not None:
        method, written = parse_method(method)
        arguments = written | arguments
    library = Library.open(context.obj.library)
    with progress_bar(not context.obj.quiet) as progress:
        report = library.learning.learn(
            names, method=method, arguments=arguments, seed=seed, judge=judge, progress=progress
        )
    if json:
        print_json(report)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("name", "as a", "examples", "found when left out"):
        table.add_column(column, justify="right" if column == "examples" else "left")
    for item in report.learned:
        found = "one example: cannot tell" if item.examples == 1 else "not looked at"
        if item.found is not None:
            found = f"{item.found:.0%} first, mean rank {item.mean_rank:.1f} of {item.others + 1}"
        table.add_row(Text(item.name), Text(item.category), str(item.examples), found)
    out = console()
    if report.learned:
        out.print(table)
        out.print(f"learned {len(report.learned)} by {report.method} in {report.seconds:.1f} s")
    if report.unchanged:
        out.print(f"{len(report.unchanged)} had not changed")
    for name, reason in report.skipped.items():
        out.print(f"not learned: {name}: {reason}", markup=False)
    for note in report.notes:
        out.print(f"note: {note}", markup=False)
    for warning in report.look_alikes:
        out.print(f"warning: {warning}", markup=False)
    if not (report.learned or report.unchanged or report.skipped):
        out.print("nothing is named yet: `thisismy mine`, or `thisismy name`")
