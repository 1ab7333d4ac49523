"""Find the shots in which named instances are seen, in a context or in none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Features
from thisismy.library.gallery import Gallery
from thisismy.personalization.base import Contributions, Vocabulary, score_together
from thisismy.retrieval.names import NamedQuery
from thisismy.retrieval.ranking import Ranked, best_row, pool_frames, rank
from thisismy.retrieval.search import Found, SearchOptions, ShotHit


def find_named(
    read: NamedQuery,
    gallery: Gallery,
    vocabulary: Vocabulary,
    options: SearchOptions,
    fold_above: float | None,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Score every shot for the instances of a query and its context; all instances must be there.

    A hit must reach the cut-off that each instance learned from its own examples, unless ``options.cutoff``
    is 0. Its ``relevance`` is the share of the gallery's shots that show the instances less surely.

    Args:
        read: a query with at least one name.
        gallery: what is searched.
        vocabulary: knows every name of the query.
        options: how many hits, how scored.
        fold_above: cosine above which near-duplicates are folded, None for not.
        allowed: ``(n_shots,)``; shots that may be found, None for all.
    """
    if not len(gallery):
        return Found()
    rows = gallery.frame_vectors if options.by == "frame" else gallery.vectors
    parts = _contributions(read, np.asarray(rows), vocabulary)
    if options.by == "frame":
        best = pool_frames(gallery, parts.score)
        parts = Contributions(pool_frames(gallery, parts.instance), pool_frames(gallery, parts.context), best)
    passing = allowed if allowed is not None else np.ones(len(gallery), bool)
    if options.cutoff > 0:
        passing = passing & (parts.instance >= _cut(read, vocabulary))
    order = np.sort(parts.instance)

    def hits(ranked: Sequence[Ranked]) -> list[ShotHit]:
        return [
            ShotHit(
                rank=place,
                row=item.row,
                score=item.score,
                relevance=float(np.searchsorted(order, parts.instance[item.row]) / len(order)),
                best_time=_best_time(gallery, item.row, read, vocabulary),
                folded=item.folded,
                instance=float(parts.instance[item.row]),
                context=float(parts.context[item.row]),
            )
            for place, item in enumerate(ranked, start=1)
        ]

    found = rank(
        parts.score,
        gallery.vectors,
        options.k,
        allowed=passing,
        fold_above=fold_above,
        files=gallery.media_ids,
    )
    if found:
        return Found(hits(found))
    misses = rank(
        parts.score,
        gallery.vectors,
        min(options.k, 5),
        allowed=allowed,
        fold_above=fold_above,
        files=gallery.media_ids,
    )
    return Found(nearest=hits(misses))


def _contributions(read: NamedQuery, rows: Features, vocabulary: Vocabulary) -> Contributions:
    if len(read.names) == 1:
        return vocabulary.explain(read.prompts[0], read.names[0], rows)
    return score_together(vocabulary, zip(read.prompts, read.names, strict=True), rows)


def _cut(read: NamedQuery, vocabulary: Vocabulary) -> float:
    """Instances searched together are already counted from their cut-offs."""
    return vocabulary.threshold(read.names[0]) if len(read.names) == 1 else 0.0


def _best_time(gallery: Gallery, row: int, read: NamedQuery, vocabulary: Vocabulary) -> float:
    frames = slice(int(gallery.first_frame[row]), int(gallery.first_frame[row + 1]))
    scores = _contributions(read, np.asarray(gallery.frame_vectors[frames]), vocabulary).score
    return float(gallery.frame_times[frames][best_row(scores)])
