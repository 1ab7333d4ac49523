from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_files import BLACK, BLUE, RED, is_upright, mean_colour, write_photo, write_sound, write_video

from thisismy.core.errors import MediaError
from thisismy.media.pictures import is_black, is_empty
from thisismy.media.thumbnails import thumbnail


def test_a_black_beginning_never_becomes_the_thumbnail(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(BLACK, 6.0), (RED, 4.0)])
    image = thumbnail(path, size=100)
    assert image.shape == (56, 100, 3)
    assert not is_empty(image)
    assert int(np.argmax(mean_colour(image))) == 0


def test_a_thumbnail_of_a_moment_is_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 1.0), (BLUE, 1.0)], rotation=90)
    image = thumbnail(path, 1.5, 80)
    assert image.shape == (80, 45, 3)
    assert is_upright(np.rot90(image, -1))
    assert int(np.argmax(mean_colour(np.rot90(image, -1)))) == 2


def test_only_black_gives_black_and_one_frame_gives_it(tmp_path: Path) -> None:
    assert is_black(thumbnail(write_video(tmp_path / "a.mp4", [(BLACK, 1.0)])))
    assert thumbnail(write_video(tmp_path / "b.mp4", [(RED, 0.04)])).shape == (90, 160, 3)


def test_photos_too(tmp_path: Path) -> None:
    image = thumbnail(write_photo(tmp_path / "a.jpg", orientation=6), size=40)
    assert image.shape == (30, 40, 3)
    assert is_upright(image)


def test_bad_arguments_and_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1 pixel"):
        thumbnail(tmp_path / "a.mp4", size=0)
    with pytest.raises(MediaError, match="no picture stream"):
        thumbnail(write_sound(tmp_path / "a.m4a", 0.5))


def test_damage_is_not_chosen(dev_data: Path) -> None:
    assert thumbnail(dev_data / "robust/corrupt_bytes.mp4").std() > 30
