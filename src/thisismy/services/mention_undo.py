"""Taking back what a person decided about a mention, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select, update

from thisismy.core.span import Span
from thisismy.store import schema
from thisismy.store.instances import (
    JOB,
    Example,
    Instance,
    delete_instance,
    examples_of,
    list_instances,
    put_example,
)

if TYPE_CHECKING:
    from thisismy.services.mining import StoredMention

MINED, SAME_VIDEO = "mined", "same video"
"""Where examples that an accepted mention brings come from: its own shot, and further ones of the video."""

_mentions, _examples = schema.mentions, schema.examples


def note_before(connection: Connection, instance: Instance, content_hash: str, spans: Sequence[Span]) -> Any:
    """The examples of an instance that others at these places are about to replace, as JSON."""
    own = [item for item in examples_of(connection, instance) if item.content_hash == content_hash]
    touched = [item for item in own if any(item.span == span or item.span.overlap(span) for span in spans)]
    return [asdict(item) for item in touched]


def take_back(connection: Connection, mention: StoredMention) -> None:
    """Make a mention undecided again; what accepting it brought goes, what stood there before comes back.

    An example that a person decided about since stays. An instance that came to be by accepting goes when
    nothing else is known of it.
    """
    row = connection.execute(
        select(_mentions.c.instance_id, _mentions.c.before).where(_mentions.c.id == mention.id)
    ).one()
    reset = update(_mentions).where(_mentions.c.id == mention.id)
    connection.execute(reset.values(decision=None, instance_id=None, before=None))
    instance = next((item for item in list_instances(connection) if item.id == row.instance_id), None)
    if instance is None:
        return
    before = row.before or {"created": False, "examples": []}
    for example in examples_of(connection, instance):
        if _came_with(mention, example):
            connection.execute(delete(_examples).where(_examples.c.id == example.id))
    for kept in before["examples"]:
        values = {**kept, "span": Span(**kept["span"]), "box": tuple(kept["box"]) if kept["box"] else None}
        put_example(connection, instance, Example(**values), overwrite=False)
    if before["created"] and not _in_use(connection, instance):
        delete_instance(connection, instance)


def _came_with(mention: StoredMention, example: Example) -> bool:
    if example.content_hash != mention.content_hash:
        return False
    place = (example.span.start, example.span.end)
    if example.origin == MINED:
        return place == mention.shot
    further = {(start, end) for start, end, _ in mention.examples}
    return example.origin == SAME_VIDEO and example.decided_by == JOB and place in further


def _in_use(connection: Connection, instance: Instance) -> bool:
    if examples_of(connection, instance):
        return True
    others = select(func.count()).where(_mentions.c.instance_id == instance.id)
    return bool(connection.execute(others).scalar_one())
