"""Text and image likeness multiplied: a row has to please both.

A plain product of the two similarities beats their sum by far for composed image retrieval (Psomas
et al., "Instance-Level Composed Image Retrieval", NeurIPS 2025).

They multiply cosines of CLIP, which are all positive. Cosines of other encoders lie around zero, where a
product turns round the order of what is unlike, so both are first put on the scale from 0 (opposite) to 1
(equal).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.encoders.base import Features, unit
from thisismy.encoders.space import Block
from thisismy.personalization.base import Vocabulary
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.prompts import category_texts
from thisismy.personalization.scorers import Contributions, Scorer


@dataclass(frozen=True, kw_only=True)
class ProductScorer(Scorer):
    """``(1 + cos(image)) / 2 * (1 + cos(text)) / 2``.

    Attributes:
        mean: ``(dim,)`` unit mean of the examples.
        text: ``(dim,)`` text vector of the prompt.
    """

    mean: Features
    text: Features

    def score(self, block: Block) -> Contributions:
        """The two likenesses, 0 to 1, and their product."""
        image = np.asarray((1 + block.frame @ self.mean) / 2, np.float32)
        text = np.asarray((1 + block.frame @ self.text) / 2, np.float32)
        return Contributions(image, text, image * text)


class ProductVocabulary(Vocabulary):
    """Scores by the product of the image's and the text's likeness."""

    method: ClassVar[str] = "product"

    def compile(self, prompt: str, name: str) -> ProductScorer:
        """The mean example, and the text about the category."""
        mean = self.concept(name).arrays["mean"]
        text = category_texts(self, [prompt], name)[0]
        probe = unit(mean + text)[None]
        return ProductScorer(
            space=self.space, probes=probe, threshold=self.threshold(name), mean=mean, text=text
        )


@dataclass(frozen=True)
class Product(ClipVisual):
    """Learns what `clip-visual` learns, and multiplies by the words at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ProductVocabulary
