"""What every method of the registry has to keep to."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.errors import InstanceError, VocabularyError
from thisismy.encoders.base import unit
from thisismy.encoders.space import Block
from thisismy.personalization import GENERIC_PROMPT, METHODS, NamedInstance, make_method
from thisismy.personalization.registry import parse_method

GALLERY = unit(
    np.array([[1, 0, 0, 0.1], [0.9, 0.3, 0, 0.1], [0, 1, 0, 0.1], [0, 0, 1, 0.1], [0.4, 0.5, 0.5, 0.1]])
)
NEGATIVES = unit(np.random.default_rng(0).random((12, 4)) * [0.2, 1, 1, 0.1])


def _instances() -> list[NamedInstance]:
    red = unit(np.array([[1, 0, 0, 0.1], [0.95, 0.1, 0, 0.1]]))
    blue = unit(np.array([[0, 0.1, 1, 0.1], [0, 0, 1, 0.1]]))
    return [NamedInstance("my red ball", "red", red, ("a", "b")), NamedInstance("my blue cup", "blue", blue)]


@pytest.mark.parametrize("name", METHODS)
def test_contract(name):
    encoder = FakeEncoder()
    instances = _instances()
    before = [i.examples.copy() for i in instances]
    vocabulary = METHODS[name]().fit(instances, NEGATIVES, encoder, seed=3)
    assert vocabulary.method == name
    assert vocabulary.categories == {"my red ball": "red", "my blue cup": "blue"}
    assert vocabulary.example_ids["my red ball"] == ("a", "b")
    for prompt in (GENERIC_PROMPT, "* next to green grass"):
        scores = vocabulary.score(prompt, "my red ball", GALLERY)
        assert scores.shape == (5,)
        assert np.isfinite(scores).all()
        scorer = vocabulary.compile(prompt, "my red ball")
        assert (scorer.space.id, scorer.probes.shape[1]) == ("fake-colours", 4)
        np.testing.assert_allclose(np.linalg.norm(scorer.probes, axis=1), 1, atol=1e-5)
        encoded = encoder.text_calls
        parts = scorer.score(Block(GALLERY))
        np.testing.assert_allclose(parts.total, scores, atol=1e-6)
        bound, probability = scorer.score_bound(Block(GALLERY)), scorer.probability(Block(GALLERY))
        assert bound is None or (bound >= parts.instance - 1e-6).all()
        assert probability is None or ((probability >= 0) & (probability <= 1)).all()
        assert encoder.text_calls == encoded
        assert vocabulary.score(prompt, "my red ball", GALLERY[:0]).shape == (0,)
    if name != "random":
        assert vocabulary.score(GENERIC_PROMPT, "my red ball", GALLERY).argmax() in (0, 1)
        assert vocabulary.score(GENERIC_PROMPT, "my blue cup", GALLERY).argmax() == 3
        one = np.concatenate([vocabulary.score(GENERIC_PROMPT, "my red ball", row[None]) for row in GALLERY])
        np.testing.assert_allclose(one, vocabulary.score(GENERIC_PROMPT, "my red ball", GALLERY), atol=1e-5)
    again = METHODS[name]().fit(_instances(), NEGATIVES, FakeEncoder(), seed=3)
    np.testing.assert_array_equal(
        again.score("* and green", "my blue cup", GALLERY),
        vocabulary.score("* and green", "my blue cup", GALLERY),
    )
    for instance, rows in zip(instances, before, strict=True):
        np.testing.assert_array_equal(instance.examples, rows)


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_name_lists_what_was_learned(name):
    vocabulary = METHODS[name]().fit(_instances(), NEGATIVES, FakeEncoder())
    with pytest.raises(InstanceError, match="my red ball, my blue cup"):
        vocabulary.score("*", "my cat", GALLERY)


def test_unknown_methods_and_arguments_are_explained():
    with pytest.raises(VocabularyError, match="there are: random, language"):
        make_method("magic")
    with pytest.raises(VocabularyError, match="no argument 'power'"):
        make_method("clip-visual", {"power": 2})


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ('default?slope="x"', "'slope' of 'prototype-context' is a number above 0 and up to 1000, not 'x'"),
        ("prototype-context?middle=NaN", "'middle' of 'prototype-context' is a number from -1 to 1, not nan"),
        (
            "prototype-context?rivalry=null",
            "'rivalry' of .* is a number from 0 to 10, not None",
        ),
        ("prototype-context?slope=Infinity", "'slope' of .* not inf"),
        ("prototype-context?surroundings=1", "'surroundings' of 'prototype-context' is true or false, not 1"),
        ("meta-tokens?tokens=true", "'tokens' of 'meta-tokens' is a whole number from 1 to 32, not True"),
        ("meta-tokens?tokens=1.5", "a whole number from 1 to 32, not 1.5"),
        ("meta-tokens?q=0", "'q' of 'meta-tokens'"),
        ("palavra?order=type", "'order' of 'palavra' is one of word, word type, type word, not 'type'"),
        ("palavra?set_encoder=3", "'set_encoder' of 'palavra' is text, not 3"),
        ("rank-one?learning_rate=0", "'learning_rate' of 'rank-one' is a number above 0 and up to 10, not 0"),
    ],
)
def test_arguments_of_a_wrong_type_or_out_of_range_are_refused(spec: str, told: str) -> None:
    with pytest.raises(VocabularyError, match=told):
        make_method(*parse_method(spec))


def test_every_number_among_the_arguments_has_a_range() -> None:
    for name, method in METHODS.items():
        for argument in fields(method):
            if argument.type in {"int", "float"}:
                assert argument.metadata, f"{argument.name} of {name} has no range"


def test_methods_are_known_by_aliases_and_arguments_by_their_old_names() -> None:
    assert make_method("default") == make_method("prototype-context")
    assert make_method("visual") == make_method("clip-visual")
    assert make_method("vl") == make_method("clip-vl")
    assert make_method("meta-tokens", {"n_w": 2}).tokens == 2


def test_a_method_as_it_is_written_on_a_command_line() -> None:
    assert parse_method("clip-visual") == ("clip-visual", {})
    assert parse_method("meta-tokens?tokens=4&temperature=0.1&anchor=true&start=category") == (
        "meta-tokens",
        {"tokens": 4, "temperature": 0.1, "anchor": True, "start": "category"},
    )
    with pytest.raises(VocabularyError, match="'tokens' in 'meta-tokens\\?tokens' is not an argument"):
        parse_method("meta-tokens?tokens")
