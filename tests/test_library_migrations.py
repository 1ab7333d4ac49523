"""Libraries of every earlier schema: nothing is lost, nothing is encoded again."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEncoder

from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions
from thisismy.retrieval.results import SearchResult
from thisismy.store.folder import DATABASE
from thisismy.store.schema import HEAD

DATA = Path(__file__).parent / "data"
VERSIONS = [path.stem.removeprefix("library-") for path in sorted(DATA.glob("library-*.sql"))]
NAMED = [version for version in VERSIONS if version > "0001"]


@pytest.fixture(name="encoder")
def encoder_fixture(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    return fake


def old_library(version: str, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / DATABASE) as connection:
        connection.executescript((DATA / f"library-{version}.sql").read_text())
    connection.close()
    return folder


def found_before(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"library-{version}.json").read_text())
    return found


def shown(result: SearchResult) -> list[list[Any]]:
    return [[Path(hit.path).name, hit.span.start, round(hit.score, 4)] for hit in result.hits]


def test_there_is_a_library_of_every_earlier_schema() -> None:
    assert [f"{number:04}" for number in range(1, int(HEAD))] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_it_opens_and_finds_what_it_found(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library(version, tmp_path / "library"))
    assert [Path(entry.path).name for entry in library.files.all() if entry.state == "failed"] == [
        "broken.mp4"
    ]
    assert sum(entry.state == "indexed" for entry in library.files.all()) == 7
    result = library.search.find("red", options=SearchOptions(k=3, cutoff=0.0, fold=False))
    assert shown(result) == found_before(version)["red"]
    assert encoder.images_seen == 0
    library.close()
    assert Library.open(tmp_path / "library").store.library_id == library.store.library_id


@pytest.mark.parametrize("version", VERSIONS)
def test_its_files_are_up_to_date(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    folder, videos = old_library(version, tmp_path / "library"), tmp_path / "Videos"
    videos.mkdir()
    with sqlite3.connect(folder / DATABASE) as connection:
        for (raw,) in connection.execute("SELECT path FROM files WHERE failed_stage IS NULL").fetchall():
            path = videos / Path(os.fsdecode(raw)).name
            path.write_text("is not looked at while size and time are as before")
            about = (os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns, raw)
            connection.execute("UPDATE files SET path = ?, size = ?, mtime_ns = ? WHERE path = ?", about)
    connection.close()
    library = Library.open(folder)
    report = library.files.add([videos])
    assert (report.unchanged, report.added, report.updated, report.failed) == (7, 0, 0, [])
    assert encoder.images_seen == 0


@pytest.mark.parametrize("version", NAMED)
def test_what_people_decided_is_there(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library(version, tmp_path / "library"))
    before = found_before(version)
    assert [
        [i.name, list(i.aliases), i.category, i.category_by, i.confirmed, i.proposed, i.rejected]
        for i in library.instances.all()
    ] == before["instances"]
    assert {instance.kind for instance in library.instances.all()} == {"thing"}
    assert [[m.name, m.decision, m.instance] for m in library.mentions.all()] == before["mentions"]
    examples = library.instances.examples("my dog Rusty")
    assert [(item.example.state, item.example.decided_by) for item in examples] == [
        ("confirmed", "user"),
        ("confirmed", "user"),
        ("rejected", "user"),
        ("confirmed", "user"),
    ]
    mention = next(m for m in library.mentions.all() if m.decision == "accepted")
    library.mentions.undecide(mention)
    assert len(library.instances.examples("my dog Rusty")) == 3


@pytest.mark.parametrize("version", NAMED)
def test_it_is_learned_and_asked_by_name(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library(version, tmp_path / "library"))
    report = library.learning.learn(judge=False)
    assert {item.name for item in report.learned} == {item[0] for item in found_before(version)["instances"]}
    found = library.search.find("my dog Rusty", options=SearchOptions(k=4, cutoff=0.0, fold=False)).hits
    red = {("red1.png", 0.0), ("red2.png", 0.0), ("again.mp4", 2.0), ("colours.mp4", 0.0)}
    assert {(Path(hit.path).name, hit.span.start) for hit in found} == red
    # Only the photo outside of the library, which nobody keeps vectors of.
    assert encoder.images_seen <= 2


@pytest.mark.parametrize("version", NAMED)
def test_what_was_said_is_found(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library(version, tmp_path / "library"))
    said = [[Path(hit.path).name, hit.start, hit.end, hit.text] for hit in library.transcripts.find("my dog")]
    assert said == found_before(version)["said"]
    assert [hit.start for hit in library.transcripts.find("RUSTY: it is")] == [0.2]


def test_a_box_keeps_its_frame(encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library("0003", tmp_path / "library"))
    (shown_example,) = library.instances.examples("my ball")
    assert shown_example.example.box == (0.0625, 0.1111111111111111, 0.375, 0.6666666666666666)
    assert shown_example.example.box_time == 5.0


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_removed_takes_what_hung_on_it(version: str, encoder: FakeEncoder, tmp_path: Path) -> None:
    library = Library.open(old_library(version, tmp_path / "library"))
    library.files.remove([Path("/home/anna/Videos")])
    assert library.transcripts.find("dog") == []
    library.close()
    with sqlite3.connect(tmp_path / "library" / DATABASE) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("shots", "regions", "vectors", "segments", "transcript_words")
        ]
    assert counts == [0, 0, 0, 0, 0]


def test_a_migration_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = old_library("0003", tmp_path / "library")

    def fail(*_args: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("thisismy.store.dialects.sqlite.SQLite.create_word_index", fail)
        with pytest.raises(sqlite3.OperationalError):
            Library.open(folder)
    before = (DATA / "library-0003.sql").read_text()
    with sqlite3.connect(folder / DATABASE) as connection:
        assert "\n".join(connection.iterdump()) + "\n" == before
    connection.close()
    assert len(Library.open(folder).instances.all()) == 3


def test_rows_that_refer_to_nothing_do_not_keep_a_library_shut(encoder: FakeEncoder, tmp_path: Path) -> None:
    folder = old_library("0003", tmp_path / "library")
    with sqlite3.connect(folder / DATABASE) as connection:
        connection.execute(
            "INSERT INTO examples VALUES (99, 77, 'ab', 0, 0, 'rejected', 'user', '', 0, '', 0)"
        )
    connection.close()
    assert len(Library.open(folder).instances.all()) == 3


def test_what_an_older_version_cached_is_taken_over(encoder: FakeEncoder, tmp_path: Path) -> None:
    folder = old_library("0003", tmp_path / "library")
    for name in ("boxes-1/a.npy", "page/frames/a.jpg", "words-ab.npz", "gallery-ab-1-14/about.json"):
        (folder / "cache" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "cache" / name).write_text("kept")
    library = Library.open(folder)
    kept = {str(path.relative_to(library.store.cache)) for path in library.store.cache.rglob("*.*")}
    assert kept == {"boxes-1/a.npy", "page/frames/a.jpg", "words-ab.npz"}
    assert [path.name for path in (folder / "cache").iterdir()] == [library.store.library_id]
