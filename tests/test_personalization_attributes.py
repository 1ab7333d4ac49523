"""Things made up from phrases: what is said of them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.errors import VocabularyError
from thisismy.personalization.attributes import ATTRIBUTES, PLACES, described_things
from thisismy.personalization.meta.category_features import MetaArguments, meta_train


def test_every_attribute_alone_then_combinations_each_once() -> None:
    things = described_things(FakeEncoder(), ["dog", "cat", "dog"], count=80)
    names = [thing.name for thing in things]
    assert len(set(names)) == len(names) == 160
    assert names[:3] == ["dog: a black dog", "dog: a white dog", "dog: a grey dog"]
    assert "dog: an orange dog" in names
    assert "dog: a dog with wheels" in names
    assert [thing.category for thing in things] == ["dog"] * 80 + ["cat"] * 80
    together = [name.removeprefix("dog: ") for name in names[len(ATTRIBUTES) : 80]]
    assert all(sum(f" {a.removeprefix('with ')}" in phrase for a in ATTRIBUTES) >= 2 for phrase in together)
    several = [phrase for phrase in together if phrase.count("with ") == 1 and " and " in phrase]
    assert all(phrase.index("dog") < phrase.index("with ") for phrase in several)


def test_an_example_is_the_text_vector_of_its_phrase() -> None:
    encoder = FakeEncoder()
    red = next(t for t in described_things(encoder, ["ball"], views=3) if t.name == "ball: a red ball")
    assert red.example_ids == ("a photo of a red ball", "a red ball on a table", "a red ball in a garden")
    np.testing.assert_array_equal(red.examples, encoder.encode_texts(list(red.example_ids)))


def test_a_categorys_things_depend_on_the_seed_and_on_no_other_category() -> None:
    alone, again, other = (
        [t.name for t in described_things(FakeEncoder(), names, count=90, seed=seed)]
        for names, seed in ((["cup"], 1), (["dog", "cup"], 1), (["cup"], 2))
    )
    assert alone == again[90:] != other
    assert alone[: len(ATTRIBUTES)] == other[: len(ATTRIBUTES)]


@pytest.mark.parametrize(
    ("categories", "count", "views", "message"),
    [
        ([], 4, 1, "need categories"),
        (["dog", " "], 4, 1, "none may be empty"),
        (["dog"], 0, 1, "cannot make up 0 things"),
        (["dog"], 10**6, 1, "cannot make up 1000000 things"),
        (["dog"], 4, len(PLACES) + 1, f"1 to {len(PLACES)} views"),
    ],
)
def test_what_cannot_be_made_up_is_refused(
    categories: list[str], count: int, views: int, message: str
) -> None:
    with pytest.raises(VocabularyError, match=message):
        described_things(FakeEncoder(), categories, count=count, views=views)


def test_they_are_a_corpus_of_meta_training() -> None:
    things = described_things(FakeEncoder(), ["red ball", "blue cup"], count=4, views=2)
    small = MetaArguments(q=6, rounds=2, epochs=3, batch=8, instances_per_category=3)
    found = meta_train(things, np.zeros((0, 4), np.float32), FakeEncoder(), small)
    assert set(found.matrices) == {"red ball", "blue cup"}
    assert found.provenance["instances"] == {"red ball": 4, "blue cup": 4}
    assert found.history[0]["language"] > 0
