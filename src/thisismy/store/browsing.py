"""Shots to look at, by number and in windows, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from thisismy.core.paths import path_text
from thisismy.core.span import Span
from thisismy.encoders.space import FRAME
from thisismy.store import catalog, schema

files, media, shots, regions = schema.files, schema.media, schema.shots, schema.regions

CHUNK = 500
"""Numbers named in one statement; SQLite allows a few more."""


@dataclass(frozen=True)
class ShotRow:
    """A shot with what is known of the media it is in.

    Attributes:
        id: its row.
        media_id: the media's row.
        content_hash: the media's content.
        span: seconds.
        time: of the frame in its middle that was kept, in seconds.
        kind: "video" or "photo".
        path: where the media is, for people.
        created: when it was made (ISO 8601), None when unknown.
        video_codec: the media's, None when unknown.
        audio_codec: likewise, None without sound.
    """

    id: int
    media_id: int
    content_hash: str
    span: Span
    time: float
    kind: str
    path: str
    created: str | None
    video_codec: str | None
    audio_codec: str | None


@dataclass(frozen=True)
class Window:
    """Part of a list of shots: how long the whole list is, and the ones asked for."""

    total: int
    shots: list[ShotRow]


def count_shots(connection: Connection) -> int:
    """Shots of media that are on disk."""
    held = select(files.c.media_id).where(files.c.missing.is_(False))
    statement = select(func.count()).select_from(shots).where(shots.c.media_id.in_(held))
    return int(connection.execute(statement).scalar_one())


def list_shot_ids(connection: Connection, order: str = "path") -> list[int]:
    """Ids of all shots on disk, by path or ("date") newest first with undated media last, then by time."""
    first = (
        select(files.c.media_id, func.min(files.c.path).label("path"))
        .where(files.c.missing.is_(False), files.c.media_id.is_not(None))
        .group_by(files.c.media_id)
        .subquery()
    )
    by_path: list[ColumnElement[Any]] = [first.c.path, shots.c.position]
    by_date: list[ColumnElement[Any]] = [media.c.created.is_(None), media.c.created.desc()]
    statement = (
        select(shots.c.id)
        .select_from(shots.join(media).join(first, first.c.media_id == media.c.id))
        .order_by(*([*by_date, *by_path] if order == "date" else by_path))
    )
    return list(connection.execute(statement).scalars())


def shots_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, ShotRow]:
    """Shots by their rows; those that do not exist or whose media is gone from disk are left out."""
    found: dict[int, ShotRow] = {}
    for start in range(0, len(ids), CHUNK):
        chosen = ids[start : start + CHUNK]
        rows = connection.execute(_joined().where(shots.c.id.in_(chosen))).all()
        found |= _described(connection, rows)
    return found


def shots_of_media(connection: Connection, media_id: int, offset: int, limit: int) -> Window:
    """Shots of one media in order of time."""
    own = shots.c.media_id == media_id
    total = connection.execute(select(func.count()).select_from(shots).where(own)).scalar_one()
    statement = _joined().where(own).order_by(shots.c.position).offset(offset).limit(limit)
    rows = connection.execute(statement).all()
    return Window(int(total), list(_described(connection, rows).values()))


def shot_at(connection: Connection, media_id: int, time: float) -> int | None:
    """The shot around an instant, the last one after the end; None when the media has no shots."""
    own = select(shots.c.id).where(shots.c.media_id == media_id)
    around = own.where(shots.c.start <= time).order_by(shots.c.position.desc())
    found: int | None = connection.execute(around.limit(1)).scalar()
    return found or connection.execute(own.order_by(shots.c.position).limit(1)).scalar()


def shots_covering(connection: Connection, places: Iterable[tuple[str, Span]]) -> list[int | None]:
    """The shot that shares most with each place (content, span); None where there is none."""
    found: list[int | None] = []
    for digest, span in places:
        media_id = catalog.find_media_id(connection, digest)
        found.append(None if media_id is None else shot_at(connection, media_id, span.middle))
    return found


def _joined() -> Select[Any]:
    columns = (
        shots.c.id,
        shots.c.media_id,
        shots.c.start,
        shots.c.end,
        media.c.content_hash,
        media.c.kind,
        media.c.created,
        media.c.video_codec,
        media.c.audio_codec,
    )
    return select(*columns).select_from(shots.join(media))


def _described(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, ShotRow]:
    paths = catalog.paths_by_media(connection, (row.media_id for row in rows))
    times = _middle_times(connection, [row.id for row in rows])
    return {
        row.id: ShotRow(
            id=row.id,
            media_id=row.media_id,
            content_hash=row.content_hash,
            span=Span(row.start, row.end),
            time=times.get(row.id, (row.start + row.end) / 2),
            kind=row.kind,
            path=path_text(paths[row.media_id]),
            created=row.created,
            video_codec=row.video_codec,
            audio_codec=row.audio_codec,
        )
        for row in rows
        if row.media_id in paths
    }


def _middle_times(connection: Connection, shot_ids: Sequence[int]) -> dict[int, float]:
    times: dict[int, list[float]] = {}
    for start in range(0, len(shot_ids), CHUNK):
        chosen = shot_ids[start : start + CHUNK]
        statement = select(regions.c.shot_id, regions.c.start)
        statement = statement.where(regions.c.shot_id.in_(chosen), regions.c.kind == FRAME)
        for shot_id, time in connection.execute(statement.order_by(regions.c.start)):
            times.setdefault(shot_id, []).append(time)
    return {shot_id: kept[len(kept) // 2] for shot_id, kept in times.items()}
