"""What a thing looks like in words, zero-shot: phrases that fit its examples better than its category.

Stands in for the captioning model of pi-map, which would need pictures and a large network.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def describe(encoder: Encoder, category: str, examples: Features, count: int) -> list[str]:
    """The phrases of `ATTRIBUTES` that fit the examples best beyond the category, best first.

    A phrase is worth the cosine of the step it makes from the category's text to the step that the mean
    example makes from it.

    Args:
        encoder: the one of the examples.
        category: "dog".
        examples: ``(n, embed_dim)`` unit rows.
        count: phrases wanted.
    """
    if count < 1:
        return []
    texts = encoder.encode_texts([f"a photo of a {category}", *(_with(a, category) for a in ATTRIBUTES)])
    steps = unit(texts[1:] - texts[0])
    wanted = unit(unit(examples.mean(axis=0)) - texts[0])
    order = np.argsort(-(steps @ wanted), kind="stable")[:count]
    return [ATTRIBUTES[i] for i in order]


def specific_caption(name: str, phrases: Sequence[str]) -> str:
    """ "my dog Biscuit", ["brown", "with a face"] -> "A photo of my dog Biscuit, brown, with a face"."""
    return ", ".join([f"A photo of {name}", *phrases])


def _with(attribute: str, category: str) -> str:
    if attribute.startswith("with "):
        return f"a photo of a {category} {attribute}"
    return f"a photo of a {attribute} {category}"
