"""Marking a named thing in a frame or a photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder
from media_files import write_video
from PIL import Image

from thisismy.cli.app import run
from thisismy.core.errors import InstanceError, MediaError, QueryError, VocabularyError
from thisismy.library import Library
from thisismy.personalization.segmentation import overlap
from thisismy.services.segmenting import Segmented

RED = (220, 20, 20)


def picture(path: Path, left: int, top: int) -> np.ndarray:
    """A red square before a blue ground; gives where it is."""
    pixels = np.zeros((90, 120, 3), np.uint8)
    pixels[...] = (40, 60, 160)
    pixels[top : top + 36, left : left + 40] = RED
    Image.fromarray(pixels).save(path)
    mask: np.ndarray = pixels[..., 0] > 200
    return mask


def segmented(library: Library, query: str, place: str, **options: Any) -> Segmented:
    return library.search.segment(query, place, **options)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    shown = tmp_path / "shown.png"
    Image.new("RGB", (32, 32), RED).save(shown)
    made = Library.create(tmp_path / "library")
    made.files.add([shown], encoder="fake")
    made.instances.name("my kite Ruby", [str(shown)], category="kite")
    return made


@pytest.mark.parametrize("method", ["visual", "palavra", "default"])
def test_a_named_thing_is_marked_in_a_photo(library, tmp_path, method):
    truth = picture(tmp_path / "park.png", 60, 40)
    found = library.search.segment("my kite Ruby", str(tmp_path / "park.png"), method=method)
    assert overlap(found.mask, truth) > 0.6
    assert (found.name, found.prompt, found.time) == ("my kite Ruby", "*", None)
    left, top, right, bottom = found.box
    assert 40 < left < 80
    assert 20 < top < 60
    assert right - left < 70
    assert bottom - top < 70
    assert found.share == pytest.approx(found.mask.mean())


def test_the_overlay_keeps_the_thing_and_dims_the_rest(library, tmp_path):
    picture(tmp_path / "park.png", 60, 40)
    found = library.search.segment("Ruby in the sky", str(tmp_path / "park.png"), method="visual")
    assert found.prompt == "* in the sky"
    shown = found.overlay()
    assert shown.shape == found.picture.shape
    assert tuple(shown[58, 80]) == RED
    away = shown[2, 2]
    assert away.max() - away.min() == 0
    assert away.max() < found.picture[2, 2].max()


def test_nothing_of_it_is_kept(library, tmp_path):
    picture(tmp_path / "park.png", 60, 40)
    library.search.segment("my kite Ruby", str(tmp_path / "park.png"), method="visual")
    with pytest.raises(VocabularyError, match="nothing was learned"):
        library.learning.vocabulary()


def test_what_makes_no_sense_is_refused(library, tmp_path):
    picture(tmp_path / "park.png", 60, 40)
    park = str(tmp_path / "park.png")
    with pytest.raises(QueryError, match="'my dog' names nobody"):
        segmented(library, "my dog", park)
    with pytest.raises(QueryError, match=r"which moment of film\.mp4"):
        segmented(library, "my kite Ruby", str(tmp_path / "film.mp4"))
    with pytest.raises(QueryError, match="is not a time"):
        segmented(library, "my kite Ruby", f"{tmp_path / 'film.mp4'}@1.2.3")
    with pytest.raises(MediaError, match="none"):
        segmented(library, "my kite Ruby", str(tmp_path / "none.png"))
    with pytest.raises(VocabularyError, match="no method called 'magic'"):
        segmented(library, "my kite Ruby", park, method="magic")
    library.instances.name("my kite Ghost", [str(tmp_path / "shown.png")], negative=True)
    with pytest.raises(InstanceError, match="'my kite Ghost' has no example"):
        segmented(library, "my kite Ghost", park)


def test_the_command_marks_a_frame_of_a_video(library, tmp_path, capsys):
    film = write_video(tmp_path / "film.mp4", (((30, 40, 200), 1.0), ((200, 30, 30), 1.0)))
    out, mask = tmp_path / "new" / "marked.png", tmp_path / "new" / "mask.png"
    words = ["-L", str(tmp_path / "library"), "segment", "my kite Ruby", f"{film}@0:01.5"]
    words += ["--method", "visual"]
    assert run([*words, "--out", str(out), "--mask", str(mask), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["time"] == pytest.approx(1.5, abs=0.05)
    assert (about["name"], about["out"], about["mask"]) == ("my kite Ruby", str(out), str(mask))
    with Image.open(mask) as image:
        found = np.asarray(image)
    assert set(np.unique(found)) <= {0, 255}
    assert about["share"] == pytest.approx((found == 255).mean())
    with Image.open(out) as image:
        assert image.size == (160, 90)
    assert run([*words, "--out", str(out)]) == 0
    assert "my kite Ruby in film.mp4 at 0:01.5" in capsys.readouterr().out
    (tmp_path / "file").write_text("no folder")
    assert run([*words, "--out", str(tmp_path / "file" / "marked.png")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("thisismy: ")
    assert "/file" in told
    assert len(told.splitlines()) == 1
    late = ["-L", str(tmp_path / "library"), "segment", "my kite Ruby", f"{film}@0:09"]
    assert run([*late, "--out", str(out)]) == 1
    assert "film.mp4 has nothing at 9 s: it ends at 2.0 s" in capsys.readouterr().err
    assert run([*words, "--out", str(tmp_path / "marked.jpg")]) == 1
    assert "written as a .png file" in capsys.readouterr().err
