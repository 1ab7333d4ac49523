"""demo: the whole thing on a small library that is made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thisismy.cli.output import clock, console, print_json, progress_bar, say
from thisismy.cli.search import print_result
from thisismy.cli.search_json import search_json


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to make it.")] = Path("demo"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make a small library out of photographs that packages ship; index it, mine what is named, search it."""
    from thisismy.demo import QUERIES, make_media
    from thisismy.library import Library
    from thisismy.retrieval.export import export_hits
    from thisismy.retrieval.options import SearchOptions

    quiet = context.obj.quiet
    with progress_bar(not quiet) as progress:
        make_media(folder / "media", progress)
        library = Library.create(folder / "library")
        report = library.files.add(
            [folder / "media"], progress=progress, tell=(lambda _: None) if quiet else say
        )
        mentions = library.mentions.mine(progress=progress)
        for mention in mentions:
            if mention.verdict == "kept" and mention.decision is None:
                library.mentions.accept(mention)
        library.learning.learn(judge=False, progress=progress)
    results = [library.search.find(query, options=SearchOptions(k=4)) for query in QUERIES]
    sheets = []
    for result in results:
        if result.hits:
            sheet = folder / f"{result.query.replace(' ', '-')}.png"
            sheets += export_hits(result.query, result.hits, sheet=sheet).written
    if json:
        named = [instance.name for instance in library.instances.all()]
        print_json(
            {
                "added": report,
                "named": named,
                "results": [search_json(result) for result in results],
                "sheets": sheets,
            }
        )
    else:
        out = console()
        for mention in mentions:
            if mention.decision == "accepted" or mention.verdict == "kept":
                where = f"{mention.path.name if mention.path else 'gone'} {clock(mention.start)}"
                out.print(f'{where}: "{mention.sentence}" named {mention.name}', markup=False)
        for result in results:
            out.print(f"\n[bold]{result.query}[/]")
            print_result(result)
        out.print()
        for written in sheets:
            out.print(f"picture of the hits: {written}", markup=False)
        out.print(f'search it yourself: thisismy --library {folder / "library"} search "..."', markup=False)
    if report.failed:
        raise typer.Exit(1)
