"""Stages: one written outside of the package, and what runs again when something else is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder
from media_files import write_video
from PIL import Image
from sqlalchemy import Connection, delete, insert, select

from thisismy.jobs.stages import Inputs, Media, StageError, register, unregister
from thisismy.library import Library
from thisismy.media.frames import VideoStream
from thisismy.store import schema
from thisismy.store.settings import IndexSettings


class MeanColour:
    """One region of kind "colour" for each shot; the mean colour is its vector."""

    name = "colour"
    needs: tuple[str, ...] = ("shots",)
    side_by_side = False
    shorter_side: int | None = 8
    version = "1"
    broken = False

    def __init__(self) -> None:
        self.media_seen: list[int] = []

    def key(self, _settings: IndexSettings, _media: Media) -> str | None:
        return self.version

    def run(self, media: Media, inputs: Inputs) -> Sequence[Any]:
        if self.broken:
            raise ZeroDivisionError("for now")
        self.media_seen.append(media.id)
        return [
            (item.shot.index, np.mean([f.image.mean(axis=(0, 1)) for f in item.frames], axis=0) / 255)
            for item in inputs.shots
        ]

    def store(self, connection: Connection, media: Media, rows: Sequence[Any]) -> None:
        regions, shots = schema.regions, schema.shots
        connection.execute(delete(regions).where(regions.c.media_id == media.id, regions.c.kind == self.name))
        space = (
            connection.execute(select(schema.spaces.c.id).where(schema.spaces.c.name == "rgb")).scalar()
            or connection.execute(
                insert(schema.spaces)
                .values(name="rgb", dim=3, modality="colour")
                .returning(schema.spaces.c.id)
            ).scalar_one()
        )
        for position, colour in rows:
            where = shots.c.media_id == media.id, shots.c.position == position
            shot = connection.execute(select(shots).where(*where)).one()
            place = {"media_id": media.id, "shot_id": shot.id, "kind": self.name}
            span = {"start": shot.start, "end": shot.end}
            made = insert(regions).values(**place, **span).returning(regions.c.id)
            region = connection.execute(made).scalar_one()
            raw = colour.astype(np.float16).tobytes()
            connection.execute(insert(schema.vectors).values(region_id=region, space_id=space, vector=raw))


@pytest.fixture(name="encoder")
def encoder_fixture(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    encoder = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_given, **_more: encoder)
    return encoder


@pytest.fixture(name="media")
def media_fixture(tmp_path: Path) -> Path:
    """Two photos, and a video of two shots with what is said in it."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, colour in (("red", (255, 0, 0)), ("green", (0, 255, 0))):
        Image.new("RGB", (16, 16), colour).save(folder / f"{name}.png")
    shots = [((250, 10, 10), 1.5), ((10, 10, 250), 1.5)]
    write_video(folder / "talk.mp4", shots)
    (folder / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello there\n")
    return folder


@pytest.fixture(name="colour")
def colour_fixture() -> Iterator[MeanColour]:
    stage = MeanColour()
    yield stage
    unregister(stage.name)


def add(library: Library, media: Path) -> tuple[int, int, int]:
    # Naming an encoder looks at every file again.
    named = {} if library.store.index_settings.encoder_id else {"encoder": "fake"}
    report = library.files.add([media], **named)
    assert report.failed == []
    return report.added, report.updated, report.unchanged


def rows(library: Library, table: str) -> list[tuple[Any, ...]]:
    with library.store.read() as connection:
        found = connection.execute(select(schema.metadata.tables[table]))
        return sorted((tuple(row) for row in found), key=repr)


def regions(library: Library, kind: str) -> list[tuple[Any, ...]]:
    return [row for row in rows(library, "regions") if kind in row]


def colours(library: Library) -> list[list[float]]:
    statement = select(schema.vectors.c.vector).join(schema.regions)
    statement = statement.where(schema.regions.c.kind == "colour").order_by(
        schema.regions.c.media_id, schema.regions.c.start
    )
    with library.store.read() as connection:
        found = connection.execute(statement).scalars()
        return [np.frombuffer(raw, np.float16).round().tolist() for raw in found]


RED, GREEN, BLUE = [1, 0, 0], [0, 1, 0], [0, 0, 1]


def test_a_stage_from_outside_runs_for_a_library_that_is_indexed_without_encoding_again(
    encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path
) -> None:
    library = Library.create(tmp_path / "library")
    assert add(library, media) == (3, 0, 0)
    before = {table: rows(library, table) for table in ("shots", "regions", "vectors", "stages")}
    seen = encoder.images_seen
    register(colour)
    assert add(library, media) == (0, 3, 0)
    assert encoder.images_seen == seen
    assert sorted(colours(library)) == sorted([GREEN, RED, RED, BLUE])
    for table, known in before.items():
        assert set(known) <= set(rows(library, table))
    assert rows(library, "shots") == before["shots"]
    assert regions(library, "frame") == [row for row in before["regions"] if "frame" in row]
    assert add(library, media) == (0, 0, 3)


def test_stages_that_need_pictures_share_one_decoding(
    encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    enter = VideoStream.__enter__

    def count(stream: VideoStream) -> VideoStream:
        opened.append(media)
        return enter(stream)

    monkeypatch.setattr(VideoStream, "__enter__", count)
    register(colour)
    library = Library.create(tmp_path / "library")
    assert add(library, media) == (3, 0, 0)
    assert len(opened) == 1
    assert len(colours(library)) == 4


def test_it_is_resumed(encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path) -> None:
    class Interrupted(BaseException):
        pass

    register(colour)
    library = Library.create(tmp_path / "library")
    run = colour.run

    def until_the_second(item: Media, inputs: Inputs) -> Sequence[Any]:
        if colour.media_seen:
            raise Interrupted
        return run(item, inputs)

    colour.run = until_the_second  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        library.files.add([media], encoder="fake")
    assert len(colours(library)) == 1
    colour.run = run  # type: ignore[method-assign]
    assert add(library, media) == (0, 2, 1)
    assert len(colours(library)) == len(regions(library, "colour")) == 4
    assert len(set(colour.media_seen)) == 3


def test_another_key_replaces_its_rows_and_no_other_stages(
    encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path
) -> None:
    register(colour)
    library = Library.create(tmp_path / "library")
    add(library, media)
    library.transcripts.transcribe(speech=False)
    frames, shots = regions(library, "frame"), rows(library, "shots")
    seen = encoder.images_seen
    for version in ("2", "1"):
        colour.version = version
        assert add(library, media) == (0, 3, 0)
        assert add(library, media) == (0, 0, 3)
    assert (regions(library, "frame"), rows(library, "shots"), encoder.images_seen) == (frames, shots, seen)
    assert len(colours(library)) == 4
    assert library.transcripts.transcribe(speech=False).unchanged == 1


def test_other_shots_are_worked_on_again_and_what_does_not_need_them_stays(
    encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path
) -> None:
    register(colour)
    library = Library.create(tmp_path / "library")
    add(library, media)
    assert library.transcripts.transcribe(speech=False).read == 1
    said = [row for row in rows(library, "stages") if "transcript" in row]
    seen = len(colour.media_seen)
    library.files.add([media], rate=2.0)
    assert len(colour.media_seen) > seen
    assert len(colours(library)) == 4
    assert [row for row in rows(library, "stages") if "transcript" in row] == said
    assert len(said) == 1
    assert library.transcripts.transcribe(speech=False).unchanged == 1


def test_its_failure_costs_the_others_nothing(
    encoder: FakeEncoder, colour: MeanColour, media: Path, tmp_path: Path
) -> None:
    register(colour)
    colour.broken = True
    library = Library.create(tmp_path / "library")
    report = library.files.add([media], encoder="fake")
    assert [(failure.stage, failure.error) for failure in report.failed] == [
        ("colour", "ZeroDivisionError: for now")
    ] * 3
    seen = encoder.images_seen
    colour.broken = False
    add(library, media)
    assert encoder.images_seen == seen
    assert {entry.state for entry in library.files.all()} == {"indexed"}


def test_a_stage_whose_needs_are_not_met_is_refused(colour: MeanColour) -> None:
    colour.needs = ("faces",)
    with pytest.raises(StageError, match="'colour' needs 'faces', which is not there"):
        register(colour)
    colour.needs = ("colour",)
    with pytest.raises(StageError, match="circle"):
        register(colour)
    colour.needs = ("shots",)
    register(colour)
    with pytest.raises(StageError, match="already"):
        register(colour)
