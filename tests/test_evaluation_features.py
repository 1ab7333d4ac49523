"""What a features file keeps belongs to the pictures it was made from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from media_files import write_video
from typer.testing import CliRunner

from thisismy.cli.evaluate import app
from thisismy.evaluation.datasets import vlogs

SHOTS = 8


def flickering(folder: Path) -> Path:
    """Two videos that change colour five times a second, so that it matters which frames stand for a shot.

    The true shots are three seconds long, as fixed windows are.
    """
    rng = np.random.default_rng(1)
    shots = [{"start": 3.0 * i, "end": 3.0 * i + 3.0, "instance": None} for i in range(SHOTS)]
    for name in ("one", "two"):
        colours = rng.integers(0, 256, (SHOTS * 15, 3))
        write_video(folder / f"{name}.mp4", [(tuple(int(c) for c in colour), 0.2) for colour in colours])
        shows = [{**shot, "instance": "cup" if i == 2 else None} for i, shot in enumerate(shots)]
        truth = {"format": vlogs.FORMAT, "shots": shows, "mentions": []}
        (folder / f"{name}.json").write_text(json.dumps(truth))
    example = {"video": "one", "shot": 2, "in_naming_video": True}
    cup = {"spoken": "my cup", "class": "cup", "naming_videos": ["one"], "positives": [example]}
    (folder / "instances.json").write_text(json.dumps({"cup": cup}))
    targets = [{"video": "two", "shot": shot} for shot in (1, 4, 6)]
    queries = [{"type": "instance", "instance": "cup", "text": "", "targets": targets}]
    (folder / "queries.json").write_text(json.dumps(queries))
    return folder


def ranks(folder: Path, features: Path, shots: str) -> dict[str, float]:
    words = ["vlogs", str(folder), "--methods", "visual", "--seeds", "1", "--encoder", "embedded", "--json"]
    words += ["--features", str(features), "--shots", shots, "--examples-from", "given"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    measures: dict[str, float] = json.loads(result.stdout)["rows"][0]["measures"]["generic"]
    return measures


def test_frames_of_a_shot_scan_are_not_taken_for_others(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    flickering(folder)
    shared = tmp_path / "shared.safetensors"
    alone = ranks(folder, tmp_path / "alone.safetensors", "truth")
    # The same spans, but other frames: those that the scan kept.
    assert ranks(folder, shared, "windows") != alone
    assert ranks(folder, shared, "truth") == alone
