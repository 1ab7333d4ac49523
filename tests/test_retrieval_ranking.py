"""Ranking, folding, frames: against what can be worked out by hand or by sorting everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thisismy.encoders.base import unit
from thisismy.encoders.space import Block, FeatureSpace
from thisismy.personalization.scorers import Contributions, Scorer
from thisismy.retrieval.options import SearchOptions
from thisismy.retrieval.pooling import frames_of, score_shots
from thisismy.retrieval.ranking import hits_and_misses, rank
from thisismy.store.vector_index.gallery import Gallery

EYE = np.eye(6, dtype=np.float32)


@given(arrays(np.float32, 50, elements=st.floats(-1, 1, width=16)), st.integers(1, 60))
def test_rank_is_a_stable_sort(scores: np.ndarray, k: int) -> None:
    vectors = np.zeros((50, 2), np.float32)
    expected = sorted(range(50), key=lambda row: (-scores[row], row))[:k]
    assert [item.row for item in rank(scores, vectors, k)] == expected


def test_cut_off_and_allowed_rows() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.1], np.float32)
    allowed = np.array([False, True, True, True])
    assert [item.row for item in rank(scores, EYE[:4], 4, allowed=allowed & (scores >= 0.5))] == [1, 2]
    assert rank(scores, EYE[:4], 4, allowed=np.zeros(4, bool)) == []
    assert rank(np.zeros(0, np.float32), EYE[:0], 3) == []


def test_near_duplicates_fold_into_the_better_one() -> None:
    vectors = unit(np.stack([EYE[0], EYE[0] + 0.01 * EYE[1], EYE[2], EYE[0] + 0.02 * EYE[3]]))
    scores = np.array([0.5, 0.9, 0.3, 0.8], np.float32)
    hits = rank(scores, vectors, 2, fold_above=0.99)
    assert [(hit.row, hit.folded) for hit in hits] == [(1, (3, 0)), (2, ())]


def test_folding_still_fills_k() -> None:
    vectors = np.concatenate([np.repeat(EYE[:1], 200, axis=0), EYE[1:4]])
    scores = np.linspace(1, 0, 203).astype(np.float32)
    hits = rank(scores, vectors, 3, fold_above=0.99)
    assert [hit.row for hit in hits] == [0, 200, 201]
    assert len(hits[0].folded) == 199


def gallery() -> Gallery:
    return Gallery(
        encoder_id="e",
        vectors=EYE[:2],
        shot_ids=np.array([1, 2]),
        media_ids=np.array([1, 1]),
        starts=np.array([0.0, 4.0]),
        ends=np.array([4.0, 6.0]),
        frame_vectors=EYE[[0, 1, 2]],
        frame_times=np.array([1.0, 2.0, 5.0]),
        first_frame=np.array([0, 2, 3]),
    )


class Sum(Scorer):
    """The sum of a row's numbers, each weighted by its place."""

    def score(self, block: Block) -> Contributions:
        total = block.frame @ np.arange(6, dtype=np.float32)
        return Contributions(-total, total, total)


def test_frames_are_pooled_by_shot() -> None:
    scorer = Sum(space=FeatureSpace("e", 6), probes=EYE[:1])
    assert score_shots(scorer, gallery(), "mean").total.tolist() == [0, 1]
    best = score_shots(scorer, gallery(), "max")
    assert (best.total.tolist(), best.instance.tolist()) == ([1, 2], [0, -2])
    for pooling in ("mean", "max"):
        second = score_shots(scorer, gallery(), pooling, np.array([1]))
        whole = score_shots(scorer, gallery(), pooling)
        assert second.total.tolist() == [-np.inf, whole.total[1]]
        nothing = score_shots(scorer, gallery(), pooling, np.array([], np.int64))
        assert nothing.total.tolist() == [-np.inf, -np.inf]
    frames, begins = frames_of(gallery(), np.array([1, 0]))
    assert (frames.tolist(), begins.tolist()) == ([2, 0, 1], [0, 1])


def test_misses_show_nothing_that_a_hit_shows() -> None:
    vectors = unit(np.stack([EYE[0], EYE[0] + 0.01 * EYE[1], EYE[2], EYE[2] + 0.01 * EYE[3], EYE[4]]))
    five = replace(gallery(), vectors=vectors, media_ids=np.ones(5, int), shot_ids=np.arange(5))
    scores = np.array([0.9, 0.95, 0.3, 0.4, 0.2], np.float32)
    passing = np.array([True, False, False, False, False])
    options = SearchOptions(k=3, misses=3)
    everything = np.ones(5, bool)
    found = hits_and_misses(scores, five, options, passing=passing, scored=everything, fold_above=0.99)
    assert [[(one.row, one.folded) for one in part] for part in found] == [[(0, ())], [(3, (2,)), (4, ())]]
    some = np.array([True, True, False, True, False])
    _, misses = hits_and_misses(scores, five, options, passing=passing, scored=some, fold_above=None)
    assert [one.row for one in misses] == [1, 3]
    none = hits_and_misses(
        scores, five, replace(options, misses=0), passing=passing, scored=everything, fold_above=None
    )
    assert none[1] == []


def test_other_files_fold_only_as_copies() -> None:
    vectors = unit(np.stack([EYE[0], EYE[0] + 0.15 * EYE[1], EYE[0] + 0.15 * EYE[2], EYE[0]]))
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    hits = rank(scores, vectors, 4, fold_above=0.97, files=np.array([1, 1, 2, 2]))
    assert [(hit.row, hit.folded) for hit in hits] == [(0, (1, 3)), (2, ())]
