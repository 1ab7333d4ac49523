from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.evaluation.metrics.ranking import (
    average_precision,
    hit_rate,
    metric,
    precision,
    rank,
    reciprocal_rank,
    true_recall,
)

NAMES = ["map", "mrr", "r@1", "r@3", "p@1", "p@3", "tr@3"]


def naive(name: str, relevance: list[bool], missing: int) -> float:
    """A measure of one strict order, straight from its definition."""
    wanted = sum(relevance) + missing
    ranks = [i + 1 for i, yes in enumerate(relevance) if yes]
    if name == "map":
        return sum(sum(relevance[:r]) / r for r in ranks) / wanted
    if name == "mrr":
        return 1 / ranks[0] if ranks else 0.0
    kind, k = name.split("@")
    top = relevance[: int(k)]
    return {"r": float(any(top)), "p": sum(top) / int(k), "tr": sum(top) / wanted}[kind]


def over_all_orders(name: str, scores: list[int], relevant: list[bool], missing: int) -> float:
    values = []
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order)):
            values.append(naive(name, [relevant[i] for i in order], missing))
    return math.fsum(values) / len(values)


def test_a_ranking_solved_by_hand():
    # Ranks 1..5: no, yes, no, yes, yes.
    ranking = rank([0.9, 0.8, 0.7, 0.6, 0.5], [0, 1, 0, 1, 1])
    assert average_precision(ranking) == pytest.approx((1 / 2 + 2 / 4 + 3 / 5) / 3)
    assert reciprocal_rank(ranking) == 0.5
    assert (hit_rate(ranking, 1), hit_rate(ranking, 2)) == (0.0, 1.0)
    assert precision(ranking, 4) == 0.5
    assert true_recall(ranking, 4) == pytest.approx(2 / 3)


def test_a_tie_solved_by_hand():
    # One row above, then three tied rows of which one is relevant: rank 2, 3 or 4 with equal chance.
    ranking = rank([2, 1, 1, 1, 0], [0, 1, 0, 0, 0])
    expected = (1 / 2 + 1 / 3 + 1 / 4) / 3
    assert reciprocal_rank(ranking) == pytest.approx(expected)
    assert average_precision(ranking) == pytest.approx(expected)
    assert hit_rate(ranking, 3) == pytest.approx(2 / 3)
    assert precision(ranking, 3) == pytest.approx(2 / 9)


def test_the_order_of_the_gallery_does_not_matter():
    scores, relevant = np.array([1, 1, 0, 1, 0, 2.0]), np.array([1, 0, 1, 0, 0, 0], bool)
    for order in itertools.permutations(range(6)):
        shuffled = rank(scores[list(order)], relevant[list(order)])
        assert shuffled == rank(scores, relevant)


def test_everything_tied_is_a_random_ranking():
    # One relevant of n: E[1/rank] is the n-th harmonic number over n.
    n = 221
    ranking = rank(np.zeros(n), np.arange(n) == 17)
    assert 100 * reciprocal_rank(ranking) == pytest.approx(2.70, abs=0.005)
    assert 100 * hit_rate(ranking, 5) == pytest.approx(2.26, abs=0.005)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    st.integers(0, 2),
    st.sampled_from(NAMES),
)
def test_expected_value_over_all_tie_orders(rows, missing, name):
    scores, relevant = [s for s, _ in rows], [r for _, r in rows]
    value = metric(name)(rank(scores, relevant, missing=missing))
    if sum(relevant) + missing == 0:
        assert math.isnan(value)
    else:
        assert value == pytest.approx(over_all_orders(name, scores, relevant, missing))


def test_agrees_with_ranx_and_scikit_learn_without_ties():
    ranx = pytest.importorskip("ranx")
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(5)
    ours: dict[str, list[float]] = {name: [] for name in NAMES}
    qrels, run = {}, {}
    for query in range(20):
        scores, relevant = rng.permutation(40) / 40.0, rng.random(40) < 0.15
        relevant[rng.integers(40)] = True
        ranking = rank(scores, relevant)
        for name in NAMES:
            ours[name].append(metric(name)(ranking))
        assert average_precision(ranking) == pytest.approx(average_precision_score(relevant, scores))
        qrels[f"q{query}"] = {f"d{i}": 1 for i in np.flatnonzero(relevant)}
        run[f"q{query}"] = {f"d{i}": float(s) for i, s in enumerate(scores)}
    theirs = ranx.evaluate(
        ranx.Qrels(qrels),
        ranx.Run(run),
        ["map", "mrr", "hit_rate@1", "hit_rate@3", "precision@1", "precision@3", "recall@3"],
    )
    assert [float(np.mean(ours[name])) for name in NAMES] == pytest.approx(list(theirs.values()))


def test_empty_and_degenerate_rankings():
    for name in NAMES:
        assert math.isnan(metric(name)(rank([], [])))
        assert math.isnan(metric(name)(rank([1.0, 2.0], [False, False])))
        assert metric(name)(rank([], [], missing=1)) == 0.0
    one = rank([3.0], [True])
    assert [metric(n)(one) for n in ("map", "mrr", "r@5", "tr@5", "p@5")] == [1, 1, 1, 1, 0.2]
    assert reciprocal_rank(rank([-np.inf, np.inf], [True, False])) == 0.5


def test_what_is_missing_counts_as_never_found():
    ranking = rank([2.0, 1.0], [True, False], missing=3)
    assert average_precision(ranking) == 0.25
    assert true_recall(ranking, 2) == 0.25
    assert reciprocal_rank(ranking) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank([1.0, float("nan")], [True, False]), "not a number"),
        (lambda: rank([1.0], [True, False]), "do not fit"),
        (lambda: rank([1.0], [True], missing=-1), "cannot be -1"),
        (lambda: hit_rate(rank([1.0], [True]), 0), "at least 1, not 0"),
        (lambda: metric("ndcg"), "no metric 'ndcg'"),
        (lambda: metric("r@0"), "no metric 'r@0'"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
