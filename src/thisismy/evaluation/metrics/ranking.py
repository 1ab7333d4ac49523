"""Measures of one ranked answer, exact where scores tie.

The definitions are those of the papers compared here (Yeh et al., appendix C; Cohen et al., section 6.1):
for a query whose gallery rows are ranked by falling score, with ``R`` relevant rows,

- ``map``: average precision, the mean over the relevant rows of the precision at their rank;
- ``mrr``: one over the rank of the first relevant row;
- ``r@k``: whether any relevant row is among the first k (hit rate);
- ``p@k``: the share of the first k that is relevant; k places count even when the gallery has fewer;
- ``tr@k``: true recall, the share of all relevant rows that is among the first k (Korbar, thesis, section
  5.4).

**Ties.** Rows with equal scores have no order. Every value here is the expected value over all orders of
the tied rows, each equally likely, computed in closed form; nothing depends on the order in which the
gallery happens to be stored, and a method that gives every row the same score gets what a random ranking
gets.

**Nothing relevant.** A query without relevant rows has no value: every measure is NaN, and means leave it
out. A relevant item that is not in the gallery at all (a target no shot of the index covers) is counted in
``missing``: it belongs to ``R`` and is never found. An empty gallery with something missing therefore
scores 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class TieGroup:
    """Rows of one score: how many rows and relevant rows stand above it, how many it has itself."""

    above: int
    relevant_above: int
    size: int
    relevant: int


@dataclass(frozen=True)
class Ranking:
    """A gallery ranked for one query.

    Attributes:
        groups: from the highest score down, each with at least one row.
        n_relevant: all relevant items, those missing from the gallery included.
    """

    groups: tuple[TieGroup, ...]
    n_relevant: int


def rank(scores: ArrayLike, relevant: ArrayLike, *, missing: int = 0) -> Ranking:
    """Rank a gallery.

    Args:
        scores: ``(n,)`` numbers, higher is better; infinities are allowed.
        relevant: ``(n,)`` booleans.
        missing: relevant items the gallery does not hold; raising it lowers ``map`` and ``tr@k``.

    Raises:
        ValueError: the shapes differ, a score is NaN, or ``missing`` is negative.
    """
    values = np.asarray(scores, dtype=np.float64)
    flags = np.asarray(relevant, dtype=bool)
    if values.ndim != 1 or values.shape != flags.shape:
        raise ValueError(f"scores of shape {values.shape} do not fit relevance of shape {flags.shape}")
    if np.isnan(values).any():
        raise ValueError("a score is not a number")
    if missing < 0:
        raise ValueError(f"missing counts items and cannot be {missing}")
    # -inf and inf sort like any other value; negating keeps equal scores equal.
    _, place = np.unique(-values, return_inverse=True)
    sizes = np.bincount(place)
    hits = np.bincount(place, weights=flags).astype(int)
    above = np.concatenate([[0], np.cumsum(sizes)])
    hits_above = np.concatenate([[0], np.cumsum(hits)])
    groups = tuple(
        TieGroup(int(above[g]), int(hits_above[g]), int(sizes[g]), int(hits[g])) for g in range(len(sizes))
    )
    return Ranking(groups, int(flags.sum()) + missing)


def average_precision(ranking: Ranking) -> float:
    """``map`` of one query, 0 to 1.

    A relevant row at place j of a tie group of size n with r relevant rows has, on average,
    (j-1)(r-1)/(n-1) other relevant rows of its group before it, and each place holds a relevant row with
    probability r/n.
    """
    if ranking.n_relevant == 0:
        return float("nan")
    total = 0.0
    for group in ranking.groups:
        if not group.relevant:
            continue
        places = np.arange(1, group.size + 1)
        others = (places - 1) * (group.relevant - 1) / max(group.size - 1, 1)
        precision = (group.relevant_above + 1 + others) / (group.above + places)
        total += group.relevant / group.size * float(precision.sum())
    return total / ranking.n_relevant


def reciprocal_rank(ranking: Ranking) -> float:
    """``mrr`` of one query, 0 to 1; 0 when no relevant row is in the gallery."""
    if ranking.n_relevant == 0:
        return float("nan")
    for group in ranking.groups:
        if group.relevant:
            places = np.arange(1, group.size + 1)
            return float((_first_at(group) / (group.above + places)).sum())
    return 0.0


def hit_rate(ranking: Ranking, k: int) -> float:
    """``r@k`` of one query: the probability that a relevant row is among the first k."""
    _check(k)
    if ranking.n_relevant == 0:
        return float("nan")
    for group in ranking.groups:
        if group.relevant:
            reached = max(0, min(k - group.above, group.size))
            return float(_first_at(group)[:reached].sum())
    return 0.0


def precision(ranking: Ranking, k: int) -> float:
    """``p@k`` of one query: relevant rows among the first k, over k."""
    _check(k)
    return float("nan") if ranking.n_relevant == 0 else _found(ranking, k) / k


def true_recall(ranking: Ranking, k: int) -> float:
    """``tr@k`` of one query: relevant rows among the first k, over all relevant items; at most k/R."""
    _check(k)
    return float("nan") if ranking.n_relevant == 0 else _found(ranking, k) / ranking.n_relevant


def metric(name: str) -> Callable[[Ranking], float]:
    """The measure of a name: ``map``, ``mrr``, ``r@5``, ``p@5``, ``tr@5``; the ``@`` may be left out.

    Raises:
        ValueError: no such measure.
    """
    plain = {"map": average_precision, "mrr": reciprocal_rank}
    at_k = {"r": hit_rate, "p": precision, "tr": true_recall}
    if name in plain:
        return plain[name]
    match = re.fullmatch(r"(r|p|tr)@?([1-9][0-9]*)", name)
    if match is None:
        raise ValueError(f"no metric {name!r}; there are map, mrr, r@K, p@K and tr@K, such as r@5")
    function, k = at_k[match[1]], int(match[2])
    return lambda ranking: function(ranking, k)


def _first_at(group: TieGroup) -> NDArray[np.float64]:
    """Probability that the first relevant row of a group stands at each of its places, ``(size,)``."""
    places = np.arange(group.size)
    none_yet = np.clip((group.size - group.relevant - places) / (group.size - places), 0.0, 1.0)
    still = np.concatenate([[1.0], np.cumprod(none_yet)])
    return -np.diff(still)


def _found(ranking: Ranking, k: int) -> float:
    """Expected number of relevant rows among the first k."""
    reached = ((g, max(0, min(k - g.above, g.size))) for g in ranking.groups)
    return sum(g.relevant * places / g.size for g, places in reached)


def _check(k: int) -> None:
    if k < 1:
        raise ValueError(f"a cut-off is at least 1, not {k}")
