"""Mining a library: mentions as rows, what a person decides about them, proposals from other videos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from thisismy.core.errors import InstanceError
from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features
from thisismy.encoders.caching import CachingEncoder
from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.mining.categories import COCO_CATEGORIES
from thisismy.mining.examples import propose_elsewhere
from thisismy.mining.mine import MinedMention, mine_video
from thisismy.mining.settings import MiningSettings
from thisismy.services.mention_undo import MINED, SAME_VIDEO, note_before
from thisismy.store import catalog, schema
from thisismy.store.folder import Store
from thisismy.store.instances import (
    CONFIRMED,
    JOB,
    PROPOSED,
    REJECTED,
    USER,
    Example,
    Instance,
    create_instance,
    examples_of,
    find_instance,
    list_instances,
    name_key,
    put_example,
)
from thisismy.store.transcripts import get_transcript
from thisismy.store.vector_index.gallery import Gallery

mentions = schema.mentions

KEPT = "kept"
ACCEPTED = "accepted"


@dataclass(frozen=True)
class StoredMention:
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


def library_calibration(store: Store, gallery: Gallery) -> Calibration:
    """The calibration of a gallery's encoder: shipped, kept with the library, or made from its shots now.

    Raises:
        LibraryError: there is none, and the library has too few shots to make one.
    """
    shipped = shipped_calibration(gallery.encoder_id)
    if shipped is not None:
        return shipped
    path = calibration_path(store, gallery.encoder_id)
    return Calibration.load(path) if path.is_file() else calibrate_library(store, gallery)


def calibrate_library(store: Store, gallery: Gallery) -> Calibration:
    """Make a calibration from the library's own shots, none of them labelled, and keep it with the library.

    Raises:
        LibraryError: there are too few shots.
    """
    made = calibrate(np.asarray(gallery.vectors), gallery.encoder_id, np.asarray(gallery.media_ids))
    path = calibration_path(store, gallery.encoder_id)
    path.parent.mkdir(exist_ok=True)
    made.save(path)
    return made


def calibration_path(store: Store, encoder_id: str) -> Path:
    """Where the calibration of an encoder is kept."""
    name = hashlib.blake2b(encoder_id.encode(), digest_size=6).hexdigest()
    return store.folder / "calibrations" / f"{name}.json"


def mine_library(
    store: Store,
    gallery: Gallery,
    encoder: Encoder,
    settings: MiningSettings,
    *,
    categories: Sequence[str] = COCO_CATEGORIES,
    media_ids: set[int] | None = None,
    progress: Progress = silent,
) -> list[StoredMention]:
    """Mine every video that has a transcript, and give all its mentions.

    What was mined before is replaced, what a person decided stays and is not asked again.

    Args:
        store: the library.
        gallery: its shots.
        encoder: the gallery's.
        settings: thresholds and patterns.
        categories: names to choose categories from.
        media_ids: only these media.
        progress: told the videos done.

    Raises:
        LibraryError: a calibration is needed and cannot be made.
    """
    calibration = library_calibration(store, gallery) if settings.score == "calibrated" else None
    with store.read() as connection:
        known = [name for item in list_instances(connection) for name in (item.name, *item.aliases)]
    every = sorted(set(gallery.media_ids.tolist()))
    chosen = [number for number in every if media_ids is None or number in media_ids]
    remembering = CachingEncoder(encoder)
    for done, media_id in enumerate(chosen):
        progress("mine", done, len(chosen))
        with store.read() as connection:
            transcript = get_transcript(connection, media_id)
        if transcript is None:
            continue
        rows = np.flatnonzero(gallery.media_ids == media_id)
        spans = [Span(float(gallery.starts[row]), float(gallery.ends[row])) for row in rows]
        found = mine_video(
            transcript,
            spans,
            np.asarray(gallery.vectors[rows]),
            remembering,
            settings,
            calibration,
            categories=categories,
            known_names=known,
        )
        with store.write() as connection:
            _replace(connection, catalog.hash_of(connection, media_id), found, spans)
    progress("mine", len(chosen), len(chosen))
    with store.read() as connection:
        hashes = {catalog.hash_of(connection, number) for number in chosen}
    return [mention for mention in list_mentions(store) if mention.content_hash in hashes]


def list_mentions(store: Store) -> list[StoredMention]:
    """Every mention of the library, by video and time."""
    with store.read() as connection:
        names = {item.id: item.name for item in list_instances(connection)}
        order = (mentions.c.content_hash, mentions.c.start)
        rows = connection.execute(select(mentions).order_by(*order)).mappings().all()
        paths: dict[str, Path | None] = {}
        for row in rows:
            digest = row["content_hash"]
            if digest not in paths:
                media_id = catalog.find_media_id(connection, digest)
                paths[digest] = catalog.first_path(connection, media_id) if media_id else None
    stored = [_stored(row, paths[row["content_hash"]], names) for row in rows]
    return sorted(stored, key=lambda mention: (str(mention.path), mention.start))


def accept_mention(connection: Connection, mention: StoredMention, name: str = "", category: str = "") -> int:
    """Turn a mention into an instance, or into examples of the instance that has its name; give its row.

    The reference shot is confirmed by the person who accepts; the further shots of the video by the job, so
    that any of them can be rejected later.

    Args:
        connection: inside a writing transaction.
        mention: what to accept.
        name: instead of the mined one.
        category: instead of the mined one.

    Raises:
        InstanceError: there is no name, or no shot to learn from.
    """
    name = name or mention.name
    if mention.shot is None or not name:
        raise InstanceError(f"{mention.sentence!r} cannot be accepted: {mention.reason}")
    instance = _instance_called(connection, name)
    created = instance is None
    if instance is None:
        create_instance(connection, name, category or mention.category, USER if category else JOB)
        instance = find_instance(connection, name)
    spans = [Span(*mention.shot), *(Span(start, end) for start, end, _ in mention.examples)]
    before = {
        "created": created,
        "examples": note_before(connection, instance, mention.content_hash, spans),
    }
    reference = Example(mention.content_hash, spans[0], CONFIRMED, USER, MINED, mention.score)
    put_example(connection, instance, reference)
    for start, end, similarity in mention.examples:
        further = Example(mention.content_hash, Span(start, end), CONFIRMED, JOB, SAME_VIDEO, similarity)
        put_example(connection, instance, further)
    _decide(connection, mention, ACCEPTED, instance.id, before)
    return instance.id


def reject_mention(connection: Connection, mention: StoredMention) -> None:
    """Note that a mention names nothing that is seen; it is not asked again."""
    _decide(connection, mention, REJECTED, None)


def propose_examples(
    store: Store, gallery: Gallery, instance: Instance, features: Features, threshold: float, limit: int = 20
) -> list[Example]:
    """Propose shots of other videos as examples; nothing is confirmed, and nothing rejected comes back.

    Args:
        store: the library.
        gallery: its shots.
        instance: whose examples.
        features: ``(n, embed_dim)`` of its confirmed examples.
        threshold: least cosine to the nearest of them.
        limit: most proposals.

    Returns:
        The proposals, most similar first.
    """
    with store.write() as connection:
        known = examples_of(connection, instance)
        own = {
            catalog.find_media_id(connection, example.content_hash)
            for example in known
            if example.state == CONFIRMED
        }
        elsewhere = np.flatnonzero(
            ~np.isin(gallery.media_ids, [number for number in own if number is not None])
        )
        found = propose_elsewhere(features, np.asarray(gallery.vectors[elsewhere]), threshold, limit)
        for proposal in found:
            row = int(elsewhere[proposal.shot])
            digest = catalog.hash_of(connection, int(gallery.media_ids[row]))
            span = Span(float(gallery.starts[row]), float(gallery.ends[row]))
            put_example(
                connection, instance, Example(digest, span, PROPOSED, JOB, "similar", proposal.similarity)
            )
        stored = examples_of(connection, instance, PROPOSED)
    return sorted(stored, key=lambda example: -(example.score or 0.0))


def _instance_called(connection: Connection, name: str) -> Instance | None:
    for item in list_instances(connection):
        if name_key(name) in {name_key(known) for known in (item.name, *item.aliases)}:
            return item
    return None


def _replace(
    connection: Connection, digest: str, found: Iterable[MinedMention], spans: Sequence[Span]
) -> None:
    """Put new mentions in place of the undecided ones; where a decided one overlaps, nothing is added."""
    own = mentions.c.content_hash == digest
    connection.execute(delete(mentions).where(own, mentions.c.decision.is_(None)))
    decided = connection.execute(select(mentions.c.start, mentions.c.end).where(own)).all()
    for mined in found:
        said = mined.mention.span
        if any(start < said.end and end > said.start for start, end in decided):
            continue
        connection.execute(insert(mentions).values(content_hash=digest, **_values(mined, spans)))


def _values(mined: MinedMention, spans: Sequence[Span]) -> dict[str, Any]:
    shot = spans[mined.reference.shot] if mined.reference is not None else None
    return {
        "start": mined.mention.span.start,
        "end": mined.mention.span.end,
        "sentence": mined.mention.sentence,
        "name": mined.name,
        "category": mined.category.name if mined.category else "",
        "verdict": mined.verdict,
        "reason": mined.reason,
        "score": mined.reference.score if mined.reference else None,
        "shot_start": shot.start if shot else None,
        "shot_end": shot.end if shot else None,
        "examples": [[*asdict(spans[item.shot]).values(), item.similarity] for item in mined.examples],
        "thresholds": {
            "reference": mined.threshold,
            "example": mined.example_threshold,
            "score": mined.score_kind,
            "encoder": mined.encoder_id,
        },
    }


def _decide(
    connection: Connection,
    mention: StoredMention,
    decision: str,
    instance_id: int | None,
    before: dict[str, Any] | None = None,
) -> None:
    row = update(mentions).where(mentions.c.id == mention.id)
    connection.execute(row.values(decision=decision, instance_id=instance_id, before=before))


def _stored(row: RowMapping, path: Path | None, names: dict[int, str]) -> StoredMention:
    return StoredMention(
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
