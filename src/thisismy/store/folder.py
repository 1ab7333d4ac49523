"""A library folder: its database, its settings, and the lock that indexing holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from thisismy.core.errors import LibraryError
from thisismy.core.paths import path_bytes
from thisismy.store import schema
from thisismy.store.database import connect, explained

DATABASE = "library.db"


@dataclass(frozen=True)
class IndexSettings:
    """How a library is indexed; kept with it, so that everything in it was made the same way.

    Attributes:
        encoder: name the encoder is loaded by.
        encoder_id: what that name turned out to be when the library was last indexed; None before.
        detector: name of the shot detector.
        window: seconds of a shot for the detector "windows"; longer means fewer, coarser shots.
        rate: frames kept per second; raising it finds shorter events and costs encoding time.
        at_least: frames kept of a shot however short, 1 or more.
        at_most: frames kept of a shot however long.
    """

    encoder: str = "auto"
    encoder_id: str | None = None
    detector: str = "adaptive"
    window: float = 3.0
    rate: float = 1.0
    at_least: int = 1
    at_most: int = 8


class Store:
    """One library folder. Cheap to open; safe to open from several processes at once."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine

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
        return cls(folder, connect(folder / DATABASE))

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
        return cls(folder, connect(folder / DATABASE))

    @property
    def cache(self) -> Path:
        """A folder for what can always be made again."""
        return self.folder / "cache"

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
            stored = get_setting(connection, "index") or {}
        known = {field.name for field in fields(IndexSettings)}
        return IndexSettings(**{key: value for key, value in stored.items() if key in known})

    @index_settings.setter
    def index_settings(self, settings: IndexSettings) -> None:
        with self.write() as connection:
            put_setting(connection, "index", asdict(settings))

    @property
    def generation(self) -> int:
        """A number that grows whenever what can be found may have changed."""
        with self.read() as connection:
            return int(get_setting(connection, "generation") or 0)

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


def get_setting(connection: Connection, key: str) -> Any:
    """A setting's value, None when it was never set."""
    table = schema.settings
    return connection.execute(select(table.c.value).where(table.c.key == key)).scalar()


def put_setting(connection: Connection, key: str, value: Any) -> None:
    """Set a setting to any JSON value."""
    statement = insert(schema.settings).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def add_roots(store: Store, paths: Iterable[Path]) -> None:
    """Remember files and folders, so that "everything added before" has a meaning."""
    with store.write() as connection:
        for path in paths:
            raw = path_bytes(path.expanduser().absolute())
            connection.execute(insert(schema.roots).values(path=raw).on_conflict_do_nothing())


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


def changed(connection: Connection) -> None:
    """Note inside a transaction that searches may now find something else."""
    put_setting(connection, "generation", int(get_setting(connection, "generation") or 0) + 1)
