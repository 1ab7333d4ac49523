"""Text and image likeness multiplied, with the context asked for without the instance.

As `product`, but the text is the context alone ("lying on the beach"), and being wrong about it costs a
factor: the square of the image's likeness times ``exp(context / 0.2)``. A generic prompt leaves the image's
likeness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.encoders.base import Features
from thisismy.personalization.base import Contributions, Scores, Vocabulary
from thisismy.personalization.context import context_vector
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.methods.clip_vl import ClipVLVocabulary

TEMPERATURE = 0.2
"""In cosines of an encoder whose ``logit_scale`` is 20; other encoders' cosines are scaled to it."""


class ProductContextsVocabulary(ClipVLVocabulary):
    """Scores by the squared likeness of the image times the exponential of the context's."""

    method: ClassVar[str] = "product-contexts"

    def score(self, prompt: str, name: str, gallery: Features) -> Scores:
        """``max(cos(image), 0)^2 * exp(cos(context) / temperature)``."""
        return self.explain(prompt, name, gallery).score

    def explain(self, prompt: str, name: str, gallery: Features) -> Contributions:
        """The cosine of the image, the factor of the context, and the score."""
        image = gallery @ self.concept(name).arrays["mean"]
        query = context_vector(self.encoder, prompt)
        if query is None:
            return Contributions(image, np.ones_like(image), image)
        scale = self.encoder.logit_scale / 20 / TEMPERATURE
        text = np.exp(np.float32(scale) * (gallery @ query))
        return Contributions(image, text, np.maximum(image, 0) ** 2 * text)


@dataclass(frozen=True)
class ProductContexts(ClipVisual):
    """Learns what `clip-visual` learns, and multiplies by the separate context at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ProductContextsVocabulary
