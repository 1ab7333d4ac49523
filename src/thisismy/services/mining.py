"""The job that mines a library: every video with a transcript, and what is named in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder
from thisismy.encoders.caching import CachingEncoder
from thisismy.mining.categories import COCO_CATEGORIES
from thisismy.mining.mine import MinedMention, mine_video
from thisismy.mining.naming import proper_names
from thisismy.mining.settings import MiningSettings
from thisismy.services.calibration import library_calibration
from thisismy.store.folder import Store
from thisismy.store.instances import list_instances
from thisismy.store.mentions import MentionRow, NewMention, list_mentions, replace_mentions
from thisismy.store.transcripts import get_transcript
from thisismy.store.vector_index.gallery import Gallery


def mine_library(
    store: Store,
    gallery: Gallery,
    encoder: Encoder,
    settings: MiningSettings,
    *,
    categories: Sequence[str] = COCO_CATEGORIES,
    media_ids: set[int] | None = None,
    progress: Progress = silent,
) -> list[MentionRow]:
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
        named = [name for item in list_instances(connection) for name in (item.name, *item.aliases)]
    known_names = proper_names(named)
    every = sorted(set(gallery.media_ids.tolist()))
    chosen = [number for number in every if media_ids is None or number in media_ids]
    cached = CachingEncoder(encoder)
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
            cached,
            settings,
            calibration,
            categories=categories,
            known_names=known_names,
        )
        replace_mentions(store, media_id, [_new_mention(mined, spans) for mined in found])
    progress("mine", len(chosen), len(chosen))
    return list_mentions(store, chosen)


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
