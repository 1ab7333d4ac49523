"""Mentions as rows: what was mined, and what a person decided about it.

Accepting a mention changes an instance and its examples. What stood there before is kept with the mention, so
that a decision can be taken back, and nothing else with it. Every change is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store import catalog, schema
from thisismy.store.folder import Store
from thisismy.store.instances import (
    CONFIRMED,
    JOB,
    REJECTED,
    USER,
    Example,
    Instance,
    create_instance,
    delete_instance,
    examples_of,
    find_instance,
    instance_called,
    list_instances,
    put_example,
)

mentions = schema.mentions

KEPT = "kept"
"""The verdict of a mention that a person is asked about."""

ACCEPTED = "accepted"

MINED, SAME_VIDEO = "mined", "same video"
"""Origins of the examples that an accepted mention brings: its own shot, and further ones of the video."""


@dataclass(frozen=True)
class NewMention:
    """A mention as mining hands it over.

    Attributes:
        span: when it is said, in seconds.
        sentence: what was said around it.
        name: the name proposed, empty when there is none.
        category: the category proposed, empty when unknown.
        verdict: "kept", or why not, in a word.
        reason: why, in a sentence.
        score: of the reference shot, None when no shot was looked at.
        shot: the reference shot, in seconds; None when there is none.
        examples: further shots of the video with their similarity.
        thresholds: what decided, as JSON: the thresholds, the kind of score, the encoder.
    """

    span: Span
    sentence: str
    name: str
    category: str
    verdict: str
    reason: str
    score: float | None = None
    shot: Span | None = None
    examples: tuple[tuple[Span, float], ...] = ()
    thresholds: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MentionRow:
    """A mention of the library, with what became of it.

    Attributes:
        id: its row.
        path: the video, None when it is gone from disk.
        content_hash: the media.
        start, end: when it is said, in seconds.
        sentence: what was said around it.
        name: the name proposed.
        category: the category proposed, empty when unknown.
        verdict: "kept", or why not, in a word.
        reason: why, in a sentence.
        score: of the reference shot.
        shot: start and end of the reference shot; None when there is none.
        examples: further shots of the video: start, end, similarity.
        thresholds: the thresholds that decided, and the encoder they belong to.
        decision: "accepted" or "rejected" by a person, None before.
        instance: the instance it became, None before.
    """

    id: int
    path: Path | None
    content_hash: str
    start: float
    end: float
    sentence: str
    name: str
    category: str
    verdict: str
    reason: str
    score: float | None
    shot: tuple[float, float] | None
    examples: tuple[tuple[float, float, float], ...]
    thresholds: dict[str, Any]
    decision: str | None
    instance: str | None


def replace_mentions(store: Store, media_id: int, found: Sequence[NewMention]) -> None:
    """Put new mentions of a media in place of those nobody decided about.

    What a person decided stays; a new mention that overlaps one of those in time is dropped.
    """
    with store.write() as connection:
        digest = catalog.hash_of(connection, media_id)
        own = mentions.c.content_hash == digest
        connection.execute(delete(mentions).where(own, mentions.c.decision.is_(None)))
        decided = connection.execute(select(mentions.c.start, mentions.c.end).where(own)).all()
        for mention in found:
            said = mention.span
            if not any(start < said.end and end > said.start for start, end in decided):
                connection.execute(insert(mentions).values(content_hash=digest, **_values(mention)))


def list_mentions(store: Store, media_ids: Sequence[int] | None = None) -> list[MentionRow]:
    """Every mention of the library, by video and time.

    Args:
        store: the library.
        media_ids: only mentions in these media; None gives all.
    """
    with store.read() as connection:
        names = {item.id: item.name for item in list_instances(connection)}
        order = (mentions.c.content_hash, mentions.c.start)
        rows = connection.execute(select(mentions).order_by(*order)).mappings().all()
        if media_ids is not None:
            wanted = {catalog.hash_of(connection, number) for number in media_ids}
            rows = [row for row in rows if row["content_hash"] in wanted]
        paths: dict[str, Path | None] = {}
        for row in rows:
            digest = row["content_hash"]
            if digest not in paths:
                media_id = catalog.find_media_id(connection, digest)
                paths[digest] = catalog.first_path(connection, media_id) if media_id else None
    stored = [_stored(row, paths[row["content_hash"]], names) for row in rows]
    return sorted(stored, key=lambda mention: (str(mention.path), mention.start))


def count_open_mentions(connection: Connection) -> int:
    """Mentions that mining kept and nobody has decided about."""
    waiting = mentions.c.decision.is_(None) & (mentions.c.verdict == KEPT)
    return int(connection.execute(select(func.count()).select_from(mentions).where(waiting)).scalar_one())


def accept_mention(store: Store, mention: MentionRow, name: str = "", category: str = "") -> Instance:
    """Turn a mention into an instance, or into examples of the instance that its name means; give that.

    The reference shot is confirmed by the person who accepts; the further shots of the video by the job, so
    that any of them can be rejected later. What accepting it under another name had brought goes again.

    Args:
        store: the library.
        mention: what to accept.
        name: instead of the mined one.
        category: instead of the mined one.

    Raises:
        InstanceError: there is no name, or no shot to learn from.
    """
    name = name or mention.name
    if mention.shot is None or not name:
        raise InstanceError(f"{mention.sentence!r} cannot be accepted: {mention.reason}")
    spans = [Span(*mention.shot), *(Span(start, end) for start, end, _ in mention.examples)]
    with store.write() as connection:
        _take_back(connection, mention)
        instance = instance_called(connection, name)
        created = instance is None
        if instance is None:
            create_instance(connection, name, category or mention.category, USER if category else JOB)
            instance = find_instance(connection, name)
        before = {
            "created": created,
            "examples": _standing(connection, instance, mention.content_hash, spans),
        }
        reference = Example(mention.content_hash, spans[0], CONFIRMED, USER, MINED, mention.score)
        put_example(connection, instance, reference)
        for start, end, similarity in mention.examples:
            further = Example(mention.content_hash, Span(start, end), CONFIRMED, JOB, SAME_VIDEO, similarity)
            put_example(connection, instance, further)
        _decide(connection, mention, ACCEPTED, instance.id, before)
        return next(item for item in list_instances(connection) if item.id == instance.id)


def reject_mention(store: Store, mention: MentionRow) -> None:
    """Note that a mention names nothing that is seen; it is not asked about again.

    What accepting it before had brought goes again.
    """
    with store.write() as connection:
        _take_back(connection, mention)
        _decide(connection, mention, REJECTED, None)


def reject_mentions_of(connection: Connection, instance_id: int) -> None:
    """Note that what was accepted as an instance that is about to be deleted is not wanted after all."""
    accepted = update(mentions).where(mentions.c.instance_id == instance_id)
    connection.execute(accepted.values(decision=REJECTED, instance_id=None, before=None))


def undecide_mention(store: Store, mention: MentionRow) -> None:
    """Make a mention undecided again; what accepting it brought goes, what stood there before comes back.

    An example that a person decided about since stays. An instance that came to be by accepting goes when
    nothing else is known of it.
    """
    with store.write() as connection:
        _take_back(connection, mention)


def _take_back(connection: Connection, mention: MentionRow) -> None:
    own = mentions.c.id == mention.id
    row = connection.execute(select(mentions.c.instance_id, mentions.c.before).where(own)).one()
    reset = update(mentions).where(own)
    connection.execute(reset.values(decision=None, instance_id=None, before=None))
    instance = next((item for item in list_instances(connection) if item.id == row.instance_id), None)
    if instance is None:
        return
    before = row.before or {"created": False, "examples": []}
    for example in examples_of(connection, instance):
        if _came_with(mention, example):
            connection.execute(delete(schema.examples).where(schema.examples.c.id == example.id))
    for kept in before["examples"]:
        values = {**kept, "span": Span(**kept["span"]), "box": tuple(kept["box"]) if kept["box"] else None}
        put_example(connection, instance, Example(**values), overwrite=False)
    if before["created"] and not _in_use(connection, instance):
        delete_instance(connection, instance)


def _standing(connection: Connection, instance: Instance, content_hash: str, spans: Sequence[Span]) -> Any:
    """The examples of an instance that others at these places are about to replace, as JSON."""
    own = [item for item in examples_of(connection, instance) if item.content_hash == content_hash]
    touched = [item for item in own if any(item.span == span or item.span.overlap(span) for span in spans)]
    return [asdict(item) for item in touched]


def _came_with(mention: MentionRow, example: Example) -> bool:
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
    others = select(func.count()).where(mentions.c.instance_id == instance.id)
    return bool(connection.execute(others).scalar_one())


def _decide(
    connection: Connection,
    mention: MentionRow,
    decision: str,
    instance_id: int | None,
    before: dict[str, Any] | None = None,
) -> None:
    row = update(mentions).where(mentions.c.id == mention.id)
    connection.execute(row.values(decision=decision, instance_id=instance_id, before=before))


def _values(mention: NewMention) -> dict[str, Any]:
    return {
        "start": mention.span.start,
        "end": mention.span.end,
        "sentence": mention.sentence,
        "name": mention.name,
        "category": mention.category,
        "verdict": mention.verdict,
        "reason": mention.reason,
        "score": mention.score,
        "shot_start": mention.shot.start if mention.shot else None,
        "shot_end": mention.shot.end if mention.shot else None,
        "examples": [[span.start, span.end, similarity] for span, similarity in mention.examples],
        "thresholds": mention.thresholds,
    }


def _stored(row: RowMapping, path: Path | None, names: dict[int, str]) -> MentionRow:
    return MentionRow(
        id=row["id"],
        path=path,
        content_hash=row["content_hash"],
        start=row["start"],
        end=row["end"],
        sentence=row["sentence"],
        name=row["name"],
        category=row["category"] or "",
        verdict=row["verdict"],
        reason=row["reason"],
        score=row["score"],
        shot=None if row["shot_start"] is None else (row["shot_start"], row["shot_end"]),
        examples=tuple((start, end, similarity) for start, end, similarity in row["examples"]),
        thresholds=row["thresholds"],
        decision=row["decision"],
        instance=names.get(row["instance_id"]),
    )
