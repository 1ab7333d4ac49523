"""A learned word and its type in a query: the word alone, before its type, or behind it."""

from __future__ import annotations

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import PLACEHOLDER

ORDERS = ("word", "word type", "type word")


def in_order(prompt: str, category: str, order: str) -> str:
    """The prompt with the type beside ``*``: "* on a bed", "dog", "word type" -> "* dog on a bed"."""
    return prompt.replace(PLACEHOLDER, order.replace("word", PLACEHOLDER).replace("type", category))


def check_choice(method: str, name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a setting that is none of the allowed words.

    Raises:
        VocabularyError: so it is.
    """
    if value not in allowed:
        raise VocabularyError(f"{name} of {method!r} is one of {', '.join(allowed)}, not {value!r}")
