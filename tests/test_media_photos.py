from __future__ import annotations

import struct
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from media_files import RED, is_upright, mean_colour, truncate, write_photo
from PIL import Image

from thisismy.core.errors import MediaError, MissingExtraError
from thisismy.media import photos
from thisismy.media.photos import probe_photo, read_photo
from thisismy.media.probe import probe


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    image = read_photo(write_photo(tmp_path / "a.jpg", orientation=orientation))
    assert image.shape == (60, 80, 3)
    assert image.dtype == np.uint8
    assert is_upright(image)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_formats_and_sizes(tmp_path: Path, suffix: str) -> None:
    path = write_photo(tmp_path / f"a{suffix}")
    image = read_photo(path, 30)
    assert image.shape == (30, 40, 3)
    assert mean_colour(image) == pytest.approx(RED, abs=8)
    assert read_photo(path, 5000).shape == (60, 80, 3)


def test_heic_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    photos._register_heic()
    Image.fromarray(np.full((60, 80, 3), RED, np.uint8)).save(path)
    assert mean_colour(read_photo(path)) == pytest.approx(RED, abs=8)
    assert probe(path).kind == "photo"
    photos._register_heic.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=r"thisismy\[heic\]"):
        read_photo(path)


@pytest.mark.parametrize(
    ("mode", "value"), [("L", 90), ("1", 1), ("P", 3), ("CMYK", (0, 0, 0, 100)), ("I;16", 30000)]
)
def test_other_colour_modes(tmp_path: Path, mode: str, value: object) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    Image.new(mode, (40, 30), value).save(tmp_path / f"a{suffix}")
    image = read_photo(tmp_path / f"a{suffix}")
    assert image.shape == (30, 40, 3)
    if mode == "I;16":
        assert image[0, 0, 0] == 30000 >> 8


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    Image.new("RGBA", (10, 10), (200, 0, 0, 0)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").min() == 255


def test_dates_with_and_without_a_zone(tmp_path: Path) -> None:
    plain = write_photo(tmp_path / "a.jpg", date="2019:03:02 01:00:59")
    assert probe_photo(plain).created == datetime(2019, 3, 2, 1, 0, 59)
    zoned = write_photo(tmp_path / "b.jpg", date="2019:03:02 01:00:59", zone="+02:00")
    assert probe_photo(zoned).created == datetime(2019, 3, 2, 1, 0, 59, tzinfo=timezone(timedelta(hours=2)))
    assert probe_photo(zoned).created.utcoffset() == timedelta(hours=2)
    assert probe_photo(write_photo(tmp_path / "c.jpg")).created is None
    assert probe_photo(write_photo(tmp_path / "d.jpg", date="0000:00:00 00:00:00")).created is None


def test_a_truncated_photo_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=90)
    cut = truncate(tmp_path / "a.jpg", tmp_path / "b.jpg", 0.6)
    image = read_photo(cut)
    assert image.shape == (200, 300, 3)
    assert image[:60].std() > 30
    assert any("truncated" in note for note in probe(cut).notes)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data += struct.pack(">I", 100) + b"IDAT" + zlib.compress(bytes(1000))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(MediaError, match="60000 x 60000 pixels") as caught:
        read_photo(tmp_path / "a.png")
    assert "\n" not in str(caught.value)
    assert Image.MAX_IMAGE_PIXELS is not None


@pytest.mark.parametrize("content", [b"", b"words", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_photo_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(MediaError):
        read_photo(tmp_path / "a.png")
    with pytest.raises(MediaError):
        probe_photo(tmp_path / "a.png")
