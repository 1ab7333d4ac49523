"""Runs the stages of one media that are due: works without the library, then writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import EncoderError, LibraryError, MediaError, ThisIsMyError
from thisismy.core.paths import content_hash
from thisismy.jobs.pictures import PictureSource, in_batches
from thisismy.jobs.stages import (
    BUILT_IN,
    Inputs,
    Media,
    Stage,
    check_order,
    dependents,
    needs_of,
    registered,
)
from thisismy.store import catalog
from thisismy.store.catalog import SHOTS
from thisismy.store.folder import Store
from thisismy.store.settings import IndexSettings

if TYPE_CHECKING:
    from thisismy.store.database import Connection

FATAL: tuple[type[Exception], ...] = (LibraryError, EncoderError)
"""What no other file could do better with."""


@dataclass
class Outcome:
    """What stages gave for a media.

    Attributes:
        rows: of each stage that succeeded, by name.
        failed: what went wrong, by name of the stage.
        notes: remarks on the file.
    """

    rows: dict[str, list[Any]] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def explained(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, ThisIsMyError | OSError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


class Runner:
    """The stages of one job.

    Args:
        store: the library; this is the only place where a job writes what stages give.
        stages: in any order; what they need may also be work of another job.
        fatal: errors that end the job; any other costs the stage its result for that media.

    Raises:
        StageError: they cannot be put in order.
    """

    def __init__(
        self, store: Store, stages: Sequence[Stage], fatal: tuple[type[Exception], ...] = FATAL
    ) -> None:
        self._store = store
        self._fatal = fatal
        self._needs = {**BUILT_IN, **needs_of([*registered(), *stages])}
        order = check_order(self._needs)
        self._stages = sorted(stages, key=lambda stage: order.index(stage.name))

    def due(self, connection: Connection, media: Media, settings: IndexSettings) -> dict[str, str]:
        """Stages whose result a media does not have under their key, by name with that key, in order."""
        due: dict[str, str] = {}
        for stage in self._stages:
            key = stage.key(settings, media)
            if key is None:
                continue
            # What it was made from will be replaced.
            stale = not due.keys().isdisjoint(stage.needs)
            if stale or not catalog.is_finished(connection, media.id, stage.name, key):
                due[stage.name] = key
        return due

    def run(self, media: Media, settings: IndexSettings, tell: Callable[[float], None]) -> Outcome:
        """Bring a media up to date.

        What several stages do with its pictures is done in one pass over them. A stage that fails leaves the
        others their results, except those that need it.

        Args:
            media: what to work on.
            settings: decide the keys.
            tell: told the seconds of it that are done.

        Raises:
            MediaError: its pictures cannot be read, or its file holds something else by now.
        """
        total = Outcome()
        with self._store.read() as connection:
            # As of now: what changes while it is read has another key next time.
            keys = self.due(connection, media, settings)
        due = [stage for stage in self._stages if stage.name in keys]
        while due:
            names = {stage.name for stage in due}
            # Shots come with the pass itself; everything else that is needed has to be stored before.
            ready = [stage for stage in due if not names & set(stage.needs) - {SHOTS}]
            outcome = self._work(media, settings, ready, tell)
            self._write(media, keys, ready, outcome)
            total.rows |= outcome.rows
            total.failed |= outcome.failed
            total.notes += outcome.notes
            lost = set().union(*(dependents(name, self._needs) for name in outcome.failed))
            due = [stage for stage in due if stage not in ready and stage.name not in lost]
        return total

    def _work(
        self, media: Media, settings: IndexSettings, stages: Sequence[Stage], tell: Callable[[float], None]
    ) -> Outcome:
        outcome = Outcome(rows={stage.name: [] for stage in stages})
        whole = [stage for stage in stages if stage.name != SHOTS and SHOTS not in stage.needs]
        pictured = [stage for stage in stages if stage not in whole]
        for stage in whole:
            self._call(stage, media, Inputs((), tell), outcome)
        if not pictured:
            return outcome
        source = self._pictures(media, settings, pictured)
        with source.opened() as shots:
            for batch in in_batches(shots):
                for stage in pictured:
                    if stage.name in outcome.rows:
                        self._call(stage, media, Inputs(batch, tell), outcome)
                if not any(stage.name in outcome.rows for stage in pictured):
                    break
                tell(batch[-1].shot.span.end)
        if source.empty:
            raise MediaError("no frame can be decoded")
        outcome.notes = source.notes
        return outcome

    def _pictures(self, media: Media, settings: IndexSettings, stages: Sequence[Stage]) -> PictureSource:
        wanted = [stage.shorter_side for stage in stages]
        size = max((side for side in wanted if side is not None), default=None)
        if any(stage.name == SHOTS for stage in stages):
            return PictureSource.scanned(media, settings, size)
        with self._store.read() as connection:
            return PictureSource.known(connection, media, size)

    def _call(self, stage: Stage, media: Media, inputs: Inputs, outcome: Outcome) -> None:
        try:
            outcome.rows[stage.name] += stage.run(media, inputs)
        except self._fatal:
            raise
        except Exception as error:  # noqa: BLE001 - no file, however broken, may stop the job
            del outcome.rows[stage.name]
            outcome.failed[stage.name] = error

    def _write(
        self, media: Media, keys: Mapping[str, str], stages: Sequence[Stage], outcome: Outcome
    ) -> None:
        """Rows and the notes that they are there, in one transaction."""
        done = [stage for stage in stages if stage.name in outcome.rows]
        if not done:
            return
        self._check_content(media)
        with self._store.write() as connection:
            for stage in done:
                if not stage.side_by_side:
                    self._invalidate(connection, media, stage)
                stage.store(connection, media, outcome.rows[stage.name])
                catalog.finish(connection, media.id, stage.name, keys[stage.name])
            if outcome.notes:
                catalog.add_notes(connection, media.id, outcome.notes)

    def _invalidate(self, connection: Connection, media: Media, stage: Stage) -> None:
        """Forget that a stage is done whose rows are replaced, and what was made from them.

        Of a stage that this process does not know it may be either.
        """
        kept = set(self._needs) - {stage.name} - dependents(stage.name, self._needs)
        catalog.forget_stages(connection, media.id, kept)

    def _check_content(self, media: Media) -> None:
        """Nothing may be stored under the hash of a content that the file does not hold any more."""
        with self._store.read() as connection:
            known = catalog.find_file(connection, media.path)
            digest = catalog.hash_of(connection, media.id)
        try:
            now = media.path.stat()
            looked_at = known and (known["media_id"], known["size"], known["mtime_ns"])
            if looked_at == (media.id, now.st_size, now.st_mtime_ns):
                return
            changed = content_hash(media.path) != digest
        except OSError as error:
            raise MediaError(f"cannot be read any more: {error.strerror or error}") from error
        if changed:
            raise MediaError("was changed while it was being read: run the same command again")
