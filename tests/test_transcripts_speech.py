from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from thisismy.core.errors import MissingExtraError, TranscriptError
from thisismy.transcripts.speech import models
from thisismy.transcripts.speech import recogniser as speech
from thisismy.transcripts.speech.recogniser import Recogniser, transcribe


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tiny packages in place of the real ones."""
    data = []
    for i, part in enumerate((b"first", b"second"), 1):
        folder = tmp_path / f"package{i}"
        folder.mkdir()
        (folder / f"model.bin.part{i}").write_bytes(part)
        data.append(folder)
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (data[1] / name).write_text("{}")
    monkeypatch.setattr(models, "_package_data", lambda: data)
    monkeypatch.setattr(models, "_WEIGHTS_BYTES", 11)
    monkeypatch.setattr(models, "_WEIGHTS_SHA256", hashlib.sha256(b"firstsecond").hexdigest())
    return tmp_path


def test_the_base_model_is_put_together_once(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THISISMY_CACHE", str(packages / "cache"))
    folder = models.assemble_base_model()
    assert folder == packages / "cache" / "whisper-base"
    assert (folder / "model.bin").read_bytes() == b"firstsecond"
    monkeypatch.setattr(models, "_package_data", lambda: pytest.fail("assembled twice"))
    assert models.assemble_base_model() == folder
    assert [p.name for p in folder.parent.iterdir()] == ["whisper-base"]


def test_a_cut_short_model_is_replaced(packages: Path) -> None:
    folder = packages / "cache" / "whisper-base"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"fir")
    assert models.assemble_base_model(packages / "cache") == folder
    assert (folder / "model.bin").read_bytes() == b"firstsecond"


def test_damaged_parts_are_refused_and_leave_nothing(packages: Path) -> None:
    (packages / "package1" / "model.bin.part1").write_bytes(b"fIrst")
    with pytest.raises(TranscriptError, match="damaged"):
        models.assemble_base_model(packages / "cache")
    assert list((packages / "cache").iterdir()) == []


def test_models_by_name_folder_or_packages(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.locate_model("small") == ("small", "small")
    with pytest.raises(TranscriptError, match=r"model\.bin is missing"):
        models.locate_model(str(packages))
    with pytest.raises(TranscriptError, match="no speech model folder"):
        models.locate_model(str(packages / "gone"))
    assert models.locate_model("auto", packages / "c")[1] == "base"
    monkeypatch.setattr(models, "_package_data", lambda: None)
    assert models.locate_model("auto", packages / "d") == ("base", "base")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtraError, match="'speech'"):
        Recogniser()


def test_blocks_are_cut_where_nobody_speaks() -> None:
    second = 16_000
    stretches = [{"start": 0, "end": 100 * second}, {"start": 290 * second, "end": 300 * second}]
    assert speech._quiet_cut(stretches, 300 * second) == 290 * second
    assert speech._quiet_cut(stretches[:1], 300 * second) == 300 * second
    assert speech._quiet_cut([{"start": 0, "end": 300 * second}], 300 * second) == 300 * second
    assert speech._quiet_cut([], 5) == 5


def row(**changes: object) -> SimpleNamespace:
    values = {"text": " Hello", "no_speech_prob": 0.1, "avg_logprob": -0.3, "compression_ratio": 1.0}
    return SimpleNamespace(**{**values, **changes})


@pytest.mark.parametrize(
    ("found", "believed"),
    [
        (row(), True),
        (row(text=" ..."), False),
        (row(no_speech_prob=0.9), True),
        (row(no_speech_prob=0.9, avg_logprob=-1.2), False),
        (row(avg_logprob=-1.7), False),
        (row(compression_ratio=3.0), False),
    ],
)
def test_invented_segments_are_not_believed(found: SimpleNamespace, believed: bool) -> None:
    recogniser = Recogniser.__new__(Recogniser)
    recogniser.settings = speech.SpeechSettings()
    assert recogniser._is_believed(found) is believed


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    pytest.importorskip("faster_whisper", reason="needs the extra 'speech'")
    if models._package_data() is None:
        pytest.skip("needs the packages of the base model")
    return Recogniser(cache=tmp_path_factory.mktemp("cache"), threads=1)


def test_silence_noise_and_no_sound_give_nothing(recogniser: Recogniser, dev_data: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 16_000 * 8).astype(np.float32)
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000 * 8) / 16_000)).astype(np.float32)
    for sound in (np.zeros(16_000 * 5, np.float32), np.zeros(0, np.float32), noise, tone):
        assert recogniser.transcribe(sound).segments == ()
    for name in ("silent_audio.mp4", "no_audio.mp4"):
        assert recogniser.transcribe(dev_data / "robust" / name).segments == ()


def test_speech_is_heard_with_word_times_and_can_be_stopped(recogniser: Recogniser, dev_data: Path) -> None:
    seen: list[float] = []

    def stop_after_first(stage: str, done: float, total: float | None) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    transcript = recogniser.transcribe(dev_data / "vlogs-dev" / "alex_01.mp4")
    assert transcript.language == "en"
    assert transcript.source == "speech:base"
    words = transcript.words
    dog = next(w for w in words if w.text.lower().startswith("dog"))
    assert dog.span.start == pytest.approx(14.1, abs=0.5)
    assert all(type(w.span.start) is float and type(w.probability) is float for w in words)
    with pytest.raises(KeyboardInterrupt):
        recogniser.transcribe(dev_data / "vlogs-dev" / "alex_01.mp4", progress=stop_after_first)


def test_samples_must_be_one_channel(recogniser: Recogniser) -> None:
    with pytest.raises(TranscriptError, match=r"\(n,\)"):
        recogniser.transcribe(np.zeros((2, 100), np.float32))


def test_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, model: str) -> None:
            self.model = model

        def transcribe(self, source: object, language: object, progress: object) -> tuple[object, ...]:
            return (self.model, source, language)

    monkeypatch.setattr(speech, "Recogniser", Fake)
    assert transcribe("a.mp4", "small", "de") == ("small", "a.mp4", "de")
