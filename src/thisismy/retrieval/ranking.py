"""From scores to hits: the best rows, with near-duplicates folded into the better one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Features
from thisismy.store.vector_index.gallery import Gallery

COPY_COSINE = 0.995
"""Shots of different files above this are copies: the same recording, cut or compressed anew."""


@dataclass(frozen=True)
class Ranked:
    """A row of the gallery in its place; ``folded`` are rows that show the same and score less."""

    row: int
    score: float
    folded: tuple[int, ...] = ()


def rank(
    scores: NDArray[np.float32],
    vectors: Features,
    k: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    at_least: float = -np.inf,
    fold_above: float | None = None,
    files: NDArray[np.int64] | None = None,
) -> list[Ranked]:
    """The k best rows, best first; equal scores keep the order of the gallery.

    Args:
        scores: ``(n,)``.
        vectors: ``(n, embed_dim)`` unit rows, read only for rows that may be hits.
        k: hits wanted, 1 or more.
        allowed: ``(n,)``; rows that are False are passed over.
        at_least: the cut-off; rows below it are no hits.
        fold_above: cosine above which a row is folded into a better hit; None folds nothing. Lowering it
            folds pictures that are less alike.
        files: ``(n,)`` numbers; rows of different files are folded only when they are copies, so that
            another appearance elsewhere is still seen. None treats all as one file.
    """
    candidates = np.flatnonzero((scores >= at_least) if allowed is None else allowed & (scores >= at_least))
    hits: list[Ranked] = []
    taken = 0
    while len(hits) < k and taken < len(candidates):
        # Folding can use up candidates, so ever larger heads of the order are looked at.
        head = _best(scores, candidates, max(4 * k, 2 * taken))
        hits = _fold(scores, vectors, head, k, fold_above, files)
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
) -> list[Ranked]:
    leaders: list[int] = []
    folded: dict[int, list[int]] = {}
    kept = np.zeros((k, vectors.shape[1]), np.float32)
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
        if len(leaders) == k:
            break
        kept[len(leaders)] = vectors[row]
        leaders.append(row)
        folded[row] = []
    return [Ranked(row, float(scores[row]), tuple(folded[row])) for row in leaders]


def pool_frames(gallery: Gallery, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(n_shots,)``: the best of each shot's ``(n_frames,)`` scores."""
    if not len(gallery):
        return np.zeros(0, np.float32)
    pooled: NDArray[np.float32] = np.maximum.reduceat(scores, gallery.first_frame[:-1])
    return pooled


def best_frame(gallery: Gallery, row: int, query: Features) -> float:
    """Time in seconds of the frame of a shot that is nearest to a ``(embed_dim,)`` query vector."""
    frames = slice(int(gallery.first_frame[row]), int(gallery.first_frame[row + 1]))
    return float(gallery.frame_times[frames][best_row(gallery.frame_vectors[frames] @ query)])


def best_row(scores: NDArray[np.float32]) -> int:
    """Number of the highest score, the first of equal ones."""
    return int(scores.argmax())
