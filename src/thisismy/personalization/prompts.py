"""Prompts in which ``*`` stands for the instance, and the plain or learned words put in its place."""

from __future__ import annotations

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


def category_text(vocabulary: Vocabulary, prompt: str, name: str) -> Features:
    """``(embed_dim,)`` text vector of a prompt with the instance's category in place of ``*``."""
    text: Features = vocabulary.encoder.encode_texts(
        [with_category(prompt, vocabulary.concept(name).category)]
    )[0]
    return text


def category_anchors(encoder: Encoder, categories: list[str]) -> Features:
    """``(n_categories, embed_dim)`` unit text vectors that the category loss pulls towards."""
    return unit(encoder.encode_texts([with_category(CATEGORY_PROMPT, c) for c in categories]))


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
