"""Contact sheets: many pictures with captions on one page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from thisismy.media.pictures import Picture

_PAGE, _TILE, _INK, _MUTED = (250, 250, 248), (232, 232, 229), (28, 28, 30), (96, 96, 100)
_GAP = 16
_CAPTION_SIZE, _TITLE_SIZE = 15, 26
_CAPTION_LINES = 2
_FONTS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf")
"""Looked for in the system's font folders."""
_LINE_HEIGHT = 20


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        image: RGB, ``(height, width, 3)``.
        caption: any text; a line break starts the second line, what does not fit is cut with an ellipsis.
    """

    image: Picture
    caption: str


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
    if columns < 1 or min(tile_size) < 1:
        raise ValueError(
            f"a contact sheet needs columns and tile sides of at least 1, not {columns} and {tile_size}"
        )
    width, height = tile_size
    used = max(1, min(columns, len(tiles)))
    rows = -(-len(tiles) // used)
    head = _GAP + (2 * _TITLE_SIZE if title or not tiles else 0)
    step = height + 6 + _CAPTION_LINES * _LINE_HEIGHT + _GAP
    sheet = Image.new("RGB", (max(_GAP + used * (width + _GAP), 320), head + max(1, rows) * step), _PAGE)
    draw = ImageDraw.Draw(sheet)
    heading = title if title else "" if tiles else "nothing to show"
    if heading:
        font = _font(_TITLE_SIZE)
        draw.text(
            (_GAP, _GAP), _fitting(draw, _one_line(heading, font), font, sheet.width - 2 * _GAP), _INK, font
        )
    for number, tile in enumerate(tiles):
        corner = (_GAP + number % used * (width + _GAP), head + number // used * step)
        _place(sheet, draw, tile, corner, tile_size)
    return sheet


def _place(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, corner: tuple[int, int], size: tuple[int, int]
) -> None:
    left, top = corner
    width, height = size
    draw.rectangle((left, top, left + width - 1, top + height - 1), _TILE)
    picture = Image.fromarray(tile.image)
    scale = min(width / picture.width, height / picture.height)
    shown = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    sheet.paste(shown, (left + (width - shown.width) // 2, top + (height - shown.height) // 2))
    font = _font(_CAPTION_SIZE)
    lines = tile.caption.splitlines()[:_CAPTION_LINES]
    for row, line in enumerate(lines):
        place = (left, top + height + 6 + row * _LINE_HEIGHT)
        draw.text(place, _fitting(draw, _one_line(line, font), font, width), _MUTED if row else _INK, font)


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
