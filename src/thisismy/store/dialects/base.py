"""What every supported database has to be able to do beyond plain SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


class Dialect(Protocol):
    """One database. The index of words holds one text per media, of words that were made plain before."""

    def put_row(
        self,
        connection: Connection,
        table: Table,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        new: Mapping[str, Any] | None = None,
    ) -> None:
        """Insert a row, or change the one with the same key.

        Args:
            connection: inside a writing transaction.
            table: where.
            key: columns that are unique together.
            values: the other columns to set.
            new: columns that are only set when the row is new.
        """
        ...

    def add_row(self, connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
        """Insert a row unless one with the same key is there."""
        ...

    def create_word_index(self, connection: Connection) -> None:
        """Make the index of words, which forgets a media together with its row in ``transcripts``."""
        ...

    def put_words(self, connection: Connection, media_id: int, words: Sequence[str]) -> None:
        """Index the words of a media in place of those it had."""
        ...

    def media_with_phrase(self, connection: Connection, words: Sequence[str]) -> list[int]:
        """Media in which these words follow each other, in order of row."""
        ...
