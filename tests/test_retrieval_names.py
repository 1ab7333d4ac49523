"""Names inside free text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thisismy.core.errors import QueryError
from thisismy.retrieval.names import read_query, suggest

KNOWN = [
    ("my dog Biscuit", "my dog Biscuit"),
    ("Biscuit", "my dog Biscuit"),
    ("my cat Mia", "my cat Mia"),
    ("my grey sneaker", "my grey sneaker"),
    ("our car", "our car"),
    ("my dog Rex", "my dog Rex"),
    ("my neighbour's Rex", "the other Rex"),
    ("our tractor Rex", "our tractor Rex"),
    ("my dog Biscuit's bowl", "the bowl"),
]


@pytest.mark.parametrize(
    ("text", "names", "prompt"),
    [
        ("my dog Biscuit on a beach", ["my dog Biscuit"], "* on a beach"),
        ("MY  DOG biscuit on a beach", ["my dog Biscuit"], "* on a beach"),
        ("a photo of Biscuit, asleep", ["my dog Biscuit"], "a photo of *, asleep"),
        ("dog Biscuit jumping", ["my dog Biscuit"], "* jumping"),
        ("my Biscuit jumping", ["my dog Biscuit"], "* jumping"),
        ("grey sneaker on a wall", ["my grey sneaker"], "* on a wall"),
        ("a car on a wall", [], "a car on a wall"),
        ("our car in snow", ["our car"], "* in snow"),
        ("Biscuit and my cat Mia on a sofa", ["my dog Biscuit", "my cat Mia"], "* and * on a sofa"),
        ("MIA asleep", ["my cat Mia"], "* asleep"),
        ("Rex asleep", [], "Rex asleep"),
        ("dog Rex asleep", ["my dog Rex"], "* asleep"),
        ("Biscuit with Biscuit", ["my dog Biscuit"], "* with *"),
        ("biscuits on a plate", [], "biscuits on a plate"),
        ("Biscuit's bowl and my cat Mia", ["my cat Mia"], "Biscuit's bowl and *"),
        ("Biscuit's tail", ["my dog Biscuit"], "*'s tail"),
        ("my dog Biscuit's bowl on grass", ["the bowl"], "* on grass"),
        ("<my cat mia> and a cake", ["my cat Mia"], "* and a cake"),
        ("<Biscuit>'s bowl", ["my dog Biscuit"], "*'s bowl"),
        ("", [], ""),
    ],
)
def test_reading(text: str, names: list[str], prompt: str) -> None:
    read = read_query(text, KNOWN)
    assert (list(read.names), read.prompt) == (names, prompt)


def test_each_name_gets_a_prompt_of_its_own() -> None:
    read = read_query("Biscuit and my cat Mia on a sofa", KNOWN)
    assert read.prompts == ("* and my cat Mia on a sofa", "Biscuit and * on a sofa")


def test_unknown_names_in_brackets() -> None:
    with pytest.raises(QueryError, match="no instance is called 'my cat Mya'; did you mean 'my cat Mia'"):
        read_query("<my cat Mya> asleep", KNOWN)
    with pytest.raises(QueryError, match=r"no instance is called 'xyz'$"):
        read_query("<xyz>", KNOWN)


def test_suggestions() -> None:
    assert (
        suggest("my dog Biskuit on a bed", KNOWN)
        == "no instance is called 'Biskuit'; did you mean 'my dog Biscuit'?"
    )
    assert suggest("my dog on a bed", KNOWN) is None


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_query(text, KNOWN)
    except QueryError:
        return
    assert all(prompt.count("*") >= 1 for prompt in read.prompts)


@given(
    st.lists(st.sampled_from(["Biscuit", "MIA", "my cat mia", "the", "and", "car", "our car"]), max_size=8)
)
def test_without_names_nothing_is_replaced(words: list[str]) -> None:
    text = " ".join(words)
    assert read_query(text, []).prompt == text
