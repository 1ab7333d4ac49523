"""SQLite: ``ON CONFLICT`` and FTS5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.dialects.sqlite import insert

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

WORDS = "transcript_words"
"""The FTS5 table; SQLite keeps its own tables beside it, whose names begin with this."""


class SQLite:
    """See `thisismy.store.dialects.base.Dialect`."""

    def put_row(
        self,
        connection: Connection,
        table: Table,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        new: Mapping[str, Any] | None = None,
    ) -> None:
        """Insert a row, or change the one with the same key."""
        statement = insert(table).values({**key, **values, **(new or {})})
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))

    def add_row(self, connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
        """Insert a row unless one with the same key is there."""
        connection.execute(insert(table).values(dict(values)).on_conflict_do_nothing())

    def create_word_index(self, connection: Connection) -> None:
        """Make the FTS5 table, and the trigger that keeps it in step when a media goes."""
        # Words come plain, so only the spaces between them part them: to the ASCII tokenizer every character
        # beyond ASCII is part of a word, and these two are made so.
        options = "tokenize = \"ascii tokenchars '''_'\""
        connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {WORDS} USING fts5(words, {options})")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {WORDS}_gone AFTER DELETE ON transcripts "
            f"BEGIN DELETE FROM {WORDS} WHERE rowid = old.media_id; END"
        )

    def put_words(self, connection: Connection, media_id: int, words: Sequence[str]) -> None:
        """Index the words of a media in place of those it had."""
        connection.execute(text(f"DELETE FROM {WORDS} WHERE rowid = :media"), {"media": media_id})
        if words:
            connection.execute(
                text(f"INSERT INTO {WORDS} (rowid, words) VALUES (:media, :words)"),
                {"media": media_id, "words": " ".join(words)},
            )

    def media_with_phrase(self, connection: Connection, words: Sequence[str]) -> list[int]:
        """Media in which these words follow each other, in order of row."""
        phrase = '"' + " ".join(words) + '"'
        found = connection.execute(
            text(f"SELECT rowid FROM {WORDS} WHERE {WORDS} MATCH :phrase ORDER BY rowid"), {"phrase": phrase}
        )
        return list(found.scalars())
