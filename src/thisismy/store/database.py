"""Opening the SQLite file of a library: settings of the connection, migrations, errors in plain words."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from thisismy.core.errors import LibraryError
from thisismy.store import schema
from thisismy.store.dialects import dialect_of
from thisismy.store.settings import LIBRARY_ID, put_setting

__all__ = ["BUSY_SECONDS", "Connection", "connect", "explained"]

BUSY_SECONDS = 60
"""How long a writer waits for another process to finish its transaction."""


def connect(path: Path) -> Engine:
    """An engine on the SQLite file, migrated to this version's schema.

    Raises:
        LibraryError: the file is no library, is damaged, or was written by a newer version.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    with explained(path):
        version = _version(engine, path)
        if version is None:
            version = _create(engine)
        if version != schema.HEAD:
            _migrate(engine, path, version)
    return engine


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the database says into one of our errors.

    Raises:
        LibraryError: the disk is full, the file is locked, read-only or damaged.
    """
    try:
        yield
    except OperationalError as error:
        raise LibraryError(_operational(path, str(error.orig))) from error
    except DatabaseError as error:
        raise LibraryError(f"{path} is not a library, or is damaged: {error.orig}") from error


def _operational(path: Path, said: str) -> str:
    if "full" in said:
        return f"the disk of {path} is full; make room and run the same command again to resume"
    if "locked" in said:
        return f"{path} has been locked by another process for {BUSY_SECONDS} s; try again when it is done"
    if "readonly" in said or "read-only" in said:
        return f"{path} cannot be written: check its permissions"
    if "unable to open" in said:
        return f"{path} cannot be opened: check that its folder exists and may be written"
    return f"{path} cannot be used: {said}"


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own guess of when to begin would leave schema changes outside of transactions.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    # With WAL, NORMAL survives a killed process; only a power cut may lose the last commits, never the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("migrating", False):
        # SQLite changes a table by making another one, and dropping the old one must not empty its children.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    # A writer that began as a reader could find, when it first writes, that another one was faster.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _version(engine: Engine, path: Path) -> str | None:
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise LibraryError(f"{path} is a database of something else, not a library")
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def _create(engine: Engine) -> str:
    """Make the tables of a new library as the migrations would have, which take ten times as long."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        # Looked at again inside the transaction: two processes may make a library together.
        found = _current(connection)
        if found is not None:
            return str(found)
        schema.metadata.create_all(connection)
        dialect_of(connection).create_word_index(connection)
        put_setting(connection, LIBRARY_ID, uuid.uuid4().hex)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version "
            "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.HEAD})
        return schema.HEAD


def _migrate(engine: Engine, path: Path, version: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version not in known:
        raise LibraryError(
            f"{path} was written by a newer thisismy (schema {version}, this one knows {schema.HEAD}): "
            "update thisismy to open it"
        )
    migrating = engine.connect().execution_options(write=True, migrating=True)
    with migrating as connection, connection.begin():
        # Looked at again inside the transaction: two processes may open an old library together.
        if _current(connection) != schema.HEAD:
            dangling = len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()) > dangling:
                raise LibraryError(
                    f"{path} cannot be brought from schema {version} to {schema.HEAD} without losing rows; "
                    "nothing was changed: report this as a fault of thisismy"
                )
    # Its connections do not look after foreign keys.
    engine.dispose()


def _current(connection: Connection) -> Any:
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
