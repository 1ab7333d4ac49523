"""How hits are chosen: the one place where it is spelled and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from thisismy.core.errors import QueryError

MAX_HITS = 10_000
"""Most hits of one search; more is a list of the library rather than an answer."""

NEAREST_MISSES = 5
"""Nearest misses shown where nothing is good enough, whether they were asked for or not."""

POOLINGS: Mapping[str, str] = MappingProxyType({"shot": "mean", "frame": "max"})
"""What a person scores by (the shot as a whole, or its best frame) -> how its frames are pooled."""


@dataclass(frozen=True)
class SearchOptions:
    """How hits are chosen.

    Attributes:
        k: hits wanted, 1 to `MAX_HITS`.
        pooling: "mean" scores the mean of a shot's frames, "max" its best frame (finds what is seen briefly).
        cutoff: share of unrelated pairs a hit must beat, 0 to 1; raising it gives fewer, surer hits, 0 all.
        fold: whether near-duplicates are folded into the better hit.
        misses: nearest misses wanted as well, 0 to `MAX_HITS`: the best shots below the cut-off. Where there
            are not hits, at least `NEAREST_MISSES` are given.
    """

    k: int = 20
    pooling: str = "mean"
    cutoff: float = 0.95
    fold: bool = True
    misses: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAX_HITS:
            raise QueryError(f"a search gives 1 to {MAX_HITS:,} hits, not {self.k}")
        if self.pooling not in POOLINGS.values():
            raise QueryError(f"frames are pooled by 'mean' or 'max', not {self.pooling!r}")
        if not 0 <= self.cutoff <= 1:
            raise QueryError(f"the cut-off is a share from 0 to 1, not {self.cutoff}")
        if not 0 <= self.misses <= MAX_HITS:
            raise QueryError(f"a search gives 0 to {MAX_HITS:,} nearest misses, not {self.misses}")

    def misses_beside(self, hits: int) -> int:
        """How many nearest misses are shown beside a number of hits."""
        return self.misses if hits else max(self.misses, min(self.k, NEAREST_MISSES))


DEFAULT_OPTIONS = SearchOptions()


def pooling_of(by: str) -> str:
    """How frames are pooled for what a person scores by.

    Raises:
        QueryError: it is neither "shot" nor "frame".
    """
    try:
        return POOLINGS[by]
    except KeyError:
        raise QueryError(
            f"shots are scored by 'shot' (the mean of their frames) or 'frame' (the best one), not {by!r}"
        ) from None
