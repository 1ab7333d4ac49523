"""Ranking, folding, frames: against what can be worked out by hand or by sorting everything."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thisismy.encoders.base import unit
from thisismy.retrieval.ranking import best_frame, pool_frames, rank
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
    assert [item.row for item in rank(scores, EYE[:4], 4, allowed=allowed, at_least=0.5)] == [1, 2]
    assert rank(scores, EYE[:4], 4, at_least=2.0) == []
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


def test_frames_are_pooled_by_shot() -> None:
    assert (
        pool_frames(gallery(), np.array([0.1, 0.7, 0.3], np.float32)).tolist()
        == np.float32([0.7, 0.3]).tolist()
    )
    assert best_frame(gallery(), 0, EYE[1]) == 2.0


def test_other_files_fold_only_as_copies() -> None:
    vectors = unit(np.stack([EYE[0], EYE[0] + 0.15 * EYE[1], EYE[0] + 0.15 * EYE[2], EYE[0]]))
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    hits = rank(scores, vectors, 4, fold_above=0.97, files=np.array([1, 1, 2, 2]))
    assert [(hit.row, hit.folded) for hit in hits] == [(0, (1, 3)), (2, ())]
