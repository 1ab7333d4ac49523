"""Hits as files: clips, one picture, a list."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thisismy.core.atomic_files import replacing, write_bytes, write_text
from thisismy.core.errors import MediaError, QueryError, ThisIsMyError
from thisismy.core.progress import Progress, silent
from thisismy.media.clips import cut_clip
from thisismy.media.sheets import Tile, contact_sheet
from thisismy.media.thumbnails import thumbnail
from thisismy.retrieval.results import Hit

EDL_RATE = 25
"""Frames per second of the time codes in an EDL; editors convert from it."""


@dataclass(frozen=True)
class ExportFailure:
    """A hit that could not be saved, and why."""

    path: str
    error: str


@dataclass
class Saved:
    """What was written, and what could not be."""

    written: list[str] = field(default_factory=list)
    failed: list[ExportFailure] = field(default_factory=list)


def export_hits(
    query: str,
    hits: Sequence[Hit],
    *,
    clips: Path | None = None,
    exact: bool = False,
    sheet: Path | None = None,
    table: Path | None = None,
    progress: Progress = silent,
) -> Saved:
    """Save hits in any of three ways; a hit whose file is gone or broken does not stop the others.

    Args:
        query: what was asked, for titles and file names.
        hits: what was found.
        clips: folder for one clip (or photo) a hit, made if needed.
        exact: cut at the exact frame, which encodes again, instead of losslessly at a key frame before.
        sheet: PNG file for a picture of all hits.
        table: ``.csv`` or ``.edl`` file.
        progress: told of each hit.

    Raises:
        QueryError: the list has another suffix.
        MediaError: a file or folder cannot be written.
    """
    if table is not None and table.suffix.lower() not in WRITERS:
        raise QueryError(f"a list is a .csv or an .edl file, not {table.name}")
    saved = Saved()
    try:
        if clips is not None:
            _cut(query, hits, clips, exact, saved, progress)
        if sheet is not None and hits:
            draw_sheet(query, hits, sheet, saved)
        if table is not None:
            table.parent.mkdir(parents=True, exist_ok=True)
            WRITERS[table.suffix.lower()](query, hits, table)
            saved.written.append(str(table))
    except OSError as error:
        raise MediaError(f"cannot write {error.filename or 'the export'}: {error.strerror}") from error
    return saved


def draw_sheet(query: str, hits: Sequence[Hit], sheet: Path, saved: Saved) -> None:
    """Draw the best frame of each hit, with rank, score, file and time, into one PNG."""
    tiles = []
    for hit in hits:
        name = Path(hit.path).name
        when = "" if hit.kind == "photo" else f" {hit.best_time:.1f} s"
        try:
            image = thumbnail(Path(hit.path), None if hit.kind == "photo" else hit.best_time)
        except ThisIsMyError as error:
            saved.failed.append(ExportFailure(hit.path, str(error)))
            continue
        tiles.append(Tile(image, f"{hit.rank}. {hit.score:.2f}  {name}{when}"))
    sheet.parent.mkdir(parents=True, exist_ok=True)
    with replacing(sheet) as part:
        contact_sheet(tiles, title=query).save(part, format="PNG")
    saved.written.append(str(sheet))


def _cut(
    query: str, hits: Sequence[Hit], folder: Path, exact: bool, saved: Saved, progress: Progress
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^\w]+", "-", query.lower()).strip("-")[:40] or "hit"
    for done, hit in enumerate(hits):
        progress("clips", done, len(hits))
        source = Path(hit.path)
        target = folder / f"{hit.rank:03d}-{slug}-{source.stem[:60]}{source.suffix}"
        try:
            if hit.kind == "photo":
                write_bytes(target, source.read_bytes())
            else:
                cut_clip(source, hit.span, target, exact=exact)
        except (ThisIsMyError, FileNotFoundError) as error:
            saved.failed.append(ExportFailure(hit.path, str(error)))
        else:
            saved.written.append(str(target))
    progress("clips", len(hits), len(hits))


def _write_csv(_query: str, hits: Sequence[Hit], path: Path) -> None:
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["rank", "path", "start", "end", "score", "relevance", "created"])
        for hit in hits:
            times = [f"{hit.span.start:.3f}", f"{hit.span.end:.3f}"]
            writer.writerow([hit.rank, hit.path, *times, hit.score, hit.relevance, hit.created or ""])


def _write_edl(query: str, hits: Sequence[Hit], path: Path) -> None:
    """A CMX 3600 list: the hits one after the other on the record side, in order of rank."""
    lines = [f"TITLE: {re.sub(r'[^ -~]', '?', query)[:60]}", "FCM: NON-DROP FRAME", ""]
    position = 0
    for hit in hits:
        start = round(hit.span.start * EDL_RATE)
        length = max(1, round(hit.span.end * EDL_RATE) - start)
        codes = [timecode(n) for n in (start, start + length, position, position + length)]
        lines.append(f"{hit.rank:03d}  AX       V     C        {' '.join(codes)}")
        lines.append(f"* FROM CLIP NAME: {Path(hit.path).name}")
        lines.append("")
        position += length
    write_text(path, "\n".join(lines))


WRITERS = {".csv": _write_csv, ".edl": _write_edl}


def timecode(frames: int) -> str:
    """A count of frames as HH:MM:SS:FF."""
    seconds, rest = divmod(frames, EDL_RATE)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}"
