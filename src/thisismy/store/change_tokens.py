"""Whether anything has changed, as values to compare; cheap enough to be asked for every second."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from thisismy.store import schema
from thisismy.store.settings import GENERATION, INDEX

files = schema.files


def files_token(connection: Connection) -> tuple[Any, ...]:
    """What becomes another value whenever files of the library, or what is known of them, change."""
    statements = (
        select(schema.settings.c.value).where(schema.settings.c.key.in_([GENERATION, INDEX])),
        select(func.count(), func.max(files.c.id), func.count(files.c.failed_stage)),
        select(func.count()).where(files.c.missing.is_(True)),
        select(func.count()).select_from(schema.roots),
    )
    return tuple(str(tuple(row)) for statement in statements for row in connection.execute(statement))


def change_tokens(connection: Connection) -> dict[str, Any]:
    """For each kind of thing, what becomes another value whenever something of the kind changes.

    Kinds are "library", "instances", "mentions" and "transcripts". Meant to be asked for every second.
    """
    examples, mentions, names = schema.examples, schema.mentions, schema.names
    instances, transcripts, segments = schema.instances, schema.transcripts, schema.segments
    every = {
        "instances": [
            select(instances.c.id, instances.c.name, instances.c.category, instances.c.kind).order_by(
                instances.c.id
            ),
            select(names.c.key).order_by(names.c.key),
            select(func.count(), func.max(examples.c.id)),
            select(examples.c.instance_id, examples.c.state, examples.c.decided_by, func.count()).group_by(
                examples.c.instance_id, examples.c.state, examples.c.decided_by
            ),
        ],
        "mentions": [
            select(func.count(), func.max(mentions.c.id)),
            select(mentions.c.decision, func.count(), func.sum(mentions.c.id)).group_by(mentions.c.decision),
        ],
        "transcripts": [
            select(func.count(), func.max(transcripts.c.media_id)),
            select(func.max(segments.c.id)),
        ],
    }
    found: dict[str, Any] = {
        kind: [tuple(row) for statement in statements for row in connection.execute(statement)]
        for kind, statements in every.items()
    }
    return found | {"library": files_token(connection)}
