"""The cut-off: what a cosine means, and saying "nothing found"."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.errors import EncoderMismatchError
from thisismy.encoders.base import unit
from thisismy.encoders.space import FeatureSpace
from thisismy.personalization import NamedInstance, make_method
from thisismy.retrieval.named import find_named
from thisismy.retrieval.names import NamedQuery
from thisismy.retrieval.null_scores import LEVELS, WORDS, NullScores, measure_null_scores
from thisismy.retrieval.options import SearchOptions
from thisismy.retrieval.search import Query, find
from thisismy.store.vector_index.gallery import Gallery
from thisismy.store.vector_index.memory import MemoryIndex


def indexed(gallery: Gallery) -> MemoryIndex:
    return MemoryIndex(FeatureSpace(gallery.encoder_id, gallery.vectors.shape[1]), gallery, "1")


def gallery_of(rows: np.ndarray) -> Gallery:
    n = len(rows)
    return Gallery(
        encoder_id="fake-colours",
        vectors=unit(rows),
        shot_ids=np.arange(n),
        media_ids=np.arange(n),
        starts=np.zeros(n),
        ends=np.ones(n),
        frame_vectors=unit(rows),
        frame_times=np.arange(n) + 0.5,
        first_frame=np.arange(n + 1),
    )


RED_AND_GREEN = gallery_of(np.array([[1, 0, 0, 0.1], [0.8, 0.1, 0, 0.1], [0, 1, 0, 0.1]]))
NULL_SCORES = NullScores(text=LEVELS - 0.5, image=None)


def test_only_what_beats_unrelated_pairs_is_a_hit() -> None:
    found = find(
        Query("red"), RED_AND_GREEN, FakeEncoder(), NULL_SCORES, SearchOptions(cutoff=0.9, fold=False)
    )
    assert [hit.row for hit in found.hits] == [0, 1]
    assert found.nearest == []
    assert all(hit.relevance == 1.0 for hit in found.hits)


def test_nothing_found_shows_the_nearest_misses() -> None:
    found = find(
        Query("blue"), RED_AND_GREEN, FakeEncoder(), NULL_SCORES, SearchOptions(cutoff=0.9, fold=False)
    )
    assert found.hits == []
    assert len(found.nearest) == 3


def test_the_best_frame_of_a_shot_is_told() -> None:
    shots = Gallery(
        **{
            **RED_AND_GREEN.__dict__,
            "vectors": unit(np.array([[1, 1, 0, 0.2]])),
            "shot_ids": np.array([7]),
            "media_ids": np.array([1]),
            "first_frame": np.array([0, 3]),
        }
    )
    green = find(
        Query("green"), shots, FakeEncoder(), NULL_SCORES, SearchOptions(cutoff=0, pooling="max")
    ).hits[0]
    assert green.best_time == 2.5
    assert green.score == pytest.approx(
        float(shots.frame_vectors[2] @ FakeEncoder().encode_texts(["green"])[0]), abs=1e-6
    )


def test_relevance_is_the_share_of_unrelated_pairs_below() -> None:
    rng = np.random.default_rng(0)
    gallery = gallery_of(rng.normal(size=(300, 32)))
    words = unit(rng.normal(size=(len(WORDS), 32)))
    null = measure_null_scores(indexed(gallery), words)
    cosines = (words @ gallery.vectors.T).ravel()
    for relevance in (0.5, 0.9, 0.95, 0.99):
        assert np.mean(cosines < null.cosine(relevance, "text")) == pytest.approx(relevance, abs=0.002)
    assert null.relevance(np.float32([-1, 1]), "text").tolist() == [0.0, 1.0]
    middle, spread = null.spread("image")
    assert middle == pytest.approx(0, abs=0.01)
    assert spread == pytest.approx(1 / np.sqrt(32), rel=0.1)


def test_a_library_of_one_file_has_no_null_scores_of_pictures() -> None:
    one = gallery_of(np.ones((1, 8)))
    null = measure_null_scores(indexed(one), unit(np.random.default_rng(0).normal(size=(20, 8))))
    assert null.image is None
    assert null.cosine(0.99, "image") == -np.inf


def test_a_query_of_another_encoder_is_refused_with_both_names() -> None:
    other = FakeEncoder()
    other.id = "fake-2"
    options = SearchOptions(cutoff=0)
    with pytest.raises(EncoderMismatchError, match=r"'fake-2' .* 'fake-colours'"):
        find(Query("red"), RED_AND_GREEN, other, NULL_SCORES, options)
    ball = NamedInstance("my ball", "red", RED_AND_GREEN.vectors[:1])
    vocabulary = make_method("visual").fit([ball], RED_AND_GREEN.vectors[2:], other)
    read = NamedQuery("my ball", ("my ball",), "*", ("*",), "")
    with pytest.raises(EncoderMismatchError, match=r"'fake-2' .* 'fake-colours'"):
        find_named(read, RED_AND_GREEN, vocabulary, options, None)
    wide = FakeEncoder()
    wide.embed_dim = 5
    with pytest.raises(EncoderMismatchError, match=r"'fake-colours' have 5 numbers, those of the gallery 4"):
        find(Query("red"), RED_AND_GREEN, wide, NULL_SCORES, options)


def test_a_broken_vector_spoils_no_search() -> None:
    rows = np.array([[1, 0, 0, 0.1], [np.nan, 0.1, 0, 0.1], [0, 1, 0, 0.1]])
    gallery = gallery_of(rows)
    null = measure_null_scores(indexed(gallery), unit(np.random.default_rng(0).normal(size=(20, 4))))
    assert np.isfinite(null.text).all()
    found = find(Query("red"), gallery, FakeEncoder(), null, SearchOptions(cutoff=0, fold=False))
    assert 1 not in [hit.row for hit in found.hits]
    assert found.hits[0].row == 0
