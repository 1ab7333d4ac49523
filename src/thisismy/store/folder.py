"""A library folder: its database, its settings, and the lock that indexing holds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select

from thisismy.core.errors import LibraryError
from thisismy.core.paths import path_bytes
from thisismy.store import schema
from thisismy.store.database import connect, explained
from thisismy.store.dialects import dialect_of
from thisismy.store.settings import (
    GENERATION,
    INDEX,
    LEARNING,
    LIBRARY_ID,
    SEARCH,
    EncoderInUse,
    IndexSettings,
    LearningChoice,
    get_setting,
    put_setting,
)

DATABASE = "library.db"
CACHE = "cache"
KEPT_ACROSS_VERSIONS = ("boxes-", "words-", "page")
"""What older versions kept in the cache itself under names that follow from content and encoder alone."""


class Store:
    """One library folder. Cheap to open; safe to open from several processes at once.

    Attributes:
        folder: where it is.
        library_id: what no other library has, not even one made later in the same folder.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        with self.read() as connection:
            self.library_id = str(get_setting(connection, LIBRARY_ID))

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open a library that exists.

        Raises:
            LibraryError: there is none, it is damaged, or a newer version wrote it.
        """
        folder = folder.expanduser().absolute()
        if not (folder / DATABASE).is_file():
            raise LibraryError(
                f"no library in {folder}: make one with `thisismy --library {folder} add FOLDER`, "
                "or name another with --library"
            )
        store = cls(folder, connect(folder / DATABASE))
        store._tidy_cache()
        return store

    @classmethod
    def create(cls, folder: Path) -> Store:
        """Open a library, making it first where there is none.

        Raises:
            LibraryError: the folder cannot be made, or holds something that is no library.
        """
        folder = folder.expanduser().absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"cannot make a library in {folder}: {error.strerror}") from error
        store = cls(folder, connect(folder / DATABASE))
        store._tidy_cache()
        return store

    @property
    def cache(self) -> Path:
        """A folder for what can always be made again; another library in the same folder has another."""
        return self.folder / CACHE / self.library_id

    def _tidy_cache(self) -> None:
        """Take over what an older version kept of this library, and drop what another library left behind."""
        with suppress(OSError):
            for path in (self.folder / CACHE).iterdir():
                if path.name == self.library_id:
                    continue
                if path.name.startswith(KEPT_ACROSS_VERSIONS) and not (self.cache / path.name).exists():
                    self.cache.mkdir(exist_ok=True)
                    path.rename(self.cache / path.name)
                elif path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the library throughout."""
        with explained(self.folder / DATABASE), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: everything in the block happens, or nothing does."""
        engine = self.engine.execution_options(write=True)
        with explained(self.folder / DATABASE), engine.connect() as connection, connection.begin():
            yield connection

    @property
    def index_settings(self) -> IndexSettings:
        """How this library is indexed."""
        with self.read() as connection:
            stored = get_setting(connection, INDEX) or {}
        known = {field.name for field in fields(IndexSettings)}
        return IndexSettings(**{key: value for key, value in stored.items() if key in known})

    @index_settings.setter
    def index_settings(self, settings: IndexSettings) -> None:
        with self.write() as connection:
            put_setting(connection, INDEX, asdict(settings))

    @property
    def search_encoder(self) -> EncoderInUse:
        """What the library is searched with: the encoder it is indexed with, save while that changes.

        While everything is encoded again with another encoder, and after that was interrupted, it is the one
        before.
        """
        with self.read() as connection:
            stored = get_setting(connection, SEARCH)
            if stored:
                return EncoderInUse(**stored)
            index = get_setting(connection, INDEX) or {}
        return EncoderInUse(index.get("encoder", IndexSettings.encoder), index.get("encoder_id"))

    @search_encoder.setter
    def search_encoder(self, encoder: EncoderInUse | None) -> None:
        """None: the one it is indexed with."""
        with self.write() as connection:
            put_setting(connection, SEARCH, None if encoder is None else asdict(encoder))

    @property
    def learning_choice(self) -> LearningChoice | None:
        """How a person chose to learn, None while nobody has."""
        with self.read() as connection:
            stored = get_setting(connection, LEARNING)
        return LearningChoice(**stored) if stored else None

    @learning_choice.setter
    def learning_choice(self, choice: LearningChoice) -> None:
        with self.write() as connection:
            put_setting(connection, LEARNING, asdict(choice))

    @property
    def generation(self) -> int:
        """A number that grows whenever what can be found may have changed."""
        with self.read() as connection:
            return int(get_setting(connection, GENERATION) or 0)

    @contextmanager
    def indexing(self, wait: bool = True) -> Iterator[None]:
        """Hold the lock that one indexing process at a time holds; a killed one lets go of it.

        Raises:
            LibraryError: another process holds it and ``wait`` is False.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / "indexing.lock", timeout=-1 if wait else 0)
        try:
            lock.acquire()
        except Timeout:
            raise LibraryError(
                f"another process is indexing {self.folder}; wait for it or stop it, then run this again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Let go of the database file."""
        self.engine.dispose()


def add_roots(store: Store, paths: Iterable[Path]) -> None:
    """Remember files and folders, so that "everything added before" has a meaning."""
    with store.write() as connection:
        for path in paths:
            raw = path_bytes(path.expanduser().absolute())
            dialect_of(connection).add_row(connection, schema.roots, {"path": raw})


def list_roots(store: Store) -> list[Path]:
    """Files and folders added before, in order of name."""
    with store.read() as connection:
        raws = connection.execute(select(schema.roots.c.path).order_by(schema.roots.c.path)).scalars()
        return [Path(os.fsdecode(raw)) for raw in raws]


def drop_roots(connection: Connection, paths: Iterable[Path]) -> None:
    """Forget that paths were added."""
    for path in paths:
        raw = path_bytes(path.expanduser().absolute())
        connection.execute(delete(schema.roots).where(schema.roots.c.path == raw))
