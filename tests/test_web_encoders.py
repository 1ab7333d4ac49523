"""Encoder and vectors belong together, also while everything is encoded again with another encoder."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from fastapi.testclient import TestClient
from PIL import Image
from web_library import open_client, wait_for

from thisismy.core.errors import EncoderError, EncoderMismatchError
from thisismy.encoders.base import Features, Picture
from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions


class Swapped(FakeEncoder):
    """Says green where the other one says red; waits at a gate before it encodes pictures."""

    id = "fake-swapped"

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = threading.Event()
        self.broken = False

    def encode_images(self, images: Sequence[Picture]) -> Features:
        self.waiting.set()
        assert self.gate.wait(30)
        if self.broken:
            raise EncoderError("out of memory")
        return self._turned(super().encode_images(images))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        return self._turned(super().encode_texts(texts))

    @staticmethod
    def _turned(rows: Features) -> Features:
        return np.ascontiguousarray(rows[:, [1, 0, 2, 3]])


@pytest.fixture(name="encoders")
def encoders_fixture(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEncoder]:
    known: dict[str, FakeEncoder] = {"one": FakeEncoder(), "two": Swapped()}

    def load(name: str, **_: object) -> FakeEncoder:
        if name not in known:
            raise EncoderError(f"no encoder is called {name!r}")
        return known[name]

    monkeypatch.setattr("thisismy.encoders.load_encoder", load)
    return known


@pytest.fixture(name="swapped")
def swapped_fixture(encoders: dict[str, FakeEncoder]) -> Swapped:
    two = encoders["two"]
    assert isinstance(two, Swapped)
    return two


@pytest.fixture(name="folder")
def folder_fixture(encoders: dict[str, FakeEncoder], tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, colour in (("red", (250, 10, 10)), ("green", (10, 250, 10)), ("blue", (10, 10, 250))):
        Image.new("RGB", (16, 16), colour).save(tmp_path / "in" / f"{name}.png")
    library = Library.create(tmp_path / "library")
    library.files.add([tmp_path / "in"], encoder="one")
    library.close()
    return tmp_path / "library"


@pytest.fixture(name="client")
def client_fixture(folder: Path) -> Iterator[TestClient]:
    with open_client(folder) as opened:
        yield opened


def first(client: TestClient, text: str) -> str:
    answer = client.get("/api/search", params={"q": text, "cutoff": 0})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["hits"][0]["name"])


def test_the_page_searches_with_the_old_pair_until_the_new_one_is_ready(
    client: TestClient, swapped: Swapped
) -> None:
    assert first(client, "red") == "red.png"
    order = {"kind": "index", "settings": {"encoder": "two"}}
    job = client.post("/api/jobs", json=order).json()
    assert swapped.waiting.wait(20)
    assert [first(client, text) for text in ("red", "green", "blue")] == ["red.png", "green.png", "blue.png"]
    swapped.gate.set()
    assert wait_for(client, job)["state"] == "done"
    assert [first(client, text) for text in ("red", "green", "blue")] == ["red.png", "green.png", "blue.png"]
    assert client.get("/api/status").json()["encoder_id"] == "fake-swapped"


def test_what_was_interrupted_is_searched_as_before_and_can_be_finished(
    folder: Path, swapped: Swapped
) -> None:
    swapped.gate.set()
    swapped.broken = True
    library = Library.open(folder)
    with pytest.raises(EncoderError, match="out of memory"):
        library.files.add(encoder="two")
    other = Library.open(folder)
    for held in (library, other):
        assert Path(held.search.find("red", options=SearchOptions(cutoff=0.0)).hits[0].path).name == "red.png"
        assert held.encoder.id == "fake-colours"
    swapped.broken = False
    library.files.add()
    for held in (library, other):
        assert held.encoder.id == "fake-swapped"
        assert Path(held.search.find("red", options=SearchOptions(cutoff=0.0)).hits[0].path).name == "red.png"


def test_another_encoder_for_part_of_a_library_hides_nothing(
    folder: Path, swapped: Swapped, tmp_path: Path
) -> None:
    swapped.gate.set()
    told: list[str] = []
    library = Library.open(folder)
    library.files.add([tmp_path / "in/red.png"], encoder="two", tell=told.append)
    assert "2 files are not encoded with two yet" in told[-1]
    assert library.search.find("green").searched == 3
    library.files.add()
    assert library.encoder.id == "fake-swapped"
    assert library.search.find("green").searched == 3


def test_an_encoder_that_is_gone_is_one_clear_line(folder: Path, encoders: dict[str, FakeEncoder]) -> None:
    del encoders["one"]
    library = Library.open(folder)
    before = library.store.index_settings
    with pytest.raises(EncoderError, match="no encoder is called 'one'"):
        library.search.find("red")
    assert [entry.state for entry in library.files.all()] == ["indexed"] * 3
    assert library.store.index_settings == before


def test_an_encoder_that_became_another_is_refused_with_both_names(
    folder: Path, encoders: dict[str, FakeEncoder]
) -> None:
    encoders["one"] = encoders["two"]
    with pytest.raises(EncoderMismatchError, match="with fake-colours, but 'one' now gives fake-swapped"):
        Library.open(folder).search.find("red")
