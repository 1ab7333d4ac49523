"""How good mining is on vlogs with truth: every pattern set, from subtitles and from recognised speech."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thisismy.core.caches import cache_folder
from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features
from thisismy.encoders.caching import CachingEncoder
from thisismy.evaluation.datasets.base import Media
from thisismy.evaluation.datasets.vlogs import Vlog, Vlogs
from thisismy.evaluation.features import FeatureFile, content_key
from thisismy.evaluation.protocols.mined_examples import calibration_for
from thisismy.evaluation.protocols.provenance import commit
from thisismy.evaluation.protocols.vlog_pipeline import find_shots, scanned_by, shot_features
from thisismy.mining.calibrate import Calibration, shipped_calibration
from thisismy.mining.measure import Counts, MiningScore, TrueMention
from thisismy.mining.mine import mine_video
from thisismy.mining.patterns import GRAMMAR_SETS, PATTERN_SETS
from thisismy.mining.settings import MiningSettings
from thisismy.transcripts.base import Transcript
from thisismy.transcripts.files import read_transcript, write_transcript
from thisismy.transcripts.speech.models import locate_model

if TYPE_CHECKING:
    from thisismy.transcripts.speech.recogniser import Recogniser

PATTERNS = (*PATTERN_SETS, *GRAMMAR_SETS)
"""The ten possessives, the wider set, and the alternatives of appendix D."""

SIDECARS = {"srt": ".srt", "vtt": ".auto.vtt"}
"""Ending of the true subtitles, and of what an automatic captioner would write."""

TRANSCRIPTS = (*SIDECARS, "asr")
"""Where the words come from; ``asr`` is this package's own speech recognition."""

STEPS = ("spotted", "visual", "reference", "examples")
"""The steps of mining in the order in which they are counted."""

_DEFAULT = MiningSettings()
VARIANTS: dict[str, MiningSettings] = {
    "as printed": MiningSettings.paper(),
    "no prior": replace(_DEFAULT, prior_threshold=0.0),
    "no kinds": replace(_DEFAULT, subtypes=False),
    "no nearness": replace(_DEFAULT, distance_penalty=0.0, score_cap=float("inf")),
    "bare phrase": replace(_DEFAULT, prompts=("{}",)),
    "photo prompt": replace(_DEFAULT, prompts=("a photo of a {}",)),
    "no neighbours": replace(_DEFAULT, shots_around=0),
    "two neighbours": replace(_DEFAULT, shots_around=2),
}
"""Other settings that are measured with ``variants``: one thing changed each, or the paper's rule."""


@dataclass(frozen=True)
class NarratedVideo:
    """One video made ready.

    Attributes:
        vlog: its truth.
        shots: as a detector found them.
        features: ``(n_shots, embed_dim)``.
        transcripts: transcript by where it comes from, a key of `TRANSCRIPTS`.
    """

    vlog: Vlog
    shots: Sequence[Span]
    features: Features
    transcripts: Mapping[str, Transcript]


