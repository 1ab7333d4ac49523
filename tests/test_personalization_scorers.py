"""A query compiled: several instances together, the rim of a picture, and rows that cannot be scored."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import unit
from thisismy.encoders.space import Block
from thisismy.personalization import GENERIC_PROMPT, METHODS, NamedInstance, Vocabulary, join_scorers
from thisismy.personalization.registry import DEFAULT

BALL = NamedInstance("my ball", "red", unit(np.float32([[1, 0, 0, 0.1], [0.9, 0.1, 0, 0.1]])))
HAT = NamedInstance("my hat", "green", unit(np.float32([[0, 1, 0, 0.1]])))
ROWS = unit(np.float32([[1, 0, 0, 0.1], [0, 1, 0, 0.1], [0.7, 0.7, 0, 0.1], [0, 0, 1, 0.1]]))


def learned(method: str = DEFAULT, encoder: FakeEncoder | None = None) -> Vocabulary:
    return METHODS[method]().fit([BALL, HAT], ROWS[3:], encoder or FakeEncoder())


@pytest.mark.parametrize("method", [DEFAULT, "product", "meta-tokens"])
def test_instances_asked_for_together_must_all_be_there(method: str) -> None:
    vocabulary = learned(method)
    alone = [vocabulary.compile(GENERIC_PROMPT, name) for name in ("my ball", "my hat")]
    together = join_scorers(alone).score(Block(ROWS))
    assert together.total.argmax() == 2
    shifts = [one.threshold if np.isfinite(one.threshold) else 0.0 for one in alone]
    parts = [one.score(Block(ROWS)).total - shift for one, shift in zip(alone, shifts, strict=True)]
    np.testing.assert_allclose(together.total, np.minimum(*parts), atol=1e-6)


def test_what_is_joined_has_bounds_and_probabilities_where_all_have() -> None:
    vocabulary, block = learned(), Block(ROWS)
    both = join_scorers([vocabulary.compile("*", name) for name in ("my ball", "my hat")])
    bound, probability = both.score_bound(block), both.probability(block)
    assert bound is not None
    assert probability is not None
    assert (bound >= both.score(block).instance - 1e-6).all()
    ball = vocabulary.compile("*", "my ball").probability(block)
    assert ball is not None
    assert (probability <= ball).all()
    plain = learned("product").compile("*", "my hat")
    mixed = join_scorers([vocabulary.compile("*", "my ball"), plain])
    assert mixed.score_bound(block) is None
    assert mixed.probability(block) is None


def test_one_scorer_is_itself_and_none_is_refused() -> None:
    one = learned().compile("*", "my ball")
    assert join_scorers([one]) is one
    with pytest.raises(VocabularyError, match="at least one instance"):
        join_scorers([])
    other = FakeEncoder()
    other.id = "fake-2"
    with pytest.raises(VocabularyError, match="'fake-colours' and in 'fake-2'"):
        join_scorers([one, learned(encoder=other).compile("*", "my hat")])


def test_the_context_is_looked_for_in_the_rim_of_a_block_that_has_one() -> None:
    scorer = learned().compile("* in front of blue", "my ball")
    frames = np.repeat(ROWS[:1], 2, axis=0)
    found = scorer.score(Block(frames, rim=unit(np.float32([[0, 1, 0, 0.1], [0, 0, 1, 0.1]]))))
    assert found.context.argmax() == 1
    assert found.instance[0] == found.instance[1]
    plain = scorer.score(Block(frames))
    assert plain.context[0] == plain.context[1]
    blind = METHODS[DEFAULT](surroundings=False).fit([BALL], ROWS[3:], FakeEncoder())  # type: ignore[call-arg]
    rim = blind.explain("* in front of blue", "my ball", Block(frames, rim=ROWS[2:]))
    np.testing.assert_array_equal(rim.context, blind.explain("* in front of blue", "my ball", frames).context)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((3, 5)), r"shape \(3, 5\), the encoder 'fake-colours' gives \(n, 4\)"),
        (np.ones(4), r"shape \(4,\)"),
        (np.where(np.eye(4) == 1, np.nan, ROWS), "not finite in row 0"),
        (np.vstack([ROWS, np.float32([[np.inf, 0, 0, 0]])]), "not finite in row 4"),
        (Block(ROWS, ROWS[:2]), "4 rows to be scored come with 2 rims"),
        (Block(ROWS, np.ones((4, 3), np.float32)), r"rims .* have shape \(4, 3\)"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_in_one_line(rows: object, message: str) -> None:
    for method in (DEFAULT, "visual", "product"):
        with pytest.raises(VocabularyError, match=message) as caught:
            learned(method).score("*", "my ball", rows)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", METHODS)
def test_a_query_is_encoded_in_one_call(method: str) -> None:
    encoder = FakeEncoder()
    vocabulary = METHODS[method]().fit([BALL, HAT], ROWS[3:], encoder)
    before = encoder.text_calls
    scorer = vocabulary.compile("* next to something blue", "my ball")
    assert encoder.text_calls - before <= 1
    scorer.score(Block(ROWS))
    scorer.probability(Block(ROWS))
    assert encoder.text_calls - before <= 1
