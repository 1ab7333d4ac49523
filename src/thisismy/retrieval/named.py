"""Find the shots in which named instances are seen, in a context or in none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Features
from thisismy.library.gallery import Gallery
from thisismy.personalization.base import Contributions, Scores, Vocabulary, score_together
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
    is 0. Its ``relevance`` is the probability that it shows the instances, by the method's own judgement, or
    with a method that has none the share of the gallery's shots that show them less surely.

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
    instances, contexts = np.sort(parts.instance), np.sort(parts.context)
    generic = contexts[0] == contexts[-1]

    def hits(ranked: Sequence[Ranked]) -> list[ShotHit]:
        made = []
        for place, item in enumerate(ranked, start=1):
            instance, context = parts.instance[item.row], parts.context[item.row]
            sure = _certainty(gallery, item.row, read, vocabulary, options)
            hit = ShotHit(
                rank=place,
                row=item.row,
                score=item.score,
                relevance=_share_below(instances, instance) if sure is None else sure,
                best_time=_best_time(gallery, item.row, read, vocabulary),
                folded=item.folded,
                instance=float(instance),
                context=float(context),
                fits=None if generic else _share_below(contexts, context),
            )
            made.append(hit)
        return made

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


def _share_below(ordered: Scores, score: float) -> float:
    return float(np.searchsorted(ordered, score) / len(ordered))


def _certainty(
    gallery: Gallery, row: int, read: NamedQuery, vocabulary: Vocabulary, options: SearchOptions
) -> float | None:
    """The probability that a shot, or its best frame, shows the instance it shows least."""
    rows = gallery.vectors[row : row + 1]
    if options.by == "frame":
        rows = gallery.frame_vectors[int(gallery.first_frame[row]) : int(gallery.first_frame[row + 1])]
    found = [vocabulary.certainty(name, np.asarray(rows)) for name in read.names]
    sure = [float(one.max()) for one in found if one is not None]
    return min(sure) if len(sure) == len(found) else None


def _best_time(gallery: Gallery, row: int, read: NamedQuery, vocabulary: Vocabulary) -> float:
    frames = slice(int(gallery.first_frame[row]), int(gallery.first_frame[row + 1]))
    scores = _contributions(read, np.asarray(gallery.frame_vectors[frames]), vocabulary).score
    return float(gallery.frame_times[frames][best_row(scores)])
