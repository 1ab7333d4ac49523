"""Long work behind the page: progress, stopping and resuming, two tabs, and searches meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fakes import FakeEncoder
from fastapi.testclient import TestClient
from PIL import Image
from web_library import (  # noqa: F401
    Tab,
    client_fixture,
    encoder_fixture,
    library_fixture,
    made_fixture,
    media_id,
    name_it,
    shots_of,
    wait_for,
)

from thisismy.library import Library
from thisismy.store.folder import Store
from thisismy.web.job_queue import Worker
from thisismy.web.serving import Server


@pytest.fixture
def server(library: Path) -> Iterator[str]:
    """The address of a real server in a thread."""
    made = Server.prepare(library, port=0)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made.url
    made.stop()
    thread.join(20)
    assert not thread.is_alive()


def photos(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (16, 16), (number * 7 % 256, 90, 200)).save(folder / f"{number:03d}.png")
    return folder


def test_a_folder_is_indexed_and_found(client: TestClient, tmp_path: Path) -> None:
    folder = photos(tmp_path / "new", 5)
    (folder / "bad.mp4").write_text("no video")
    job = client.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]})
    assert job.status_code == 202
    done = wait_for(client, job.json())
    assert (done["state"], done["result"]["added"]) == ("done", 5)
    assert done["result"]["failed"][0]["path"].endswith("bad.mp4")
    about = client.get("/api/library").json()
    assert str(folder) in [item["path"] for item in about["folders"]]
    assert about["states"]["failed"] == 2
    (folder / "bad.mp4").unlink()
    again = wait_for(client, client.post("/api/jobs", json={"kind": "index"}).json())
    assert again["result"]["added"] == 0
    assert len(again["result"]["missing"]) == 1


def test_a_stopped_job_goes_on_where_it_was(
    client: TestClient, encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photos(tmp_path / "new", 30)
    original = encoder.encode_images

    def slow(images: object) -> object:
        time.sleep(0.05)
        return original(images)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "encode_images", slow)
    job = client.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]}).json()
    while (now := client.get(f"/api/jobs/{job['id']}").json())["stage"] != "index" or now["done"] < 5:
        time.sleep(0.02)
    client.post(f"/api/jobs/{job['id']}/cancel", json={})
    stopped = wait_for(client, job)
    assert stopped["state"] == "cancelled"
    part = client.get("/api/media", params={"text": "new", "state": "indexed"}).json()["total"]
    assert 5 <= part < 30
    seen = encoder.images_seen
    again = wait_for(client, client.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]}).json())
    assert again["state"] == "done"
    assert encoder.images_seen - seen == 30 - part
    assert client.get("/api/media", params={"text": "new", "state": "indexed"}).json()["total"] == 30
    assert again["result"]["failed"] == []


def test_searches_go_on_while_a_folder_is_indexed(
    client: TestClient, encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/api/search", params={"q": "red"})
    go, original = threading.Event(), encoder.encode_images

    def stuck(images: object) -> object:
        go.wait(20)
        return original(images)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "encode_images", stuck)
    folder = photos(tmp_path / "new", 3)
    job = client.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]}).json()
    while client.get(f"/api/jobs/{job['id']}").json()["stage"] != "index":
        time.sleep(0.02)
    began = time.monotonic()
    assert client.get("/api/search", params={"q": "green"}).json()["hits"]
    shot = shots_of(client, "red.png")[0]["shot_id"]
    assert name_it(client, "my dog Rusty", shot)["created"]
    assert time.monotonic() - began < 5
    go.set()
    assert wait_for(client, job)["state"] == "done"


def test_orders_that_make_no_sense(client: TestClient) -> None:
    for body, why in (
        ({"kind": "mine", "paths": ["/tmp"]}, "does not take paths"),
        ({"kind": "dance"}, "kind"),
        ({"kind": "learn", "instances": [9]}, "no instance number 9"),
        ({"kind": "learn", "method": "magic"}, "no method called 'magic'"),
        ({"kind": "forget"}, "nothing to forget"),
        ({"kind": "forget", "folder_ids": ["../.."]}, "no folder"),
        ({"kind": "index", "settings": {"detector": "guess"}}, "no shot detector"),
        ({"kind": "index", "settings": {"rate": 0}}, "rate"),
    ):
        answer = client.post("/api/jobs", json=body)
        assert answer.status_code in (400, 404), body
        assert why in answer.json()["error"]
    assert client.get("/api/jobs").json()["items"] == []


def test_forgetting(client: TestClient) -> None:
    file_id = client.get("/api/media", params={"text": "blue.png"}).json()["items"][0]["file_id"]
    assert client.get("/api/search", params={"q": "blue", "k": 1}).json()["hits"][0]["name"] == "blue.png"
    done = wait_for(client, client.post("/api/jobs", json={"kind": "forget", "file_ids": [file_id]}).json())
    assert done["result"] == {"removed": 1}
    assert client.get("/api/search", params={"q": "blue", "k": 1}).json()["hits"][0]["name"] != "blue.png"
    folder = client.get("/api/library").json()["folders"][0]["id"]
    wait_for(client, client.post("/api/jobs", json={"kind": "forget", "folder_ids": [folder]}).json())
    assert client.get("/api/status").json()["shots"] == 0
    assert client.get("/api/search", params={"q": "blue"}).json()["hits"] == []


def test_a_failed_job_says_why_and_the_next_one_runs(client: TestClient) -> None:
    failed = wait_for(client, client.post("/api/jobs", json={"kind": "mine"}).json())
    # The little library is too small to learn from what unrelated shots score.
    assert failed["state"] == "failed"
    assert "\n" not in failed["error"]
    assert (
        wait_for(client, client.post("/api/jobs", json={"kind": "transcribe", "speech": False}).json())[
            "state"
        ]
        == "done"
    )


def test_the_same_order_twice_is_one_job() -> None:
    go = threading.Event()
    worker = Worker(lambda _job: None)
    first = worker.submit("mine", "first", {"a": 1}, lambda _work: go.wait(10))
    while first.state != "running":
        time.sleep(0.01)
    second = worker.submit("mine", "again", {"a": 1}, lambda _work: None)
    assert second is not first
    assert worker.submit("mine", "again", {"a": 1}, lambda _work: None) is second
    other = worker.submit("mine", "other", {"a": 2}, lambda _work: None)
    worker.cancel(other)
    assert other.state == "cancelled"
    go.set()
    while not second.finished:
        time.sleep(0.01)
    assert [job.state for job in worker.jobs()] == ["cancelled", "done", "done"]
    assert worker.close()


def test_a_defect_in_a_job_does_not_end_the_worker() -> None:
    def broken(_work: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    worker = Worker(lambda _job: None)
    job = worker.submit("mine", "broken", {}, broken)
    after = worker.submit("mine", "fine", {"x": 1}, lambda _work: {"ok": True})
    while not after.finished:
        time.sleep(0.01)
    assert (job.state, job.error) == ("failed", "ZeroDivisionError: one")
    assert after.result == {"ok": True}
    assert worker.close()


def test_two_tabs_hear_the_same(server: str, library: Path, tmp_path: Path, encoder: FakeEncoder) -> None:
    tabs = [Tab(server), Tab(server)]
    for tab in tabs:
        assert tab.wait("hello")["shots"] == 12
    folder = photos(tmp_path / "new", 4)
    with httpx.Client(base_url=server, timeout=20) as one:
        job = one.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]}).json()
        for tab in tabs:
            assert tab.wait("job", id=job["id"], state="done")["result"]["added"] == 4
            assert tab.wait("changed", what=["library"])
        shot = one.get("/api/shots").json()["items"][0]["shot_id"]
        body = {"name": "my mug", "category": "cup", "places": [{"shot_id": shot}]}
        assert one.post("/api/name", json=body).status_code == 200
    for tab in tabs:
        assert "instances" in tab.wait("changed", what=["instances"])["what"]
    # The command line beside the page is heard as well.
    beside = Library(Store.open(library))
    beside.instances.change("my mug", name="my other mug")
    beside.store.close()
    before = len(tabs[1].heard)
    until = time.monotonic() + 10
    while len(tabs[1].heard) == before and time.monotonic() < until:
        time.sleep(0.05)
    assert tabs[1].heard[-1] == ("changed", {"what": ["instances"]})


def test_a_tab_that_closes_is_forgotten(server: str) -> None:
    for _ in range(3):
        with httpx.stream("GET", f"{server}api/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert next(answer.iter_lines()) == "event: hello"
    assert httpx.get(f"{server}api/status").status_code == 200
