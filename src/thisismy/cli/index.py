"""add, ls, show, rm: what is in the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thisismy.cli.numbers import finite
from thisismy.cli.output import clock, console, print_json, progress_bar, say, short_path

if TYPE_CHECKING:
    from thisismy.jobs.indexing import IndexReport

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(add)
    app.command()(ls)
    app.command()(show)
    app.command()(rm)


def add(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders; none: all folders added before.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="auto, embedded, a folder, or a model of the hub (then it may be downloaded)."),
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="How shots are found: adaptive, transnet, windows.")
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(help="Seconds of a shot with --detector windows.", min=0.1, max=86_400, callback=finite),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Frames kept per second.", min=0.001, max=1000, callback=finite)
    ] = None,
    at_least: Annotated[
        int | None, typer.Option(help="Frames kept of each shot at least.", min=1, max=1000)
    ] = None,
    at_most: Annotated[
        int | None, typer.Option(help="Frames kept of each shot at most.", min=1, max=1000)
    ] = None,
    json: Json = False,
) -> None:
    """Index videos and photos: new and changed ones only, broken ones are reported and left out.

    Exits with 1 when a file failed. Interrupt it whenever you like; the next run resumes.
    """
    from thisismy.library import Library

    with progress_bar(not context.obj.quiet) as progress:
        library = Library.create(context.obj.library)
        changes = {
            "encoder": encoder,
            "detector": detector,
            "window": window,
            "rate": rate,
            "at_least": at_least,
            "at_most": at_most,
        }
        report = library.files.add(
            paths or None,
            **{key: value for key, value in changes.items() if value is not None},
            progress=progress,
            tell=(lambda _line: None) if context.obj.quiet else say,
        )
    if json:
        print_json(report)
    elif not context.obj.quiet or report.failed:
        _print_report(report)
    if report.failed:
        raise typer.Exit(1)


def _print_report(report: IndexReport) -> None:
    counts = {name: getattr(report, name) for name in ("added", "changed", "updated", "renamed", "unchanged")}
    counts |= {name: len(getattr(report, name)) for name in ("skipped", "missing", "failed")}
    out = console()
    out.print(", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to add")
    for note in report.notes:
        out.print(f"note: {note.path}: {note.note}", markup=False)
    for path in report.missing:
        out.print(f"gone from disk: {path}", markup=False)
    for failure in report.failed:
        out.print(f"failed: {failure.path}: {failure.error}", markup=False)


def ls(context: typer.Context, json: Json = False) -> None:
    """List the files of the library, with their state."""
    from thisismy.library import Library

    entries = Library.open(context.obj.library).files.all()
    if json:
        print_json(entries)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("state", "length", "shots", "made"):
        table.add_column(column, justify="right" if column in {"length", "shots"} else "left")
    table.add_column("path", overflow="fold")
    for entry in entries:
        length = "photo" if entry.kind == "photo" else clock(entry.duration or 0)
        made = (entry.created or "")[:10]
        path = Text(short_path(entry.path) + (f"  ({entry.error})" if entry.error else ""))
        table.add_row(entry.state, length, str(entry.shots), made, path)
    console().print(table)


def show(context: typer.Context, path: Path, json: Json = False) -> None:
    """Show what is known of one file: its properties and its shots."""
    from thisismy.library import Library

    details = Library.open(context.obj.library).files.describe(path)
    if json:
        print_json(details)
        return
    out = console()
    for key, value in details.items():
        if key != "shots" and value not in (None, "", []):
            out.print(f"{key}: {value}", markup=False)
    for shot in details["shots"]:
        frames = ", ".join(clock(time) for time in shot["frames"])
        out.print(
            f"  shot {shot['position']}: {clock(shot['start'])} to {clock(shot['end'])}  frames at {frames}"
        )


def rm(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders to forget.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Forget all files that are gone from disk.")
    ] = False,
    json: Json = False,
) -> None:
    """Forget files: what was derived from them is deleted from the library, never the files themselves."""
    from thisismy.library import Library

    removed = Library.open(context.obj.library).files.remove(paths or [], missing=missing)
    if json:
        print_json({"removed": removed})
    else:
        console().print(f"{removed} removed from the library; nothing on disk was touched")
