"""Lists in windows, original files in ranges, and pictures and pieces made on demand."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from web_library import (  # noqa: F401
    client_fixture,
    encoder_fixture,
    library_fixture,
    made_fixture,
    media_id,
    open_client,
    shots_of,
    wait_for,
)

from thisismy.web.artifact_cache import ArtifactCache


def test_windows_of_shots_tile_the_list(client: TestClient) -> None:
    whole = client.get("/api/shots", params={"limit": 500}).json()
    assert whole["total"] == len(whole["items"]) == 12
    windows = [client.get("/api/shots", params={"offset": at, "limit": 5}).json() for at in (0, 5, 10, 15)]
    assert [len(window["items"]) for window in windows] == [5, 5, 2, 0]
    assert [shot["shot_id"] for window in windows for shot in window["items"]] == [
        shot["shot_id"] for shot in whole["items"]
    ]
    newest = client.get("/api/shots", params={"sort": "date", "limit": 4}).json()["items"]
    assert [shot["name"] for shot in newest] == ["colours.mp4"] * 3 + ["turned.jpg"]
    assert client.get("/api/shots", params={"limit": 501}).status_code == 400


def test_files_with_what_failed(client: TestClient) -> None:
    failed = client.get("/api/media", params={"state": "failed"}).json()
    assert failed["total"] == 1
    assert failed["items"][0]["error"].startswith("probe: ")
    assert client.get("/api/media", params={"text": "COLOURS"}).json()["total"] == 1


def test_one_video(client: TestClient) -> None:
    number = media_id(client, "colours.mp4")
    about = client.get(f"/api/media/{number}").json()
    assert about["play"] == {**about["play"], "how": "file", "url": f"/media/{number}/file"}
    assert about["play_fallback"]["how"] == "segments"
    assert about["transcribed"]
    assert about["created"].startswith("2024-07-31")
    said = client.get(f"/api/media/{number}/transcript").json()
    assert said["segments"][0]["text"] == "This is my dog Rusty."
    assert client.get(f"/api/media/{media_id(client, 'old.avi')}/transcript").status_code == 404
    neighbour = client.get(f"/api/media/{about['next']}").json()
    assert neighbour["previous"] == number


def test_photos_are_shown_upright(client: TestClient) -> None:
    number = media_id(client, "turned.jpg")
    about = client.get(f"/api/media/{number}").json()
    assert about["play"]["how"] == "photo"
    picture = Image.open(io.BytesIO(client.get(f"/media/{number}/frame.jpg").content))
    assert picture.width > picture.height


@pytest.mark.parametrize(
    ("asked", "status", "first", "length"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, 50),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=999999999-", 416, 0, None),
        (None, 200, 0, None),
    ],
)
def test_ranges(
    client: TestClient, made: Path, asked: str | None, status: int, first: int, length: int
) -> None:
    whole = (made / "files/colours.mp4").read_bytes()
    number = media_id(client, "colours.mp4")
    answer = client.get(f"/media/{number}/file", headers={"range": asked} if asked else {})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"
        return
    assert answer.headers["accept-ranges"] == "bytes"
    start = first % len(whole)
    wanted = whole[start:] if length is None else whole[start : start + length]
    assert answer.content == wanted
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(whole)}"


def test_head_and_if_range(client: TestClient, made: Path) -> None:
    url = f"/media/{media_id(client, 'colours.mp4')}/file"
    head = client.head(url)
    size = (made / "files/colours.mp4").stat().st_size
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))
    assert head.headers["content-type"] == "video/mp4"
    same = client.get(url, headers={"range": "bytes=0-9", "if-range": head.headers["etag"]})
    assert same.status_code == 206
    other = client.get(url, headers={"range": "bytes=0-9", "if-range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, size)


def test_a_file_that_is_gone(client: TestClient, library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    Image.new("RGB", (20, 20), (9, 200, 9)).save(folder / "soon gone.png")
    wait_for(client, client.post("/api/jobs", json={"kind": "index", "paths": [str(folder)]}).json())
    number = media_id(client, "soon gone.png")
    (folder / "soon gone.png").unlink()
    for url in (f"/media/{number}/file", f"/media/{number}/frame.jpg"):
        answer = client.get(url)
        assert answer.status_code == 404
        assert "gone from disk" in answer.json()["error"]


def decoded(content: bytes) -> tuple[list[np.ndarray], float, Any]:
    """Frames, seconds of sound, and the codec of a piece."""
    with av.open(io.BytesIO(content)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        codec = container.streams.video[0].codec_context
        about = (codec.name, codec.profile, codec.pix_fmt)
    with av.open(io.BytesIO(content)) as container:
        if not container.streams.audio:
            return frames, 0.0, about
        samples = sum(frame.samples for frame in container.decode(audio=0))
        return frames, samples / container.streams.audio[0].rate, about


def test_what_no_browser_plays_comes_in_pieces(client: TestClient) -> None:
    number = media_id(client, "old.avi")
    play = client.get(f"/api/media/{number}").json()["play"]
    assert (play["how"], play["count"], play["seconds"]) == ("segments", 2, 6.0)
    assert play["duration"] == pytest.approx(8.0, abs=0.1)
    first, second = (client.get(play["template"].replace("{n}", str(n))) for n in (0, 1))
    frames, sound, codec = decoded(first.content)
    assert len(frames) == 150
    assert sound == pytest.approx(6.0, abs=0.05)
    assert codec == ("h264", "Main", "yuv420p")
    assert b"moof" in first.content
    # The film is red for 4 s, then blue: the second piece starts where the first ended.
    assert frames[90][60, 120, 0] > 120
    assert frames[110][60, 120, 2] > 120
    rest, _, _ = decoded(second.content)
    assert len(rest) == 50
    assert rest[0][60, 120, 2] > 120
    assert client.get(play["template"].replace("{n}", "2")).status_code == 404
    preview = shots_of(client, "old.avi")[1]["preview"]
    frames, sound, _ = decoded(client.get(preview).content)
    assert (len(frames), sound) == (50, 0.0)


@pytest.mark.parametrize("name", ["mpeg4_mp3.avi", "hevc_8bit.mp4", "hevc_10bit_hlg.mp4", "animated.gif"])
def test_real_files_that_browsers_do_not_play(
    name: str, dev_data: Path, tmp_path: Path, encoder: object
) -> None:
    with open_client(tmp_path / "library") as client:
        paths = [str(dev_data / "robust" / name)]
        order = {"kind": "index", "paths": paths, "settings": {"encoder": "fake"}}
        job = wait_for(client, client.post("/api/jobs", json=order).json())
        assert job["result"]["added"] == 1
        number = media_id(client, name)
        about = client.get(f"/api/media/{number}").json()
        assert about["play"]["how"] == "segments"
        answer = client.get(about["play"]["template"].replace("{n}", str(about["play"]["count"] - 1)))
        frames, sound, _ = decoded(answer.content)
        assert len(frames) > 5
        assert np.std(frames[-1]) > 5
        assert sound > 1


def test_sprites(client: TestClient) -> None:
    number = media_id(client, "colours.mp4")
    about = client.get(f"/api/media/{number}/sprites").json()
    assert (about["count"], about["interval"], len(about["sheets"])) == (6, 1.0, 1)
    sheet = np.asarray(Image.open(io.BytesIO(client.get(about["sheets"][0]).content)))
    assert sheet.shape == (about["height"], about["width"] * 10, 3)
    wide = about["width"]
    strongest = [sheet[-30:-20, i * wide + 100 : i * wide + 140].mean((0, 1)).argmax() for i in range(6)]
    assert strongest == [0, 0, 1, 1, 2, 2]
    assert client.get(f"/media/{number}/sprites/1.jpg").status_code == 404
    assert client.get(f"/api/media/{media_id(client, 'red.png')}/sprites").status_code == 404


def test_a_strip_shows_a_shot_in_order(client: TestClient) -> None:
    shot = shots_of(client, "colours.mp4")[1]
    strip = Image.open(io.BytesIO(client.get(shot["strip"]).content))
    assert strip.width == 8 * 160
    for number in range(8):
        assert strip.getpixel((number * 160 + 120, 60))[1] > 120
    assert shots_of(client, "red.png")[0]["strip"] is None
    assert client.get("/media/shots/999/strip.jpg").status_code == 404


def test_a_picture_is_made_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def thumbnail(_path: Path, time: float | None, size: int) -> np.ndarray:
        made.append((time, size))
        return np.full((size // 2, size, 3), 99, np.uint8)

    monkeypatch.setattr("thisismy.web.routes.files.thumbnail", thumbnail)
    url = f"/media/{media_id(client, 'colours.mp4')}/frame.jpg?t=3.3&size=300"
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(lambda _: client.get(url), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert made == [(3.3, 320)]
    assert "immutable" in answers[0].headers["cache-control"]


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    kept = ArtifactCache(tmp_path)
    for number in range(5):
        path = kept.path("frames", ".jpg", number)

        def write(target: Path) -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bytes(100))

        kept.get(path, write)
        import os

        os.utime(path, (number, number))
    kept.get(kept.path("frames", ".jpg", 0), write)
    kept.trim(250)
    left = [number for number in range(5) if kept.path("frames", ".jpg", number).is_file()]
    assert left == [0, 4]
    assert kept.clear() == 200
    kept.close()
