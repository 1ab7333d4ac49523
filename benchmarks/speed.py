"""Speed and memory, as ratios inside one run.

    python benchmarks/speed.py --out benchmarks/results/speed.json

Every pair that is compared is run in turns, `ROUNDS` times, and the ratio is that of the medians: the machine
may be busy, but it is about as busy for both. What cannot be a ratio (start-up) is given as the least of
several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 5
SHOTS = 360_000
"""One shot every ten seconds of 1,000 hours."""
SHOTS_OF_A_FILE = 144


def main() -> None:
    """Run the parts that are asked for and write what they gave."""
    parts = {"indexing": indexing, "memory": memory, "search": search, "start": start}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(parts), help=f"some of {','.join(parts)}")
    parser.add_argument("--work", type=Path, help="folder for the test films; kept for the next run")
    parser.add_argument("--out", type=Path, help="JSON file; parts that were not run are kept in it")
    given = parser.parse_args()
    results = json.loads(given.out.read_text()) if given.out and given.out.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for name in given.parts.split(","):
            results[name] = parts[name](work) | {"load": round(os.getloadavg()[0], 2)}
            print(name, json.dumps(results[name]), flush=True)
    results["machine"] = machine()
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """What it ran on."""
    import torch

    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def indexing(work: Path) -> dict[str, Any]:
    """A 2-minute 1080p H.264 file: everything `add` does, against decoding it once with PyAV."""
    video = film(work / "film-120.mp4", 120)
    library = _library_of(film(work / "film-1.mp4", 1))  # models are loaded, threads are up
    library.encoder.encode_images([np.zeros((90, 160, 3), np.uint8)])

    def index() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fresh = type(library).create(Path(folder))
            fresh._encoder = library.encoder
            report = fresh.files.add([video], encoder="embedded")
            if report.added != 1:
                raise SystemExit(f"the film was not indexed: {report.failed}")

    return _compare("indexing", index, "decoding", lambda: decode(video))


def decode(video: Path) -> None:
    """Every frame, as PyAV gives them with its own choice of threads."""
    import av

    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def memory(work: Path) -> dict[str, Any]:
    """Most memory of a process that indexes 2 and 8 minutes of 1080p."""
    peaks = {}
    for minutes in (2, 8):
        video = film(work / f"film-{minutes * 60}.mp4", minutes * 60)
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", _PEAK, folder, str(video)]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks[f"{minutes}_minutes_mb"] = round(int(line) / 1024)
    return peaks


_PEAK = """
import resource, sys
from pathlib import Path
from thisismy import Library
Library.create(Path(sys.argv[1])).files.add([Path(sys.argv[2])], encoder="embedded")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def search(work: Path) -> dict[str, Any]:
    """A warm search in words, and one by name, over 360,000 shots, against the bare matrix product."""
    from thisismy import Library

    folder = work / "large"
    real = film(work / "film-4.mp4", 4)
    library = Library.open(folder) if (folder / "done").exists() else _large_library(folder, real)
    text = library.encoder.encode_texts(["a cat in the grass"])[0]
    started = time.perf_counter()
    library.search.find("warm up")
    first = time.perf_counter() - started
    rows = np.array(library.context.prepared().gallery.vectors)

    def product() -> None:
        rows @ text

    if not library.instances.all():
        library.instances.name("my cat Mila", [f"{real}@0:02"], category="cat")
    library.learning.learn(judge=False)
    plain = _compare("search", lambda: library.search.find("a cat in the grass"), "product", product)
    named = _compare("search", lambda: library.search.find("my cat Mila in the grass"), "product", product)
    words = _compare("search", lambda: library.encoder.encode_texts(["a dog by the sea"]), "product", product)
    return {
        "shots": len(rows),
        "first_search_seconds": round(first, 3),
        "in_words": plain,
        "by_name": named,
        "of_which_encoding_the_text": words,
    }


