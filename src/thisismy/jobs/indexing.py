"""The jobs that fill a library: look at files, probe them, find shots, encode frames.

Every job is keyed by content and settings, and its result and the note that it is done are one transaction:
a process killed at any moment leaves whole files done and whole files not done, and the next run does the
latter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from thisismy.core.errors import EncoderError, LibraryError, MediaError, MissingExtraError
from thisismy.core.paths import content_hash, path_bytes, path_text
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.jobs.prefetch import prefetch
from thisismy.jobs.threads import half_for_encoding
from thisismy.media.discovery import DiscoveredFile, find_media
from thisismy.media.frames import frames_at
from thisismy.media.photos import read_photo
from thisismy.media.probe import probe
from thisismy.shots import DETECTORS, FixedWindows, Sampling, ScannedShot, ShotDetector, ShotError, scan_video
from thisismy.store import catalog
from thisismy.store.catalog import FEATURES, SHOTS
from thisismy.store.features import (
    EncodedShot,
    FrameRow,
    encoder_row,
    frames_of,
    put_features,
    replace_shots,
)
from thisismy.store.folder import Store
from thisismy.store.settings import IndexSettings

BATCH = 4
"""Frames encoded at once. On a CPU more is slower, because what is in between leaves the cache, and the last
batch is encoded when nothing is left to decode; decoding keeps even a fast GPU waiting."""


@dataclass(frozen=True)
class Failure:
    """A file that is left out of the library, at which stage and why."""

    path: str
    stage: str
    error: str


@dataclass(frozen=True)
class Note:
    """Something worth knowing about a file."""

    path: str
    note: str


@dataclass
class IndexReport:
    """What a run of indexing did, in files.

    Attributes:
        added: new to the library.
        unchanged: known, and everything about them done before.
        renamed: known content under a new name; nothing was done again.
        changed: known name with new content.
        updated: known, and brought up to new settings, another encoder or an interrupted run.
        missing: names that were known and are gone from disk.
        skipped: files in the folders that are neither videos nor photos.
        failed: left out.
        notes: remarks on files that were indexed.
    """

    added: int = 0
    unchanged: int = 0
    renamed: int = 0
    changed: int = 0
    updated: int = 0
    missing: list[str] = field(default_factory=list)
    skipped: list[Note] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class _Pending:
    """A file whose media still needs work; ``counted`` is the field of the report it will count in."""

    found: DiscoveredFile
    media_id: int
    kind: str
    duration: float
    counted: str


class Indexer:
    """One run of indexing. ``encoder`` is called at most once, and only when something has to be encoded."""

    def __init__(
        self,
        store: Store,
        encoder: Callable[[], Encoder],
        *,
        settings: IndexSettings,
        progress: Progress = silent,
    ) -> None:
        self._store = store
        self._load_encoder = encoder
        self._encoder: Encoder | None = None
        self.settings = settings
        self._progress = progress
        self._sampling = Sampling(settings.rate, settings.at_least, settings.at_most)
        self._detector = make_detector(settings)
        sampling = f"{settings.rate:g}/s {settings.at_least}-{settings.at_most}"
        self._shots_key = f"{self._detector.id} {sampling}"
        self._failed_before: set[Path] = set()
        self.report = IndexReport()

    def run(self, paths: Sequence[Path]) -> IndexReport:
        """Bring files and folders up to date; see ``IndexReport``.

        Raises:
            LibraryError: the library cannot be written (a full disk, say). What was finished stays finished.
            EncoderError: the encoder cannot be loaded.
        """
        paths = [path.expanduser().absolute() for path in paths]
        with self._store.read() as connection:
            self._failed_before = set(catalog.failed_paths(connection))
        found = self._look(paths)
        self._sweep(paths, found)
        pending = self._probe([item for item in found if item.error is None])
        self._index(pending)
        return self.report

    def _look(self, paths: Sequence[Path]) -> list[DiscoveredFile]:
        found: list[DiscoveredFile] = []
        for item in find_media(paths):
            if item.skipped is not None:
                self._skip(item, item.skipped)
                continue
            found.append(item)
            self._progress("look", len(found), None)
            if item.error is not None:
                with self._store.read() as connection:
                    known = catalog.find_file(connection, item.path)
                if known is None or item.path not in paths or not _is_gone(item.path):
                    self._fail(item, "look", item.error)
        return found

    def _skip(self, item: DiscoveredFile, reason: str) -> None:
        self.report.skipped.append(Note(path_text(path_bytes(item.path)), reason))
        if item.path in self._failed_before:
            with self._store.write() as connection:
                catalog.forget_failure(connection, item.path)

    def _sweep(self, paths: Sequence[Path], found: Sequence[DiscoveredFile]) -> None:
        """Note what is gone from disk, and which folders can be listed again."""
        unreachable = {item.path for item in found if item.error is not None and not _is_gone(item.path)}
        folders = [path for path in paths if os.path.isdir(path)]
        with self._store.write() as connection:
            present = {path_bytes(item.path) for item in found if item.error is None}
            self.report.missing += catalog.mark_missing(connection, folders, present, unreachable)
            for item in found:
                gone = item.error is not None and item.path not in unreachable
                if gone and catalog.mark_gone(connection, item.path):
                    self.report.missing.append(path_text(path_bytes(item.path)))
            for path in self._failed_before - unreachable:
                if os.path.isdir(path) and any(path.is_relative_to(folder) for folder in folders):
                    catalog.forget_failure(connection, path)

    def _probe(self, found: Sequence[DiscoveredFile]) -> list[_Pending]:
        """Hash and probe what is new or changed; give the files that still need work."""
        pending: list[_Pending] = []
        for done, item in enumerate(found):
            self._progress("probe", done, len(found))
            try:
                work = self._probe_one(item)
            except (MediaError, MissingExtraError) as error:
                self._fail(item, "probe", str(error))
            except OSError as error:
                self._fail(item, "probe", f"cannot be read: {error.strerror or error}")
            else:
                if work is not None:
                    pending.append(work)
        self._progress("probe", len(found), len(found))
        return pending

    def _probe_one(self, item: DiscoveredFile) -> _Pending | None:
        with self._store.read() as connection:
            known = catalog.find_file(connection, item.path)
        before = known["media_id"] if known else None
        if known and before and (known["size"], known["mtime_ns"]) == (item.size, item.mtime_ns):
            if known["missing"]:
                self._put_file(item, before)
            return self._needs_work(item, before, "unchanged")
        digest = content_hash(item.path)
        with self._store.read() as connection:
            media_id = catalog.find_media_id(connection, digest)
            renamed = media_id is not None and not catalog.paths_of(connection, media_id)
        if media_id is None:
            if before:
                self._put_file(item, None)
            info = probe(item.path)
            if info.kind == "audio":
                raise MediaError("has sound but no picture")
            with self._store.write() as connection:
                media_id = catalog.put_media(connection, digest, info)
                catalog.put_file(connection, item, media_id)
        else:
            self._put_file(item, media_id)
            if renamed:
                with self._store.write() as connection:
                    old = catalog.forget_missing(connection, media_id)
                self.report.missing = [name for name in self.report.missing if name not in old]
        how = "changed" if before not in (None, media_id) else "added"
        return self._needs_work(item, media_id, "renamed" if renamed and before is None else how)

    def _put_file(self, item: DiscoveredFile, media_id: int | None) -> None:
        with self._store.write() as connection:
            catalog.put_file(connection, item, media_id)

    def _needs_work(self, item: DiscoveredFile, media_id: int, counted: str) -> _Pending | None:
        """Work to do on a file, or None (counted at once) when all stages are done."""
        with self._store.read() as connection:
            ready = catalog.is_finished(connection, media_id, SHOTS, self._shots_key) and (
                self.settings.encoder_id is not None
                and catalog.is_finished(connection, media_id, FEATURES, self.settings.encoder_id)
            )
            kind, duration = catalog.kind_and_duration(connection, media_id)
        if ready:
            self._clear_failure(item)
            self._count(counted)
            return None
        return _Pending(item, media_id, kind, duration, "updated" if counted == "unchanged" else counted)

    def _index(self, pending: Sequence[_Pending]) -> None:
        total = sum(_cost(item) for item in pending)
        done = 0.0
        for item in pending:
            self._progress("index", done, total)
            try:
                self._index_one(item, done, total)
            except (LibraryError, EncoderError):
                raise
            except (MediaError, MissingExtraError) as error:
                self._fail(item.found, SHOTS, str(error))
            except Exception as error:  # noqa: BLE001 - no file, however broken, may stop the job
                self._fail(item.found, SHOTS, f"{type(error).__name__}: {error}".splitlines()[0])
            else:
                self._count(item.counted)
            done += _cost(item)
        self._progress("index", total, total)

    def _index_one(self, item: _Pending, done: float, total: float) -> None:
        encoder = self.encoder()
        path = item.found.path
        with self._store.read() as connection:
            # A copy of the same content may have been indexed a moment ago.
            has_shots = catalog.is_finished(connection, item.media_id, SHOTS, self._shots_key)
            finished = has_shots and catalog.is_finished(connection, item.media_id, FEATURES, encoder.id)
            kept = frames_of(connection, item.media_id) if has_shots else []

        def tell(position: float) -> None:
            self._progress("index", done + min(position, item.duration), total)

        if finished:
            self._clear_failure(item.found)
            return
        if has_shots:
            self._encode_again(path, item, kept, encoder, tell)
            return
        scan = scan_video(path, self._detector, self._sampling, encoder.image_size)
        with half_for_encoding(), prefetch(scan, depth=4) as shots:
            encoded = list(_encode(shots, encoder, tell))
        if not any(len(shot.times) for shot in encoded):
            raise MediaError("no frame can be decoded")
        with self._store.write() as connection:
            row = encoder_row(connection, encoder.id, encoder.embed_dim)
            replace_shots(connection, item.media_id, encoded, row)
            catalog.add_notes(connection, item.media_id, scan.notes)
            catalog.finish(connection, item.media_id, SHOTS, self._shots_key)
            catalog.finish(connection, item.media_id, FEATURES, encoder.id)
            catalog.clear_failure(connection, path)
        self.report.notes += [Note(path_text(path_bytes(path)), note) for note in scan.notes]

    def _encode_again(
        self,
        path: Path,
        item: _Pending,
        kept: Sequence[FrameRow],
        encoder: Encoder,
        tell: Callable[[float], None],
    ) -> None:
        """Features of another encoder for the frames a media already has; cuts are not looked for again."""
        for start in range(0, len(kept), BATCH):
            rows = kept[start : start + BATCH]
            if item.kind == "photo":
                images = [read_photo(path, encoder.image_size)]
            else:
                decoded = frames_at(path, [row.time for row in rows], encoder.image_size)
                images = [frame.image for frame in decoded]
            if len(images) != len(rows):
                raise MediaError(
                    f"{len(rows) - len(images)} frames that were read before cannot be decoded now"
                )
            vectors = encoder.encode_images(images)
            with self._store.write() as connection:
                put_features(
                    connection, rows, vectors, encoder_row(connection, encoder.id, encoder.embed_dim)
                )
            tell(rows[-1].time)
        with self._store.write() as connection:
            catalog.finish(connection, item.media_id, FEATURES, encoder.id)
            catalog.clear_failure(connection, path)

    def encoder(self) -> Encoder:
        """The encoder of this run, loaded when first asked for and noted in the library's settings."""
        if self._encoder is None:
            self._encoder = self._load_encoder()
            self.settings = replace(self.settings, encoder_id=self._encoder.id)
            self._store.index_settings = self.settings
        return self._encoder

    def _fail(self, item: DiscoveredFile, stage: str, error: str) -> None:
        name = path_text(path_bytes(item.path))
        # Messages of the lower layers begin with the path; here it has a column of its own.
        error = error.removeprefix(f"{item.path}: ").removeprefix(f"{item.path} ")
        self.report.failed.append(Failure(name, stage, error))
        with self._store.write() as connection:
            catalog.put_failure(connection, item, stage, error)

    def _clear_failure(self, item: DiscoveredFile) -> None:
        """What a file holds may have been indexed from a copy since it failed."""
        if item.path in self._failed_before:
            with self._store.write() as connection:
                catalog.clear_failure(connection, item.path)

    def _count(self, name: str) -> None:
        setattr(self.report, name, getattr(self.report, name) + 1)


