"""Training what predicts words: folders of pictures, resuming after a stop, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image

from thisismy.cli.app import run
from thisismy.core.errors import EncoderError, VocabularyError
from thisismy.personalization.inversion.weights import load_inversion
from thisismy.services.captioned_images import read_named_pictures
from thisismy.services.inversion import train_inversion

WORDS = ("dog", "hot dog", "bus", "coffee mug")
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
QUICK = {"epochs": 2, "batch": 2}


def _picture(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 9), colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in COLOURS.items():
        for number in range(3):
            shade = tuple(max(0, c - 20 * number) for c in colour)
            _picture(tmp_path / "in" / name / f"{number}.png", shade)
    return tmp_path / "in"


def test_folders_are_names(folder: Path) -> None:
    _picture(folder / "golden_retriever" / "a.jpg", (1, 2, 3))
    _picture(folder / "alone.jpg", (1, 2, 3))
    found = read_named_pictures(folder, WORDS)
    assert [p.name for p in found][:4] == ["blue"] * 3 + ["golden retriever"]
    assert {p.caption for p in found} == {""}
    assert len(found) == 10


def test_captions_beside_pictures_name_the_longest_object(tmp_path: Path) -> None:
    told = {
        "a": "Two dogs eat a Hot Dog on a bus",
        "b": "Three dogs run",
        "c": "a *coffee mug* here",
        "d": "nothing",
    }
    for name, caption in told.items():
        _picture(tmp_path / f"{name}.png", (9, 9, 9))
        (tmp_path / f"{name}.txt").write_text(caption)
    _picture(tmp_path / "e.png", (9, 9, 9))
    found = {p.path.stem: (p.name, p.caption) for p in read_named_pictures(tmp_path, WORDS)}
    assert found == {
        "a": ("hot dog", "Two dogs eat a * on a bus"),
        "b": ("dog", "Three * run"),
        "c": ("coffee mug", "a * here"),
    }


@pytest.mark.parametrize("listed", ["metadata.jsonl", "captions.csv"])
def test_captions_come_from_a_list(tmp_path: Path, listed: str) -> None:
    for name in ("a", "b", "c"):
        _picture(tmp_path / f"{name}.png", (9, 9, 9))
    if listed == "captions.csv":
        (tmp_path / listed).write_text('file,caption\na.png,"a dog, asleep"\nb.png,a bus\n')
    else:
        rows = [{"file_name": "a.png", "text": "a dog, asleep"}, {"file_name": "b.png", "caption": "a bus"}]
        (tmp_path / listed).write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    found = [(p.path.name, p.name, p.caption) for p in read_named_pictures(tmp_path, WORDS)]
    assert found == [("a.png", "dog", "a *, asleep"), ("b.png", "bus", "a *")]


def test_folders_that_say_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="no folder"):
        read_named_pictures(tmp_path / "none", WORDS)
    _picture(tmp_path / "dog" / "1.png", (1, 2, 3))
    with pytest.raises(VocabularyError, match="1 pictures and 1 names"):
        read_named_pictures(tmp_path, WORDS)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a dog"}\n{broken\n')
    with pytest.raises(VocabularyError, match="line 2"):
        read_named_pictures(tmp_path, WORDS)
    (tmp_path / "metadata.jsonl").unlink()
    (tmp_path / "captions.csv").write_text("name,words\na,b\n")
    with pytest.raises(VocabularyError, match="needs the columns file and caption"):
        read_named_pictures(tmp_path, WORDS)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("palavra", {**QUICK, "width": 8, "text_augmentation": False}), ("pi-map", QUICK)],
)
def test_a_folder_trains_and_the_file_says_how(tmp_path, folder, kind, settings):
    (folder / "red" / "broken.png").write_bytes(b"no picture")
    encoder = FakeEncoder()
    path = tmp_path / "out" / "f.safetensors"
    report = train_inversion(kind, path, encoder, folder=folder, settings=settings)
    assert report.source["pictures"] == 9
    assert list(report.failed) == [str(folder / "red" / "broken.png")]
    assert len(report.history) == 2
    assert report.curves is not None
    assert Image.open(report.curves).size[0] > 300
    found = load_inversion(path, kind, encoder)
    assert found.finished
    assert found.history == list(report.history)
    seen = encoder.images_seen
    again = train_inversion(kind, path, encoder, folder=folder, settings=settings)
    assert encoder.images_seen == seen
    assert again.history == report.history


def test_half_precision_halves_the_file_and_keeps_the_rest(tmp_path, folder):
    whole = train_inversion("pi-map", tmp_path / "a.st", FakeEncoder(), folder=folder, settings=QUICK)
    half = train_inversion(
        "pi-map", tmp_path / "b.st", FakeEncoder(), folder=folder, settings=QUICK, half=True
    )
    assert whole.history == half.history
    one, two = (load_inversion(tmp_path / n, "pi-map", FakeEncoder()) for n in ("a.st", "b.st"))
    assert (tmp_path / "b.st").stat().st_size < (tmp_path / "a.st").stat().st_size
    for key, array in one.weights.items():
        np.testing.assert_allclose(two.weights[key], array, atol=1e-3)


def test_without_a_folder_texts_stand_for_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr("thisismy.personalization.inversion.corpus.object_names", lambda: ("red", "blue"))
    report = train_inversion("pi-map", tmp_path / "m.st", FakeEncoder(), settings=QUICK)
    assert report.source["kind"] == "texts"
    with pytest.raises(EncoderError, match="only the embedded encoder"):
        train_inversion("pi-map", tmp_path / "n.st", FakeEncoder(), source="classes")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 3}, "no setting 'depth'"),
        ({"epochs": "many"}, "'epochs' of 'train-inversion pi-map' is a whole number from 0"),
        ({"epochs": -1}, "from 0 to"),
        ({"epochs": 10**9}, "from 0 to"),
        ({"batch": True}, "batch"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, folder, settings, message):
    with pytest.raises(VocabularyError, match=message):
        train_inversion("pi-map", tmp_path / "m.st", FakeEncoder(), folder=folder, settings=settings)
    with pytest.raises(VocabularyError, match="one of palavra, pi-map"):
        train_inversion("other", tmp_path / "m.st", FakeEncoder(), folder=folder)
    with pytest.raises(VocabularyError, match="not on 'classes'"):
        train_inversion("pi-map", tmp_path / "m.st", FakeEncoder(), folder=folder, source="classes")


def test_the_command_trains_says_so_and_refuses_in_one_line(tmp_path, folder, monkeypatch, capsys):
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: FakeEncoder())
    out = str(tmp_path / "m.st")
    common = ["-q", "train-inversion", "pi-map", str(folder), "-o", out]
    assert run([*common, "--set", "epochs=1", "--set", "condition=ones", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"]["pictures"] == 9
    assert run([*common, "--set", "epochs=1", "--set", "condition=ones"]) == 0
    assert "losses at the end: symmetric" in capsys.readouterr().out
    for wrong in (["--set", "epochs"], ["--set", "epochs=2"], ["--set", "depth=2"]):
        assert run([*common, *wrong]) == 1
        assert capsys.readouterr().err.count("\n") == 1
