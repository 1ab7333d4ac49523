"""What a thing looks like in words, zero-shot: phrases that fit its examples better than its category.

Stands in for the captioning model of pi-map, which would need pictures and a large network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thisismy.encoders.base import Encoder, Features, unit

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


def _with(attribute: str, category: str) -> str:
    if attribute.startswith("with "):
        return f"a photo of a {category} {attribute}"
    return f"a photo of a {attribute} {category}"
