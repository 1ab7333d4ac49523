"""Mining a library: its mentions, and proposals from other videos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features
from thisismy.encoders.caching import CachingEncoder
from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.mining.categories import COCO_CATEGORIES
from thisismy.mining.examples import propose_elsewhere
from thisismy.mining.mine import MinedMention, mine_video
from thisismy.mining.settings import MiningSettings
from thisismy.store import catalog
from thisismy.store.folder import Store
from thisismy.store.instances import (
    CONFIRMED,
    JOB,
    PROPOSED,
    Example,
    Instance,
    examples_of,
    list_instances,
    put_example,
)
from thisismy.store.mentions import NewMention, StoredMention, list_mentions, replace_mentions
from thisismy.store.transcripts import get_transcript
from thisismy.store.vector_index.gallery import Gallery


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
        replace_mentions(store, media_id, [_new_mention(mined, spans) for mined in found])
    progress("mine", len(chosen), len(chosen))
    return list_mentions(store, chosen)


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


def _new_mention(mined: MinedMention, spans: Sequence[Span]) -> NewMention:
    return NewMention(
        span=mined.mention.span,
        sentence=mined.mention.sentence,
        name=mined.name,
        category=mined.category.name if mined.category else "",
        verdict=mined.verdict,
        reason=mined.reason,
        score=mined.reference.score if mined.reference else None,
        shot=spans[mined.reference.shot] if mined.reference is not None else None,
        examples=tuple((spans[item.shot], item.similarity) for item in mined.examples),
        thresholds={
            "reference": mined.threshold,
            "example": mined.example_threshold,
            "score": mined.score_kind,
            "encoder": mined.encoder_id,
        },
    )
