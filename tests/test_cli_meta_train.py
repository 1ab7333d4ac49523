"""meta-train from a folder of pictures, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thisismy.cli.app import run
from thisismy.cli.meta_train import _categories
from thisismy.core.errors import VocabularyError
from thisismy.encoders import load_encoder
from thisismy.personalization import NamedInstance
from thisismy.personalization.meta.category_features import load_category_features
from thisismy.personalization.methods.meta_tokens import MATRIX, MetaTokens
from thisismy.services.meta_training import meta_train

SMALL = ["--set", "q=4", "--set", "rounds=2", "--set", "epochs=2", "--set", "batch=4"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name in ("dog/1", "dog/2", "dog__Rex/1", "dog__Rex/2", "cup/1"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(path)
    (tmp_path / "pictures/cup/broken.jpg").write_bytes(b"no picture")
    return tmp_path / "pictures"


def test_a_folder_becomes_a_file_of_category_features(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "categories.safetensors"
    command = ["meta-train", str(pictures), "-o", str(out), "--encoder", "embedded", *SMALL]
    assert run([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["categories"] == {"cup": 1, "dog": 3}
    assert report["rounds"] == 2
    assert [Path(path).name for path in report["failed"]] == ["broken.jpg"]
    assert len(report["history"]) == 4
    assert {"vision_language", "language", "category", "total"} <= set(report["history"][0])
    with Image.open(tmp_path / "categories.png") as curves:
        assert curves.width > 300
    before = out.read_bytes()
    assert run(command) == 0
    assert out.read_bytes() == before
    shown = capsys.readouterr()
    assert "dog (3)" in shown.out
    assert "broken.jpg" in shown.err
    found = load_category_features(out, load_encoder("embedded"))
    assert {name: matrix.shape for name, matrix in found.matrices.items()} == {
        "cup": (384, 4),
        "dog": (384, 4),
    }
    assert found.provenance["source"] == {"kind": "pictures", "folder": "pictures", "instances": 4}
    assert run([*command, "--seed", "3"]) == 1
    assert "made with other settings" in capsys.readouterr().err


def test_what_it_cannot_do_is_explained(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["meta-train", str(pictures), "-o", str(tmp_path / "x"), "--encoder", "embedded"]
    for setting, message in (
        ("magic=1", "no setting 'magic'"),
        ("rounds=many", "'rounds' of 'meta-train' is a whole number from 0"),
        ("rounds", "name=value"),
    ):
        assert run([*command, "--set", setting]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(VocabularyError, match="need a library, or an encoder"):
        meta_train(tmp_path / "x")


def test_texts_alone_become_category_features_and_words_start_from_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "text.safetensors"
    command = ["meta-train", "--text", "--category", "dog", "--category", "stuffed animal", "-o", str(out)]
    command += ["--encoder", "embedded", *SMALL, "--set", "instances_per_category=3"]
    assert run([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["categories"] == {"dog": 128, "stuffed animal": 128}
    assert report["source"] == {"kind": "texts", "phrases of a category": 128, "instances": 256}
    encoder = load_encoder("embedded")
    found = load_category_features(out, encoder)
    assert found.provenance["source"] == report["source"]
    assert set(found.matrices) == {"dog", "stuffed animal"}
    thing = NamedInstance("my dog", "dog", encoder.encode_texts(["a brown dog"]))
    none = np.zeros((0, encoder.embed_dim), np.float32)
    method = MetaTokens(category_features=str(out), epochs=0)
    started = method.fit([thing], none, encoder).shared[MATRIX + "dog"]
    np.testing.assert_array_equal(started, found.matrices["dog"])
    before = out.read_bytes()
    assert run(command) == 0
    assert out.read_bytes() == before


def test_texts_of_other_categories_are_another_file(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["meta-train", "--category", "dog"]) == 2
    assert run(["meta-train", str(pictures), "--text"]) == 2
    assert "--category goes with --text" in capsys.readouterr().err
    assert run(["--library", str(tmp_path / "none"), "meta-train", "--text"]) == 1
    assert "no library" in capsys.readouterr().err
    assert _categories(["COCO", "teapot"], None)[-3:] == ["hair drier", "toothbrush", "teapot"]


def test_a_librarys_things_and_its_categories(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = ["--quiet", "--library", str(tmp_path / "library")]
    assert run([*library, "add", str(pictures), "--encoder", "embedded"]) == 1
    for name, photo in (("my dog Rex", "dog__Rex/1"), ("my dog Rex", "dog__Rex/2"), ("my cup", "cup/1")):
        assert run([*library, "name", name, str(pictures / f"{photo}.png")]) == 0
    capsys.readouterr()
    seen, told = str(tmp_path / "seen.safetensors"), str(tmp_path / "told.safetensors")
    assert run([*library, "meta-train", "-o", seen, *SMALL, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["categories"] == {"cup": 1, "dog": 1}
    assert report["source"] == {"kind": "library", "instances": 2}
    few = ["--set", "instances_per_category=2"]
    assert run([*library, "meta-train", "--text", "-o", told, *SMALL, *few, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["categories"] == {"cup": 128, "dog": 128}
    for path in (seen, told):
        command = ["learn", "--method", "meta-tokens", "--set", f"category_features={path}"]
        assert run([*library, *command, "--set", "epochs=1", "--json"]) == 0
        learned = json.loads(capsys.readouterr().out)["learned"]
        assert [item["category"] for item in learned] == ["cup", "dog"]
