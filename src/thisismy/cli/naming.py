"""transcribe, mine, name, calibrate: from what is said to named things."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thisismy.cli.output import clock, console, print_json, progress_bar, say

if TYPE_CHECKING:
    from thisismy.library import Library
    from thisismy.store.mentions import MentionRow

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Paths = Annotated[list[Path] | None, typer.Argument(help="Files and folders of the library; none: all.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(transcribe)
    app.command()(mine)
    app.command()(name)
    app.command()(calibrate)


def transcribe(
    context: typer.Context,
    paths: Paths = None,
    model: Annotated[str, typer.Option(help="Speech model: auto, a name, or a folder.")] = "auto",
    language: Annotated[
        str | None, typer.Option(help="What is spoken, as a code; left out: found out.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the transcript of the one video named: .srt, .vtt or .json.")
    ] = None,
    json: Json = False,
) -> None:
    """Give videos their transcripts: a subtitle file beside the video wins, else speech is recognised."""
    from thisismy.library import Library
    from thisismy.transcripts import write_transcript

    if save is not None and (len(paths or []) != 1 or Path(next(iter(paths or []))).is_dir()):
        raise typer.BadParameter("name the one video whose transcript is to be saved", param_hint="--save")
    library = Library.open(context.obj.library)
    with progress_bar(not context.obj.quiet) as progress:
        report = library.transcripts.transcribe(paths, model=model, language=language, progress=progress)
    if save is not None and paths:
        write_transcript(library.transcripts.get(paths[0]), save)
    if json:
        print_json(report)
    else:
        counts = {field: getattr(report, field) for field in ("read", "heard", "unchanged", "without")}
        out = console()
        out.print(", ".join(f"{count} {field}" for field, count in counts.items() if count) or "no videos")
        for note in report.notes:
            out.print(f"note: {note.path}: {note.note}", markup=False)
        for failure in report.failed:
            out.print(f"failed: {failure.path}: {failure.error}", markup=False)
    if report.failed:
        raise typer.Exit(1)


def mine(
    context: typer.Context,
    paths: Paths = None,
    patterns: Annotated[
        str, typer.Option(help="Which phrases name something: paper, wide, paper+ner, pos-nouns, ner.")
    ] = "paper",
    category: Annotated[
        list[str] | None,
        typer.Option("--category", help="Categories to choose from, instead of the COCO classes."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another threshold, NAME=VALUE; see the page about mining."),
    ] = None,
    as_printed: Annotated[
        bool, typer.Option("--as-printed", help="The rule of the paper, whose cosines belong to CLIP B/16.")
    ] = False,
    review: Annotated[
        bool, typer.Option("--review", help="Ask about every kept mention: y, n, or a name.")
    ] = False,
    accept_all: Annotated[bool, typer.Option("--accept-all", help="Accept every kept mention.")] = False,
    sheet: Annotated[Path | None, typer.Option(help="PNG to draw the reference shots into.")] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Show also what was not kept, and what was decided.")
    ] = False,
    json: Json = False,
) -> None:
    """Find what people name ("this is my ..."), and where it is seen; you only confirm.

    A confirmed mention becomes an instance, or more examples of the instance of that name. What was
    decided is never asked again.
    """
    from thisismy.library import Library
    from thisismy.mining import MiningSettings

    start = MiningSettings.paper() if as_printed else MiningSettings()
    try:
        settings = start.changed([f"patterns={patterns}", *(set_ or ())])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    library = Library.open(context.obj.library)
    with progress_bar(not context.obj.quiet) as progress:
        found = library.mentions.mine(paths, settings=settings, categories=category, progress=progress)
    open_ = [mention for mention in found if mention.verdict == "kept" and mention.decision is None]
    if sheet is not None:
        _draw_references(open_, sheet)
    if accept_all:
        for mention in open_:
            library.mentions.accept(mention)
    elif review:
        _review(library, open_)
    numbers = {mention.id for mention in found}
    found = [mention for mention in library.mentions.all() if mention.id in numbers]
    if json:
        print_json({"mentions": found})
    else:
        _print_mentions(found, all_)


def _print_mentions(found: Sequence[MentionRow], why: bool) -> None:
    """A table of the kept mentions; with ``why``, of all of them and the reasons."""
    from rich.table import Table
    from rich.text import Text

    mentions = found if why else [mention for mention in found if mention.verdict == "kept"]
    hidden = len(found) - len(mentions)
    table = Table(box=None, pad_edge=False)
    for column in ("at", "name", "category", "score", "verdict", "why" if why else "sentence", "file"):
        table.add_column(column, justify="right" if column in {"at", "score"} else "left", overflow="fold")
    for mention in mentions:
        table.add_row(
            clock(mention.start),
            Text(mention.instance or mention.name),
            Text(mention.category),
            "" if mention.score is None else f"{mention.score:.2f}",
            mention.decision or mention.verdict,
            Text(mention.reason if why else mention.sentence),
            Text(mention.path.name if mention.path else "gone"),
        )
    out = console()
    out.print(table if mentions else "nobody names anything in these transcripts.")
    if hidden:
        out.print(f"{hidden} more mentions were not kept; --all shows them with their reasons")


def _review(library: Library, mentions: Sequence[MentionRow]) -> None:
    for number, mention in enumerate(mentions, start=1):
        where = f"{mention.path.name if mention.path else 'gone'} at {clock(mention.start)}"
        say(f"[{number}/{len(mentions)}] {where}: {mention.sentence!r}")
        answer = typer.prompt(
            f"{mention.name!r} ({mention.category})? y, n, s to skip, or a name", default="y"
        )
        answer = answer.strip()
        if answer.lower() == "n":
            library.mentions.reject(mention)
        elif answer.lower() != "s":
            instance = library.mentions.accept(mention, "" if answer.lower() == "y" else answer)
            say(f"an example of {instance.name}")


def _draw_references(mentions: Sequence[MentionRow], sheet: Path) -> None:
    from thisismy.core.atomic_files import replacing
    from thisismy.media.sheets import Tile, contact_sheet
    from thisismy.media.thumbnails import thumbnail

    tiles = []
    for mention in mentions:
        if mention.path is not None and mention.shot is not None:
            image = thumbnail(mention.path, sum(mention.shot) / 2)
            tiles.append(Tile(image, f"{mention.name}\n{mention.path.name} {clock(mention.start)}"))
    sheet.parent.mkdir(parents=True, exist_ok=True)
    with replacing(sheet) as part:
        contact_sheet(tiles, title="What was named").save(part, format="PNG")


def name(
    context: typer.Context,
    name_: Annotated[str, typer.Argument(metavar="NAME", help='As you say it: "my dog Biscuit".')],
    places: Annotated[list[str], typer.Argument(help="VIDEO@1:23, VIDEO@1:20-1:26, or a photo.")],
    category: Annotated[str, typer.Option(help="What kind of thing it is: dog.")] = "",
    person: Annotated[bool, typer.Option("--person", help="It is a person.")] = False,
    negative: Annotated[bool, typer.Option("--not", help="These do not show it.")] = False,
    box: Annotated[
        str | None,
        typer.Option("--box", help="Where in the picture it is: left,top,right,bottom in pixels; one place."),
    ] = None,
    json: Json = False,
) -> None:
    """Name a thing or a person by pointing at shots or photos that show it (or, with --not, do not).

    A name means what it means in a search: "Biscuit" adds to "my dog Biscuit". One that means nothing yet
    makes a new instance.
    """
    from thisismy.cli.settings import parse_box
    from thisismy.library import Library

    named = Library.open(context.obj.library).instances.name(
        name_,
        places,
        category=category,
        kind="person" if person else None,
        negative=negative,
        box=parse_box(box),
    )
    instance = named.instance
    if json:
        print_json(instance)
    else:
        what = f"{instance.name} ({instance.category})"
        counts = f"{instance.confirmed} confirmed, {instance.rejected} rejected"
        started = f"new: {what}" if named.created else f"added to {what}"
        console().print(f"{started}: {counts}", markup=False)


def calibrate(context: typer.Context, json: Json = False) -> None:
    """Learn from the library's own shots what unrelated pictures score on its encoder; no labels."""
    from thisismy.library import Library

    made = Library.open(context.obj.library).mentions.calibrate()
    about = {
        "encoder": made.encoder_id,
        "shots": made.n_pictures,
        "pair_middle": made.pair_middle,
        "pair_spread": made.pair_spread,
        "example_threshold": made.example_threshold,
    }
    if json:
        print_json(about)
    else:
        console().print(f"calibrated on {made.n_pictures} shots of {made.encoder_id}", markup=False)
