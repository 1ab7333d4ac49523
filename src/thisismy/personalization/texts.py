"""Text vectors of prompts about any thing of a category."""

from __future__ import annotations

from thisismy.encoders.base import PLACEHOLDER, Features
from thisismy.personalization.base import Vocabulary


def with_category(prompt: str, category: str) -> str:
    """The prompt with a plain word in place of ``*``: "* on a bed", "dog" -> "dog on a bed"."""
    return prompt.replace(PLACEHOLDER, category)


def category_text(vocabulary: Vocabulary, prompt: str, name: str) -> Features:
    """``(embed_dim,)`` text vector of a prompt with the instance's category in place of ``*``."""
    text: Features = vocabulary.encoder.encode_texts(
        [with_category(prompt, vocabulary.concept(name).category)]
    )[0]
    return text
