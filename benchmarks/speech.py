"""How fast speech is recognised with the base model, and what becomes of other work meanwhile.

    python benchmarks/speech.py VIDEOS_DIR --out benchmarks/results/speech.json [--seconds 300]

Speed is seconds of sound per second of waiting on two threads; the load of the machine before is written
down with it. Meanwhile one thread searches what is said and writes to the same library, as a person would:
the longest wait is what "never blocks the rest" means.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from thisismy.library import Library
from thisismy.media.audio import SAMPLE_RATE, read_audio
from thisismy.transcripts.speech.recogniser import Recogniser

THREADS = 2
PAUSE_S = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path, help="folder with narrated videos")
    parser.add_argument("--seconds", type=float, default=300.0, help="of sound to recognise, at least")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    begin = time.perf_counter()
    recogniser = Recogniser(threads=THREADS)
    loading = time.perf_counter() - begin
    videos, total = some_videos(given.videos, given.seconds)
    result = {
        "model": recogniser.name,
        "threads": THREADS,
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
        "loading_s": round(loading, 2),
        **alone(recogniser, videos, total),
        "beside_other_work": beside(recogniser, videos[:2]),
    }
    print(json.dumps(result, indent=1))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(result, indent=1) + "\n")


def some_videos(folder: Path, seconds: float) -> tuple[list[Path], float]:
    """Videos of a folder until there is enough sound, and the seconds they have."""
    chosen: list[Path] = []
    total = 0.0
    for path in sorted(folder.glob("*.mp4")):
        if total >= seconds and len(chosen) >= 2:
            break
        chosen.append(path)
        total += len(read_audio(path)) / SAMPLE_RATE
    return chosen, total


def alone(recogniser: Recogniser, videos: list[Path], total: float) -> dict[str, Any]:
    """Recognise every video once; nothing else is asked of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    words = sum(len(recogniser.transcribe(path).words) for path in videos)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "sound_s": round(total, 1),
        "words": words,
        "wall_s": round(wall, 1),
        "times_real_time": round(total / wall, 1),
        "times_real_time_of_cpu": round(total / cpu, 1),
    }


def beside(recogniser: Recogniser, videos: list[Path]) -> dict[str, Any]:
    """Transcribe a library while another thread searches and writes in it."""
    from thisismy.jobs.transcribing import transcribe

    waits: dict[str, list[float]] = {"search": [], "write": []}
    with tempfile.TemporaryDirectory() as scratch:
        media = Path(scratch) / "media"
        media.mkdir()
        for path in videos:
            shutil.copyfile(path, media / path.name)
        library = Library.create(Path(scratch) / "library")
        library.files.add([media])
        library.instances.name("my first thing", [f"{media / videos[0].name}@0:01"])
        done = threading.Event()

        def other_work() -> None:
            user = Library.open(Path(scratch) / "library")
            while not done.wait(PAUSE_S):
                for what, act in (
                    ("search", lambda: user.said("this is my")),
                    ("write", lambda: user.set_category("my first thing", "thing")),
                ):
                    begin = time.perf_counter()
                    act()
                    waits[what].append(time.perf_counter() - begin)

        other = threading.Thread(target=other_work)
        other.start()
        begin = time.perf_counter()
        report = transcribe(library.store, recogniser=lambda: recogniser)
        wall = time.perf_counter() - begin
        done.set()
        other.join()
    if report.heard != len(videos):
        raise SystemExit(f"not everything was heard: {report}")
    found: dict[str, Any] = {"wall_s": round(wall, 1)}
    for what, times in waits.items():
        found[what] = {
            "times": len(times),
            "median_ms": round(1000 * statistics.median(times), 1),
            "longest_ms": round(1000 * max(times), 1),
        }
    return found


if __name__ == "__main__":
    main()
