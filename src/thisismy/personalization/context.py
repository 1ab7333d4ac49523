"""The part of a prompt that is not the instance."""

from __future__ import annotations

import re

from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit

_CARRIER = re.compile(
    r"^(?:an?|the|some)?\s*(?:photo|image|picture|video|shot|clip|view|frame)s?\s+(?:of|with|showing)\b\s*",
    re.I,
)
"""Words that only say that a picture is asked for."""

_FILLER = frozenset(
    "a an the of and or to by for in on at with from its his her their my our your it is are be there "
    "this that these those can seen image photo picture".split()
)
"""Words that show nothing by themselves."""


def context_words(prompt: str) -> str:
    """The prompt without ``*`` and without words that only ask for a picture; empty for a generic prompt.

    >>> context_words("A photo of * lying on the beach.")
    'lying on the beach'
    """
    text = _CARRIER.sub("", prompt.replace(PLACEHOLDER, " ").strip())
    text = " ".join(text.split()).strip(" .,;:!?\"'")
    return text if any(word not in _FILLER for word in re.findall(r"\w+", text.lower())) else ""


def context_vector(encoder: Encoder, prompt: str) -> Features | None:
    """``(embed_dim,)`` unit text vector of the context alone, or None for a generic prompt.

    The phrase as it is, the phrase as a photo, and its content words one by one, encoded in one call:
    three views whose errors differ. Each view counts the same.
    """
    phrase = context_words(prompt)
    if not phrase:
        return None
    words = [w for w in re.findall(r"\w+", phrase.lower()) if w not in _FILLER]
    rows = unit(encoder.encode_texts([phrase, f"a photo {phrase}", *(f"a photo of a {w}" for w in words)]))
    return unit(rows[0] + rows[1] + unit(rows[2:].mean(axis=0)))
