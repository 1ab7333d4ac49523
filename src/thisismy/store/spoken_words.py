"""The words of a transcript as they are looked up: without case and punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_WORD = re.compile(r"\w+(?:'\w+)*")


def plain_words(text: str) -> list[str]:
    """The words of a text, case folded; an apostrophe inside a word belongs to it."""
    return _WORD.findall(text.casefold().replace("\u2019", "'"))


def spoken_words(text: str, words: Sequence[Sequence[Any]]) -> list[str]:
    """The plain words of a segment, from its own words (text first) where it has them."""
    return [plain for word in words for plain in plain_words(word[0])] if words else plain_words(text)
