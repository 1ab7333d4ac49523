"""instances: list, show, change, share and delete named things."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thisismy.cli.numbers import MOST_HITS
from thisismy.cli.output import clock, console, print_json, say

if TYPE_CHECKING:
    from thisismy.library import Library

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name or alias.")]

commands = typer.Typer(no_args_is_help=True, help="List, show, change, share and delete named things.")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="instances")


@commands.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List all named things with the number of their examples."""
    from thisismy.library import Library

    found = Library.open(context.obj.library).instances.all()
    if json:
        print_json({"instances": found})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("name", "kind", "category", "confirmed", "proposed", "rejected", "also called"):
        table.add_column(
            column, justify="right" if column in {"confirmed", "proposed", "rejected"} else "left"
        )
    for item in found:
        counts = [str(count) for count in (item.confirmed, item.proposed, item.rejected)]
        table.add_row(Text(item.name), item.kind, Text(item.category), *counts, Text(", ".join(item.aliases)))
    console().print(
        table if found else 'nothing is named yet: `thisismy mine`, or `thisismy name "my ..." PLACE`'
    )


@commands.command()
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show one named thing with its examples."""
    from thisismy.library import Library

    library = Library.open(context.obj.library)
    instance, examples = library.instances.get(name), library.instances.examples(name)
    if json:
        print_json({"instance": instance, "examples": examples})
        return
    out = console()
    also = f", also called {', '.join(instance.aliases)}" if instance.aliases else ""
    out.print(f"{instance.name} ({instance.category}){also}", markup=False)
    for shown in examples:
        example = shown.example
        span = example.span
        when = f"{clock(span.start)} to {clock(span.end)}" if span.duration else "photo"
        by = f"{example.state} by {example.decided_by}, {example.origin}"
        out.print(f"  {example.id}: {shown.path or 'kept with the library'} {when}  {by}", markup=False)


@commands.command()
def rename(context: typer.Context, name: Name, new: str) -> None:
    """Give a named thing another name."""
    _library(context).instances.change(name, name=new)
    _told(context, f"{name} is now called {new}")


@commands.command()
def alias(context: typer.Context, name: Name, other: str) -> None:
    """Let a named thing be called by another name too."""
    _library(context).instances.change(name, add_aliases=[other])
    _told(context, f"{name} is also called {other}")


@commands.command()
def category(context: typer.Context, name: Name, noun: str) -> None:
    """Set its category, a common noun such as "dog"."""
    _library(context).instances.change(name, category=noun)
    _told(context, f"the category of {name} is now {noun}")


@commands.command()
def kind(
    context: typer.Context, name: Name, kind_: Annotated[str, typer.Argument(metavar="thing|person")]
) -> None:
    """Say whether it is a thing or a person."""
    _library(context).instances.change(name, kind=kind_)
    _told(context, f"{name} is now a {kind_}")


@commands.command()
def merge(context: typer.Context, keep: Name, other: str) -> None:
    """Make two named things one; the other's names become aliases."""
    _library(context).instances.merge(keep, other)
    _told(context, f"{other} is now part of {keep}")


@commands.command()
def split(context: typer.Context, name: Name, new: str, examples: list[int]) -> None:
    """Move examples (by the numbers that `show` gives) to a new named thing."""
    _library(context).instances.split(name, new, examples)
    _told(context, f"{len(examples)} examples of {name} now belong to {new}")


@commands.command()
def confirm(context: typer.Context, name: Name, examples: list[int]) -> None:
    """Confirm examples by number; no job changes that again."""
    _library(context).instances.decide(name, dict.fromkeys(examples, "confirmed"))
    _told(context, f"{len(examples)} confirmed for {name}")


@commands.command()
def reject(context: typer.Context, name: Name, examples: list[int]) -> None:
    """Reject examples by number; they are never proposed again."""
    _library(context).instances.decide(name, dict.fromkeys(examples, "rejected"))
    _told(context, f"{len(examples)} rejected for {name}; they are not proposed again")


@commands.command()
def propose(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("-k", help="Most new proposals.", min=1, max=MOST_HITS)] = 20,
    json: Json = False,
) -> None:
    """Propose examples from other videos, best first; you confirm or reject them."""
    proposals = _library(context).instances.propose(name, limit)
    if json:
        print_json({"proposals": proposals})
        return
    out = console()
    for shown in proposals:
        example = shown.example
        when = f"{clock(example.span.start)} to {clock(example.span.end)}"
        out.print(f"  {example.id}: {example.score or 0:.2f}  {shown.path} {when}", markup=False)
    if not proposals:
        out.print("nothing in other videos looks similar enough")


@commands.command()
def delete(context: typer.Context, name: Name) -> None:
    """Delete a named thing with its examples and what was learned of it."""
    _library(context).instances.delete(name)
    _told(context, f"{name} is deleted")


@commands.command("export")
def export_(
    context: typer.Context, file: Path, names: Annotated[list[str] | None, typer.Argument()] = None
) -> None:
    """Write named things with pictures of their examples into one file; no names means all."""
    count = _library(context).instances.export_file(file, names)
    console().print(f"{count} written to {file}", markup=False)


@commands.command("import")
def import_(context: typer.Context, file: Path) -> None:
    """Read named things from a file that `export` wrote; those of the same name are joined."""
    names = _library(context).instances.import_file(file)
    console().print(f"read: {', '.join(names) or 'nothing'}", markup=False)


def _told(context: typer.Context, what: str) -> None:
    """Say what was done, unless told to be quiet."""
    if not context.obj.quiet:
        say(what)


def _library(context: typer.Context) -> Library:
    from thisismy.library import Library

    return Library.open(context.obj.library)