def start(work: Path) -> dict[str, Any]:
    """Seconds of whole commands, the least of five: help, and a search in a library nobody has open."""
    folder = work / "small"
    if not (folder / "library.db").exists():
        _run(
            "--library",
            str(folder),
            "--quiet",
            "add",
            str(film(work / "film-1.mp4", 1)),
            "--encoder",
            "embedded",
        )
    empty = [_seconds([sys.executable, "-c", "pass"]) for _ in range(ROUNDS)]
    help_ = [_seconds([sys.executable, "-m", "thisismy", "--help"]) for _ in range(ROUNDS)]
    cold = [
        _seconds([sys.executable, "-m", "thisismy", "--library", str(folder), "search", f"a cup of tea {n}"])
        for n in range(ROUNDS)
    ]
    return {
        "python_seconds": round(min(empty), 2),
        "help_seconds": round(min(help_), 2),
        "cold_search_seconds": round(min(cold), 2),
    }


def film(path: Path, seconds: int) -> Path:
    """A 1080p H.264 file at 25 frames a second: the demonstration's scenes over and over, with grain."""
    import av
    from PIL import Image

    from thisismy.demo import RATE, VIDEOS, _frames

    if path.exists():
        return path
    grain = np.random.default_rng(0).integers(-6, 7, (8, 1080, 1920, 1), np.int16)
    scenes = tuple(scene for video in VIDEOS.values() for scene in video)
    partial = path.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        written = 0
        while written < seconds * RATE:
            for frame in _frames(scenes):
                large = np.asarray(Image.fromarray(frame).resize((1920, 1080), Image.Resampling.BILINEAR))
                noisy = np.clip(large + grain[written % len(grain)], 0, 255).astype(np.uint8)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
                written += 1
                if written == seconds * RATE:
                    break
        out.mux(stream.encode())
    return partial.rename(path)


def _library_of(video: Path) -> Any:
    from thisismy import Library

    library = Library.create(Path(tempfile.mkdtemp()))
    library.files.add([video], encoder="embedded")
    return library


def _large_library(folder: Path, real: Path) -> Any:
    """One real video, and 360,000 shots of one frame each around the directions of everyday words."""
    from thisismy import Library
    from thisismy.core.span import Span
    from thisismy.encoders.base import unit
    from thisismy.encoders.space import Block
    from thisismy.media.discovery import DiscoveredFile
    from thisismy.media.probe import probe
    from thisismy.retrieval.null_scores import WORDS
    from thisismy.shots import Shot
    from thisismy.store import catalog
    from thisismy.store.features import EncodedShot, encoder_row, replace_shots

    library = Library.create(folder)
    library.files.add([real], encoder="embedded")
    info, rng = probe(real), np.random.default_rng(0)
    centres = library.encoder.encode_texts(WORDS)
    noise = 1.5 / np.sqrt(centres.shape[1])
    spans = [Span(10.0 * n, 10.0 * n + 10) for n in range(SHOTS_OF_A_FILE)]
    with library.store.write() as connection:
        encoder = encoder_row(connection, library.encoder.id, library.encoder.embed_dim)
        for file in range(SHOTS // SHOTS_OF_A_FILE):
            media_id = catalog.put_media(connection, f"{file:032d}", info)
            catalog.put_file(connection, DiscoveredFile(folder / f"{file}.mp4", 1, 1), media_id)
            rows = centres[rng.integers(len(centres), size=len(spans))]
            rows = unit(rows + noise * rng.standard_normal(rows.shape).astype(np.float32))
            shots = [
                EncodedShot(Shot(position, span), (span.middle,), Block(row[None], row[None]))
                for position, (span, row) in enumerate(zip(spans, rows, strict=True))
            ]
            replace_shots(connection, media_id, shots, encoder)
    (folder / "done").touch()
    return library


def _compare(
    one: str, run_one: Callable[[], object], other: str, run_other: Callable[[], object]
) -> dict[str, Any]:
    """Both in turns; medians of wall and processor seconds, and their ratios."""
    seconds: dict[str, list[tuple[float, float]]] = {one: [], other: []}
    for _ in range(ROUNDS):
        for name, run in ((other, run_other), (one, run_one)):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (
        {name: statistics.median(pair[which] for pair in pairs) for name, pairs in seconds.items()}
        for which in (0, 1)
    )
    return {
        f"{one}_seconds": round(wall[one], 4),
        f"{other}_seconds": round(wall[other], 4),
        "ratio": round(wall[one] / wall[other], 2),
        "cpu_ratio": round(cpu[one] / cpu[other], 2),
    }


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "thisismy", *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