def evaluate_mining(
    vlogs: Vlogs,
    encoder: Encoder,
    file: FeatureFile,
    *,
    patterns: Sequence[str] = PATTERNS,
    transcripts: Sequence[str] = TRANSCRIPTS,
    detector: str = "adaptive",
    variants: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Mine a set of vlogs and compare with the truth.

    Shots, features and recognised speech are kept in files, so that a second run takes seconds.

    Args:
        vlogs: the truth and where the videos are.
        encoder: frozen.
        file: where features go.
        patterns: pattern sets, of `PATTERNS`.
        transcripts: of `TRANSCRIPTS`.
        detector: a shot detector; ``truth`` takes the true shots.
        variants: also measure `VARIANTS`, with the first of ``patterns`` and of ``transcripts``.
        progress: told the stage and how far it is.

    Returns:
        ``rows``, each with ``patterns``, ``transcript``, ``variant`` and the `STEPS`, whose precision and
        recall are shares (None when there is nothing to share) with the counts they come from, and
        ``wrong``, a line per mistake; and ``provenance``. Plain JSON values.

    Raises:
        BenchmarkError: no such pattern set, transcript or detector, or a subtitle file is missing.
        MissingExtraError: a pattern set or speech needs something that is not installed.
    """
    _check("pattern set", patterns, PATTERNS)
    _check("transcript", transcripts, TRANSCRIPTS)
    said = read_transcripts(vlogs, transcripts, progress)
    shots = find_shots(vlogs, encoder, file, detector, progress)
    features = shot_features(vlogs, shots, encoder, file, scanned_by(detector), progress)
    material = [NarratedVideo(v, shots[name], features[name], said[name]) for name, v in vlogs.videos.items()]
    jobs = list(_jobs(patterns, transcripts, variants))
    rows = _rows(material, jobs, CachingEncoder(encoder), calibration_for(features, encoder), progress)
    return {"rows": rows, "provenance": _provenance(vlogs, detector, encoder)}


def _rows(
    material: Sequence[NarratedVideo],
    jobs: Sequence[tuple[str, MiningSettings, str]],
    encoder: Encoder,
    calibration: Calibration,
    progress: Progress,
) -> list[dict[str, Any]]:
    """One row per label, settings and transcript."""
    rows = []
    for done, (label, settings, transcript) in enumerate(jobs, start=1):
        score = MiningScore()
        for video in material:
            said = video.transcripts[transcript]
            found = mine_video(said, video.shots, video.features, encoder, settings, calibration)
            score.add_detected(found, true_mentions(video.vlog), video.vlog.shots, video.shots)
        rows.append(_row(score, settings.patterns, transcript, label))
        progress("mining", done, len(jobs))
    return rows


def _provenance(vlogs: Vlogs, detector: str, encoder: Encoder) -> dict[str, Any]:
    """Everything needed to know what a result was measured on."""
    mentions = [mention for vlog in vlogs.videos.values() for mention in vlog.mentions]
    shipped = shipped_calibration(encoder.id) is not None
    return {
        "benchmark": vlogs.folder.resolve().name,
        "videos": len(vlogs.videos),
        "mentions": len(mentions),
        "visible": sum(mention.kind == "visual_shown" for mention in mentions),
        "shots by": detector,
        "encoder": encoder.id,
        "calibration": "shipped" if shipped else "from these videos",
        "settings": asdict(_DEFAULT),
        "version": version("thisismy"),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def true_mentions(vlog: Vlog) -> list[TrueMention]:
    """The planted mentions of a video; those of nothing visible have no shots."""
    return [
        TrueMention(
            mention.span,
            mention.kind == "visual_shown",
            mention.kind == "negated",
            frozenset(i for i, who in enumerate(vlog.shows) if who is not None and who == mention.instance),
        )
        for mention in vlog.mentions
    ]


def read_transcripts(
    vlogs: Vlogs, transcripts: Sequence[str], progress: Progress = silent
) -> dict[str, dict[str, Transcript]]:
    """Video name -> where the words come from -> transcript; speech is recognised once and kept in a file.

    Raises:
        BenchmarkError: a subtitle file is missing.
        MissingExtraError: speech is wanted and the recogniser is not installed.
    """
    sidecars = [kind for kind in transcripts if kind in SIDECARS]
    said = {name: {kind: _subtitles(vlog, kind) for kind in sidecars} for name, vlog in vlogs.videos.items()}
    if "asr" in transcripts:
        recognise = _recognition()
        for done, (name, vlog) in enumerate(vlogs.videos.items(), start=1):
            said[name]["asr"] = recognise(vlog.path)
            progress("recognising speech", done, len(vlogs.videos))
    return said


def _jobs(
    patterns: Sequence[str], transcripts: Sequence[str], variants: bool
) -> Iterator[tuple[str, MiningSettings, str]]:
    for name in patterns:
        for transcript in transcripts:
            yield "default", replace(_DEFAULT, patterns=name), transcript
    if variants:
        for label, settings in VARIANTS.items():
            yield label, replace(settings, patterns=patterns[0]), transcripts[0]


def _row(score: MiningScore, patterns: str, transcript: str, variant: str) -> dict[str, Any]:
    steps = {step: _counted(getattr(score, step)) for step in STEPS}
    return {"patterns": patterns, "transcript": transcript, "variant": variant, **steps, "wrong": score.wrong}


def _counted(counts: Counts) -> dict[str, Any]:
    return {"precision": counts.precision, "recall": counts.recall, **asdict(counts)}


def _check(what: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        given = repr(unknown[0]) if unknown else "nothing"
        raise BenchmarkError(f"there is no {what} {given}; there are {', '.join(known)}")


def _subtitles(vlog: Vlog, kind: str) -> Transcript:
    path = vlog.path.with_suffix(SIDECARS[kind])
    if not path.is_file():
        others = ",".join(name for name in TRANSCRIPTS if name != kind)
        raise BenchmarkError(f"{path} is missing: leave it out with --transcripts {others}")
    return read_transcript(path)


def _recognition() -> Callable[[Path], Transcript]:
    """What recognises the speech of a file or takes it from the cache; the model is loaded when needed."""
    from thisismy.transcripts.speech.recogniser import Recogniser, SpeechSettings

    _, model = locate_model()
    how = hashlib.sha256(f"{model} {SpeechSettings()}".encode()).hexdigest()[:8]
    loaded: list[Recogniser] = []

    def recognise(path: Path) -> Transcript:
        kept = cache_folder() / "speech" / f"{content_key(Media(path))}-{model}-{how}.json"
        if kept.is_file():
            return read_transcript(kept)
        if not loaded:
            loaded.append(Recogniser())
        found = loaded[0].transcribe(path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_transcript(found, kept)
        return found

    return recognise
