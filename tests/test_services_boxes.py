"""What is in a box is learned; it is decoded once, and left out with one remark when its file is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder
from media_files import write_photo, write_video
from PIL import Image, ImageDraw

from thisismy.cli.app import run
from thisismy.cli.settings import parse_box
from thisismy.core.box import Box
from thisismy.core.errors import InstanceError, MediaError, QueryError, VocabularyError
from thisismy.library import Library
from thisismy.personalization import METHODS, make_method
from thisismy.personalization.boxes import BOX_VIEWS, encircled
from thisismy.retrieval.options import SearchOptions
from thisismy.services.example_ids import example_id, place_of
from thisismy.store import instances as rows
from thisismy.store.instances import REJECTED, Example

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
NAME = "my dog Rusty"


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    return fake


@pytest.fixture
def library(encoder: FakeEncoder, tmp_path: Path) -> Library:
    """Colours; "small.png" is green with a small red thing at 60 to 80 by 10 to 30 of 100 by 50 pixels."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, colour in {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}.items():
        Image.new("RGB", (16, 16), colour).save(folder / f"{name}.png")
    small = Image.new("RGB", (100, 50), GREEN)
    ImageDraw.Draw(small).rectangle((60, 10, 79, 29), fill=RED)
    small.save(folder / "small.png")
    # Green, then blue, each with its lighter quarter top left; a person points at the blue.
    write_video(folder / "film.mp4", ((GREEN, 2.0), (BLUE, 2.0)))
    made = Library.create(tmp_path / "library")
    made.files.add([folder], encoder="fake")
    return made


def mean_of(library: Library, name: str = NAME) -> np.ndarray[Any, Any]:
    """What was learned of an instance, by a method that keeps the mean of its examples."""
    found: np.ndarray[Any, Any] = library.learning.vocabulary().concept(name).arrays["mean"]
    return found


def best(library: Library) -> str:
    (hit, *_) = library.search.find(NAME, options=SearchOptions(k=1, cutoff=0.0, fold=False)).hits
    return Path(hit.path).stem


def first_example(library: Library) -> Example:
    return library.instances.examples(NAME)[0].example


@pytest.mark.parametrize("method", ["prototype-context", "clip-visual", "pi-map"])
def test_what_is_in_the_box_is_learned(library: Library, tmp_path: Path, method: str) -> None:
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], category="dog")
    library.learning.learn(method=method)
    assert np.argmax(mean_of(library)[:3]) == 1
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], box=Box(60, 10, 80, 30))
    report = library.learning.learn(method=method)
    assert [item.name for item in report.learned] == [NAME]
    assert report.notes == []
    np.testing.assert_allclose(
        mean_of(library), FakeEncoder().encode_images([np.array([[RED]])])[0], atol=1e-6
    )
    assert best(library) == "red"


def test_every_method_says_what_it_makes_of_a_box() -> None:
    assert {make_method(name).boxes for name in METHODS} == {"crop"}
    assert {make_method("pi-map", {"boxes": mark}).boxes for mark in BOX_VIEWS} == set(BOX_VIEWS)
    with pytest.raises(
        VocabularyError, match="'boxes' of 'pi-map' is one of ignore, crop, ellipse, not 'circle'"
    ):
        make_method("pi-map", {"boxes": "circle"})


def test_a_method_may_want_the_ellipse_or_no_box(
    library: Library, encoder: FakeEncoder, tmp_path: Path
) -> None:
    photo = tmp_path / "in/small.png"
    library.instances.name(NAME, [str(photo)], category="dog", box=Box(60, 10, 80, 30))
    picture = np.asarray(Image.open(photo).convert("RGB"))
    library.learning.learn(method="pi-map", arguments={"boxes": "ellipse"})
    drawn = encircled(picture, Box(60, 10, 80, 30))
    np.testing.assert_allclose(mean_of(library), encoder.encode_images([drawn])[0], atol=1e-6)
    library.learning.learn(method="pi-map", arguments={"boxes": "ignore"})
    np.testing.assert_allclose(mean_of(library), encoder.encode_images([picture])[0], atol=2e-3)


