"""Settings of a library as rows: how it is indexed, how it learns, which state it is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from thisismy.store import schema
from thisismy.store.dialects import dialect_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

INDEX, LEARNING, GENERATION, LIBRARY_ID = "index", "learning", "generation", "library_id"
SEARCH = "search"
"""Keys of settings."""


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


@dataclass(frozen=True)
class EncoderInUse:
    """The encoder that a library is searched with.

    Attributes:
        name: what it is loaded by.
        id: what it was when the library was indexed, which is its feature space; None before.
    """

    name: str
    id: str | None


@dataclass(frozen=True)
class LearningChoice:
    """How a person chose to learn; no trouble with a file and no other encoder changes it.

    Attributes:
        method: id of the method.
        arguments: of the method where they differ from its defaults, as JSON.
        seed: same seed, same concepts.
    """

    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


def get_setting(connection: Connection, key: str) -> Any:
    """A setting's value, None when it was never set."""
    table = schema.settings
    return connection.execute(select(table.c.value).where(table.c.key == key)).scalar()


def put_setting(connection: Connection, key: str, value: Any) -> None:
    """Set a setting to any JSON value."""
    dialect_of(connection).put_row(connection, schema.settings, {"key": key}, {"value": value})


def changed(connection: Connection) -> None:
    """Note inside a transaction that searches may now find something else."""
    put_setting(connection, GENERATION, int(get_setting(connection, GENERATION) or 0) + 1)
