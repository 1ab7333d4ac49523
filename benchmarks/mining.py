"""How well mining does on narrated videos with truth (``vlog-gt-1``), by pattern set, transcript and variant.

    python benchmarks/mining.py VLOGS_DIR --cache CACHE_DIR --out results.json [--speech] [--shots true]

Features and recognised speech are kept in CACHE_DIR, so that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from thisismy.encoders.base import Features, unit
from thisismy.encoders.embedded import EmbeddedEncoder
from thisismy.media.frames import frames_at
from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.mining.measure import Counts, MiningScore, TrueMention
from thisismy.mining.mine import mine_video
from thisismy.mining.settings import MiningSettings
from thisismy.shots import Adaptive, Sampling, scan_video
from thisismy.spans import Span
from thisismy.transcripts import Transcript, read_transcript, write_transcript

SETS = ("paper", "wide", "pos-nouns", "ner", "paper+ner")
DEFAULT = MiningSettings()
VARIANTS = {
    "default": DEFAULT,
    "as printed (cosines of CLIP)": MiningSettings.paper(),
    "no prior": replace(DEFAULT, prior_threshold=0.0),
    "no kinds": replace(DEFAULT, sorts=False),
    "no nearness": replace(DEFAULT, nearness=0.0, sure=float("inf")),
    "bare phrase": replace(DEFAULT, prompts=("{}",)),
    "photo prompt": replace(DEFAULT, prompts=("a photo of a {}",)),
    "only the shot itself": replace(DEFAULT, shots_around=0),
    "two shots around": replace(DEFAULT, shots_around=2),
    "threshold 0.8": replace(DEFAULT, visual_threshold=0.8),
    "threshold 2.0": replace(DEFAULT, visual_threshold=2.0),
}
FRAME_PLACES = (0.15, 0.38, 0.62, 0.85)


class RememberingEncoder:
    """The embedded encoder, encoding each text once."""

    def __init__(self) -> None:
        self._encoder = EmbeddedEncoder()
        self._texts: dict[str, Features] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_texts(self, texts: Any) -> Features:
        """Features of texts, from memory where they are known."""
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if new:
            self._texts.update(zip(new, self._encoder.encode_texts(new), strict=True))
        return np.stack([self._texts[text] for text in texts])


def shots_and_features(
    video: Path, truth: dict[str, Any], encoder: Any, cache: Path, true: bool
) -> tuple[list[Span], Features]:
    kept = cache / f"{video.stem}.{'true' if true else 'found'}.{encoder.id}.npz"
    if not kept.exists():
        if true:
            spans = [(shot["start"], shot["end"]) for shot in truth["shots"]]
            times = [start + (end - start) * place for start, end in spans for place in FRAME_PLACES]
            frames = frames_at(video, times, encoder.image_size)
            rows = encoder.encode_images([f.image for f in frames]).reshape(len(spans), len(FRAME_PLACES), -1)
            features = unit(rows.mean(axis=1))
        else:
            scanned = list(scan_video(video, Adaptive(), Sampling(rate=1.0, at_least=2), encoder.image_size))
            spans = [(s.shot.span.start, s.shot.span.end) for s in scanned]
            pictures = [encoder.encode_images([f.image for f in s.frames]) for s in scanned]
            features = unit(np.stack([rows.mean(axis=0) for rows in pictures]))
        np.savez(kept, spans=np.array(spans), features=features)
    data = np.load(kept)
    return [Span(float(start), float(end)) for start, end in data["spans"]], data["features"]


def transcripts(video: Path, cache: Path, speech: bool) -> dict[str, Transcript]:
    found = {
        "srt": read_transcript(video.with_suffix(".srt")),
        "vtt": read_transcript(video.with_suffix(".auto.vtt")),
    }
    if speech:
        kept = cache / f"{video.stem}.asr.json"
        if not kept.exists():
            from thisismy.transcripts.speech import transcribe

            write_transcript(transcribe(video), kept)
        found["asr"] = read_transcript(kept)
    return found


def true_mentions(truth: dict[str, Any]) -> list[TrueMention]:
    return [
        TrueMention(
            Span(m["start"], m["end"]),
            m["kind"] == "visual_shown",
            m["kind"] == "negated",
            frozenset(m["shots_of_instance"]),
        )
        for m in truth["mentions"]
    ]


def row(score: MiningScore, **labels: Any) -> dict[str, Any]:
    def shares(counts: Counts) -> dict[str, Any]:
        return {"precision": counts.precision, "recall": counts.recall, "right": counts.right}

    names = ("spotted", "visual", "reference", "examples")
    return {**labels, **{name: shares(getattr(score, name)) for name in names}, "wrong": score.wrong}


def measure(
    videos: list[dict[str, Any]], kind: str, settings: MiningSettings, encoder: Any, calibration: Calibration
) -> MiningScore:
    score = MiningScore()
    for video in videos:
        said = video["said"][kind]
        mined = mine_video(said, video["shots"], video["features"], encoder, settings, calibration)
        score.add_detected(mined, video["truth"], video["true_shots"], video["shots"])
    return score


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("vlogs", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--speech", action="store_true", help="also measure with recognised speech")
    parser.add_argument("--shots", choices=("found", "true"), default="found")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    encoder = RememberingEncoder()
    videos = []
    for file in sorted(arguments.vlogs.glob("*.mp4")):
        truth = json.loads(file.with_suffix(".json").read_text())
        shots, features = shots_and_features(file, truth, encoder, arguments.cache, arguments.shots == "true")
        true_shots = [Span(shot["start"], shot["end"]) for shot in truth["shots"]]
        said = transcripts(file, arguments.cache, arguments.speech)
        videos.append(
            {
                "shots": shots,
                "features": features,
                "true_shots": true_shots,
                "truth": true_mentions(truth),
                "said": said,
            }
        )
    calibration = shipped_calibration(encoder.id)
    source = "shipped" if calibration else "these videos"
    if calibration is None:
        groups = np.concatenate([np.full(len(v["shots"]), i) for i, v in enumerate(videos)])
        calibration = calibrate(np.concatenate([v["features"] for v in videos]), encoder.id, groups)
    rows = []
    kinds = list(videos[0]["said"])
    for patterns in SETS:
        for kind in kinds:
            begin = time.perf_counter()
            score = measure(videos, kind, replace(DEFAULT, patterns=patterns), encoder, calibration)
            rows.append(row(score, patterns=patterns, transcript=kind, variant="default"))
            show(rows[-1], time.perf_counter() - begin)
    for name, settings in VARIANTS.items():
        rows.append(
            row(
                measure(videos, "srt", settings, encoder, calibration),
                patterns="paper",
                transcript="srt",
                variant=name,
            )
        )
        show(rows[-1], 0.0)
    if arguments.out:
        head = {"encoder": encoder.id, "calibration": source, "shots": arguments.shots, "videos": len(videos)}
        arguments.out.write_text(json.dumps({**head, "rows": rows}, indent=1) + "\n")


def show(line: dict[str, Any], seconds: float) -> None:
    def share(value: float | None) -> str:
        return " n/a" if value is None else f"{value:.2f}"

    parts = [
        f"{n} {share(line[n]['precision'])}/{share(line[n]['recall'])}"
        for n in ("spotted", "visual", "reference", "examples")
    ]
    print(
        f"{line['patterns']:10} {line['transcript']:4} {line['variant']:30} "
        f"{'  '.join(parts)}  {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
