"""What a thing may look like in words: phrases that fit given examples, and things made up from phrases.

`describe` stands in for the captioning model of pi-map, which would need pictures and a large network.
`described_things` is a corpus for meta-personalization that needs no picture: texts stand for pictures, as in
language-only training of composed retrieval (Gu et al., "LinCIR", CVPR 2024).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import Encoder, Features, unit
from thisismy.personalization.base import NamedInstance, instance_seed

# fmt: off
ATTRIBUTES = (
    "black", "white", "grey", "brown", "red", "orange", "yellow", "green", "blue", "purple", "pink",
    "golden", "silver", "beige", "striped", "spotted", "checkered", "colourful", "furry", "fluffy",
    "shiny", "wooden", "metal", "plastic", "glass", "leather", "woollen", "knitted", "paper", "ceramic",
    "round", "square", "long", "tall", "flat", "small", "large", "old", "new", "soft", "with a face",
    "with a pattern", "with writing on it", "with wheels", "with a handle", "with straps",
    "with long hair", "with short hair", "with wings",
)
# fmt: on
"""Colours, patterns, materials, shapes and parts."""

PLACES = (
    "a photo of *",
    "* on a table",
    "* in a garden",
    "a close-up of *",
    "* in a room",
    "* on the street",
    "someone with *",
    "* in front of a building",
)
"""What is said of a made-up thing; ``*`` is the phrase."""

MOST_TOGETHER = 3
"""Attributes of a made-up thing at most."""

PHRASES = 128
"""Made-up things of a category where nobody says how many."""

MOST_PHRASES = 10_000
"""Half of all combinations there are; drawing at random would not come to an end with all."""


def describe(
    encoder: Encoder, categories: Sequence[str], examples: Sequence[Features], count: int
) -> list[list[str]]:
    """For each instance the phrases of `ATTRIBUTES` that fit beyond its category, best first.

    A phrase is worth the cosine of the step it makes from the category's text to the step that the mean
    example makes from it.

    Args:
        encoder: the one of the examples.
        categories: "dog", one per instance.
        examples: ``(n, embed_dim)`` unit rows of each instance.
        count: phrases wanted.
    """
    if count < 1:
        return [[] for _ in categories]
    texts = _texts(encoder, categories)
    found = []
    for category, rows in zip(categories, examples, strict=True):
        plain, told = texts[category][0], texts[category][1:]
        wanted = unit(unit(rows.mean(axis=0)) - plain)
        order = np.argsort(-(unit(told - plain) @ wanted), kind="stable")[:count]
        found.append([ATTRIBUTES[i] for i in order])
    return found


def _texts(encoder: Encoder, categories: Sequence[str]) -> Mapping[str, Features]:
    """Per category its text and those of all attributes, ``(1 + len(ATTRIBUTES), embed_dim)``."""
    names = list(dict.fromkeys(categories))
    prompts = [[f"a photo of a {name}", *(_with(a, name) for a in ATTRIBUTES)] for name in names]
    rows = encoder.encode_texts([text for texts in prompts for text in texts])
    return dict(zip(names, rows.reshape(len(names), 1 + len(ATTRIBUTES), -1), strict=True))


def specific_caption(name: str, phrases: Sequence[str]) -> str:
    """ "my dog Biscuit", ["brown", "with a face"] -> "A photo of my dog Biscuit, brown, with a face"."""
    return ", ".join([f"A photo of {name}", *phrases])


def described_things(
    encoder: Encoder, categories: Sequence[str], *, count: int = PHRASES, views: int = 1, seed: int = 0
) -> list[NamedInstance]:
    """Made-up things of each category, for `meta_train`: "a furry black dog" and its like.

    Every attribute alone comes first, then two or three together at random, until there are enough. The
    examples of a thing are text vectors of its phrase in the first ``views`` of `PLACES`.

    Args:
        encoder: any that takes texts.
        categories: common nouns; one that comes twice counts once.
        count: things of each category, 1 to `MOST_PHRASES`.
        views: examples of each thing, 1 to 8; with one, the language-language loss has no pairs.
        seed: of the combinations; a category's things depend on no other category.

    Raises:
        VocabularyError: no category, one without letters, or a number out of range.
    """
    names = list(dict.fromkeys(" ".join(category.split()) for category in categories))
    if not names or not all(names):
        raise VocabularyError("made-up things need categories such as 'dog', and none may be empty")
    if not 1 <= count <= MOST_PHRASES or not 1 <= views <= len(PLACES):
        raise VocabularyError(
            f"cannot make up {count} things of a category with {views} views each: it takes 1 to "
            f"{MOST_PHRASES} things with 1 to {len(PLACES)} views"
        )
    things = [(name, phrase) for name in names for phrase in _phrases(name, count, seed)]
    rows = encoder.encode_texts([place.replace("*", p) for _, p in things for place in PLACES[:views]])
    return [
        NamedInstance(f"{name}: {phrase}", name, own, tuple(p.replace("*", phrase) for p in PLACES[:views]))
        for (name, phrase), own in zip(things, rows.reshape(len(things), views, -1), strict=True)
    ]


def _phrases(category: str, count: int, seed: int) -> list[str]:
    """``count`` different phrases about one category."""
    rng = np.random.default_rng(instance_seed(seed, category))
    found = {frozenset({i}): None for i in range(len(ATTRIBUTES))}
    while len(found) < count:
        together = int(rng.integers(2, MOST_TOGETHER + 1))
        chosen = rng.choice(len(ATTRIBUTES), size=together, replace=False)
        found[frozenset(chosen.tolist())] = None
    return [_told([ATTRIBUTES[i] for i in sorted(chosen)], category) for chosen in list(found)[:count]]


def _told(attributes: Sequence[str], category: str) -> str:
    """["black", "with wheels"], "car" -> "a black car with wheels"."""
    before = [a for a in attributes if not a.startswith("with ")]
    behind = " and ".join(a.removeprefix("with ") for a in attributes if a.startswith("with "))
    words = " ".join([*before, category])
    article = "an" if words[0].lower() in "aeiou" else "a"
    return f"{article} {words} with {behind}" if behind else f"{article} {words}"


def _with(attribute: str, category: str) -> str:
    if attribute.startswith("with "):
        return f"a photo of a {category} {attribute}"
    return f"a photo of a {attribute} {category}"
