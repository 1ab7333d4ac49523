"""Pieces of a video that a browser cannot play, played by a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from web_library import encoder_fixture, library_fixture, made_fixture  # noqa: F401

from thisismy.web.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PLAY = """async ({type, template, seconds, count, duration}) => {
  const source = new MediaSource();
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(source);
  document.body.append(video);
  await new Promise(done => source.addEventListener('sourceopen', done, {once: true}));
  source.duration = duration;
  const buffer = source.addSourceBuffer(type);
  for (let n = 0; n < count; n++) {
    const piece = await (await fetch(template.replace('{n}', n))).arrayBuffer();
    buffer.timestampOffset = n * seconds;
    buffer.appendBuffer(piece);
    await new Promise((done, failed) => {
      buffer.onupdateend = done;
      buffer.onerror = () => failed(new Error('piece ' + n + ' is refused'));
    });
  }
  const ranges = [], {buffered} = video;
  for (let i = 0; i < buffered.length; i++) ranges.push([buffered.start(i), buffered.end(i)]);
  const colours = [];
  for (const time of [1, 5.9, 6.1, 7.5]) {
    video.currentTime = time;
    await new Promise(done => video.addEventListener('seeked', done, {once: true}));
    const canvas = document.createElement('canvas');
    canvas.width = 160; canvas.height = 90;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 160, 90);
    const pixel = context.getImageData(120, 60, 1, 1).data;
    colours.push(['red', 'green', 'blue'][pixel.indexOf(Math.max(pixel[0], pixel[1], pixel[2]))]);
  }
  return {ranges, colours};
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def test_pieces_play_without_a_gap_and_seek(library: Path, encoder: object, page: Page) -> None:
    server = Server.prepare(library, port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        files = httpx.get(f"{server.url}api/media", timeout=20).json()["items"]
        number = next(item["media_id"] for item in files if item["name"] == "old.avi")
        play = httpx.get(f"{server.url}api/media/{number}").json()["play"]
        page.goto(server.url)
        seen = page.evaluate(PLAY, play)
    finally:
        server.stop()
        thread.join(20)
    assert len(seen["ranges"]) == 1
    assert seen["ranges"][0] == pytest.approx([0, 8], abs=0.15)
    assert seen["colours"] == ["red", "blue", "blue", "blue"]
