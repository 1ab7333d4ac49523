from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from media_files import BLUE, GREEN, RED, write_video

from thisismy.cli.app import run
from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span
from thisismy.encoders.caching import CachingEncoder
from thisismy.evaluation.datasets import vlogs
from thisismy.evaluation.features import FeatureFile
from thisismy.evaluation.protocols import mining
from thisismy.evaluation.protocols.mining import (
    evaluate_mining,
    true_mentions,
)
from thisismy.evaluation.reports.render import mining_markdown, mining_shares, mining_table
from thisismy.transcripts import Segment, Transcript, write_transcript

SAID = (
    (0.2, 1.8, "This is my opinion."),
    (2.2, 3.8, "This is my green bike."),
    (4.2, 5.8, "That was all."),
)


def small_set(folder: Path) -> Path:
    """One video of three shots; the second shows the bike that is named while it is on screen."""
    write_video(folder / "one.mp4", [(RED, 2.0), (GREEN, 2.0), (BLUE, 2.0)])
    said = Transcript(tuple(Segment(Span(start, end), text) for start, end, text in SAID))
    write_transcript(said, folder / "one.srt")
    write_transcript(said, folder / "one.auto.vtt")
    shots = [
        {"start": 2.0 * i, "end": 2.0 * i + 2.0, "instance": "bike" if i == 1 else None} for i in range(3)
    ]
    mentions = [
        {"start": 0.2, "end": 1.8, "text": SAID[0][2], "instance": None, "kind": "non_visual"},
        {"start": 2.2, "end": 3.8, "text": SAID[1][2], "instance": "bike", "kind": "visual_shown"},
    ]
    truth = {"format": vlogs.FORMAT, "shots": shots, "mentions": mentions}
    (folder / "one.json").write_text(json.dumps(truth))
    bike = {"spoken": "my bike", "class": "bicycle", "naming_videos": ["one"], "positives": []}
    (folder / "instances.json").write_text(json.dumps({"bike": bike}))
    (folder / "queries.json").write_text("[]")
    return folder


def features_of(encoder: FakeEncoder) -> FeatureFile:
    return FeatureFile(None, encoder.id)


@pytest.fixture
def calibrated(monkeypatch):
    """A calibration for three shots, which are too few to make one."""
    from thisismy.mining.calibrate import calibrate

    def any_colours(features, encoder):
        rows = np.abs(np.random.default_rng(0).normal(size=(64, 4))).astype(np.float32)
        return calibrate(rows / np.linalg.norm(rows, axis=1, keepdims=True), encoder.id)

    monkeypatch.setattr(mining, "calibration_for", any_colours)


def test_every_step_is_counted_against_the_truth(tmp_path, calibrated):
    truth = vlogs.read(small_set(tmp_path))
    encoder = FakeEncoder()
    found = evaluate_mining(
        truth, encoder, features_of(encoder), patterns=["paper"], transcripts=["srt", "vtt"], detector="truth"
    )
    assert [(row["patterns"], row["transcript"]) for row in found["rows"]] == [
        ("paper", "srt"),
        ("paper", "vtt"),
    ]
    for row in found["rows"]:
        assert row["spotted"] == {"precision": 1.0, "recall": 1.0, "right": 2, "wrong": 0, "missed": 0}
        assert row["visual"]["right"] == row["reference"]["right"] == 1
        assert row["visual"]["wrong"] == 0
    origin = found["provenance"]
    assert (origin["mentions"], origin["visible"], origin["shots by"]) == (2, 1, "truth")
    json.dumps(found)


def test_variants_are_extra_rows(tmp_path, calibrated):
    truth = vlogs.read(small_set(tmp_path))
    encoder = FakeEncoder()
    found = evaluate_mining(
        truth,
        encoder,
        features_of(encoder),
        patterns=["paper"],
        transcripts=["srt"],
        detector="truth",
        variants=True,
    )
    assert [row["variant"] for row in found["rows"]] == ["default", *mining.VARIANTS]


def test_speech_is_recognised_once(tmp_path, calibrated, monkeypatch):
    monkeypatch.setenv("THISISMY_CACHE", str(tmp_path / "cache"))
    heard = []

    class Listener:
        def __init__(self):
            heard.append("loaded")

        def transcribe(self, path):
            heard.append(path.name)
            return Transcript(tuple(Segment(Span(start, end), text) for start, end, text in SAID), "en")

    monkeypatch.setattr("thisismy.transcripts.speech.recogniser.Recogniser", Listener)
    monkeypatch.setattr(mining, "locate_model", lambda: ("anywhere", "base"))
    truth = vlogs.read(small_set(tmp_path))
    for _ in range(2):
        said = mining.read_transcripts(truth, ["asr"])
        assert said["one"]["asr"].text == " ".join(text for _, _, text in SAID)
    assert heard == ["loaded", "one.mp4"]


