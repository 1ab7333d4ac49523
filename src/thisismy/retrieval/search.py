"""Find the shots that a text, a picture, or both ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import QueryError
from thisismy.encoders.base import Encoder, Features, Picture, unit
from thisismy.personalization.scorers import CosineScorer, Scores
from thisismy.retrieval.hits import SearchHits, ShotHit
from thisismy.retrieval.null_scores import NullScores, query_features
from thisismy.retrieval.options import SearchOptions
from thisismy.retrieval.pooling import Rows, check_space, few_rows, frames_block, frames_of, score_shots
from thisismy.retrieval.ranking import Ranked, hits_and_misses
from thisismy.store.vector_index.gallery import Gallery

FOLD_RELEVANCE = 0.9999
"""Unrelated shots practically never look as alike as two that are folded into one hit."""

FOLD_COSINE = 0.97
"""Nor are two shots folded below this cosine, however different everything else in the library is."""

UNLIKE_WEIGHT = 0.5
"""What looking like an unwanted shot costs, against what fitting the query brings."""


@dataclass(frozen=True)
class Query:
    """What is looked for: words, pictures, or both (then both must fit).

    Attributes:
        text: free text; empty for none.
        images: RGB pictures; several are views of the same thing and are averaged.
        like: ``(embed_dim,)`` features of shots, which count as pictures.
        unlike: features of shots that are not wanted: what looks like one of them scores less.
    """

    text: str = ""
    images: tuple[Picture, ...] = ()
    like: tuple[Features, ...] = ()
    unlike: tuple[Features, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip() and not self.images and not self.like:
            raise QueryError("nothing to look for: type some words or give a picture with --image")


def find(
    query: Query,
    gallery: Gallery,
    encoder: Encoder,
    null_scores: NullScores,
    options: SearchOptions,
    allowed: NDArray[np.bool_] | None = None,
) -> SearchHits:
    """Score every shot and keep the best; exact.

    Args:
        query: words, pictures or both.
        gallery: what is searched.
        encoder: the one the gallery was made with.
        null_scores: what scores mean on this gallery.
        options: how many, how sure.
        allowed: ``(n_shots,)``; shots that may be found, None for all.

    Raises:
        EncoderMismatchError: the encoder is another than the gallery's.
    """
    if not len(gallery):
        return SearchHits()
    space = encoder.space
    check_space(space, gallery)
    scored = np.ones(len(gallery), bool) if allowed is None else allowed
    rows = few_rows(scored)
    parts = query_parts(query, encoder)
    cosines: dict[str, Scores] = {}
    for kind, vector in parts.items():
        scorer = CosineScorer(space=space, probes=vector[None], generic=None)
        cosines[kind] = score_shots(scorer, gallery, options.pooling, rows).total
    scores = _combine(cosines, null_scores)
    if query.unlike:
        scores = scores - _unwanted(query, gallery, null_scores, cosines)
    passing = scored
    for kind, values in cosines.items():
        passing = passing & (values >= null_scores.cosine(options.cutoff, kind))
    ranked = hits_and_misses(
        scores,
        gallery,
        options,
        passing=passing,
        scored=scored,
        fold_above=fold_above(null_scores, options),
    )
    towards = unit(np.sum([vector for vector in parts.values()], axis=0))
    hits = _hits(ranked[0], gallery, cosines, null_scores, towards, first=1)
    return SearchHits(hits, _hits(ranked[1], gallery, cosines, null_scores, towards, first=len(hits) + 1))


def fold_above(null_scores: NullScores, options: SearchOptions) -> float | None:
    """The cosine above which two shots are near-duplicates; None when nothing is to be folded."""
    return max(FOLD_COSINE, null_scores.cosine(FOLD_RELEVANCE, "image")) if options.fold else None


def query_parts(query: Query, encoder: Encoder) -> dict[str, Features]:
    """The ``(embed_dim,)`` unit vector of each part of a query, by kind: "text", "image"."""
    parts: dict[str, Features] = {}
    if query.text.strip():
        parts["text"] = query_features(encoder, [query.text.strip()])[0]
    if query.images or query.like:
        rows = [*query.like, *(encoder.encode_images(query.images) if query.images else ())]
        parts["image"] = unit(np.mean(rows, axis=0))
    return parts


def _hits(
    ranked: Sequence[Ranked],
    gallery: Gallery,
    cosines: dict[str, Scores],
    null_scores: NullScores,
    towards: Features,
    first: int,
) -> list[ShotHit]:
    """Ranked shots as hits; ``towards`` is what their best frames are nearest to."""
    if not ranked:
        return []
    rows = np.array([item.row for item in ranked], np.int64)
    shares = [null_scores.relevance(values[rows], kind) for kind, values in cosines.items()]
    relevance = np.min(shares, axis=0)
    return [
        ShotHit(
            rank=first + place,
            row=item.row,
            score=item.score,
            relevance=float(relevance[place]),
            best_time=_best_time(gallery, rows[place : place + 1], towards),
            folded=item.folded,
        )
        for place, item in enumerate(ranked)
    ]


def _best_time(gallery: Gallery, row: Rows, query: Features) -> float:
    """Seconds of the frame of a shot that is nearest to a ``(embed_dim,)`` query vector."""
    frames, _ = frames_of(gallery, row)
    return float(gallery.frame_times[frames[int((frames_block(gallery, frames).frame @ query).argmax())]])


def _unwanted(query: Query, gallery: Gallery, null_scores: NullScores, cosines: dict[str, Scores]) -> Scores:
    """``(n_shots,)``: what a shot loses by looking like one that is not wanted, on the scale of the scores.

    Half of what it looks more alike than unrelated pictures do, in deviations, as in Rocchio's feedback.
    """
    alike = (gallery.vectors @ np.stack(query.unlike).T).max(axis=1)
    middle, spread = null_scores.spread("image")
    loss = UNLIKE_WEIGHT * np.maximum(0, (alike - middle) / spread)
    scale = null_scores.spread(next(iter(cosines)))[1] if len(cosines) == 1 else 1.0
    return np.asarray(loss * scale, np.float32)


def _combine(cosines: dict[str, Scores], null_scores: NullScores) -> Scores:
    if len(cosines) == 1:
        return next(iter(cosines.values()))
    deviations = []
    for kind, values in cosines.items():
        middle, spread = null_scores.spread(kind)
        deviations.append((values - middle) / spread)
    combined: Scores = np.mean(deviations, axis=0, dtype=np.float32)
    return combined
