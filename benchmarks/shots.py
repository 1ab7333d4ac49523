"""Cuts found against true ones, by detector and kind of transition (``vlog-gt-1``), and what a scan costs.

python benchmarks/shots.py VLOGS_DIR --video LONG_1080P.mp4 --out benchmarks/results/shots.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thisismy.media.frames import VideoStream
from thisismy.shots import (
    Adaptive,
    CutScore,
    FixedWindows,
    Sampling,
    ShotDetector,
    TransNet,
    scan_video,
    score_cuts,
)

DETECTORS: dict[str, Callable[[], ShotDetector]] = {
    "adaptive": Adaptive,
    "adaptive, hard cuts only": lambda: Adaptive(gradual=None),
    "transnet": TransNet,
    "windows": FixedWindows,
}
HALVES = {"first half": ("alex", "sam"), "second half": ("maya", "nora")}
"""Settings were first chosen on the one half of the channels; later changes were looked at on both."""
TOLERANCE = 0.5


def cuts(path: Path, detector: ShotDetector) -> list[float]:
    finder = detector.start()
    found: list[float] = []
    with VideoStream(path) as stream:
        for frame in stream:
            small = frame.small(*detector.picture_size) if detector.picture_size else None
            found += finder.feed(frame.time, small)
        return [*found, *finder.finish(stream.end)]


def scores(folder: Path, detector: ShotDetector) -> dict[str, Any]:
    table: dict[str, Any] = {"id": detector.id}
    hits: Counter[str] = Counter()
    total: Counter[str] = Counter()
    everything = CutScore(0, 0, 0)
    for half, names in HALVES.items():
        score = CutScore(0, 0, 0)
        for path in sorted(p for p in folder.glob("*.mp4") if p.name.startswith(names)):
            shots = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["shots"][1:]
            found = cuts(path, detector)
            score += score_cuts(found, [shot["start"] for shot in shots], TOLERANCE)
            for shot in shots:
                kind = shot["transition_in"]["type"]
                total[kind] += 1
                hits[kind] += any(abs(shot["start"] - cut) <= TOLERANCE for cut in found)
        table[half] = row(score)
        everything += score
    return table | {"all": row(everything), "found": {k: f"{hits[k]} of {total[k]}" for k in sorted(total)}}


def row(score: CutScore) -> dict[str, float]:
    return {"P": round(score.precision, 3), "R": round(score.recall, 3), "F1": round(score.f1, 3)}


def cpu(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def decode(path: Path) -> None:
    with VideoStream(path) as stream:
        for _ in stream:
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vlogs", type=Path, help="folder with videos and their truth")
    parser.add_argument("--video", type=Path, help="a long 1080p file to measure the cost of a scan with")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    arguments = parser.parse_args()
    results = {}
    for name, build in DETECTORS.items():
        detector = build()
        results[name] = scores(arguments.vlogs, detector)
        if arguments.video:
            bare = cpu(lambda: decode(arguments.video))
            spent = cpu(lambda d=detector: list(scan_video(arguments.video, d, Sampling(), 260)))
            results[name]["CPU of a scan over bare decode"] = round(spent / bare, 2)
        print(name, json.dumps(results[name]))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
