"""meta-train from a folder of pictures, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thisismy.cli.app import run
from thisismy.encoders import load_encoder
from thisismy.errors import VocabularyError
from thisismy.personalization.category_features import load_category_features
from thisismy.verbs.meta import meta_train

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
        ("rounds=many", "rounds' is a int"),
        ("rounds", "name=value"),
    ):
        assert run([*command, "--set", setting]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(VocabularyError, match="from a library, or from a folder"):
        meta_train(tmp_path / "x")
