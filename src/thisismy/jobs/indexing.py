"""The job that fills a library: look at files, probe them, run the stages that are due.

Every stage is keyed by content and settings, and its result and the note that it is done are one transaction:
a process killed at any moment leaves whole files done and whole files not done, and the next run does the
latter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from thisismy.core.errors import MediaError, MissingExtraError
from thisismy.core.paths import content_hash, path_bytes, path_text
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.jobs.feature_stage import FeatureStage
from thisismy.jobs.runner import FATAL, Runner, explained
from thisismy.jobs.shot_stage import ShotStage, make_detector, make_sampling
from thisismy.jobs.stages import Media, registered
from thisismy.media.discovery import DiscoveredFile, find_media
from thisismy.media.probe import probe
from thisismy.store import catalog
from thisismy.store.catalog import FEATURES, SHOTS
from thisismy.store.folder import Store
from thisismy.store.settings import IndexSettings


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
    """A file whose media still needs work.

    Attributes:
        found: the file.
        media: what it holds.
        encodes: whether vectors are missing, so that the encoder is needed.
        counted: the field of the report it will count in.
    """

    found: DiscoveredFile
    media: Media
    encodes: bool
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
        make_detector(settings)
        make_sampling(settings)
        self._runner = Runner(store, [ShotStage(), FeatureStage(self.encoder), *registered()])
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
            kind, duration = catalog.kind_and_duration(connection, media_id)
            media = Media(media_id, item.path, kind, duration)
            due = self._runner.due(connection, media, self.settings)
        if not due:
            self._clear_failure(item)
            self._count(counted)
            return None
        return _Pending(item, media, FEATURES in due, "updated" if counted == "unchanged" else counted)

    def _index(self, pending: Sequence[_Pending]) -> None:
        if any(item.encodes for item in pending):
            # What is done is done for this very encoder.
            self.encoder()
        total = sum(_cost(item) for item in pending)
        done = 0.0
        for item in pending:
            self._progress("index", done, total)
            failed = self._index_one(item, done, total)
            for stage, error in failed.items():
                self._fail(item.found, stage, explained(error))
                break
            else:
                self._clear_failure(item.found)
                self._count(item.counted)
            done += _cost(item)
        self._progress("index", total, total)

    def _index_one(self, item: _Pending, done: float, total: float) -> dict[str, Exception]:
        """Bring one file up to date; what went wrong, by name of the stage."""

        def tell(position: float) -> None:
            self._progress("index", done + min(position, item.media.duration), total)

        try:
            # Nothing is due of a copy of what was indexed a moment ago.
            outcome = self._runner.run(item.media, self.settings, tell)
        except FATAL:
            raise
        except Exception as error:  # noqa: BLE001 - no file, however broken, may stop the job
            return {SHOTS: error}
        name = path_text(path_bytes(item.found.path))
        self.report.notes += [Note(name, note) for note in outcome.notes]
        return outcome.failed

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
    return max(item.media.duration, 1.0)
