"""Asking for what a photo shows, in a context, without naming or learning anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder
from PIL import Image, ImageDraw

from thisismy.cli.app import run
from thisismy.core.box import Box
from thisismy.core.errors import EncoderError, MediaError, QueryError, VocabularyError
from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    return fake


@pytest.fixture
def library(encoder: FakeEncoder, tmp_path: Path) -> Library:
    colours = {"red": RED, "green": GREEN, "blue": BLUE, "red and green": (200, 140, 0)}
    for name, colour in colours.items():
        path = tmp_path / "in" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        noise = Image.effect_noise((16, 16), 30).convert("RGB")
        Image.blend(Image.new("RGB", (16, 16), colour), noise, 0.1).save(path)
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake")
    return made


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Green on its left, red on its right."""
    picture = Image.new("RGB", (40, 20), GREEN)
    ImageDraw.Draw(picture).rectangle((20, 0, 40, 20), fill=RED)
    picture.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def _names(library: Library, text: str, photo: Path, **options: object) -> list[str]:
    everything = SearchOptions(cutoff=0.0, fold=False)
    result = library.search.find_pictured(text, photo, options=everything, **options)
    return [Path(hit.path).stem for hit in result.hits]


@pytest.mark.parametrize("method", ["pi-map", "visual", "default", "palavra"])
def test_the_thing_in_the_box_is_found(library, photo, method):
    assert _names(library, "", photo, box=Box(20, 0, 40, 20), method=method)[0] == "red"
    assert _names(library, "*", photo, box=Box(0, 0, 18, 20), method=method)[0] == "green"


def test_the_words_are_the_context(library, photo):
    asked = _names(library, "* next to something green", photo, box=Box(22, 0, 40, 20), method="pi-map")
    assert asked[0] == "red and green"


def test_nothing_is_kept_or_named(library, photo):
    library.search.find_pictured("*", photo)
    assert library.instances.all() == []
    with pytest.raises(VocabularyError, match="nothing was learned"):
        library.learning.vocabulary()


def test_what_makes_no_sense_is_refused(library, photo, tmp_path):
    with pytest.raises(QueryError, match=r'write a \* there, such as "\* on a beach"'):
        library.search.find_pictured("on a beach", photo)
    with pytest.raises(MediaError, match="outside of the picture of 40 x 20"):
        library.search.find_pictured("*", photo, box=Box(50, 0, 60, 20))
    with pytest.raises(MediaError, match="none"):
        library.search.find_pictured("*", tmp_path / "none.png")
    with pytest.raises(VocabularyError, match="no method called 'magic'"):
        library.search.find_pictured("*", photo, method="magic")
    library.encoder.token_dim = None
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        library.search.find_pictured("*", photo, method="pi-map")


def test_the_command_asks_with_a_photo(library, photo, tmp_path, capsys):
    common = ["-L", str(tmp_path / "library"), "search", "--cutoff", "0"]
    assert run([*common, "*", "--like", str(photo), "--box", "20,0,40,20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert Path(found["hits"][0]["path"]).stem == "red"
    assert "photo.png" in found["read"]
    for wrong in (["--box", "1,2"], ["--box", "90,0,99,9"], ["--image", str(photo)]):
        assert run([*common, "*", "--like", str(photo), *wrong]) == 1
        assert capsys.readouterr().err.count("\n") == 1