def test_what_is_not_there_is_said(tmp_path):
    truth = vlogs.read(small_set(tmp_path))
    encoder = FakeEncoder()
    (tmp_path / "one.auto.vtt").unlink()
    with pytest.raises(BenchmarkError, match="leave it out with --transcripts srt,asr"):
        evaluate_mining(truth, encoder, features_of(encoder), patterns=["paper"], transcripts=["vtt"])
    with pytest.raises(BenchmarkError, match="no pattern set 'papers'; there are paper, wide"):
        evaluate_mining(truth, encoder, features_of(encoder), patterns=["papers"], transcripts=["srt"])
    with pytest.raises(BenchmarkError, match="no transcript 'ass'"):
        evaluate_mining(truth, encoder, features_of(encoder), patterns=["paper"], transcripts=["ass"])


def test_shares_and_tables():
    step = {"precision": 13 / 14, "recall": None}
    assert mining_shares(step) == "93 / -"
    row = {"patterns": "paper", "transcript": "srt", "variant": "default"} | dict.fromkeys(mining.STEPS, step)
    assert mining_markdown([row]).splitlines()[2] == "| paper | srt |" + " 93 / - |" * 4
    about = {"benchmark": "b", "mentions": 2, "visible": 1, "encoder": "e", "shots by": "truth"}
    assert mining_table({"rows": [row], "provenance": about}).row_count == 1


def test_texts_are_embedded_once():
    encoder = FakeEncoder()
    caching = CachingEncoder(encoder)
    first = caching.encode_texts(["red", "green", "red"])
    again = caching.encode_texts(["green"])
    assert encoder.text_calls == 1
    np.testing.assert_array_equal(first, encoder.encode_texts(["red", "green", "red"]))
    np.testing.assert_array_equal(again[0], first[1])
    assert caching.encode_texts([]).shape == (0, 4)


def test_true_mentions_know_their_shots(dev_data):
    for path in sorted((dev_data / "vlogs-dev").glob("*_01.json")):
        told = json.loads(path.read_text())["mentions"]
        vlog = vlogs.read(dev_data / "vlogs-dev").videos[path.stem]
        assert [sorted(true.shots) for true in true_mentions(vlog)] == [m["shots_of_instance"] for m in told]


def test_the_command_on_a_narrated_video(dev_data, tmp_path, capsys):
    folder = tmp_path / "vlogs"
    folder.mkdir()
    for path in (dev_data / "vlogs-dev").glob("nora_01*"):
        (folder / path.name).symlink_to(path)
    (folder / "instances.json").write_text("{}")
    (folder / "queries.json").write_text("[]")
    command = ["-q", "evaluate", "mining", str(folder), "--encoder", "embedded", "--transcripts", "srt"]
    command += ["--features", str(tmp_path / "features.safetensors"), "--shots", "truth"]
    assert run([*command, "--patterns", "paper,paper+ner", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["spotted"]["recall"] == 1.0
    assert rows[0]["visual"]["right"] == rows[0]["reference"]["right"] == 3
    assert rows[1]["spotted"]["recall"] < 1.0
    assert run([*command, "--patterns", "paper"]) == 0
    assert "100 / 100" in capsys.readouterr().out


def test_the_row_as_printed_knows_neither_denials_nor_questions_nor_word_lists(tmp_path, calibrated):
    folder = small_set(tmp_path)
    lines = ("This isn't my red bike.", "I wonder if this is my green bike.", "Bye.")
    said = Transcript(
        tuple(Segment(Span(2.0 * i + 0.2, 2.0 * i + 1.8), line) for i, line in enumerate(lines))
    )
    write_transcript(said, folder / "one.srt")
    truth = json.loads((folder / "one.json").read_text())
    truth["mentions"][0] |= {"text": lines[0], "kind": "negated"}
    (folder / "one.json").write_text(json.dumps(truth))
    encoder = FakeEncoder()
    found = evaluate_mining(
        vlogs.read(folder),
        encoder,
        features_of(encoder),
        patterns=["paper"],
        transcripts=["srt"],
        detector="truth",
        variants=True,
    )
    ours, printed = found["rows"][:2]
    assert (ours["variant"], printed["variant"]) == ("default", "as printed")
    # The ten patterns do not match a denial, and what they match is judged by the picture alone.
    assert (ours["spotted"]["missed"], printed["spotted"]["missed"]) == (0, 1)
    assert (ours["visual"]["right"], printed["visual"]["right"]) == (0, 1)
