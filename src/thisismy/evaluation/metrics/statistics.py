"""How sure a mean is: over seeds, over queries, and between two methods.

Two things vary. Seeds change what a method learned and which examples it saw; the papers give the standard
error of the mean over seeds. Queries are a sample of what could be asked; the bootstrap over queries says
how much the table would change with other questions, and it is the wider of the two. Between methods the
queries are the same, so differences are taken per query first (seeds averaged before), which removes what
makes a query easy or hard for everybody.

Values that are NaN belong to queries without an answer and are left out everywhere, by rows; with nothing
left every result is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
"""Bootstrap and permutation draws; the ends of a 95 % interval then move by about one part in forty of its
width."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """One method minus another, over the same queries.

    Attributes:
        mean: of the differences per query.
        interval: bootstrap over queries.
        p: two-sided probability of a difference this large when the sign of each is a coin toss (permutation
            test); 1 when there is nothing to compare.
        n: queries compared.
    """

    mean: float
    interval: Interval
    p: float
    n: int


def mean_and_error(values: ArrayLike) -> tuple[float, float]:
    """Mean and standard error of the mean (sample deviation over the root of n) of one value per seed.

    The error of a single value is 0, as the papers print for methods without randomness.
    """
    kept = _kept(values)
    if len(kept) == 0:
        return math.nan, math.nan
    error = float(kept.std(ddof=1)) / math.sqrt(len(kept)) if len(kept) > 1 else 0.0
    return float(kept.mean()), error


def bootstrap(values: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """95 % percentile interval of the mean of one value per query; same seed, same interval."""
    kept = _kept(values)
    if len(kept) == 0:
        return Interval(math.nan, math.nan)
    low, high = np.quantile(_resampled_means(kept, seed, resamples), [0.025, 0.975])
    return Interval(float(low), float(high))


def paired(first: ArrayLike, second: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> Difference:
    """Compare two methods on the same queries, one value per query each, in the same order.

    Raises:
        ValueError: the two have different numbers of queries.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"cannot pair values of shapes {one.shape} and {two.shape}")
    kept = _kept(one - two)
    if len(kept) == 0:
        return Difference(math.nan, Interval(math.nan, math.nan), 1.0, 0)
    return Difference(
        float(kept.mean()),
        bootstrap(kept, seed=seed, resamples=resamples),
        _sign_flip_p(kept, seed, resamples),
        len(kept),
    )


def _kept(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64).reshape(-1)
    return array[~np.isnan(array)]


def _resampled_means(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means: NDArray[np.float64] = values[draws].mean(axis=1)
    return means


def _sign_flip_p(differences: NDArray[np.float64], seed: int, resamples: int) -> float:
    signs = np.random.default_rng(seed).integers(0, 2, (resamples, len(differences))) * 2 - 1
    flipped = np.abs((signs * differences).mean(axis=1))
    # The observed signs are one of the possible draws, so p is never 0; the slack keeps sums that differ
    # only by rounding equal.
    reached = flipped >= abs(differences.mean()) - 1e-12
    return float((1 + reached.sum()) / (1 + resamples))