def _is_gone(path: Path) -> bool:
    """Whether there is certainly nothing at a path; what is out of reach is not gone."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _cost(item: _Pending) -> float:
    """Seconds of video; a photo counts as one."""
    return max(item.duration, 1.0)


def make_detector(settings: IndexSettings) -> ShotDetector:
    """The shot detector that a library's settings name.

    Raises:
        ShotError: there is none of that name, or the window is out of range, even if it is not used.
    """
    windows = FixedWindows(settings.window)
    if settings.detector not in DETECTORS:
        raise ShotError(f"no shot detector is called {settings.detector!r}; there are {', '.join(DETECTORS)}")
    return windows if settings.detector == "windows" else DETECTORS[settings.detector]()


def _encode(
    shots: Iterator[ScannedShot] | Sequence[ScannedShot], encoder: Encoder, tell: Callable[[float], None]
) -> Iterator[EncodedShot]:
    """Encode the frames of shots in batches that run across shots."""
    waiting: list[ScannedShot] = []
    for shot in shots:
        waiting.append(shot)
        if sum(len(item.frames) for item in waiting) >= BATCH:
            yield from _encode_batch(waiting, encoder)
            tell(shot.shot.span.end)
            waiting = []
    yield from _encode_batch(waiting, encoder)


def _encode_batch(shots: Sequence[ScannedShot], encoder: Encoder) -> Iterator[EncodedShot]:
    images = [frame.image for shot in shots for frame in shot.frames]
    vectors = encoder.encode_images(images)
    first = 0
    for shot in shots:
        last = first + len(shot.frames)
        yield EncodedShot(shot.shot, tuple(frame.time for frame in shot.frames), vectors[first:last])
        first = last
