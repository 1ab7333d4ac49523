"""What databases say differently: storing a row over another one, and looking words up in texts.

Everything else in the store is plain SQLAlchemy. Another database is one more module with the functions of
`thisismy.store.dialects.base.Dialect`, and one more line in `DIALECTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thisismy.store.dialects.sqlite import SQLite

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from thisismy.store.dialects.base import Dialect

DIALECTS: dict[str, Dialect] = {"sqlite": SQLite()}


def dialect_of(connection: Connection) -> Dialect:
    """How to talk to the database behind a connection."""
    return DIALECTS[connection.dialect.name]
