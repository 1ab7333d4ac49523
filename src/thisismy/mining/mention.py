"""A place where something is named, as spotting hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thisismy.core.span import Span
from thisismy.transcripts.base import Word

Kind = Literal["own", "others", "negated", "question"]
"""Whose thing is named: the speaker's, somebody else's, denied, or asked or supposed."""


@dataclass(frozen=True)
class Mention:
    """A place in a transcript that names something.

    Attributes:
        span: from the first word of the pattern to the last word of ``words``.
        pattern: name of the pattern that found it.
        owner: the possessive, lower case; ``""`` for patterns without one.
        words: up to four words that may be the name, fillers left out, with times.
        called: a name said elsewhere in the sentence or the next one ("this is my dog, he is called Bo").
        phrase: what was said, pattern and words.
        sentence: the sentence around it, at most about 30 words either side.
        kind: whose thing it is.
    """

    span: Span
    pattern: str
    owner: str
    words: tuple[Word, ...]
    called: str | None
    phrase: str
    sentence: str
    kind: Kind

    @property
    def candidate(self) -> str:
        """The words as one string, punctuation stripped: the untrimmed name."""
        return " ".join(word.text for word in self.words)
