"""Vlogs from their video files to a benchmark: shots found, frames encoded, examples given or mined."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

from thisismy.core.atomic_files import write_text
from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features, encode_block
from thisismy.evaluation.datasets.base import Benchmark, Item, Media
from thisismy.evaluation.datasets.vlogs import (
    Examples,
    Shots,
    Vlogs,
    build,
    given_examples,
    item_id,
    read,
    true_shots,
)
from thisismy.evaluation.features import FeatureFile, content_key, encode, pictures_key
from thisismy.evaluation.pictures import SAMPLING
from thisismy.evaluation.protocols.mined_examples import mined_examples
from thisismy.shots import DETECTORS, ShotDetector, scan_video

TRUTH = "truth"
"""The name of the detector that is none."""


def read_and_index(
    folder: Path,
    encoder: Encoder,
    file: FeatureFile,
    *,
    shots: str = "adaptive",
    examples_from: Literal["given", "mined"] = "mined",
    progress: Progress = silent,
) -> Benchmark:
    """Read a folder of vlogs and index it; see `vlog_benchmark`."""
    truth = read(folder)
    return vlog_benchmark(truth, encoder, file, detector=shots, examples=examples_from, progress=progress)


def vlog_benchmark(
    vlogs: Vlogs,
    encoder: Encoder,
    file: FeatureFile,
    *,
    detector: str = "adaptive",
    examples: Literal["given", "mined"] = "mined",
    progress: Progress = silent,
) -> Benchmark:
    """Index a set of vlogs and find its examples.

    Args:
        vlogs: the truth and where the videos are.
        encoder: encodes the frames of every shot; what the file has is not encoded again.
        file: where features go, and beside it the shots that were found.
        detector: ``adaptive``, ``transnet`` or ``windows``; ``truth`` takes the true shots.
        examples: ``given`` takes the true examples of the naming videos (the oracle row); ``mined`` finds
            them in the narration.
        progress: told the videos done.

    Raises:
        BenchmarkError: no such detector.
        MediaError: a video cannot be decoded.
    """
    shots = find_shots(vlogs, encoder, file, detector, progress)
    chosen: Examples = given_examples(vlogs, shots)
    categories = None
    if examples == "mined":
        rows = shot_features(vlogs, shots, encoder, file, scanned_by(detector), progress)
        chosen, categories = mined_examples(vlogs, shots, rows, encoder)
    name = f"{vlogs.folder.resolve().name}-{detector}-{examples}"
    built = build(vlogs, shots, chosen, name=name, mined=categories, scanned_by=scanned_by(detector))
    facts = {**built.facts, "shots by": detector, "examples": examples, "unlearned": sorted(built.unlearned)}
    return replace(built, facts=facts)


def find_shots(
    vlogs: Vlogs, encoder: Encoder, file: FeatureFile, detector: str, progress: Progress = silent
) -> Shots:
    """Video name -> its shots; features of shots found by a detector are put into the file on the way."""
    if detector == TRUTH:
        return true_shots(vlogs)
    if detector not in DETECTORS:
        raise BenchmarkError(f"no shot detector {detector!r}; there are: {', '.join([*DETECTORS, TRUTH])}")
    finder = DETECTORS[detector]()
    known = _KnownShots(file.path)
    found: dict[str, list[Span]] = {}
    for done, (name, vlog) in enumerate(vlogs.videos.items(), start=1):
        key = f"{content_key(Media(vlog.path, video=True))} {finder.id}"
        spans = known.get(key)
        if spans is None or any(
            file.find(*_item(vlog.path, name, span, finder.id)) is None for span in spans
        ):
            spans = _scan(vlog.path, name, finder, encoder, file)
            known.put(key, spans)
            file.save()
        found[name] = spans
        progress("indexing videos", done, len(vlogs.videos))
    return found


def scanned_by(detector: str) -> str:
    """The id of a detector by its name; empty for the true shots, which no scan has found."""
    return "" if detector == TRUTH else DETECTORS[detector]().id


def shot_features(
    vlogs: Vlogs,
    shots: Shots,
    encoder: Encoder,
    file: FeatureFile,
    scanned_by: str,
    progress: Progress = silent,
) -> dict[str, Features]:
    """Video name -> ``(n_shots, embed_dim)`` features of its shots; what the file lacks is encoded."""
    features = encode(build(vlogs, shots, {}, scanned_by=scanned_by), encoder, file, progress=progress)
    return {name: features.shots([item_id(name, span) for span in spans]) for name, spans in shots.items()}


def _scan(path: Path, name: str, detector: ShotDetector, encoder: Encoder, file: FeatureFile) -> list[Span]:
    spans = []
    for scanned in scan_video(path, detector, SAMPLING, encoder.image_size):
        span = scanned.shot.span
        item, key = _item(path, name, span, detector.id)
        file.add(item, key, encode_block(encoder, [frame.image for frame in scanned.frames]))
        spans.append(span)
    return spans


def _item(path: Path, name: str, span: Span, detector: str) -> tuple[Item, str]:
    media = Media(path, span, video=True, scanned_by=detector)
    return Item(item_id(name, span), media, name), pictures_key(media) or ""


class _KnownShots:
    """Shots found before, in a JSON file beside the features file."""

    def __init__(self, features: Path | None) -> None:
        self._path = features.with_suffix(".shots.json") if features is not None else None
        self._spans: dict[str, list[list[float]]] = {}
        if self._path is not None and self._path.exists():
            try:
                self._spans = json.loads(self._path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise BenchmarkError(f"cannot read {self._path}: {error}; delete it and try again") from error

    def get(self, key: str) -> list[Span] | None:
        spans = self._spans.get(key)
        return None if spans is None else [Span(start, end) for start, end in spans]

    def put(self, key: str, spans: list[Span]) -> None:
        self._spans[key] = [[span.start, span.end] for span in spans]
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps(self._spans))
