from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageFont

from thisismy.media import sheets
from thisismy.media.sheets import Tile, contact_sheet


def tile(caption: str, shape: tuple[int, int] = (90, 160)) -> Tile:
    return Tile(np.full((*shape, 3), (250, 0, 0), np.uint8), caption)


def red_pixels(sheet: object) -> int:
    image = np.asarray(sheet)
    return int(((image[..., 0] > 200) & (image[..., 1] < 50)).sum())


def test_tiles_fill_rows_and_keep_their_shape() -> None:
    sheet = contact_sheet([tile(str(k)) for k in range(7)], columns=3, tile_size=(160, 90))
    assert sheet.width == 16 + 3 * 176
    assert red_pixels(sheet) == 7 * 160 * 90
    tall = contact_sheet([tile("tall", (180, 90))], tile_size=(160, 90))
    assert red_pixels(tall) == 45 * 90


def test_captions_are_drawn_and_stay_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = np.asarray(contact_sheet([tile("")], tile_size=(400, 90)))
    written = np.asarray(contact_sheet([tile("long " * 200)], tile_size=(400, 90)))
    assert (plain != written).any()
    assert (written[:, 16 + 400 + 1 :] == plain[:, 16 + 400 + 1 :]).all()


@pytest.mark.parametrize(
    "text", ["ünïcode", "日本語 🐶", "caf\udce9", "two\nlines\nand more", "\x00\x07", ""]
)
def test_no_name_crashes(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    contact_sheet([tile(text)], title=text)
    sheets._font.cache_clear()
    monkeypatch.setattr(sheets, "_FONTS", ())
    assert contact_sheet([tile(text)], title=text).mode == "RGB"
    sheets._font.cache_clear()


def test_accents_are_dropped_where_the_font_has_none() -> None:
    plain = ImageFont.load_default(15)
    if not sheets._has_accents(plain):
        assert sheets._one_line("ünï", plain) == "uni"


def test_nothing_to_show_is_a_page_that_says_so() -> None:
    sheet = contact_sheet([])
    assert np.asarray(sheet).std() > 0


def test_senseless_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        contact_sheet([], columns=0)
    with pytest.raises(ValueError, match="at least 1"):
        contact_sheet([], tile_size=(0, 5))
