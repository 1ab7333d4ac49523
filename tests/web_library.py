"""A small library behind the page: real files of known colours, an encoder whose answers can be seen."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEncoder
from fastapi.testclient import TestClient
from media_files import BLUE, GREEN, RED, write_photo, write_video
from PIL import Image
from sqlalchemy import insert

from thisismy.library import Library
from thisismy.store import catalog, schema
from thisismy.store.folder import Store
from thisismy.web.app import create_app
from thisismy.web.security import Access

BASE = "http://127.0.0.1:8765"

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\"quoted\" 'single' `tick` & ampersand",
    "line\nbreak\ttab",
    "ünïcode \u202eright to left 狗 🐶",
    "${7+7} {{7+7}} <#1> %00 ../../etc/passwd",
]
"""Names that a careless page would run, break or read."""

SUBTITLES = """1
00:00:00,200 --> 00:00:01,800
This is my dog Rusty.

2
00:00:02,200 --> 00:00:03,800
It is green & <b>wide</b> here.
"""


def fake_encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    return fake


def make_files(folder: Path) -> Path:
    """A video with subtitles, one that no browser plays, photos of each colour, and names to stumble over."""
    folder.mkdir(parents=True)
    when = {"creation_time": "2024-07-31T10:12:00Z"}
    write_video(folder / "colours.mp4", sound=True, keyframe_every=25, metadata=when)
    (folder / "colours.srt").write_text(SUBTITLES)
    write_video(folder / "old.avi", ((RED, 4.0), (BLUE, 4.0)), codec="mpeg4")
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        Image.new("RGB", (80, 60), colour).save(folder / f"{name}.png")
    write_photo(folder / "turned.jpg", orientation=6, date="2023:05:06 07:08:09")
    Image.new("RGB", (32, 24), (250, 20, 20)).save(
        folder / "<img src=x onerror=alert(2)> 'it' & \"so\" ü.png"
    )
    (folder / "broken.mp4").write_text("this is not a video")
    return folder


def make_library(folder: Path, files: Path) -> Path:
    library = Library.create(folder)
    library.files.add([files], encoder="fake", detector="windows", window=2.0)
    library.transcripts.transcribe(speech=False)
    library.store.close()
    return folder


@pytest.fixture(scope="session", name="made")
def made_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with "files" and the "library" of them, which no test may change."""
    root = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        fake_encoder(patch)
        make_library(root / "library", make_files(root / "files"))
    return root


@pytest.fixture(name="encoder")
def encoder_fixture(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    return fake_encoder(monkeypatch)


@pytest.fixture(name="library")
def library_fixture(made: Path, encoder: FakeEncoder, tmp_path: Path) -> Path:
    """A library of a test's own."""
    return Path(shutil.copytree(made / "library", tmp_path / "library"))


@pytest.fixture(name="client")
def client_fixture(library: Path) -> Iterator[TestClient]:
    with open_client(library) as opened:
        yield opened


@contextmanager
def open_client(library: Path, access: Access | None = None, **options: Any) -> Iterator[TestClient]:
    app = create_app(library, access=access, **options)
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as opened:
        yield opened


def media_id(client: TestClient, name: str) -> int:
    files = client.get("/api/media").json()["items"]
    return next(item["media_id"] for item in files if item["name"] == name)


def shots_of(client: TestClient, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/media/{media_id(client, name)}/shots").json()["items"]
    return found


def name_it(client: TestClient, name: str, shot_id: int, **more: Any) -> dict[str, Any]:
    body = {"name": name, "category": "dog", "places": [{"shot_id": shot_id}], **more}
    answer = client.post("/api/name", json=body)
    assert answer.status_code == 200, answer.text
    named: dict[str, Any] = answer.json()
    return named


def wait_for(client: TestClient, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
    """A job once it is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job = client.get(f"/api/jobs/{job['id']}").json()
        if job["state"] in {"done", "failed", "cancelled"}:
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job}")


def put_mention(library: Path, name: str, *, start: float = 0.2, decided: str | None = None) -> int:
    """A mention of the video "colours.mp4" with its first shot, and its second as a further one."""
    store = Store.open(library)
    with store.write() as connection:
        files = catalog.list_files(connection, None)
        number = next(item.media_id for item in files if item.path.endswith("colours.mp4"))
        values = {
            "content_hash": catalog.hash_of(connection, number or 0),
            "start": start,
            "end": start + 1.6,
            "sentence": f"This is {name}.",
            "name": name,
            "category": "dog",
            "verdict": "kept",
            "reason": "the best of 3 shots",
            "score": 0.5,
            "shot_start": 0.0,
            "shot_end": 2.0,
            "examples": [[2.0, 4.0, 0.9]],
            "thresholds": {},
            "decision": decided,
        }
        made = connection.execute(insert(schema.mentions).values(values).returning(schema.mentions.c.id))
        mention_id = int(made.scalar_one())
    store.close()
    return mention_id


class Tab:
    """An open page that listens to events, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.heard: list[tuple[str, Any]] = []
        self._url = url
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait(self, event: str, seconds: float = 20, **fields: Any) -> Any:
        """The data of the first event of a kind with these fields."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for kind, data in list(self.heard):
                if kind == event and all(data.get(key) == value for key, value in fields.items()):
                    return data
            time.sleep(0.02)
        raise AssertionError(f"no {event} {fields} among {self.heard}")

    def _listen(self) -> None:
        import httpx

        with httpx.stream("GET", f"{self._url}api/events", timeout=30) as answer:
            event = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.heard.append((event, json.loads(line.removeprefix("data: "))))
