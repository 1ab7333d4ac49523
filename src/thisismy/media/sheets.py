"""Contact sheets: many pictures with captions on one page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from thisismy.media.pictures import Picture

Colour = tuple[int, int, int]

_PAGE, _TILE, _INK, _MUTED = (250, 250, 248), (232, 232, 229), (28, 28, 30), (96, 96, 100)
_GAP = 16
_BORDER = 4
_CAPTION_SIZE, _HEADING_SIZE, _TITLE_SIZE = 15, 18, 26
_FONTS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf")
"""Looked for in the system's font folders."""
_LINE_HEIGHT = 20
_HEADING_HEIGHT = 28
_LEAST_WIDTH = 320


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        image: RGB, ``(height, width, 3)``; None draws an empty tile.
        caption: any text; a line break starts the second line, what does not fit is cut with an ellipsis.
        border: a frame around the tile in this colour.
    """

    image: Picture | None
    caption: str = ""
    border: Colour | None = None


@dataclass(frozen=True, eq=False)
class Section:
    """Some tiles of a contact sheet under a line of text; a section without tiles is that line alone."""

    heading: str
    tiles: Sequence[Tile] = ()


def contact_sheet(
    tiles: Sequence[Tile],
    *,
    columns: int = 5,
    tile_size: tuple[int, int] = (320, 180),
    title: str | None = None,
) -> Image.Image:
    """A page of captioned pictures, row by row; each picture keeps its shape inside its tile.

    Args:
        tiles: the pictures; none gives a page that says so.
        columns: pictures in a row, 1 or more; fewer pictures than that make a narrower page.
        tile_size: ``(width, height)`` of a tile in pixels. Raising it makes a larger page.
        title: a line above everything.

    Raises:
        ValueError: ``columns`` or a side of ``tile_size`` is below 1.
    """
    return sectioned_sheet([Section("", tiles)], columns=columns, tile_size=tile_size, title=title)


def sectioned_sheet(
    sections: Sequence[Section],
    *,
    columns: int = 5,
    tile_size: tuple[int, int] = (320, 180),
    title: str | None = None,
    caption_lines: int = 2,
) -> Image.Image:
    """A contact sheet in sections, each with a heading of its own.

    Args:
        sections: from top to bottom; no tile in any gives a page that says so.
        columns: pictures in a row, 1 or more.
        tile_size: ``(width, height)`` of a tile in pixels.
        title: a line above everything.
        caption_lines: lines below each tile, 1 or more; captions with more are cut.

    Raises:
        ValueError: ``columns`` or a side of ``tile_size`` is below 1.
    """
    if columns < 1 or min(tile_size) < 1:
        raise ValueError(
            f"a contact sheet needs columns and tile sides of at least 1, not {columns} and {tile_size}"
        )
    most = max((len(section.tiles) for section in sections), default=0)
    title = title if title else "" if most else "nothing to show"
    layout = _Layout(max(1, min(columns, most)), tile_size, caption_lines)
    head = _GAP + (2 * _TITLE_SIZE if title else 0)
    height = max(head + sum(layout.height(section) for section in sections), head + 2 * _GAP)
    sheet = Image.new("RGB", (layout.width, height), _PAGE)
    if title:
        _write(sheet, (_GAP, _GAP), title, _TITLE_SIZE, _INK, sheet.width - 2 * _GAP)
    top = head
    for section in sections:
        layout.draw(sheet, section, top)
        top += layout.height(section)
    return sheet


@dataclass(frozen=True)
class _Layout:
    """Where the tiles of a section stand."""

    columns: int
    size: tuple[int, int]
    caption_lines: int

    @property
    def width(self) -> int:
        return max(_GAP + self.columns * (self.size[0] + _GAP), _LEAST_WIDTH)

    def height(self, section: Section) -> int:
        rows = -(-len(section.tiles) // self.columns)
        return _heading_height(section) + rows * self._step

    def draw(self, sheet: Image.Image, section: Section, top: int) -> None:
        if section.heading:
            _write(sheet, (_GAP, top), section.heading, _HEADING_SIZE, _INK, sheet.width - 2 * _GAP)
        top += _heading_height(section)
        for number, tile in enumerate(section.tiles):
            row, column = divmod(number, self.columns)
            corner = (_GAP + column * (self.size[0] + _GAP), top + row * self._step)
            _draw_tile(sheet, tile, corner, self.size, self.caption_lines)

    @property
    def _step(self) -> int:
        """Pixels from one row of tiles to the next."""
        return self.size[1] + 6 + self.caption_lines * _LINE_HEIGHT + _GAP


def _heading_height(section: Section) -> int:
    return _HEADING_HEIGHT if section.heading else 0


def _draw_tile(
    sheet: Image.Image, tile: Tile, corner: tuple[int, int], size: tuple[int, int], caption_lines: int
) -> None:
    left, top = corner
    width, height = size
    draw = ImageDraw.Draw(sheet)
    inset = 0 if tile.border is None else _BORDER
    draw.rectangle((left, top, left + width - 1, top + height - 1), _TILE, tile.border, max(1, inset))
    if tile.image is not None:
        picture = Image.fromarray(tile.image)
        scale = min((width - 2 * inset) / picture.width, (height - 2 * inset) / picture.height)
        shown = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
        sheet.paste(shown, (left + (width - shown.width) // 2, top + (height - shown.height) // 2))
    for row, line in enumerate(tile.caption.splitlines()[:caption_lines]):
        place = (left, top + height + 6 + row * _LINE_HEIGHT)
        _write(sheet, place, line, _CAPTION_SIZE, _MUTED if row else _INK, width)


def _write(
    sheet: Image.Image, place: tuple[int, int], text: str, size: int, colour: Colour, width: int
) -> None:
    """Write one line, cut with an ellipsis where it is wider than ``width`` pixels."""
    draw, font = ImageDraw.Draw(sheet), _font(size)
    draw.text(place, _fitting(draw, _one_line(text, font), font, width), colour, font)


def _one_line(text: str, font: Any) -> str:
    """Text that can be drawn: no control characters, no lone surrogates, only accents that the font has."""
    if not _has_accents(font):
        parts = unicodedata.normalize("NFD", text)
        text = "".join(c for c in parts if not unicodedata.combining(c))
    composed = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in composed)


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: Any, width: int) -> str:
    """As much of a text as fits into ``width`` pixels."""
    if draw.textlength(text, font) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if draw.textlength(text[:middle] + "...", font) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "..."


@lru_cache(maxsize=4)
def _font(size: int) -> Any:
    """A font with the letters of many languages where the machine has one, else Pillow's plain one."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _has_accents(font: Any) -> bool:
    """Whether a font draws an accented letter differently from a character that exists in none."""
    return bytes(font.getmask("\u00fc")) != bytes(font.getmask("\uffff"))
