"""Find the shots in which named instances are seen, in a context or in none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thisismy.personalization.base import Vocabulary
from thisismy.personalization.scorers import Scorer, Scores, join_scorers
from thisismy.retrieval.hits import Judge, LibraryScores, SearchHits
from thisismy.retrieval.names import NamedQuery
from thisismy.retrieval.options import SearchOptions
from thisismy.retrieval.pooling import check_space, few_rows, score_shots, shots_block
from thisismy.retrieval.ranking import hits_and_misses
from thisismy.store.vector_index.gallery import Gallery

SAMPLE = 1000
"""Shots that stand for the library where a share of it is said."""

NEAREST = 200
"""Shots below the cut-off among which the nearest misses are found: those that look most like the thing."""


def find_named(
    read: NamedQuery,
    gallery: Gallery,
    vocabulary: Vocabulary,
    options: SearchOptions,
    fold_above: float | None,
    allowed: NDArray[np.bool_] | None = None,
) -> SearchHits:
    """Score every shot for the instances of a query and its context; all instances must be there.

    A hit must reach the cut-off that each instance learned from its own examples, unless ``options.cutoff``
    is 0. Its ``relevance`` is the probability that it shows the instances, by the method's own judgement, or
    with a method that has none the share of a sample of the gallery that shows them less surely.

    Args:
        read: a query with at least one name.
        gallery: what is searched.
        vocabulary: knows every name of the query.
        options: how many hits, how scored.
        fold_above: cosine above which near-duplicates are folded, None for not.
        allowed: ``(n_shots,)``; shots that may be found, None for all.

    Raises:
        EncoderMismatchError: the vocabulary was learned on another encoder than the gallery's.
    """
    if not len(gallery):
        return SearchHits()
    parts = {
        name: vocabulary.compile(prompt, name) for name, prompt in zip(read.names, read.prompts, strict=True)
    }
    scorer = join_scorers(list(parts.values()))
    check_space(scorer.space, gallery)
    scored = np.ones(len(gallery), bool) if allowed is None else allowed
    rows = few_rows(scored)
    if rows is None and options.cutoff > 0 and options.pooling == "mean":
        bound = scorer.score_bound(shots_block(gallery))
        if bound is not None:
            scored = _worth_scoring(bound, scorer.threshold, scored)
            rows = np.flatnonzero(scored)
    found = score_shots(scorer, gallery, options.pooling, rows)
    passing = scored if options.cutoff == 0 else scored & (found.instance >= scorer.threshold)
    hits, misses = hits_and_misses(
        found.total, gallery, options, passing=passing, scored=scored, fold_above=fold_above
    )
    if not hits and not misses:
        return SearchHits()
    judge = Judge(gallery, options.pooling, scorer, parts, found, _usual(scorer, gallery))
    return SearchHits(judge.hits(hits), judge.hits(misses, first=len(hits) + 1))


def _worth_scoring(bound: Scores, threshold: float, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which allowed shots are scored in full.

    Left out are those that a quick look shows to be below the cut-off, but for the `NEAREST` of them that
    come closest to it.
    """
    bound[~allowed] = -np.inf
    nearest = float(np.partition(bound, -NEAREST)[-NEAREST]) if len(bound) > NEAREST else -np.inf
    return allowed & (bound >= min(threshold, nearest))


def _usual(scorer: Scorer, gallery: Gallery) -> LibraryScores:
    """What a sample of the gallery scores."""
    found = scorer.score(shots_block(gallery, slice(None, None, max(1, len(gallery) // SAMPLE))))
    return LibraryScores(np.sort(found.instance), np.sort(found.context))
