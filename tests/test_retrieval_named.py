"""Searches by name: the quick look leaves out nothing that may be a hit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from fakes import FakeEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from test_retrieval_search import gallery_of

from thisismy.encoders.base import unit
from thisismy.encoders.space import Block
from thisismy.personalization import NamedInstance, make_method
from thisismy.personalization.base import Vocabulary
from thisismy.personalization.methods.prototype_context import (
    PrototypeContextScorer,
    PrototypeContextVocabulary,
)
from thisismy.personalization.scorers import Contributions
from thisismy.retrieval import named, pooling
from thisismy.retrieval.hits import SearchHits
from thisismy.retrieval.named import find_named
from thisismy.retrieval.names import NamedQuery, read_query
from thisismy.retrieval.options import SearchOptions

BALL = "my ball"


class SlowScorer(PrototypeContextScorer):
    """The default without its quick look."""

    def score_bound(self, block: Block) -> None:
        return None


class Slow(PrototypeContextVocabulary):
    """The default without its quick look."""

    def compile(self, prompt: str, name: str) -> SlowScorer:
        return SlowScorer(**vars(super().compile(prompt, name)))


def asked(text: str) -> NamedQuery:
    return read_query(text, [(BALL, BALL)])


def learned(rows: np.ndarray) -> Vocabulary:
    ball = NamedInstance(BALL, "ball", unit(np.float32([[1, 0.1, 0, 0.1], [0.9, 0.2, 0, 0.1]])))
    return make_method("default", {"surroundings": False}).fit([ball], rows[:50], FakeEncoder())


def slowly(vocabulary: Vocabulary) -> Slow:
    return Slow(**{field.name: getattr(vocabulary, field.name) for field in fields(vocabulary)})


def same(one: SearchHits, other: SearchHits) -> bool:
    return [(h.row, h.folded) for h in one.hits] == [(h.row, h.folded) for h in other.hits] and np.allclose(
        [h.score for h in one.hits], [h.score for h in other.hits], atol=1e-5
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([f"{BALL} green", BALL]))
def test_the_quick_look_changes_no_hit(seed: int, text: str) -> None:
    rng = np.random.default_rng(seed)
    rows = unit(np.abs(rng.normal(size=(400, 4))).astype(np.float32))
    vocabulary, options = learned(rows), SearchOptions(k=20, fold=False)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(named, "NEAREST", 10)
        patch.setattr(pooling, "FEW", 0)
        quick = find_named(asked(text), gallery_of(rows), vocabulary, options, None)
        slow = find_named(asked(text), gallery_of(rows), slowly(vocabulary), options, None)
    assert same(quick, slow)


def test_most_rows_are_not_scored_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = unit(rng.uniform(0.5, 1.5, (5000, 4)).astype(np.float32) * np.float32([0.05, 0.05, 1, 1]))
    seen: list[int] = []
    score = PrototypeContextScorer.score

    def counted(self: PrototypeContextScorer, block: Block) -> Contributions:
        seen.append(len(block))
        return score(self, block)

    monkeypatch.setattr(PrototypeContextScorer, "score", counted)
    monkeypatch.setattr(named, "NEAREST", 100)
    monkeypatch.setattr(named, "SAMPLE", 100)
    found = find_named(
        asked(f"{BALL} green"), gallery_of(rows), learned(rows), SearchOptions(fold=False), None
    )
    assert found.hits == []
    assert len(found.nearest) == 5
    assert max(seen) < 200


def test_the_nearest_misses_are_among_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = unit(rng.uniform(0.5, 1.5, (500, 4)).astype(np.float32) * np.float32([0.05, 0.05, 1, 1]))
    allowed = np.zeros(500, bool)
    allowed[np.argsort(rows[:, 0])[:3]] = True  # those least like it
    monkeypatch.setattr(named, "NEAREST", 10)
    monkeypatch.setattr(pooling, "FEW", 0)
    found = find_named(
        asked(BALL), gallery_of(rows), learned(rows), SearchOptions(fold=False), None, allowed.copy()
    )
    assert found.hits == []
    assert {hit.row for hit in found.nearest} == set(np.flatnonzero(allowed))


def test_two_names_are_looked_for_everywhere() -> None:
    rows = unit(np.abs(np.random.default_rng(1).normal(size=(60, 4))).astype(np.float32))
    first = NamedInstance(BALL, "ball", unit(np.float32([[1, 0.1, 0, 0.1]])))
    second = replace(first, name="my hat", examples=unit(np.float32([[0.1, 1, 0, 0.1]])))
    vocabulary = make_method("default", {"surroundings": False}).fit([first, second], rows, FakeEncoder())
    read = read_query("my ball my hat", [(BALL, BALL), ("my hat", "my hat")])
    options = SearchOptions(k=5, fold=False)
    assert same(
        find_named(read, gallery_of(rows), vocabulary, options, None),
        find_named(read, gallery_of(rows), slowly(vocabulary), options, None),
    )
