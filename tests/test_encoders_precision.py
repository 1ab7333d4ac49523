"""When an image tower runs in bfloat16, what that costs to find out, and what it changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from numpy.testing import assert_allclose
from PIL import Image
from safetensors.torch import load_file

from thisismy.core.caches import CachedFacts
from thisismy.encoders import load_encoder, precision
from thisismy.encoders.embedded.encoder import EmbeddedEncoder
from thisismy.encoders.hub import checkpoints
from thisismy.encoders.hub.clip_family import ClipFamilyEncoder

PICTURES = [np.full((40, 40, 3), shade, np.uint8) for shade in (10, 200)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THISISMY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.write_clip(tmp_path / "clip")


def clip(folder: Path) -> ClipFamilyEncoder:
    loaded = load_encoder(str(folder), device="cpu")
    assert isinstance(loaded, ClipFamilyEncoder)
    return loaded


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A processor with bfloat16, and a stopwatch that shows "half" and "full" in turn; "runs" counts."""
    told = {"half": 1.0, "full": 2.0, "runs": 0}

    def seconds(work: Callable[[], object]) -> float:
        work()
        told["runs"] += 1
        return told["half"] if told["runs"] % 2 else told["full"]

    monkeypatch.setattr(precision, "has_native_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_seconds", seconds)
    return told


def test_loading_and_texts_measure_nothing(folder: Path, measured: dict[str, float]) -> None:
    encoder = clip(folder)
    encoder.encode_texts(["a dog"])
    encoder.encode_images([])
    load_encoder("embedded", device="cpu").encode_texts(["a dog"])
    assert measured["runs"] == 0


def test_it_is_measured_once_per_model_and_machine(
    folder: Path, measured: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        encoder = clip(folder)
        rows = encoder.encode_images(PICTURES)
        encoder.encode_images(PICTURES)
        assert next(encoder._model.vision_model.parameters()).dtype == torch.bfloat16
        assert measured["runs"] == 2
    assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    monkeypatch.setattr(precision, "_machine", lambda: "another machine")
    clip(folder).encode_images(PICTURES)
    assert measured["runs"] == 4


def test_a_processor_without_bfloat16_measures_nothing(
    folder: Path, measured: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_native_bfloat16", lambda: False)
    clip(folder).encode_images(PICTURES)
    assert measured["runs"] == 0


def test_where_it_is_not_faster_the_weights_stay_exact(folder: Path, measured: dict[str, float]) -> None:
    measured["half"] = 1.9
    encoder = clip(folder)
    encoder.encode_images(PICTURES)
    assert measured["runs"] == 2
    stored = load_file(folder / "model.safetensors")
    kept = encoder._model.state_dict()
    assert [name for name, value in stored.items() if not torch.equal(value, kept[name])] == []
    assert not any(parameter.requires_grad for parameter in encoder._model.parameters())


def test_an_unwritable_cache_only_costs_time(
    folder: Path, measured: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("THISISMY_CACHE", str(tmp_path / "file" / "below"))
    for _ in range(2):
        clip(folder).encode_images(PICTURES)
    assert measured["runs"] == 4


def test_the_embedded_encoder_in_bfloat16(measured: dict[str, float], dev_data: Path) -> None:
    paths = sorted((dev_data / "photos-dev" / "images").glob("*/00.jpg"))[:6]
    photos = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    half = load_encoder("embedded", device="cpu")
    assert isinstance(half, EmbeddedEncoder)
    halved = half.encode_images(photos)
    assert half._image_tower()._precision == torch.bfloat16
    measured["half"] = 1.9
    CachedFacts("precision").put(f"efficientnet-lite2 on {precision._machine()}", False)
    full = load_encoder("embedded", device="cpu")
    exact = full.encode_images(photos)
    cosines = (halved * exact).sum(1)
    assert cosines.min() > 0.99
    assert cosines.mean() > 0.995
    assert full.id == half.id


def test_a_folder_is_hashed_once_for_as_long_as_it_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    digest = checkpoints.hashlib.file_digest

    def counted(file: object, kind: str) -> object:
        reads.append(file.name)  # type: ignore[attr-defined]
        return digest(file, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoints.hashlib, "file_digest", counted)
    first = checkpoints.find_checkpoint(str(folder))
    assert reads
    # Written just now: not yet to be trusted.
    reads.clear()
    assert checkpoints.find_checkpoint(str(folder)) == first
    assert reads
    monkeypatch.setattr(checkpoints, "SETTLED_NS", 0)
    checkpoints.find_checkpoint(str(folder))
    reads.clear()
    assert checkpoints.find_checkpoint(str(folder)) == first
    assert reads == []
    # The same size and the same time of change, as a copying program would set it.
    weights = folder / "model.safetensors"
    before = weights.stat()
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = checkpoints.find_checkpoint(str(folder))
    assert changed.revision != first.revision
    moved = shutil.move(folder, folder.with_name("moved"))
    assert checkpoints.find_checkpoint(str(moved)).revision == changed.revision
