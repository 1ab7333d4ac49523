"""Files and media: which file holds which media, what is known of it, what failed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, exists, func, or_, select, update

from thisismy.core.paths import path_bytes, path_text
from thisismy.media.discovery import DiscoveredFile
from thisismy.media.info import MediaInfo
from thisismy.store import schema
from thisismy.store.dialects import dialect_of
from thisismy.store.settings import changed

files, media, stages = schema.files, schema.media, schema.stages

SHOTS, FEATURES, TRANSCRIPT = "shots", "features", "transcript"
"""Names of the stages of this package."""


@dataclass(frozen=True)
class CatalogEntry:
    """A file of the library as it is listed.

    Attributes:
        path: where it is, for people (undecodable bytes replaced).
        state: "indexed", "pending", "failed" or "missing".
        error: the stage and the reason, when it failed.
        media_id: the row of its content; None, as all below, for a file that could not be read.
        kind: "video", "photo" or "audio".
        duration: seconds; 0 for a photo.
        width, height: pixels as displayed.
        frame_rate: average frames a second, as a fraction.
        rotation: clockwise degrees from the stored to the upright picture.
        video_codec, audio_codec: their names.
        created: when it was made, as the file says (ISO 8601).
        notes: remarks on what is odd about the file.
        shots: shots found so far.
        file_id: its row.
    """

    path: str
    state: str
    error: str | None
    media_id: int | None
    kind: str | None
    duration: float | None
    width: int | None
    height: int | None
    frame_rate: str | None
    rotation: int | None
    video_codec: str | None
    audio_codec: str | None
    created: str | None
    notes: tuple[str, ...]
    shots: int
    file_id: int = 0


@dataclass(frozen=True)
class MediaRow:
    """What is known of a media, whatever files hold it.

    Attributes:
        id: its row.
        content_hash: its content.
        kind: "video" or "photo".
        duration: seconds; 0 for a photo.
        width, height: pixels as displayed.
        path: where it can be read, None when it is gone from disk.
    """

    id: int
    content_hash: str
    kind: str
    duration: float
    width: int
    height: int
    path: Path | None


@dataclass(frozen=True)
class MediaCounts:
    """Videos and photos on disk, and files that failed."""

    videos: int
    photos: int
    failed: int


def find_file(connection: Connection, path: Path) -> RowMapping | None:
    """The row of a path: id, size, mtime_ns, media_id, missing; None when the library does not know it."""
    columns = (files.c.id, files.c.size, files.c.mtime_ns, files.c.media_id, files.c.missing)
    return connection.execute(select(*columns).where(files.c.path == path_bytes(path))).mappings().first()


def put_file(connection: Connection, found: DiscoveredFile, media_id: int | None) -> None:
    """Note which media a path holds, as of the size and time seen; None while its new content is unknown."""
    values = {
        "size": found.size,
        "mtime_ns": found.mtime_ns,
        "media_id": media_id,
        "missing": False,
        "failed_stage": None,
        "failed_error": None,
    }
    dialect_of(connection).put_row(connection, files, {"path": path_bytes(found.path)}, values)
    changed(connection)


def put_failure(connection: Connection, found: DiscoveredFile, stage: str, error: str) -> None:
    """Note that a path failed, and keep whatever was known of it before.

    The size and time seen are not kept, so that the next run looks at the file again.
    """
    values = {"failed_stage": stage, "failed_error": error}
    new = {"size": -1, "mtime_ns": -1, "missing": False}
    dialect_of(connection).put_row(connection, files, {"path": path_bytes(found.path)}, values, new)


def put_media(connection: Connection, content_hash: str, info: MediaInfo) -> int:
    """The id of a media, made from its content hash and probe, or updated from a newer probe."""
    values = {
        "kind": info.kind,
        "duration": info.duration,
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate) if info.frame_rate else None,
        "rotation": info.rotation,
        "video_codec": info.video_codec,
        "audio_codec": info.audio_codec,
        "hdr": info.hdr,
        "created": info.created.isoformat() if info.created else None,
        "notes": list(info.notes),
    }
    dialect_of(connection).put_row(connection, media, {"content_hash": content_hash}, values)
    made = select(media.c.id).where(media.c.content_hash == content_hash)
    return int(connection.execute(made).scalar_one())


def left_behind(connection: Connection, old: str, new: str) -> list[Path]:
    """Files on disk that have features of one encoder and none of another yet, in order of path."""

    def encoded(key: str) -> ColumnElement[bool]:
        own = stages.c.media_id == files.c.media_id
        return exists().where(own, stages.c.stage == FEATURES, stages.c.key == key)

    statement = select(files.c.path).where(
        files.c.missing.is_(False), files.c.failed_stage.is_(None), encoded(old), ~encoded(new)
    )
    paths = connection.execute(statement.order_by(files.c.path)).scalars()
    return [path for path in (Path(os.fsdecode(raw)) for raw in paths) if os.path.exists(path)]


def add_notes(connection: Connection, media_id: int, notes: Sequence[str]) -> None:
    """Remember remarks on a media, beside those it has."""
    known = connection.execute(select(media.c.notes).where(media.c.id == media_id)).scalar_one()
    merged = [*known, *(note for note in notes if note not in known)]
    connection.execute(update(media).where(media.c.id == media_id).values(notes=merged))


def clear_failure(connection: Connection, path: Path) -> None:
    """Note that a path that failed before does not any more."""
    values = {"failed_stage": None, "failed_error": None}
    connection.execute(update(files).where(files.c.path == path_bytes(path)).values(values))


def kind_and_duration(connection: Connection, media_id: int) -> tuple[str, float]:
    """ "video" or "photo", and seconds."""
    statement = select(media.c.kind, media.c.duration).where(media.c.id == media_id)
    kind, duration = connection.execute(statement).one()
    return kind, duration


def kind_and_date(connection: Connection, media_id: int) -> tuple[str, str | None]:
    """ "video" or "photo", and when it was made (ISO 8601) if the file says so."""
    kind, created = connection.execute(
        select(media.c.kind, media.c.created).where(media.c.id == media_id)
    ).one()
    return kind, created


def media_row(connection: Connection, media_id: int) -> MediaRow | None:
    """What is known of a media, None when there is none of this number."""
    columns = (
        media.c.id,
        media.c.content_hash,
        media.c.kind,
        media.c.duration,
        media.c.width,
        media.c.height,
    )
    row = connection.execute(select(*columns).where(media.c.id == media_id)).first()
    return None if row is None else MediaRow(*row, path=first_path(connection, media_id))


def media_with_content(connection: Connection, content_hash: str) -> MediaRow | None:
    """What is known of the media with this content, None when it is not in the library."""
    media_id = find_media_id(connection, content_hash)
    return None if media_id is None else media_row(connection, media_id)


def last_known_path(connection: Connection, content_hash: str) -> Path | None:
    """Where a content is or was, also when it is gone from disk; None when no file ever held it."""
    statement = select(files.c.path).join(media).where(media.c.content_hash == content_hash)
    raw = connection.execute(statement.order_by(files.c.id)).scalar()
    return Path(os.fsdecode(raw)) if raw is not None else None


def hashes_of(connection: Connection, media_ids: Iterable[int]) -> dict[int, str]:
    """The content hash of each of some media."""
    wanted = sorted(set(media_ids))
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 500):
        statement = select(media.c.id, media.c.content_hash)
        chosen = statement.where(media.c.id.in_(wanted[start : start + 500]))
        found |= {media_id: digest for media_id, digest in connection.execute(chosen)}
    return found


def count_media(connection: Connection) -> MediaCounts:
    """Videos and photos on disk, and files that failed."""
    held = select(files.c.media_id).where(files.c.missing.is_(False))
    kinds = select(media.c.kind, func.count()).where(media.c.id.in_(held)).group_by(media.c.kind)
    counts = {kind: number for kind, number in connection.execute(kinds)}
    failed = select(func.count()).where(
        files.c.failed_stage.is_not(None), or_(files.c.missing.is_(False), files.c.missing.is_(None))
    )
    return MediaCounts(
        counts.get("video", 0), counts.get("photo", 0), int(connection.execute(failed).scalar_one())
    )


def bytes_on_disk(connection: Connection) -> int:
    """Size of all files of the library that are on disk."""
    on_disk = files.c.missing.is_(False) & (files.c.size > 0)
    return int(connection.execute(select(func.sum(files.c.size)).where(on_disk)).scalar() or 0)


def hash_of(connection: Connection, media_id: int) -> str:
    """The content hash of a media."""
    statement = select(media.c.content_hash).where(media.c.id == media_id)
    return str(connection.execute(statement).scalar_one())


def find_media_id(connection: Connection, content_hash: str) -> int | None:
    """The id of the media with this content, None when it is new."""
    return connection.execute(select(media.c.id).where(media.c.content_hash == content_hash)).scalar()


def is_finished(connection: Connection, media_id: int, stage: str, key: str) -> bool:
    """Whether a stage of a media was finished under the same key."""
    condition = (stages.c.media_id == media_id) & (stages.c.stage == stage) & (stages.c.key == key)
    return bool(connection.execute(select(exists().where(condition))).scalar())


def finish(connection: Connection, media_id: int, stage: str, key: str) -> None:
    """Note that a stage of a media is done, in the transaction that stores its result."""
    values = {"finished_at": datetime.now(UTC).isoformat(timespec="seconds")}
    finished = {"media_id": media_id, "stage": stage, "key": key}
    dialect_of(connection).put_row(connection, stages, finished, values)


def forget_stages(connection: Connection, media_id: int, kept: Iterable[str]) -> None:
    """Forget that stages of a media are done, under whatever key, except some."""
    others = stages.c.media_id == media_id, stages.c.stage.not_in(sorted(kept))
    connection.execute(delete(stages).where(*others))


def failed_paths(connection: Connection) -> list[Path]:
    """Paths that failed when they were last looked at."""
    statement = select(files.c.path).where(files.c.failed_stage.is_not(None)).order_by(files.c.id)
    return [Path(os.fsdecode(raw)) for raw in connection.execute(statement).scalars()]


def forget_failure(connection: Connection, path: Path) -> None:
    """Forget a path that failed and was never known to hold anything."""
    nothing = files.c.media_id.is_(None) & files.c.failed_stage.is_not(None)
    connection.execute(delete(files).where(files.c.path == path_bytes(path), nothing))


def mark_missing(
    connection: Connection, folders: Iterable[Path], present: set[bytes], unreachable: Iterable[Path] = ()
) -> list[str]:
    """Mark every known file under the folders that was not seen and is gone from disk; give their names.

    Nothing is known of what lies in unreachable folders, so their files stay as they are.
    """
    gone: list[str] = []
    prefixes = tuple(path_bytes(folder).rstrip(b"/") + b"/" for folder in folders)
    closed = tuple(path_bytes(folder).rstrip(b"/") + b"/" for folder in unreachable)
    rows = connection.execute(select(files.c.id, files.c.path).where(files.c.missing.is_(False))).all()
    for file_id, path in rows:
        if path in present or not path.startswith(prefixes) or (path + b"/").startswith(closed):
            continue
        if not os.path.lexists(path):
            connection.execute(update(files).where(files.c.id == file_id).values(missing=True))
            gone.append(path_text(path))
    if gone:
        changed(connection)
    return gone


def mark_gone(connection: Connection, path: Path) -> bool:
    """Mark one known file as missing; False when it was unknown or already marked."""
    statement = update(files).where(files.c.path == path_bytes(path), files.c.missing.is_(False))
    found = connection.execute(statement.values(missing=True)).rowcount > 0
    if found:
        changed(connection)
    return found


def forget_missing(connection: Connection, media_id: int) -> list[str]:
    """Forget the missing files of a media that has turned up elsewhere; give their names."""
    gone = files.c.media_id == media_id, files.c.missing.is_(True)
    names = [path_text(raw) for raw in connection.execute(select(files.c.path).where(*gone)).scalars()]
    connection.execute(delete(files).where(*gone))
    return names


def remove_files(connection: Connection, file_ids: Sequence[int]) -> None:
    """Forget files, and everything derived from media that no file holds any more. Disk is not touched."""
    for start in range(0, len(file_ids), 500):
        connection.execute(delete(files).where(files.c.id.in_(file_ids[start : start + 500])))
    held = select(files.c.media_id).where(files.c.media_id.is_not(None))
    connection.execute(delete(media).where(media.c.id.not_in(held)))
    changed(connection)


def select_files(connection: Connection, path: Path) -> list[int]:
    """Ids of the file with this path, or of all files under it when it is a folder."""
    raw = path_bytes(path.expanduser().absolute())
    rows = connection.execute(select(files.c.id, files.c.path)).all()
    return [file_id for file_id, known in rows if known == raw or known.startswith(raw.rstrip(b"/") + b"/")]


def media_under(connection: Connection, path: Path) -> set[int]:
    """Media of the file with this path, or of all files under it when it is a folder."""
    raw = path_bytes(path.expanduser().absolute())
    rows = connection.execute(select(files.c.media_id, files.c.path).where(files.c.media_id.is_not(None)))
    return {media_id for media_id, known in rows if known == raw or known.startswith(raw.rstrip(b"/") + b"/")}


def missing_files(connection: Connection) -> list[int]:
    """Ids of the files marked as missing."""
    return list(connection.execute(select(files.c.id).where(files.c.missing.is_(True))).scalars())


def paths_of(connection: Connection, media_id: int) -> list[bytes]:
    """Where a media is on disk now, first known first."""
    statement = select(files.c.path).where(files.c.media_id == media_id, files.c.missing.is_(False))
    return list(connection.execute(statement.order_by(files.c.id)).scalars())


def first_path(connection: Connection, media_id: int) -> Path | None:
    """A place on disk where a media can be read, None when there is none."""
    paths = paths_of(connection, media_id)
    return Path(os.fsdecode(paths[0])) if paths else None


def paths_by_media(connection: Connection, media_ids: Iterable[int]) -> dict[int, bytes]:
    """Where each of some media is on disk; those that are nowhere are left out."""
    wanted = sorted(set(media_ids))
    found: dict[int, bytes] = {}
    for start in range(0, len(wanted), 500):
        statement = select(files.c.media_id, files.c.path).where(
            files.c.media_id.in_(wanted[start : start + 500]), files.c.missing.is_(False)
        )
        for media_id, path in connection.execute(statement.order_by(files.c.id.desc())):
            found[media_id] = path
    return found


def path_of_file(connection: Connection, file_id: int) -> Path | None:
    """Where a file of the catalog is, None when there is none of this number."""
    raw = connection.execute(select(files.c.path).where(files.c.id == file_id)).scalar()
    return Path(os.fsdecode(raw)) if raw is not None else None


def known_contents(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Those of some contents that are media of the library or photos kept with it."""
    wanted = list(digests)
    kept = schema.example_photos.c.content_hash
    found: set[str] = set()
    for column in (media.c.content_hash, kept):
        found |= set(connection.execute(select(column).where(column.in_(wanted))).scalars())
    return found