def test_a_frame_of_a_video_is_decoded_where_the_box_was_drawn(library: Library, tmp_path: Path) -> None:
    film = tmp_path / "in/film.mp4"
    library.instances.name(NAME, [f"{film}@3.5"], category="dog", box=Box(0, 50, 80, 80))
    example = first_example(library)
    assert example.box == pytest.approx((0, 50 / 90, 0.5, 80 / 90))
    assert example.box_time == 3.5
    library.learning.learn(method="clip-visual")
    assert np.argmax(mean_of(library)[:3]) == 2
    # The middle of a stretch, when no instant was named: here the end of the green.
    library.instances.name(NAME, [f"{film}@1-1.9"], box=Box(0, 50, 80, 80))
    assert library.instances.examples(NAME)[-1].example.box_time == pytest.approx(1.45)


@dataclass
class Calls:
    """How often something was called."""

    count: int = 0


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Calls:
    from thisismy.media import photos

    calls, real = Calls(), photos.read_photo

    def counted(path: str | Path, shorter_side: int | None = None) -> Any:
        calls.count += 1
        return real(path, shorter_side)

    monkeypatch.setattr(photos, "read_photo", counted)
    return calls


def test_a_box_is_decoded_and_encoded_once(
    library: Library, encoder: FakeEncoder, tmp_path: Path, decoded: Calls
) -> None:
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], category="dog", box=Box(60, 10, 80, 30))
    library.learning.learn()
    images, files = encoder.images_seen, decoded.count
    library.learning.learn([NAME])
    library.learning.learn(method="clip-visual")
    Library.open(tmp_path / "library").learning.learn(method="linear-head")
    assert best(library) == "red"
    assert (encoder.images_seen, decoded.count) == (images, files)
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], box=Box(0, 0, 20, 20))
    assert [item.name for item in library.learning.learn(method="linear-head").learned] == [NAME]
    assert (encoder.images_seen, decoded.count) == (images + 1, files + 1)


def test_a_broken_cache_is_made_again(library: Library, tmp_path: Path) -> None:
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], category="dog", box=Box(60, 10, 80, 30))
    library.learning.learn()
    (kept,) = (tmp_path / "library/cache").glob("*/boxes-*/*.npy")
    kept.write_bytes(b"\x93NUMPY broken")
    assert library.learning.learn([NAME]).notes == []
    assert np.load(kept).shape == (4,)


def test_a_file_that_is_gone_is_said_once_and_the_shot_is_used(library: Library, tmp_path: Path) -> None:
    film = tmp_path / "in/film.mp4"
    library.instances.name(NAME, [f"{film}@3.5"], category="dog", box=Box(0, 50, 80, 80))
    library.instances.name(NAME, [f"{film}@0.5"], box=Box(0, 50, 80, 80))
    away = film.rename(tmp_path / "away.mp4")
    for folder in (tmp_path / "library/cache").glob("*/boxes-*"):
        for kept in folder.iterdir():
            kept.unlink()
    report = library.learning.learn(judge=False)
    assert report.notes == ["film.mp4 is gone from disk: 2 boxes on it are not used, the whole shots are"]
    assert [item.examples for item in report.learned] == [2]
    # Nothing has changed since, and nothing is said again by a search.
    assert library.learning.states()[NAME] == "current"
    assert library.learning.learn().unchanged == [NAME]
    away.rename(film)
    assert [item.name for item in library.learning.learn().learned] == [NAME]
    assert library.learning.states()[NAME] == "current"


def test_a_box_on_a_photo_that_is_no_file_of_the_library(library: Library, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "turned.jpg", orientation=6)
    wide = Image.new("RGB", (2000, 1000), GREEN)
    ImageDraw.Draw(wide).rectangle((1500, 500, 2000, 1000), fill=BLUE)
    wide.save(tmp_path / "wide.jpg")
    library.instances.name(NAME, [str(tmp_path / "wide.jpg")], category="dog", box=Box(1500, 500, 2000, 1000))
    (tmp_path / "wide.jpg").unlink()
    assert first_example(library).box == (0.75, 0.5, 1, 1)
    library.learning.learn()
    assert np.argmax(mean_of(library)[:3]) == 2
    # Stored on its side, shown 80 by 60: the pixels are those of what is shown.
    library.instances.name("my red wall", [str(photo)], category="wall", box=Box(40, 30, 80, 60))
    assert library.instances.examples("my red wall")[0].example.box == (0.5, 0.5, 1, 1)


