"""Asking for a thing that nobody has named: ``* on the beach``, where ``*`` is what a photo shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.errors import QueryError
from thisismy.encoders.base import PLACEHOLDER

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder, Features
    from thisismy.personalization.base import Vocabulary
    from thisismy.retrieval.names import NamedQuery

PICTURED = "what the photo shows"
"""The name under which a photo's thing is asked for."""


def read_pictured(text: str, photo: str, method: str) -> NamedQuery:
    """The query for what a photo shows, in the context of words with ``*``; no words ask for the thing alone.

    Args:
        text: "* on the beach".
        photo: name of the file, for people.
        method: that makes a concept of it, for people.

    Raises:
        QueryError: the words have no ``*``.
    """
    from thisismy.retrieval.names import NamedQuery

    prompt = " ".join(text.split()) or PLACEHOLDER
    if PLACEHOLDER not in prompt:
        raise QueryError(
            f"the words {prompt!r} do not say where the thing of {photo} goes: write a * there, "
            f'such as "* {prompt}"'
        )
    told = f"what {photo} shows, read by {method}, in the context {prompt!r}"
    return NamedQuery(text, (PICTURED,), prompt, (prompt,), told)


def concept_of(
    encoder: Encoder, pictures: Sequence[np.ndarray], category: str, method: str, others: Features
) -> Vocabulary:
    """A vocabulary with one concept, `PICTURED`, made of pictures.

    Args:
        encoder: of the gallery.
        pictures: RGB, of the same thing.
        category: what kind of thing it is.
        method: a name of the registry.
        others: ``(n, embed_dim)`` rows that mostly show something else.

    Raises:
        VocabularyError: there is no such method.
        EncoderError: it needs learned words, which the encoder does not take.
    """
    from thisismy.personalization.base import NamedInstance
    from thisismy.personalization.registry import make_method

    thing = NamedInstance(PICTURED, category, encoder.encode_images(pictures))
    return make_method(method).fit([thing], others, encoder)
