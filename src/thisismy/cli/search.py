"""search, export: moments found, shown or saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thisismy.cli.numbers import MOST_HITS, MOST_SECONDS, finite
from thisismy.cli.output import clock, console, print_json, progress_bar, say, short_path
from thisismy.cli.search_json import hits_json, search_json
from thisismy.cli.settings import parse_box
from thisismy.core.errors import QueryError

if TYPE_CHECKING:
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.options import SearchOptions
    from thisismy.retrieval.results import Hit, SearchResult

Query = Annotated[str, typer.Argument(help="What to look for, in words; may be left out with --image.")]
Image = Annotated[list[Path] | None, typer.Option("--image", "-i", help="A photo of what to look for.")]
Count = Annotated[int, typer.Option("-k", help="Hits wanted.", min=1, max=MOST_HITS)]
By = Annotated[str, typer.Option(help="Score the mean of a 'shot', or its best 'frame'.")]
Cutoff = Annotated[
    float,
    typer.Option(
        help="Share of unrelated pairs a hit must beat; 0 shows everything.", min=0, max=1, callback=finite
    ),
]
Fold = Annotated[bool, typer.Option("--fold/--no-fold", help="Fold near-duplicates into the best of them.")]
PathOption = Annotated[
    str | None, typer.Option("--path", help="Only files whose path has this, or fits this glob.")
]
After = Annotated[
    str | None, typer.Option(help="Only files made on this day or later: 2024, 2024-07, 2024-07-31.")
]
Before = Annotated[str | None, typer.Option(help="Only files made before this day.")]
MinDuration = Annotated[
    float | None,
    typer.Option(help="Only files of at least so many seconds.", min=0, max=MOST_SECONDS, callback=finite),
]
MaxDuration = Annotated[
    float | None,
    typer.Option(help="Only files of at most so many seconds.", min=0, max=MOST_SECONDS, callback=finite),
]
Like = Annotated[
    Path | None, typer.Option("--like", help="A photo; * in the words stands for what it shows.")
]
BoxOption = Annotated[
    str | None, typer.Option("--box", help="Where in that photo it is: left,top,right,bottom in pixels.")
]
LikeMethod = Annotated[str, typer.Option(help="Method that makes a concept of that photo, such as pi-map.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(search)
    app.command()(export)


def search(
    context: typer.Context,
    query: Query = "",
    image: Image = None,
    k: Count = 10,
    by: By = "shot",
    cutoff: Cutoff = 0.95,
    fold: Fold = True,
    path: PathOption = None,
    after: After = None,
    before: Before = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    said: Annotated[str | None, typer.Option(help="Words that are spoken, instead of what is seen.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the query was read, and what made each score.")
    ] = False,
    like: Like = None,
    box: BoxOption = None,
    like_method: LikeMethod = "prototype-context",
    json: Json = False,
) -> None:
    """Find moments by words, by a photo, or by both; or by what is said.

    Names of instances in the words mean those instances: "my dog Biscuit on a beach". With --like the *
    in the words is what the photo shows: "* on a beach".
    """
    from thisismy.library import Library

    options = _options(k, by, cutoff, fold)
    if said is not None:
        _search_said(context, said, options.k, json)
        return
    filters = _filters(path, after, before, min_duration, max_duration)
    if like is not None and image:
        raise QueryError("--like and --image cannot be combined: use one of them")
    library = Library.open(context.obj.library)
    if like is not None:
        result = library.search.find_pictured(
            query, like, box=parse_box(box), method=like_method, options=options, filters=filters
        )
    else:
        result = library.search.find(query, images=image or (), options=options, filters=filters)
    if json:
        print_json(search_json(result))
    else:
        print_result(result, explain)


def _search_said(context: typer.Context, phrase: str, k: int, json: bool) -> None:
    from thisismy.library import Library

    hits = Library.open(context.obj.library).transcripts.find(phrase, k)
    if json:
        print_json({"said": phrase, "hits": hits})
        return
    out = console()
    for hit in hits:
        out.print(f"{clock(hit.start)}  {short_path(hit.path)}: {hit.text}", markup=False)
    if not hits:
        out.print("no transcript has these words.")


def export(
    context: typer.Context,
    query: Query = "",
    image: Image = None,
    k: Count = 10,
    by: By = "shot",
    cutoff: Cutoff = 0.95,
    fold: Fold = True,
    path: PathOption = None,
    after: After = None,
    before: Before = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    clips: Annotated[Path | None, typer.Option(help="Folder to cut the hits into, one clip each.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Cut at the exact frame; encodes again instead of copying.")
    ] = False,
    sheet: Annotated[Path | None, typer.Option(help="PNG to draw the hits into.")] = None,
    list_: Annotated[
        Path | None, typer.Option("--list", help="List of the hits: a .csv or an .edl file.")
    ] = None,
    json: Json = False,
) -> None:
    """Save the hits of a search: as clips, as one picture, as a list for a spreadsheet or an editor."""
    from thisismy.library import Library
    from thisismy.retrieval.export import export_hits

    if clips is None and sheet is None and list_ is None:
        raise QueryError(
            "nothing to save: say where with --clips FOLDER, --sheet FILE.png or --list FILE.csv"
        )
    options = _options(k, by, cutoff, fold)
    filters = _filters(path, after, before, min_duration, max_duration)
    library = Library.open(context.obj.library)
    result = library.search.find(query, images=image or (), options=options, filters=filters)
    with progress_bar(not context.obj.quiet) as progress:
        saved = export_hits(
            result.query, result.hits, clips=clips, exact=exact, sheet=sheet, table=list_, progress=progress
        )
    if json:
        print_json({"query": result.query, "hits": hits_json(result.hits), **asdict(saved)})
    else:
        for written in saved.written:
            console().print(written, markup=False)
        for failure in saved.failed:
            say(f"failed: {failure.path}: {failure.error}")
        if not result.hits:
            say("nothing good enough was found, so nothing was saved")
    if saved.failed:
        raise typer.Exit(1)


def _options(k: int, by: str, cutoff: float, fold: bool) -> SearchOptions:
    from thisismy.retrieval.options import SearchOptions, pooling_of

    return SearchOptions(k=k, pooling=pooling_of(by), cutoff=cutoff, fold=fold)


def _filters(
    path: str | None, after: str | None, before: str | None, low: float | None, high: float | None
) -> Filters:
    from thisismy.retrieval.filters import Filters, parse_day

    first, last = (parse_day(text) if text else None for text in (after, before))
    return Filters(path=path, after=first, before=last, min_duration=low, max_duration=high)


def print_result(result: SearchResult, explain: bool = False) -> None:
    """The hits as a table; when there are none, that, and the nearest misses."""
    out = console()
    if explain:
        out.print(f"read as: {result.read}", markup=False)
    for remark in result.remarks:
        out.print(remark, markup=False)
    if result.hits:
        out.print(hit_table(result.hits, explain))
    elif not result.searched:
        out.print("the library is empty: add something with `thisismy add FOLDER`")
    else:
        out.print("nothing good enough was found.")
        if result.nearest:
            out.print("nearest misses:")
            out.print(hit_table(result.nearest, explain))


def hit_table(hits: Sequence[Hit], explain: bool = False) -> Any:
    """A table of hits: rank, how sure, from when to when, file; and what made the score, when asked for."""
    from rich.table import Table
    from rich.text import Text

    named = any(hit.instance is not None for hit in hits)
    fits = any(hit.context_percentile is not None for hit in hits)
    parts = [*(["score"] if explain else []), *(["by name", "by context"] if explain and named else [])]
    table = Table(box=None, pad_edge=False)
    for column in ("#", "sure", *(["fits"] if fits else []), *parts, "from", "to"):
        table.add_column(column, justify="right")
    table.add_column("file", overflow="fold")
    for hit in hits:
        scores = [hit.score, hit.instance or 0, hit.context or 0][: len(parts)]
        numbers = [
            str(hit.rank),
            f"{hit.relevance:.1%}",
            *([f"{hit.context_percentile or 0:.0%}"] if fits else []),
        ]
        times = ("photo", "") if hit.kind == "photo" else (clock(hit.span.start), clock(hit.span.end))
        more = f"  (+{len(hit.similar)} alike)" if hit.similar else ""
        table.add_row(
            *numbers, *(f"{score:.3f}" for score in scores), *times, Text(short_path(hit.path) + more)
        )
    return table