def test_a_rejected_box_stands_for_what_is_in_it(library: Library, tmp_path: Path) -> None:
    library.instances.name(NAME, [str(tmp_path / "in/red.png")], category="dog")
    library.instances.name(NAME, [str(tmp_path / "in/small.png")], negative=True, box=Box(0, 0, 50, 50))
    seen = library.learning._features.of(library.instances.get(NAME), REJECTED, "crop")
    np.testing.assert_allclose(
        seen.features[0], FakeEncoder().encode_images([np.array([[GREEN]])])[0], atol=1e-6
    )


def test_the_same_place_is_known_with_and_without_its_box() -> None:
    plain = Example("a1b2", rows.Span(1, 2))
    boxed = replace(plain, box=(0.1, 0.2, 0.3, 0.4), box_time=1.5)
    ids = {example_id(plain), example_id(boxed), example_id(boxed, box_seen=False)}
    assert len(ids) == 3
    assert {place_of(one) for one in ids} == {"a1b2@1.000-2.000"}
    assert example_id(plain, box_seen=False) == example_id(plain)


def test_boxes_that_make_no_sense(library: Library, tmp_path: Path) -> None:
    photo, film = str(tmp_path / "in/small.png"), str(tmp_path / "in/film.mp4")
    with pytest.raises(MediaError, match=r"small.png: the box 200, 0, 300, 50 .* picture of 100 x 50 pixels"):
        library.instances.name(NAME, [photo], box=Box(200, 0, 300, 50))
    with pytest.raises(MediaError, match="picture of 160 x 90 pixels"):
        library.instances.name(NAME, [f"{film}@1"], box=Box(10, 10, 10, 60))
    with pytest.raises(InstanceError, match="2 places are named"):
        library.instances.name(NAME, [photo, f"{film}@1"], box=Box(0, 0, 10, 10))
    assert library.instances.all() == []
    library.instances.name(NAME, [photo], category="dog", box=Box(-20, 25, 50, 999))
    assert first_example(library).box == (0, 0.5, 0.5, 1)


def test_another_way_to_learn_keeps_what_was_learned(library: Library, tmp_path: Path) -> None:
    library.instances.name(NAME, [str(tmp_path / "in/red.png")], category="dog")
    library.instances.name("my cat Moss", [str(tmp_path / "in/green.png")], category="cat")
    assert [item.name for item in library.learning.learn([NAME]).learned] == [NAME]
    assert list(library.learning.vocabulary().concepts) == [NAME]
    library.learning.learn()
    report = library.learning.learn([NAME], method="clip-visual")
    assert [item.name for item in report.learned] == [NAME, "my cat Moss"]
    assert library.learning.vocabulary().method == "clip-visual"
    assert [item.name for item in library.learning.learn([NAME], method="clip-visual").learned] == [NAME]


def test_boxes_on_the_command_line(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(library.store.folder)
    film = tmp_path / "in/film.mp4"
    named = ["--library", folder, "name", NAME, f"{film}@3.5", "--category", "dog"]
    assert run([*named, "--box", "0,50,80,80"]) == 0
    assert first_example(library).box == pytest.approx((0, 50 / 90, 0.5, 80 / 90))
    assert run([*named, "--box", "500,50,600,80"]) == 1
    assert "lies outside of the picture of 160 x 90 pixels" in capsys.readouterr().err
    assert run([*named, "--box", "left"]) == 1
    assert "a box is four numbers of pixels" in capsys.readouterr().err
    film.unlink()
    assert run(["--library", folder, "learn", "--method", "pi-map?epochs=1&boxes=ellipse"]) == 0
    assert (
        "note: film.mp4 is gone from disk: 1 box on it is not used, the whole shot is"
        in capsys.readouterr().out
    )
    assert library.learning.vocabulary().arguments["boxes"] == "ellipse"
    assert run(["--library", folder, "learn", "--json", "--method", "clip-visual"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == [
        "film.mp4 is gone from disk: 1 box on it is not used, the whole shot is"
    ]
    with pytest.raises(QueryError, match="'1,2,3'"):
        parse_box("1,2,3")
