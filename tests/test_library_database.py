"""Opening a library: migrations, and files that are not what they should be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from thisismy.core.errors import LibraryError
from thisismy.media.discovery import DiscoveredFile
from thisismy.store import catalog, schema
from thisismy.store.dialects.sqlite import WORDS
from thisismy.store.folder import DATABASE, Store
from thisismy.store.schema import HEAD, metadata
from thisismy.store.settings import IndexSettings, LearningChoice, get_setting, put_setting


def names_in(folder: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(folder / DATABASE) as connection:
        return set(connection.execute("SELECT type, name FROM sqlite_master"))


def test_a_migrated_library_has_what_a_new_one_has(tmp_path: Path) -> None:
    Store.create(tmp_path / "new").close()
    (tmp_path / "old").mkdir()
    with sqlite3.connect(tmp_path / "old" / DATABASE) as connection:
        connection.executescript((Path(__file__).parent / "data/library-0001.sql").read_text())
    connection.close()
    Store.open(tmp_path / "old").close()
    assert names_in(tmp_path / "old") == names_in(tmp_path / "new")


@pytest.mark.parametrize("migrated", [False, True])
def test_new_and_migrated_libraries_have_the_schema(migrated: bool, tmp_path: Path) -> None:
    if migrated:
        (tmp_path / "new").mkdir()
        with sqlite3.connect(tmp_path / "new" / DATABASE) as connection:
            connection.executescript((Path(__file__).parent / "data/library-0001.sql").read_text())
        connection.close()
    store = Store.create(tmp_path / "new")
    with store.engine.connect() as connection:
        # The index of words is made of tables that SQLite itself keeps.
        words = {"include_name": lambda name, _kind, _parent: not str(name).startswith(WORDS)}
        context = MigrationContext.configure(connection, opts=words)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []


def test_settings_survive(tmp_path: Path) -> None:
    settings = IndexSettings(encoder="embedded", encoder_id="e-1", detector="windows", window=2.5, at_most=3)
    store = Store.create(tmp_path / "new")
    store.index_settings = settings
    store.close()
    assert Store.open(tmp_path / "new").index_settings == settings


def test_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no library in"):
        Store.open(tmp_path)


def test_a_newer_library_is_refused(tmp_path: Path) -> None:
    Store.create(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LibraryError, match="written by a newer thisismy"):
        Store.open(tmp_path)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("CREATE TABLE cookies (id)")
    with pytest.raises(LibraryError, match="something else"):
        Store.open(tmp_path)


def test_a_damaged_database_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(LibraryError, match="not a library, or is damaged"):
        Store.open(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="cannot make a library"):
        Store.create(tmp_path / "file" / "library")


def test_the_lock_of_a_running_indexer(tmp_path: Path) -> None:
    store = Store.create(tmp_path)
    with (
        store.indexing(),
        pytest.raises(LibraryError, match="another process is indexing"),
        store.indexing(wait=False),
    ):
        pytest.fail("the lock was given twice")


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = Store.create(tmp_path)

    def fail_half_way() -> None:
        with store.write() as connection:
            put_setting(connection, "half", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with store.read() as connection:
        assert get_setting(connection, "half") is None


def test_the_choice_of_how_to_learn_survives(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "new")
    assert store.learning_choice is None
    store.learning_choice = LearningChoice("meta-tokens", {"steps": 20, "meta": None}, seed=3)
    store.close()
    assert Store.open(tmp_path / "new").learning_choice == LearningChoice(
        "meta-tokens", {"steps": 20, "meta": None}, seed=3
    )


def test_sizes_and_times_of_files_are_wide(tmp_path: Path) -> None:
    assert {str(schema.files.c[name].type) for name in ("size", "mtime_ns")} == {"BIGINT"}
    store = Store.create(tmp_path / "new")
    with store.write() as connection:
        catalog.put_file(connection, DiscoveredFile(Path("/a"), 2**40, 2**62), None)
        row = catalog.find_file(connection, Path("/a"))
    assert row is not None
    assert (row["size"], row["mtime_ns"]) == (2**40, 2**62)
