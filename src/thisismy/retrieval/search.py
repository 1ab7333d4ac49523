"""Find the shots that a text, a picture, or both ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import QueryError
from thisismy.encoders.base import Encoder, Features, Picture, unit
from thisismy.retrieval.background import Background, query_features
from thisismy.retrieval.ranking import Ranked, best_frame, pool_frames, rank
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


MOST_HITS = 10_000
"""A person looks at tens of hits; more than this would be the whole library in another order."""


@dataclass(frozen=True)
class SearchOptions:
    """How hits are chosen.

    Attributes:
        k: hits wanted, 1 to 10,000.
        by: "shot" scores the mean of a shot's frames, "frame" its best frame (finds what is seen briefly).
        cutoff: share of unrelated pairs a hit must beat, 0 to 1; raising it gives fewer, surer hits, 0 all.
        fold: whether near-duplicates are folded into the better hit.
    """

    k: int = 20
    by: str = "shot"
    cutoff: float = 0.95
    fold: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MOST_HITS:
            raise QueryError(f"a search gives 1 to {MOST_HITS:,} hits, not {self.k}")
        if self.by not in {"shot", "frame"}:
            raise QueryError(f"shots are scored by 'shot' (mean) or 'frame' (best frame), not {self.by!r}")
        if not 0 <= self.cutoff <= 1:
            raise QueryError(f"the cut-off is a share from 0 to 1, not {self.cutoff}")


@dataclass(frozen=True)
class ShotHit:
    """A shot found.

    Attributes:
        rank: 1 is best.
        row: its row in the gallery.
        score: what hits are ordered by: the cosine of a text or picture query; of both, the mean number of
            deviations above unrelated pairs.
        relevance: how sure it is, 0 to 1; see `thisismy.retrieval.results.Hit`. Of words and a picture, the
            smaller.
        best_time: seconds; the frame that fits best.
        folded: rows of near-duplicates that scored less.
        instance, context: what named instances and what the rest of the query brought to the score; None for
            a query without names.
        fits: share of the gallery's shots that fit the rest of a query with names less; None without a rest.
    """

    rank: int
    row: int
    score: float
    relevance: float
    best_time: float
    folded: tuple[int, ...] = ()
    instance: float | None = None
    context: float | None = None
    fits: float | None = None


@dataclass(frozen=True)
class Found:
    """Hits above the cut-off, and the nearest misses when there are none."""

    hits: list[ShotHit] = field(default_factory=list)
    nearest: list[ShotHit] = field(default_factory=list)


def find(
    query: Query,
    gallery: Gallery,
    encoder: Encoder,
    background: Background,
    options: SearchOptions,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Score every shot and keep the best; exact.

    Args:
        query: words, pictures or both.
        gallery: what is searched.
        encoder: the one the gallery was made with.
        background: what scores mean on this gallery.
        options: how many, how sure.
        allowed: ``(n_shots,)``; shots that may be found, None for all.
    """
    if not len(gallery):
        return Found()
    parts = query_parts(query, encoder)
    cosines = {kind: _score(gallery, vector, options.by) for kind, vector in parts.items()}
    scores = _combine(cosines, background)
    if query.unlike:
        scores = scores - _unwanted(query, gallery, background, cosines)
    passing = allowed
    for kind, values in cosines.items():
        above = values >= background.cosine(options.cutoff, kind)
        passing = above if passing is None else passing & above
    fold = fold_above(background, options)

    def hits(ranked: Sequence[Ranked]) -> list[ShotHit]:
        towards = unit(np.sum([vector for vector in parts.values()], axis=0))
        return [
            ShotHit(
                rank=place,
                row=item.row,
                score=item.score,
                relevance=min(
                    float(background.relevance(values[item.row], kind)) for kind, values in cosines.items()
                ),
                best_time=best_frame(gallery, item.row, towards),
                folded=item.folded,
            )
            for place, item in enumerate(ranked, start=1)
        ]

    found = hits(
        rank(scores, gallery.vectors, options.k, allowed=passing, fold_above=fold, files=gallery.media_ids)
    )
    if found:
        return Found(found)
    return Found(
        nearest=hits(
            rank(
                scores,
                gallery.vectors,
                min(options.k, 5),
                allowed=allowed,
                fold_above=fold,
                files=gallery.media_ids,
            )
        )
    )


def fold_above(background: Background, options: SearchOptions) -> float | None:
    """The cosine above which two shots are near-duplicates; None when nothing is to be folded."""
    return max(FOLD_COSINE, background.cosine(FOLD_RELEVANCE, "image")) if options.fold else None


def query_parts(query: Query, encoder: Encoder) -> dict[str, Features]:
    """The ``(embed_dim,)`` unit vector of each part of a query, by kind: "text", "image"."""
    parts: dict[str, Features] = {}
    if query.text.strip():
        parts["text"] = query_features(encoder, [query.text.strip()])[0]
    if query.images or query.like:
        rows = [*query.like, *(encoder.encode_images(query.images) if query.images else ())]
        parts["image"] = unit(np.mean(rows, axis=0))
    return parts


def _unwanted(
    query: Query, gallery: Gallery, background: Background, cosines: dict[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """``(n_shots,)``: what a shot loses by looking like one that is not wanted, on the scale of the scores.

    Half of what it looks more alike than unrelated pictures do, in deviations, as in Rocchio's feedback.
    """
    alike = (gallery.vectors @ np.stack(query.unlike).T).max(axis=1)
    middle, spread = background.spread("image")
    loss = UNLIKE_WEIGHT * np.maximum(0, (alike - middle) / spread)
    scale = background.spread(next(iter(cosines)))[1] if len(cosines) == 1 else 1.0
    return np.asarray(loss * scale, np.float32)


def _score(gallery: Gallery, vector: Features, by: str) -> NDArray[np.float32]:
    if by == "frame":
        return pool_frames(gallery, gallery.frame_vectors @ vector)
    cosines: NDArray[np.float32] = gallery.vectors @ vector
    return cosines


def _combine(cosines: dict[str, NDArray[np.float32]], background: Background) -> NDArray[np.float32]:
    if len(cosines) == 1:
        return next(iter(cosines.values()))
    deviations = []
    for kind, values in cosines.items():
        middle, spread = background.spread(kind)
        deviations.append((values - middle) / spread)
    combined: NDArray[np.float32] = np.mean(deviations, axis=0, dtype=np.float32)
    return combined
