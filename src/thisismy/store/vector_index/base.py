"""What any index of vectors does, wherever its rows are kept.

An index holds the vectors of one feature space and one kind of region, pooled to one row per shot. Exact
search is what every implementation is measured against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from thisismy.encoders.space import Block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thisismy.encoders.base import Features
    from thisismy.encoders.space import FeatureSpace


@dataclass(frozen=True)
class Query:
    """Unit vectors to search for, ``(n, dim)``, with the id of the space they are in."""

    space_id: str
    vectors: Features


@dataclass(frozen=True)
class Matches:
    """The nearest rows of each query, best first.

    Attributes:
        ids: shots, ``(n_queries, k)``; fewer than k columns where there are fewer rows.
        scores: cosines, ``(n_queries, k)``.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """Some rows of an index.

    Attributes:
        ids: shots, ``(n,)``.
        media_ids: whose shots they are, ``(n,)``.
        vectors: ``(n, dim)`` unit rows.
        rims: ``(n, dim)`` unit rows of the rims of frames; None where they are not told apart.
    """

    ids: NDArray[np.int64]
    media_ids: NDArray[np.int64]
    vectors: Features
    rims: Features | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def block(self) -> Block:
        """The rows as a scorer takes them."""
        return Block(self.vectors, self.rims)


class VectorIndex(Protocol):
    """The vectors of one feature space and one kind of region; frames come with their rims.

    Attributes:
        space: what its vectors may be compared with.
        kind: the kind of region, such as "frame".
        version: becomes another one whenever the rows change.
    """

    space: FeatureSpace
    kind: str
    version: str

    def __len__(self) -> int:
        """Rows."""
        ...

    def search(self, query: Query, k: int, where: Collection[int] | None = None) -> Matches:
        """The k nearest rows of each query vector.

        Args:
            query: of this index's space.
            k: rows wanted, 1 or more.
            where: only shots of these media; None for all.

        Raises:
            EncoderMismatchError: the query is of another space.
        """
        ...

    def blocks(self, where: Collection[int] | None = None) -> Iterator[Rows]:
        """All rows, or those of some media, a block at a time, each row once."""
        ...

    def vectors(self, ids: Sequence[int]) -> Features:
        """``(len(ids), dim)`` rows of some shots, in the order asked.

        Raises:
            KeyError: a shot is not in the index.
        """
        ...

    def sample(self, n: int, seed: int = 0) -> Rows:
        """N rows drawn without replacement, all where there are fewer; same seed, same rows."""
        ...
