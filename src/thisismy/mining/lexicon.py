"""What words say by themselves: whether they name something visible, of which category, of which subtypes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_IRREGULAR = {
    "mice": "mouse",
    "children": "child",
    "feet": "foot",
    "wolves": "wolf",
    "knives": "knife",
    "shelves": "shelf",
}

OPENING_ADJECTIVES = frozenset({"pretty", "very", "own", "other", "only", "right", "most", "same"})
"""Stop words that may still begin a noun phrase."""


@dataclass(frozen=True)
class Lexicon:
    """The word lists of ``data/lexicon.toml``.

    Attributes:
        visible: nouns of things, animals and people a camera can show; compounds are hyphenated.
        abstract: nouns of what no camera can show.
        stop_words: words that end a name: pronouns, particles, verbs and adverbs that follow it.
        people: whose things are not the speaker's: "my neighbour's dog".
        pet_names: visible nouns that after another noun are rather a name: "my dog pumpkin".
        modifiers: words that go before a noun and do not change what it names.
        categories: COCO category of a noun where it is not the noun itself.
        subtypes: kinds of a thing that look different.
        toy_nouns: things of which people own toys rather than the thing itself: sloths, dragons.
        toy_words: words before a thing that make a toy of it: "rubber", "plush".
        toy_kinds: what a toy looks like, whatever it is a toy of.
    """

    visible: frozenset[str]
    abstract: frozenset[str]
    stop_words: frozenset[str]
    people: frozenset[str]
    pet_names: frozenset[str]
    modifiers: frozenset[str]
    categories: dict[str, str]
    subtypes: dict[str, tuple[str, ...]]
    toy_nouns: frozenset[str]
    toy_words: frozenset[str]
    toy_kinds: tuple[str, ...]

    def base(self, word: str) -> str:
        """A lower-case word in the form the lists have: itself, or its singular."""
        word = word.lower()
        if word in self.visible or word in self.abstract or word in self.modifiers:
            return word
        if word in _IRREGULAR:
            return _IRREGULAR[word]
        for ending, replacement in (("ies", "y"), ("es", ""), ("s", "")):
            if word.endswith(ending) and len(word) > len(ending) + 2:
                single = word[: -len(ending)] + replacement
                if single in self.visible or single in self.abstract:
                    return single
        return word

    def kinds(self, noun: str, before: list[str]) -> tuple[str, ...]:
        """Kinds of a thing that look different; among them toys when the thing may well be one.

        Args:
            noun: a visible noun.
            before: the words of the phrase that stand before it.
        """
        own = self.subtypes.get(noun, ())
        toy = noun in self.toy_nouns or not self.toy_words.isdisjoint(word.lower() for word in before)
        return tuple(dict.fromkeys((*own, *self.toy_kinds))) if toy else own

    def nouns(self, words: list[str]) -> list[tuple[int, str]]:
        """Known nouns among words, compounds first, each with the place of its last word."""
        found: list[tuple[int, str]] = []
        i = 0
        while i < len(words):
            pair = f"{words[i]}-{words[i + 1]}".lower() if i + 1 < len(words) else ""
            if pair in self.visible or pair in self.abstract:
                found.append((i + 1, pair))
                i += 2
                continue
            single = self.base(words[i])
            if single in self.visible or single in self.abstract:
                found.append((i, single))
            i += 1
        return found


@cache
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    data = tomllib.loads(files("thisismy.mining").joinpath("data/lexicon.toml").read_text(encoding="utf-8"))
    categories = {noun: category for category, nouns in data["categories"].items() for noun in nouns}
    visible = frozenset(data["visible"].split()) | categories.keys()
    return Lexicon(
        visible=visible,
        abstract=frozenset(data["abstract"].split()) - visible,
        stop_words=frozenset(data["stop_words"].split()),
        people=frozenset(data["people"].split()),
        pet_names=frozenset(data["pet_names"].split()),
        modifiers=frozenset(data["modifiers"].split()),
        categories=categories,
        subtypes={noun: tuple(kinds) for noun, kinds in data["subtypes"].items()},
        toy_nouns=frozenset(data["toys"]["nouns"].split()),
        toy_words=frozenset(data["toys"]["words"].split()),
        toy_kinds=tuple(data["toys"]["kinds"]),
    )
