"""Shots, their frames and the features of the frames, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from thisismy.core.span import Span
from thisismy.encoders.base import Features
from thisismy.shots import Shot
from thisismy.store import schema
from thisismy.store.folder import changed

shots, frames, features, encoders = schema.shots, schema.frames, schema.features, schema.encoders


@dataclass(frozen=True)
class EncodedShot:
    """A shot with the times and features of its frames; ``vectors`` is ``(n_frames, embed_dim)``."""

    shot: Shot
    times: tuple[float, ...]
    vectors: Features


@dataclass(frozen=True)
class FrameRow:
    """A frame as stored: its id, the id of its shot, its time in seconds."""

    id: int
    shot_id: int
    time: float


def encoder_row(connection: Connection, name: str, embed_dim: int) -> int:
    """The row of an encoder id, made when it is new."""
    connection.execute(upsert(encoders).values(name=name, embed_dim=embed_dim).on_conflict_do_nothing())
    return int(connection.execute(select(encoders.c.id).where(encoders.c.name == name)).scalar_one())


def replace_shots(
    connection: Connection, media_id: int, encoded: Sequence[EncodedShot], encoder: int
) -> None:
    """Put the shots of a media in place of those it had, with frames and features."""
    connection.execute(delete(shots).where(shots.c.media_id == media_id))
    connection.execute(delete(schema.stages).where(schema.stages.c.media_id == media_id))
    for item in encoded:
        values = {
            "media_id": media_id,
            "position": item.shot.index,
            "start": item.shot.span.start,
            "end": item.shot.span.end,
        }
        shot_id = connection.execute(insert(shots).values(values).returning(shots.c.id)).scalar_one()
        for time, vector in zip(item.times, item.vectors, strict=True):
            statement = insert(frames).values(shot_id=shot_id, time=time).returning(frames.c.id)
            frame_id = connection.execute(statement).scalar_one()
            _put_vector(connection, frame_id, encoder, vector)
    changed(connection)


def put_features(connection: Connection, rows: Sequence[FrameRow], vectors: Features, encoder: int) -> None:
    """Store the features of frames that are already there, ``(len(rows), embed_dim)``."""
    for row, vector in zip(rows, vectors, strict=True):
        _put_vector(connection, row.id, encoder, vector)
    changed(connection)


def _put_vector(connection: Connection, frame_id: int, encoder: int, vector: Features) -> None:
    values = {"vector": np.asarray(vector, np.float16).tobytes()}
    statement = upsert(features).values(frame_id=frame_id, encoder_id=encoder, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["frame_id", "encoder_id"], set_=values)
    )


def shots_of(connection: Connection, media_id: int) -> list[tuple[int, Shot]]:
    """Row id and shot, in order of time."""
    statement = select(shots.c.id, shots.c.position, shots.c.start, shots.c.end)
    statement = statement.where(shots.c.media_id == media_id).order_by(shots.c.position)
    rows = connection.execute(statement).all()
    return [(row.id, Shot(row.position, Span(row.start, row.end))) for row in rows]


def frames_of(connection: Connection, media_id: int) -> list[FrameRow]:
    """The frames kept of a media, in order of time."""
    statement = select(frames.c.id, frames.c.shot_id, frames.c.time).join(shots)
    statement = statement.where(shots.c.media_id == media_id).order_by(frames.c.time, frames.c.id)
    return [FrameRow(*row) for row in connection.execute(statement)]


def count_frames(connection: Connection, encoder_id: str) -> int:
    """Frames that have features of this encoder."""
    statement = select(func.count()).select_from(features.join(encoders))
    return int(connection.execute(statement.where(encoders.c.name == encoder_id)).scalar_one())


def of_encoder(encoder_id: str) -> ColumnElement[bool]:
    """True of an encoder's features, for statements that come to them from shots or media.

    "+ 0" hides the index of an encoder's features from SQLite's planner, which takes it for a good place to
    begin; as a rule it holds every feature there is.
    """
    encoder = select(encoders.c.id).where(encoders.c.name == encoder_id).scalar_subquery()
    return features.c.encoder_id + 0 == encoder


def iterate_features(
    connection: Connection, encoder_id: str
) -> Iterator[tuple[int, int, float, float, float, bytes]]:
    """(shot id, media id, start, end, frame time, float16 bytes) of every frame whose media is on disk.

    Frames of a shot follow each other; shots follow in order of media and time.
    """
    on_disk = select(schema.files.c.media_id).where(schema.files.c.missing.is_(False))
    statement = (
        select(shots.c.id, shots.c.media_id, shots.c.start, shots.c.end, frames.c.time, features.c.vector)
        .select_from(shots.join(frames).join(features))
        .where(of_encoder(encoder_id), shots.c.media_id.in_(on_disk))
        .order_by(shots.c.media_id, shots.c.position, frames.c.time)
    )
    result = connection.execution_options(yield_per=4096).execute(statement)
    for row in result:
        yield (row[0], row[1], row[2], row[3], row[4], row[5])
