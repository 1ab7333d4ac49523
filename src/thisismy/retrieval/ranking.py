"""From scores to hits: the best rows, with near-duplicates folded into the better one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Features
from thisismy.retrieval.options import SearchOptions
from thisismy.store.vector_index.gallery import Gallery

COPY_COSINE = 0.995
"""Shots of different files above this are copies: the same recording, cut or compressed again."""


@dataclass(frozen=True)
class Ranked:
    """A row of the gallery in its place; ``folded`` are rows that show the same and score less."""

    row: int
    score: float
    folded: tuple[int, ...] = ()


def hits_and_misses(
    scores: NDArray[np.float32],
    gallery: Gallery,
    options: SearchOptions,
    *,
    passing: NDArray[np.bool_],
    scored: NDArray[np.bool_],
    fold_above: float | None,
) -> tuple[list[Ranked], list[Ranked]]:
    """The best rows that reach the cut-off, and the best of those that do not.

    Args:
        scores: ``(n_shots,)``.
        gallery: what was scored.
        options: how many of both.
        passing: ``(n_shots,)``; rows that reach the cut-off.
        scored: ``(n_shots,)``; rows that may be shown at all.
        fold_above: as for `rank`; a miss that shows the same as a hit is left out.
    """
    vectors, files = gallery.vectors, gallery.media_ids
    hits = rank(scores, vectors, options.k, allowed=passing, fold_above=fold_above, files=files)
    wanted = options.misses_beside(len(hits))
    if not wanted:
        return hits, []
    shown = [hit.row for hit in hits]
    below = scored & ~passing
    misses = rank(scores, vectors, wanted, allowed=below, fold_above=fold_above, files=files, shown=shown)
    return hits, misses


def rank(
    scores: NDArray[np.float32],
    vectors: Features,
    k: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    fold_above: float | None = None,
    files: NDArray[np.int64] | None = None,
    shown: Sequence[int] = (),
) -> list[Ranked]:
    """The k best rows, best first; equal scores keep the order of the gallery.

    Args:
        scores: ``(n,)``.
        vectors: ``(n, embed_dim)`` unit rows, read only for rows that may be hits.
        k: hits wanted, 1 or more.
        allowed: ``(n,)``; rows that are False are passed over.
        fold_above: cosine above which a row is folded into a better hit; None folds nothing. Lowering it
            folds pictures that are less alike.
        files: ``(n,)`` numbers; rows of different files are folded only when they are copies, so that
            another appearance elsewhere is still seen. None treats all as one file.
        shown: rows that are shown already: what would be folded into them is left out.
    """
    candidates = np.flatnonzero(scores > -np.inf if allowed is None else allowed & (scores > -np.inf))
    hits: list[Ranked] = []
    taken = 0
    while len(hits) < k and taken < len(candidates):
        # Folding can use up candidates, so ever larger heads of the order are looked at.
        head = _best(scores, candidates, max(4 * k, 2 * taken))
        hits = _fold(scores, vectors, head, k, fold_above, files, shown)
        taken = len(head)
    return hits


def _best(scores: NDArray[np.float32], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    if n < len(rows):
        threshold = np.partition(scores[rows], len(rows) - n)[len(rows) - n]
        rows = rows[scores[rows] >= threshold]
    return rows[np.argsort(-scores[rows], kind="stable")][:n]


def _fold(
    scores: NDArray[np.float32],
    vectors: Features,
    order: NDArray[np.int64],
    k: int,
    fold_above: float | None,
    files: NDArray[np.int64] | None,
    shown: Sequence[int],
) -> list[Ranked]:
    leaders = list(shown)
    folded: dict[int, list[int]] = {row: [] for row in leaders}
    kept = np.zeros((len(shown) + k, vectors.shape[1]), np.float32)
    kept[: len(shown)] = vectors[leaders]
    for row in order.tolist():
        if fold_above is not None and leaders:
            likeness = kept[: len(leaders)] @ vectors[row]
            needed = np.full(len(leaders), fold_above)
            if files is not None:
                needed[files[leaders] != files[row]] = max(fold_above, COPY_COSINE)
            enough = likeness >= needed
            if enough.any():
                nearest = int(np.where(enough, likeness, -np.inf).argmax())
                folded[leaders[nearest]].append(row)
                continue
        if len(leaders) == len(kept):
            break
        kept[len(leaders)] = vectors[row]
        leaders.append(row)
        folded[row] = []
    return [Ranked(row, float(scores[row]), tuple(folded[row])) for row in leaders[len(shown) :]]
