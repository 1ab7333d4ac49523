"""Prompts in which ``*`` stands for the instance, and the plain or learned words put in its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderError
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.personalization.base import Vocabulary

TEMPLATES: tuple[str, ...] = (
    "An image of *",
    "* can be seen in this photo",
    "There is * in this image",
    "A photo of *",
    "A picture of *",
    "A close-up photo of *",
    "A photo of * in a video",
    "This is *",
)
"""One is picked at random for each training sample. The first three are those that Yeh et al. name (appendix
C); the rest of their list was never published, so the others are ours."""

CATEGORY_PROMPT = "An image of a *"
"""The prompt of a category's anchor (Yeh et al., section 3.2)."""

ORDERS = ("word", "word type", "type word")
"""How a learned word and its type stand in a query: the word alone, before its type, or behind it."""


def with_category(prompt: str, category: str) -> str:
    """The prompt with a plain word in place of ``*``: "* on a bed", "dog" -> "dog on a bed"."""
    return prompt.replace(PLACEHOLDER, category)


def category_texts(vocabulary: Vocabulary, prompts: Sequence[str], name: str) -> Features:
    """``(n, embed_dim)`` text vectors of prompts with the instance's category in place of ``*``."""
    category = vocabulary.concept(name).category
    return encode_distinct(vocabulary.encoder, [with_category(prompt, category) for prompt in prompts])


def encode_distinct(encoder: Encoder, texts: Sequence[str]) -> Features:
    """``(n, embed_dim)`` text vectors in one call, each distinct text encoded once."""
    distinct = list(dict.fromkeys(texts))
    rows: Features = encoder.encode_texts(distinct)[[distinct.index(text) for text in texts]]
    return rows


def category_anchors(encoder: Encoder, categories: list[str]) -> Features:
    """``(n_categories, embed_dim)`` unit text vectors that the category loss pulls towards."""
    return unit(encoder.encode_texts([with_category(CATEGORY_PROMPT, c) for c in categories]))


def prompt_vectors(encoder: Encoder, prompts: Sequence[str], tokens: NDArray[np.float32]) -> Features:
    """``(n, embed_dim)`` text vectors of prompts whose ``*`` read learned tokens, in one call.

    Args:
        encoder: takes learned tokens.
        prompts: n texts with ``*``; each distinct one is encoded once.
        tokens: ``(n_w, token_dim)``, the same in every prompt.
    """
    import torch

    distinct = list(dict.fromkeys(prompts))
    words = torch.from_numpy(tokens).expand(len(distinct), -1, -1)
    with torch.no_grad():
        rows: Features = encoder.encode_prompts(distinct, words).float().numpy()
    return rows[[distinct.index(prompt) for prompt in prompts]]


def in_order(prompt: str, category: str, order: str) -> str:
    """The prompt with the type beside ``*``: "* on a bed", "dog", "word type" -> "* dog on a bed"."""
    return prompt.replace(PLACEHOLDER, order.replace("word", PLACEHOLDER).replace("type", category))


def check_takes_tokens(encoder: Encoder) -> int:
    """The encoder's ``token_dim``.

    Raises:
        EncoderError: it takes no learned tokens.
    """
    if encoder.token_dim is None:
        raise EncoderError(
            f"the encoder {encoder.id!r} takes no learned tokens: use a method without, such as 'product'"
        )
    return encoder.token_dim
