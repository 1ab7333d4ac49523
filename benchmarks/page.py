"""What the page waits for in a library of 100,000 shots, and while a video is made playable.

    python benchmarks/page.py --out benchmarks/results/page.json

The library is rows and random vectors; the requests go through the whole server, without a network. Times are
milliseconds: the median and the worst of several requests.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import insert

from thisismy.core.span import Span
from thisismy.library import Library
from thisismy.media.playback import SEGMENT_SECONDS, write_segment
from thisismy.store import schema
from thisismy.store.folder import Store
from thisismy.store.settings import IndexSettings, changed
from thisismy.web.app import create_app

SHOTS_OF_A_FILE = 50


def main() -> None:
    """Make the library, ask, and write what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shots", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="JSON file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        results: dict[str, Any] = {"shots": given.shots, **requests(folder / "library", given.shots)}
        results["pieces"] = pieces(folder)
    results["machine"] = {
        "cpu": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    text = json.dumps(results, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


def requests(folder: Path, shots: int) -> dict[str, Any]:
    """Windows of lists, searches and candidates."""
    library = fill(folder, shots)
    shot_id = library.files.shots([1])[0].id
    library.instances.name("my dog Rusty", [library.instances.place_of_shot(shot_id)], category="dog")
    library.store.close()
    rng = np.random.default_rng(1)
    with TestClient(create_app(folder), base_url="http://127.0.0.1") as client:
        number = client.get("/api/instances").json()["items"][0]["id"]

        def window(url: str, total: int, **query: Any) -> Callable[[], None]:
            def ask() -> None:
                offset = int(rng.integers(0, total - 100))
                client.get(url, params={"offset": offset, "limit": 100, **query}).raise_for_status()

            return ask

        def search(**query: Any) -> Callable[[], None]:
            return lambda: client.get("/api/search", params={"k": 60, **query}).raise_for_status() and None

        order = client.get(f"/api/instances/{number}/candidates").json()["order"]
        candidates = f"/api/instances/{number}/candidates"
        asked = {
            "first window of all shots": timed(window("/api/shots", shots), 1),
            "window of 100 shots": timed(window("/api/shots", shots), 30),
            "first window by date": timed(window("/api/shots", shots, sort="date"), 1),
            "window of 100 shots by date": timed(window("/api/shots", shots, sort="date"), 30),
            "window of 100 files": timed(window("/api/media", shots // SHOTS_OF_A_FILE), 10),
            "search in words": timed(search(q="a dog on a beach"), 10),
            "more like this": timed(search(like=17), 10),
            "candidates ranked": timed(lambda: client.get(candidates).raise_for_status() and None, 5),
            "window of 100 candidates": timed(window(candidates, shots, order=order), 20),
            "status": timed(lambda: client.get("/api/status").raise_for_status() and None, 10),
        }
    return {"milliseconds": asked}


def fill(folder: Path, shots: int) -> Library:
    """A library of rows: files that are not on disk, shots of 3 s with a frame and rim, random numbers."""
    from thisismy.encoders import load_encoder

    encoder = load_encoder("embedded")
    store = Store.create(folder)
    store.index_settings = IndexSettings(encoder="embedded", encoder_id=encoder.id)
    rng = np.random.default_rng(0)
    count = -(-shots // SHOTS_OF_A_FILE)
    with store.write() as connection:
        connection.execute(insert(schema.spaces).values(id=1, name=encoder.id, dim=encoder.embed_dim))
        about = {"kind": "video", "width": 1920, "height": 1080, "rotation": 0, "hdr": False, "notes": []}
        about |= {"video_codec": "hevc", "audio_codec": "aac", "duration": 150.0}
        connection.execute(
            insert(schema.media),
            [
                {"id": n, "content_hash": f"{n:032x}", "created": f"20{n % 25:02d}-05-01T00:00:00", **about}
                for n in range(1, count + 1)
            ],
        )
        connection.execute(
            insert(schema.files),
            [
                {
                    "path": f"/videos/{n % 97:03d}/film {n:06d}.mp4".encode(),
                    "size": 1,
                    "mtime_ns": 1,
                    "media_id": n,
                    "missing": False,
                }
                for n in range(1, count + 1)
            ],
        )
        for first in range(1, shots + 1, 10_000):
            numbers = range(first, min(shots + 1, first + 10_000))
            connection.execute(insert(schema.shots), [shot(n) for n in numbers])
            connection.execute(
                insert(schema.regions),
                [
                    region
                    for n in numbers
                    for region in (frame(n), frame(n) | {"id": shots + n, "kind": "rim"})
                ],
            )
            regions = [*numbers, *(shots + n for n in numbers)]
            vectors = rng.standard_normal((len(regions), encoder.embed_dim))
            vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
            rows = zip(regions, vectors, strict=True)
            connection.execute(
                insert(schema.vectors),
                [{"region_id": n, "space_id": 1, "vector": vector.tobytes()} for n, vector in rows],
            )
        changed(connection)
    return Library(store)


def shot(number: int) -> dict[str, Any]:
    """The row of a shot."""
    position = (number - 1) % SHOTS_OF_A_FILE
    media = (number - 1) // SHOTS_OF_A_FILE + 1
    times = {"start": position * 3.0, "end": position * 3.0 + 3}
    return {"id": number, "media_id": media, "position": position, **times}


def frame(number: int) -> dict[str, Any]:
    """The row of the frame in the middle of a shot."""
    row = shot(number)
    time = row["start"] + 1.5
    place = {"media_id": row["media_id"], "shot_id": number, "kind": "frame", "start": time, "end": time}
    return {"id": number, **place}


def timed(ask: Callable[[], Any], times: int) -> dict[str, float]:
    """Milliseconds of several calls."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return {"median": round(statistics.median(took), 1), "worst": round(max(took), 1)}


def pieces(folder: Path) -> dict[str, float]:
    """Seconds of playing that one second of work makes, by height of the picture."""
    made = {}
    for height in (360, 720, 1080):
        path = folder / f"{height}.avi"
        write_old(path, height)
        began = time.perf_counter()
        write_segment(path, Span(0, SEGMENT_SECONDS), folder / "piece.mp4")
        made[f"{height}p"] = round(SEGMENT_SECONDS / (time.perf_counter() - began), 1)
    return made


def write_old(path: Path, height: int) -> None:
    """A film in an old codec: noise that moves, so that it is not too easy."""
    width = height * 16 // 9 // 2 * 2
    base = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    base = base.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25, options={"qscale": "5"})
        stream.width, stream.height, stream.pix_fmt = base.shape[1], base.shape[0], "yuv420p"
        for number in range(int(SEGMENT_SECONDS * 25)):
            picture = np.ascontiguousarray(np.roll(base, number * 2, 1))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    main()
