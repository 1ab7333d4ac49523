"""Contact sheets of the best and the worst queries: what was asked, learned from, and found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from thisismy.core.atomic_files import replacing
from thisismy.core.span import Span
from thisismy.evaluation.datasets.base import Benchmark, Media, Query
from thisismy.evaluation.pictures import read_picture, sampled_times
from thisismy.evaluation.protocols.retrieval import Cell
from thisismy.media.frames import frames_at

THUMB, GAP, LINE = 112, 6, 22
RIGHT, WRONG, EXAMPLE = (0, 150, 60), (190, 40, 40), (60, 90, 200)
EXAMPLES_SHOWN = 2


def write_sheet(path: Path, benchmark: Benchmark, cell: Cell, title: str, *, each: int = 5) -> None:
    """Write one picture: the best and the worst contextual queries (generic ones where there are no others).

    Blue frames are examples, green ones right hits, red ones wrong hits, best first.

    Args:
        path: a PNG file.
        benchmark: where queries and media come from. Items whose media are not here are drawn grey.
        cell: the run to show.
        title: the first line.
        each: queries of either kind.
    """
    contextual = [q for q in benchmark.queries if q.kind == "contextual" and q.id in cell.top]
    asked = contextual or [q for q in benchmark.queries if q.id in cell.top]
    order = sorted(asked, key=lambda q: -cell.values[q.id]["mrr"])
    blocks = [("best", order[:each]), ("worst", order[each:][-each:][::-1])]
    shown = max((len(cell.top[q.id]) for q in asked), default=0)
    width = (EXAMPLES_SHOWN + shown) * (THUMB + GAP) + 4 * GAP
    rows = sum(len(queries) for _, queries in blocks)
    height = LINE * (1 + len(blocks)) + rows * (THUMB + LINE + 2 * GAP) + GAP
    sheet = Image.new("RGB", (max(width, 480), height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    draw.text((GAP, 3), title, "black", font)
    y = LINE
    for heading, queries in blocks:
        draw.text((GAP, y + 2), heading, "black", font)
        y += LINE
        for query in queries:
            _draw_query(sheet, y, benchmark, query, cell, font)
            y += THUMB + LINE + 2 * GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        sheet.save(part)


def _draw_query(
    sheet: Image.Image,
    y: int,
    benchmark: Benchmark,
    query: Query,
    cell: Cell,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    draw = ImageDraw.Draw(sheet)
    instance = next(i for i in benchmark.instances if i.id == query.instance)
    values = cell.values[query.id]
    text = f"{query.prompt}   (* = {instance.name}; 1/rank {values['mrr']:.2f})"
    draw.text((GAP, y), text, "black", font)
    top = y + LINE
    x = GAP
    for key in instance.examples[:EXAMPLES_SHOWN]:
        _paste(sheet, x, top, benchmark, key, EXAMPLE)
        x += THUMB + GAP
    x = GAP + EXAMPLES_SHOWN * (THUMB + GAP) + 2 * GAP
    for key in cell.top[query.id]:
        _paste(sheet, x, top, benchmark, key, RIGHT if key in query.relevant else WRONG)
        x += THUMB + GAP


def _paste(
    sheet: Image.Image, x: int, y: int, benchmark: Benchmark, key: str, colour: tuple[int, int, int]
) -> None:
    thumb = _thumb(benchmark.items[key].media)
    ImageDraw.Draw(sheet).rectangle((x, y, x + THUMB - 1, y + THUMB - 1), "lightgrey", colour, 4)
    thumb.thumbnail((THUMB - 8, THUMB - 8))
    sheet.paste(thumb, (x + (THUMB - thumb.width) // 2, y + (THUMB - thumb.height) // 2))


def _thumb(media: Media | None) -> Image.Image:
    if media is None or not media.path.is_file():
        return Image.new("RGB", (8, 8), "grey")
    if not media.video:
        return Image.fromarray(read_picture(media, 2 * THUMB))
    times: Sequence[float] = sampled_times(media.span or Span(0.0, 0.0))
    return Image.fromarray(frames_at(media.path, [times[len(times) // 2]], 2 * THUMB)[0].image)
