from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.evaluation.metrics.statistics import bootstrap, mean_and_error, paired


def test_mean_and_standard_error_by_hand():
    # Deviations -1, 0, 1: sample variance 1, so the error of the mean is 1 / sqrt(3).
    assert mean_and_error([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert mean_and_error([4.0]) == (4.0, 0.0)


def test_bootstrap_agrees_with_scipy():
    scipy_stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).random(40)
    ours = bootstrap(values, seed=3)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(4)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.005)


def test_bootstrap_against_every_resample_of_two_values():
    # Means 0, 1/2, 1/2, 1 with equal chance: both ends of the 95 % interval are the extremes.
    interval = bootstrap([0.0, 1.0])
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).random(20)
    assert bootstrap(values, seed=1) == bootstrap(values, seed=1)


def test_paired_removes_what_is_common_to_both():
    difficulty = np.random.default_rng(2).random(30)
    difference = paired(difficulty + 0.1, difficulty)
    assert difference.mean == pytest.approx(0.1)
    assert difference.interval.low == pytest.approx(0.1)
    assert difference.p < 0.001
    assert difference.n == 30


def test_permutation_p_by_hand():
    # Three equal differences: only +++ and --- of eight sign patterns reach the observed mean.
    assert paired([1, 1, 1], [0, 0, 0]).p == pytest.approx(2 / 8, abs=0.02)
    assert paired([1, 2], [1, 2]).p == 1.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_intervals_hold_the_mean_and_swap_sign(values):
    zeros = np.zeros(len(values))
    there, back = paired(values, zeros, resamples=500), paired(zeros, values, resamples=500)
    assert there.mean == pytest.approx(-back.mean)
    assert min(values) - 1e-9 <= there.interval.low <= there.interval.high <= max(values) + 1e-9
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert 0 < there.p <= 1


def test_empty_input_and_queries_without_a_value():
    assert all(math.isnan(v) for v in mean_and_error([]))
    assert math.isnan(bootstrap([]).low)
    assert paired([], []).n == 0
    nan = float("nan")
    assert mean_and_error([1.0, nan, 3.0])[0] == 2.0
    assert paired([1.0, nan], [0.0, 1.0]).n == 1
    with pytest.raises(ValueError, match="cannot pair"):
        paired([1.0], [1.0, 2.0])
