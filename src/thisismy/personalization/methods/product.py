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

from thisismy.encoders.base import Features
from thisismy.personalization.base import Contributions, Scores, Vocabulary
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.methods.clip_vl import ClipVLVocabulary
from thisismy.personalization.prompts import category_text


class ProductVocabulary(ClipVLVocabulary):
    """Scores by the product of the image's and the text's likeness."""

    method: ClassVar[str] = "product"

    def score(self, prompt: str, name: str, gallery: Features) -> Scores:
        """``(1 + cos(image)) / 2 * (1 + cos(text)) / 2``."""
        return self.explain(prompt, name, gallery).score

    def explain(self, prompt: str, name: str, gallery: Features) -> Contributions:
        """The two likenesses, 0 to 1, and their product."""
        mean: Features = self.concept(name).arrays["mean"]
        image = np.asarray((1 + gallery @ mean) / 2, np.float32)
        text = np.asarray((1 + gallery @ category_text(self, prompt, name)) / 2, np.float32)
        return Contributions(image, text, image * text)


@dataclass(frozen=True)
class Product(ClipVisual):
    """Learns what `clip-visual` learns, and multiplies by the words at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ProductVocabulary
