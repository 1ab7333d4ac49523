"""What a contact sheet of queries shows: the best and the worst, their examples, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thisismy.core.atomic_files import replacing
from thisismy.core.span import Span
from thisismy.encoders.base import Picture
from thisismy.evaluation.datasets.base import Benchmark, Media, Query
from thisismy.evaluation.pictures import read_picture, sampled_times
from thisismy.evaluation.protocols.retrieval import Cell
from thisismy.media.frames import frames_at
from thisismy.media.sheets import Colour, Section, Tile, sectioned_sheet

TILE = (144, 112)
RIGHT, WRONG, EXAMPLE = (0, 150, 60), (190, 40, 40), (60, 90, 200)
EXAMPLES_SHOWN = 2


def write_query_sheet(path: Path, benchmark: Benchmark, cell: Cell, title: str, *, each: int = 5) -> None:
    """Write one picture: the best and the worst contextual queries (generic ones where there are no others).

    Blue frames are examples, green ones right hits, red ones wrong hits, best first.

    Args:
        path: a PNG file.
        benchmark: where queries and media come from. Items whose media are not here are empty tiles.
        cell: the run to show.
        title: the first line.
        each: queries of either kind.
    """
    contextual = [q for q in benchmark.queries if q.kind == "contextual" and q.id in cell.top]
    asked = contextual or [q for q in benchmark.queries if q.id in cell.top]
    order = sorted(asked, key=lambda q: -cell.values[q.id]["mrr"])
    sections: list[Section] = []
    for heading, queries in (("best", order[:each]), ("worst", order[each:][-each:][::-1])):
        if queries:
            sections.append(Section(heading))
            sections += [_section(benchmark, query, cell) for query in queries]
    columns = max([1, *(len(section.tiles) for section in sections)])
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = sectioned_sheet(sections, columns=columns, tile_size=TILE, title=title, caption_lines=1)
    with replacing(path) as part:
        sheet.save(part)


def _section(benchmark: Benchmark, query: Query, cell: Cell) -> Section:
    """A query: the examples of its thing, and its first hits."""
    instance = next(i for i in benchmark.instances if i.id == query.instance)
    rank = cell.values[query.id]["mrr"]
    examples = [_tile(benchmark, key, "example", EXAMPLE) for key in instance.examples[:EXAMPLES_SHOWN]]
    hits = [
        _tile(benchmark, key, str(place), RIGHT if key in query.relevant else WRONG)
        for place, key in enumerate(cell.top[query.id], start=1)
    ]
    return Section(f"{query.prompt}   (* = {instance.name}; 1/rank {rank:.2f})", [*examples, *hits])


def _tile(benchmark: Benchmark, key: str, caption: str, border: Colour) -> Tile:
    return Tile(_picture(benchmark.items[key].media), caption, border)


def _picture(media: Media | None) -> Picture | None:
    if media is None or not media.path.is_file():
        return None
    size = 2 * min(TILE)
    if not media.video:
        return read_picture(media, size)
    times: Sequence[float] = sampled_times(media.span or Span(0.0, 0.0))
    return frames_at(media.path, [times[len(times) // 2]], size)[0].image
