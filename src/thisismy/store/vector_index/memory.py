"""The exact index, over arrays that are mapped into memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderMismatchError
from thisismy.encoders.base import Features
from thisismy.encoders.space import FRAME, FeatureSpace
from thisismy.store.folder import Store
from thisismy.store.vector_index.base import Matches, Query, Rows
from thisismy.store.vector_index.gallery import Gallery, load_gallery

BLOCK = 16_384
"""Rows scored at once; their vectors stay in the processor's cache."""


class MemoryIndex:
    """See `thisismy.store.vector_index.base.VectorIndex`.

    Attributes:
        gallery: the arrays, with the single frames behind each shot.
    """

    def __init__(self, space: FeatureSpace, gallery: Gallery, version: str, kind: str = FRAME) -> None:
        self.space = space
        self.kind = kind
        self.version = version
        self.gallery = gallery

    @classmethod
    def open(cls, store: Store, space_id: str, kind: str = FRAME) -> MemoryIndex:
        """The index of a library as it is now, from the cache or built and cached.

        Raises:
            LibraryError: the library cannot be read.
        """
        version = f"{store.library_id}-{store.generation}"
        gallery = load_gallery(store, space_id, kind)
        return cls(FeatureSpace(space_id, gallery.vectors.shape[1]), gallery, version, kind)

    def __len__(self) -> int:
        return len(self.gallery)

    def search(self, query: Query, k: int, where: Collection[int] | None = None) -> Matches:
        """The k nearest rows of each query vector; see `VectorIndex.search`."""
        if query.space_id != self.space.id:
            raise EncoderMismatchError(
                f"a query in the feature space {query.space_id} cannot be looked up among vectors of "
                f"{self.space.id}"
            )
        n = len(query.vectors)
        ids, scores = np.zeros((n, 0), np.int64), np.zeros((n, 0), np.float32)
        for rows in self.blocks(where):
            cosines = np.asarray(query.vectors @ rows.vectors.T, np.float32)
            ids = np.concatenate([ids, np.broadcast_to(rows.ids, cosines.shape)], axis=1)
            scores = np.concatenate([scores, cosines], axis=1)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            ids, scores = np.take_along_axis(ids, best, 1), np.take_along_axis(scores, best, 1)
        return Matches(ids, scores)

    def blocks(self, where: Collection[int] | None = None) -> Iterator[Rows]:
        """All rows, or those of some media, a block at a time, each row once."""
        wanted = None if where is None else np.asarray(sorted(where), np.int64)
        for start in range(0, len(self.gallery), BLOCK):
            rows = self._rows(slice(start, start + BLOCK))
            if wanted is not None:
                inside = np.isin(rows.media_ids, wanted)
                rows = self._rows(np.arange(start, start + len(rows))[inside])
            if len(rows):
                yield rows

    def vectors(self, ids: Sequence[int]) -> Features:
        """``(len(ids), dim)`` rows of some shots, in the order asked; see `VectorIndex.vectors`."""
        order = np.argsort(self.gallery.shot_ids, kind="stable")
        known, wanted = self.gallery.shot_ids[order], np.asarray(ids, np.int64)
        missing = wanted[~np.isin(wanted, known)]
        if len(missing):
            raise KeyError(f"shot {missing[0]} is not in the index")
        at = np.searchsorted(known, wanted)
        found: Features = np.asarray(self.gallery.vectors[order[at]])
        return found

    def sample(self, n: int, seed: int = 0) -> Rows:
        """Rows drawn without replacement, in the order of the index."""
        rng = np.random.default_rng(seed)
        return self._rows(np.sort(rng.choice(len(self), min(n, len(self)), replace=False)))

    def _rows(self, at: slice | NDArray[np.int64]) -> Rows:
        gallery = self.gallery
        return Rows(
            np.asarray(gallery.shot_ids[at]),
            np.asarray(gallery.media_ids[at]),
            np.asarray(gallery.vectors[at]),
            None if gallery.rims is None else np.asarray(gallery.rims[at]),
        )