def list_files(
    connection: Connection, encoder_id: str | None, media_id: int | None = None
) -> list[CatalogEntry]:
    """The files the library knows, in order of path.

    Args:
        connection: to the library.
        encoder_id: "indexed" means with features of this encoder.
        media_id: only files with this content.
    """
    count = select(schema.shots.c.media_id, func.count().label("shots")).group_by(schema.shots.c.media_id)
    counted = count.subquery()
    done = exists().where(
        stages.c.media_id == media.c.id, stages.c.stage == FEATURES, stages.c.key == encoder_id
    )
    statement = (
        select(files, media, func.coalesce(counted.c.shots, 0).label("shots"), done.label("done"))
        .join(media, files.c.media_id == media.c.id, isouter=True)
        .join(counted, counted.c.media_id == media.c.id, isouter=True)
        .order_by(files.c.path)
    )
    if media_id is not None:
        statement = statement.where(files.c.media_id == media_id)
    return [_entry(row) for row in connection.execute(statement).mappings()]


def _entry(row: RowMapping) -> CatalogEntry:
    get = row.__getitem__
    failed = get(files.c.failed_stage)
    if get(files.c.missing):
        state = "missing"
    elif failed:
        state = "failed"
    else:
        state = "indexed" if get("done") else "pending"
    return CatalogEntry(
        path=path_text(get(files.c.path)),
        state=state,
        error=f"{failed}: {get(files.c.failed_error)}" if failed else None,
        media_id=get(files.c.media_id),
        kind=get(media.c.kind),
        duration=get(media.c.duration),
        width=get(media.c.width),
        height=get(media.c.height),
        frame_rate=get(media.c.frame_rate),
        rotation=get(media.c.rotation),
        video_codec=get(media.c.video_codec),
        audio_codec=get(media.c.audio_codec),
        created=get(media.c.created),
        notes=tuple(get(media.c.notes) or ()),
        shots=get("shots"),
        file_id=get(files.c.id),
    )
