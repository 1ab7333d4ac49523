"""Shots, the regions in them and the vectors of the regions, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from thisismy.core.span import Span
from thisismy.encoders.base import Features
from thisismy.encoders.space import FRAME, RIM, Block, FeatureSpace
from thisismy.shots import Shot
from thisismy.store import schema
from thisismy.store.dialects import dialect_of
from thisismy.store.settings import changed

shots, regions, vectors, spaces = schema.shots, schema.regions, schema.vectors, schema.spaces


@dataclass(frozen=True)
class EncodedShot:
    """A shot with the times of its frames, and a row of ``block`` for each if they have vectors."""

    shot: Shot
    times: tuple[float, ...]
    block: Block | None = None


@dataclass(frozen=True)
class FrameRow:
    """A frame as stored: its id, the id of its shot, its time in seconds."""

    id: int
    shot_id: int
    time: float


def encoder_row(connection: Connection, name: str, embed_dim: int) -> int:
    """The row of a feature space, made when it is new."""
    dialect_of(connection).add_row(connection, spaces, {"name": name, "dim": embed_dim})
    return int(connection.execute(select(spaces.c.id).where(spaces.c.name == name)).scalar_one())


def list_spaces(connection: Connection) -> list[FeatureSpace]:
    """The feature spaces that the library has vectors of, first used first."""
    columns = (spaces.c.name, spaces.c.dim, spaces.c.modality)
    return [FeatureSpace(*row) for row in connection.execute(select(*columns).order_by(spaces.c.id))]


def replace_shots(
    connection: Connection, media_id: int, encoded: Sequence[EncodedShot], encoder: int | None = None
) -> None:
    """Put the shots of a media in place of those it had, with their frames.

    What hangs on the shots it had goes with them. Vectors are stored where ``encoder`` names their space.
    """
    connection.execute(delete(shots).where(shots.c.media_id == media_id))
    for item in encoded:
        values = {
            "media_id": media_id,
            "position": item.shot.index,
            "start": item.shot.span.start,
            "end": item.shot.span.end,
        }
        shot_id = connection.execute(insert(shots).values(values).returning(shots.c.id)).scalar_one()
        times = item.times
        frames = [_add_region(connection, media_id, shot_id, FRAME, time) for time in times]
        if encoder is not None and item.block is not None:
            rows = [FrameRow(id_, shot_id, time) for id_, time in zip(frames, times, strict=True)]
            _put_block(connection, media_id, rows, item.block, encoder)
    changed(connection)


def put_features(
    connection: Connection, media_id: int, rows: Sequence[FrameRow], features: Block, encoder: int
) -> None:
    """Store the features of frames of a media that are already there, a row of ``features`` for each."""
    _put_block(connection, media_id, rows, features, encoder)
    changed(connection)


def _put_block(
    connection: Connection, media_id: int, rows: Sequence[FrameRow], features: Block, encoder: int
) -> None:
    for row, vector in zip(rows, features.frame, strict=True):
        _put_vector(connection, row.id, encoder, vector)
    if features.rim is not None:
        for row, vector in zip(rows, features.rim, strict=True):
            _put_vector(connection, _rim_of(connection, media_id, row), encoder, vector)


def _add_region(connection: Connection, media_id: int, shot_id: int, kind: str, time: float) -> int:
    place = {"media_id": media_id, "shot_id": shot_id, "kind": kind, "start": time, "end": time}
    added = connection.execute(insert(regions).values(place).returning(regions.c.id))
    return int(added.scalar_one())


def _rim_of(connection: Connection, media_id: int, frame: FrameRow) -> int:
    """The region of a frame's rim, made when no encoder before has told it apart."""
    statement = select(regions.c.id).where(
        regions.c.shot_id == frame.shot_id, regions.c.kind == RIM, regions.c.start == frame.time
    )
    known = connection.execute(statement).scalar()
    return int(known) if known else _add_region(connection, media_id, frame.shot_id, RIM, frame.time)


def _put_vector(connection: Connection, region_id: int, space: int, vector: Features) -> None:
    key = {"region_id": region_id, "space_id": space}
    raw = np.asarray(vector, np.float16).tobytes()
    dialect_of(connection).put_row(connection, vectors, key, {"vector": raw})


def shots_of(connection: Connection, media_id: int) -> list[tuple[int, Shot]]:
    """Row id and shot, in order of time."""
    statement = select(shots.c.id, shots.c.position, shots.c.start, shots.c.end)
    statement = statement.where(shots.c.media_id == media_id).order_by(shots.c.position)
    rows = connection.execute(statement).all()
    return [(row.id, Shot(row.position, Span(row.start, row.end))) for row in rows]


def frames_of(connection: Connection, media_id: int) -> list[FrameRow]:
    """The frames kept of a media, in order of time."""
    statement = select(regions.c.id, regions.c.shot_id, regions.c.start)
    statement = statement.where(regions.c.media_id == media_id, regions.c.kind == FRAME)
    rows = connection.execute(statement.order_by(regions.c.start, regions.c.id))
    return [FrameRow(*row) for row in rows]


def count_regions(connection: Connection, space_id: str, kind: str = FRAME) -> int:
    """Regions of a kind that have a vector in this space."""
    statement = select(func.count()).select_from(vectors.join(regions))
    where = in_space(space_id), regions.c.kind == kind
    return int(connection.execute(statement.where(*where)).scalar_one())


def in_space(space_id: str) -> ColumnElement[bool]:
    """True of the vectors of a feature space."""
    space = select(spaces.c.id).where(spaces.c.name == space_id).scalar_subquery()
    return vectors.c.space_id == space


def frames_with_content(
    connection: Connection, content_hash: str, space_id: str
) -> list[tuple[float, Span, Features]]:
    """Time, shot and ``(dim,)`` vector of every frame of a content that has one in this space."""
    media = schema.media
    statement = (
        select(regions.c.start, shots.c.start, shots.c.end, vectors.c.vector)
        .select_from(media.join(shots).join(regions, regions.c.shot_id == shots.c.id).join(vectors))
        .where(media.c.content_hash == content_hash, in_space(space_id), regions.c.kind == FRAME)
    )
    return [
        (time, Span(start, end), np.frombuffer(raw, np.float16).astype(np.float32))
        for time, start, end, raw in connection.execute(statement)
    ]


def iterate_vectors(
    connection: Connection, space_id: str, kinds: Sequence[str] = (FRAME,)
) -> Iterator[tuple[int, int, float, float, float, str, bytes]]:
    """(shot id, media id, start, end, time, kind, float16 bytes) of regions whose media is on disk.

    Regions of a shot follow each other in order of time, those of one time in order of their kinds' names:
    a rim comes right after its frame. Shots follow in order of media and time.
    """
    on_disk = select(schema.files.c.media_id).where(schema.files.c.missing.is_(False))
    statement = (
        select(
            shots.c.id,
            shots.c.media_id,
            shots.c.start,
            shots.c.end,
            regions.c.start,
            regions.c.kind,
            vectors.c.vector,
        )
        .select_from(shots.join(regions, regions.c.shot_id == shots.c.id).join(vectors))
        .where(in_space(space_id), regions.c.kind.in_(kinds), shots.c.media_id.in_(on_disk))
        .order_by(shots.c.media_id, shots.c.position, regions.c.start, regions.c.kind)
    )
    result = connection.execution_options(yield_per=4096).execute(statement)
    for row in result:
        yield (row[0], row[1], row[2], row[3], row[4], row[5], row[6])
