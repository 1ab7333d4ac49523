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
from thisismy.encoders.space import Block
from thisismy.personalization.base import Vocabulary
from thisismy.personalization.context import context_vector
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.scorers import Contributions, Scorer

TEMPERATURE = 0.2
"""In cosines of an encoder whose ``logit_scale`` is 20; other encoders' cosines are scaled to it."""


@dataclass(frozen=True, kw_only=True)
class ProductContextsScorer(Scorer):
    """``max(cos(image), 0)^2 * exp(scale * cos(context))``; for a generic prompt the cosine of the image.

    Attributes:
        mean: ``(dim,)`` unit mean of the examples.
        context: ``(dim,)`` text vector of the context; None for a generic prompt.
        scale: of the context's cosine.
    """

    mean: Features
    context: Features | None
    scale: float

    def score(self, block: Block) -> Contributions:
        """The cosine of the image, the factor of the context, and the score."""
        image = block.frame @ self.mean
        if self.context is None:
            return Contributions(image, np.ones_like(image), image)
        text = np.exp(np.float32(self.scale) * (block.frame @ self.context))
        return Contributions(image, text, np.maximum(image, 0) ** 2 * text)


class ProductContextsVocabulary(Vocabulary):
    """Scores by the squared likeness of the image times the exponential of the context's."""

    method: ClassVar[str] = "product-contexts"

    def compile(self, prompt: str, name: str) -> ProductContextsScorer:
        """The mean example, and the text of the context alone."""
        mean = self.concept(name).arrays["mean"]
        return ProductContextsScorer(
            space=self.space,
            probes=mean[None],
            threshold=self.threshold(name),
            mean=mean,
            context=context_vector(self.encoder, prompt),
            scale=self.encoder.logit_scale / 20 / TEMPERATURE,
        )


@dataclass(frozen=True)
class ProductContexts(ClipVisual):
    """Learns what `clip-visual` learns, and multiplies by the separate context at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ProductContextsVocabulary
