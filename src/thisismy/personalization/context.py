"""The part of a prompt that is not the instance."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.encoders.space import Block
from thisismy.personalization.scorers import Scores

_CARRIER = re.compile(
    r"^(?:an?|the|some)?\s*(?:photo|image|picture|video|shot|clip|view|frame)s?\s+(?:of|with|showing)\b\s*",
    re.I,
)
"""Words that only say that a picture is asked for."""

_NAME = re.compile(rf"{re.escape(PLACEHOLDER)}(?:['’]s\b)?")

_FILLER = frozenset(
    "a an the of and or to by for in on at with from its his her their my our your it is are be there "
    "this that these those can seen image photo picture".split()
)
"""Words that show nothing by themselves."""


SHORTEST = 1e-12
"""Squared length below which nothing is left of a row; its likeness is then 0."""


def context_words(prompt: str) -> str:
    """The prompt without ``*`` and without words that only ask for a picture; empty for a generic prompt.

    >>> context_words("A photo of * lying on the beach.")
    'lying on the beach'
    """
    text = _CARRIER.sub("", _NAME.sub(" ", prompt).strip())
    text = " ".join(text.split()).strip(" .,;:!?\"'")
    return text if any(word not in _FILLER for word in re.findall(r"\w+", text.lower())) else ""


def context_vector(encoder: Encoder, prompt: str) -> Features | None:
    """``(embed_dim,)`` unit text vector of the context alone, or None for a generic prompt.

    The phrase as it is and the phrase as a photo, averaged: two views whose errors differ.
    """
    phrase = context_words(prompt)
    if not phrase:
        return None
    return unit(unit(encoder.encode_texts([phrase, f"a photo {phrase}"])).sum(axis=0))


@dataclass(frozen=True)
class ContextLikeness:
    """How well rows fit a context beside an instance.

    Where the rim of a picture is described apart, the context is looked for there: the middle says little but
    what the instance is. Elsewhere, what the instance brings to a row is taken out.

    Attributes:
        query: ``(embed_dim,)`` unit vector of the context.
        mean: ``(embed_dim,)`` unit mean of the instance's examples.
        rim: whether the rim is looked at where a row has one.
    """

    query: Features
    mean: Features
    rim: bool = True

    def of(self, block: Block) -> Scores:
        """Cosines, ``(n,)``."""
        if self.rim and block.rim is not None:
            return np.asarray(block.rim @ self.query, np.float32)
        rows = block.frame
        # Dividing the products by the lengths spares a second copy of the rows.
        own = rows @ self.mean
        squares = 1 - own * own
        along = rows @ self.query - own * (self.mean @ self.query)
        return np.asarray(along / np.sqrt(np.maximum(squares, SHORTEST)), np.float32)
