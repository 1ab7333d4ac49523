"""Shots of a gallery scored: by the mean of their frames, or by their best frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderMismatchError
from thisismy.encoders.base import Features
from thisismy.encoders.space import Block, FeatureSpace
from thisismy.personalization.scorers import Contributions, Scorer
from thisismy.store.vector_index.gallery import Gallery

Rows = NDArray[np.int64]
"""Numbers of rows, ascending."""

FEW = 4096
"""Up to this many rows are copied out of a gallery and scored alone, whatever the gallery's size."""


def check_space(space: FeatureSpace, gallery: Gallery) -> None:
    """Refuse to compare vectors of different encoders.

    Raises:
        EncoderMismatchError: the query is not of the gallery's space.
    """
    width = gallery.vectors.shape[1]
    if space.id != gallery.encoder_id:
        raise EncoderMismatchError(
            f"a query encoded by {space.id!r} cannot search vectors of {gallery.encoder_id!r}: "
            "run `thisismy add` to encode the library again, or open it again if that was just done"
        )
    if len(gallery) and width != space.dim:
        raise EncoderMismatchError(
            f"vectors of {space.id!r} have {space.dim} numbers, those of the gallery {width}: "
            "run `thisismy add` to encode the library again"
        )


def shots_block(gallery: Gallery, rows: Rows | slice | None = None) -> Block:
    """One row per shot: all of them without a copy, or those of some rows."""
    return _block(gallery.vectors, gallery.rims, rows)


def frames_block(gallery: Gallery, frames: Rows | None = None) -> Block:
    """One row per frame: all of them without a copy, or some."""
    return _block(gallery.frame_vectors, gallery.frame_rims, frames)


def _block(vectors: Features, rims: Features | None, rows: Rows | slice | None) -> Block:
    block = Block(np.asarray(vectors), None if rims is None else np.asarray(rims))
    return block if rows is None else block.take(rows)


def frames_of(gallery: Gallery, rows: Rows) -> tuple[Rows, Rows]:
    """The frames of some shots, ``(n_frames,)``, and where in them each shot begins, ``(n_shots,)``."""
    first = gallery.first_frame[rows]
    counts = gallery.first_frame[rows + 1] - first
    begins = np.cumsum(counts) - counts
    return np.repeat(first - begins, counts) + np.arange(int(counts.sum())), begins


def few_rows(allowed: NDArray[np.bool_]) -> Rows | None:
    """The rows that are allowed where they are `FEW`, None where they are many."""
    return np.flatnonzero(allowed) if np.count_nonzero(allowed) <= FEW else None


def score_shots(scorer: Scorer, gallery: Gallery, pooling: str, rows: Rows | None = None) -> Contributions:
    """Score shots.

    Args:
        scorer: of the gallery's space.
        gallery: not empty.
        pooling: "mean" or "max"; see `SearchOptions`.
        rows: shots to be scored, None for all.

    Returns:
        ``(n_shots,)`` each; shots that were left out have minus infinity.
    """
    if pooling == "mean":
        found = scorer.score(shots_block(gallery, rows))
    else:
        frames, begins = (None, gallery.first_frame[:-1]) if rows is None else frames_of(gallery, rows)
        found = _best(scorer.score(frames_block(gallery, frames)), begins)
    return found if rows is None else _spread(found, rows, len(gallery))


def _best(found: Contributions, begins: Rows) -> Contributions:
    """The best of each shot's frames, each part by itself."""
    if not len(begins):
        return found
    parts = (found.instance, found.context, found.total)
    return Contributions(*(np.maximum.reduceat(part, begins) for part in parts))


def _spread(found: Contributions, rows: Rows, n: int) -> Contributions:
    whole = [np.full(n, -np.inf, np.float32) for _ in range(3)]
    for full, part in zip(whole, (found.instance, found.context, found.total), strict=True):
        full[rows] = part
    return Contributions(*whole)
