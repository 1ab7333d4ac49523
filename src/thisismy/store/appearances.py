"""Appearances as rows: who and what is where. What a person confirmed or rejected, no job ever changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from thisismy.store.folder import Store

appearances = schema.appearances

FOUND, CONFIRMED, REJECTED = "found", "confirmed", "rejected"


@dataclass(frozen=True)
class Appearance:
    """An instance at a stretch of a media.

    Attributes:
        instance_id: whose row.
        content_hash: the media.
        span: seconds; ``Span(0, 0)`` for a photo.
        evidence: what speaks for it, as JSON: each with its feature space, log-odds, time and box.
        state: "found" by a job, "confirmed" or "rejected" by a person.
        id: its row; 0 before it is stored.
    """

    instance_id: int
    content_hash: str
    span: Span
    evidence: tuple[dict[str, Any], ...] = ()
    state: str = FOUND
    id: int = 0


def replace_found(store: Store, instance_id: int, content_hash: str, found: Iterable[Appearance]) -> None:
    """Put what a job found of an instance in a media in place of what one found before.

    What a person decided stays, and what overlaps it by more than half of the shorter of the two is dropped.
    """
    own = appearances.c.instance_id == instance_id, appearances.c.content_hash == content_hash
    with store.write() as connection:
        connection.execute(delete(appearances).where(*own, appearances.c.state == FOUND))
        decided = [item.span for item in _list(connection, *own)]
        for item in found:
            if not any(item.span.same_place(span) for span in decided):
                connection.execute(
                    insert(appearances).values(
                        **_values(instance_id, content_hash, replace(item, state=FOUND))
                    )
                )


def list_appearances(
    store: Store, *, instance_id: int | None = None, content_hash: str | None = None
) -> list[Appearance]:
    """Appearances by media and time, of one instance, in one media, or all."""
    where = []
    if instance_id is not None:
        where.append(appearances.c.instance_id == instance_id)
    if content_hash is not None:
        where.append(appearances.c.content_hash == content_hash)
    with store.read() as connection:
        return _list(connection, *where)


def decide_appearances(store: Store, ids: Sequence[int], state: str) -> None:
    """Confirm or reject appearances as a person, or ("found") take that back; all of them or none.

    Raises:
        InstanceError: one does not exist, or there is no such state.
    """
    if state not in (FOUND, CONFIRMED, REJECTED):
        raise InstanceError(f"an appearance is found, confirmed or rejected, not {state!r}")
    with store.write() as connection:
        for number in ids:
            row = update(appearances).where(appearances.c.id == number).values(state=state)
            if not connection.execute(row).rowcount:
                raise InstanceError(f"there is no appearance number {number}")


def move_appearances(connection: Connection, instance_id: int, to: int) -> None:
    """Give the appearances of an instance to another one; a decision of either wins over what a job found."""
    own = _list(connection, appearances.c.instance_id == instance_id)
    theirs = _list(connection, appearances.c.instance_id == to)
    connection.execute(delete(appearances).where(appearances.c.instance_id == instance_id))
    for item in own:
        same = [t for t in theirs if t.content_hash == item.content_hash and t.span.same_place(item.span)]
        if any(known.state != FOUND for known in same) or (same and item.state == FOUND):
            continue
        connection.execute(delete(appearances).where(appearances.c.id.in_([known.id for known in same])))
        connection.execute(insert(appearances).values(**_values(to, item.content_hash, item)))


def _list(connection: Connection, *where: Any) -> list[Appearance]:
    order = (appearances.c.content_hash, appearances.c.start, appearances.c.id)
    return [
        Appearance(
            instance_id=row.instance_id,
            content_hash=row.content_hash,
            span=Span(row.start, row.end),
            evidence=tuple(row.evidence),
            state=row.state,
            id=row.id,
        )
        for row in connection.execute(select(appearances).where(*where).order_by(*order))
    ]


def _values(instance_id: int, content_hash: str, item: Appearance) -> dict[str, Any]:
    return {
        "instance_id": instance_id,
        "content_hash": content_hash,
        "start": item.span.start,
        "end": item.span.end,
        "evidence": list(item.evidence),
        "state": item.state,
    }
