"""Rows to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEncoder
from media_files import BLUE, GREEN, RED, write_video
from PIL import Image

from thisismy.core.errors import InstanceError
from thisismy.library import Library
from thisismy.store import browsing
from thisismy.store.instances import REJECTED


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    when = {"creation_time": "2024-07-31T10:12:00Z"}
    write_video(tmp_path / "in/b.mp4", ((RED, 2.0), (GREEN, 2.0)), metadata=when)
    write_video(tmp_path / "in/a.mp4", ((BLUE, 2.0),))
    Image.new("RGB", (16, 16), RED).save(tmp_path / "in/c.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake", detector="windows", window=2.0)
    return made


def names(library: Library, shot_ids: list[int]) -> list[str]:
    return [f"{Path(shot.path).name}@{shot.span.start:g}" for shot in library.files.shots(shot_ids)]


def test_all_shots_in_both_orders(library: Library) -> None:
    with library.store.read() as connection:
        by_path = browsing.list_shot_ids(connection)
        by_date = browsing.list_shot_ids(connection, "date")
        assert browsing.count_shots(connection) == 4
    assert names(library, by_path) == ["a.mp4@0", "b.mp4@0", "b.mp4@2", "c.png@0"]
    assert names(library, by_date) == ["b.mp4@0", "b.mp4@2", "a.mp4@0", "c.png@0"]
    assert names(library, [by_path[2], 999, by_path[0]]) == ["b.mp4@2", "a.mp4@0"]


def test_the_shot_around_an_instant(library: Library) -> None:
    shots = {f"{Path(s.path).name}@{s.span.start:g}": s for s in library.files.shots(list(range(1, 5)))}
    media_id = shots["b.mp4@0"].media_id
    with library.store.read() as connection:
        at = [browsing.shot_at(connection, media_id, time) for time in (0, 1.99, 2.0, 50.0)]
        assert browsing.shot_at(connection, 999, 1.0) is None
    assert at == [shots[name].id for name in ("b.mp4@0", "b.mp4@0", "b.mp4@2", "b.mp4@2")]


def test_change_tokens_move_with_what_they_stand_for(library: Library) -> None:
    def moved() -> set[str]:
        nonlocal before
        now = library.change_tokens()
        kinds = {kind for kind in now if now[kind] != before[kind]}
        before = now
        return kinds

    before = library.change_tokens()
    assert moved() == set()
    place = library.instances.place_of_shot(1)
    library.instances.name("my mug", [place], category="cup")
    assert moved() == {"instances"}
    library.instances.change("my mug", category="mug")
    assert moved() == {"instances"}
    library.instances.label("my mug", {1: REJECTED})
    assert moved() == {"instances"}
    library.instances.label("my mug", {1: "confirmed"})
    library.learning.learn()
    assert moved() == {"instances", "vocabulary"}
    library.files.remove([], missing=True)
    assert "instances" not in moved()


def test_labels_go_by_name_alias_or_row(library: Library) -> None:
    library.instances.name("my mug", [library.instances.place_of_shot(1)], category="cup")
    library.instances.change("my mug", add_aliases=["the blue one"])
    number = library.instances.get("my mug").id
    assert (
        library.instances.labels(number, [1, 2])
        == library.instances.labels("the blue one", [1, 2])
        == {1: "confirmed", 2: None}
    )
    with pytest.raises(InstanceError, match="no shot 77"):
        library.instances.label(number, {77: "confirmed"})
    with pytest.raises(InstanceError, match="not 'maybe'"):
        library.instances.label(number, {2: "maybe"})
    with pytest.raises(InstanceError, match="no instance number 9"):
        library.instances.candidates(9)
