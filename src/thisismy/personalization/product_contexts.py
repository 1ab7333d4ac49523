"""The product of text and image likeness with the context separated from the instance.

As `product`, but the text is what the prompt says beyond the category: the caption's vector minus that of the
generic prompt; the picture is what it shows beyond the instance's mean example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import GENERIC_PROMPT, Contributions, Vocabulary
from thisismy.personalization.product import ProductVocabulary
from thisismy.personalization.texts import category_text
from thisismy.personalization.visual import Visual


class SeparatedProductVocabulary(ProductVocabulary):
    """Scores by the product of the image's likeness and the likeness of what is left to the context."""

    method: ClassVar[str] = "product-contexts"

    def explain(self, prompt: str, name: str, gallery: Features) -> Contributions:
        """Image likeness, not below zero; ``(1 + cos) / 2`` of the two remainders; their product."""
        mean = self.concept(name).arrays["mean"]
        cosine = gallery @ mean
        image = np.maximum(cosine, 0)
        context = category_text(self, prompt, name) - category_text(self, GENERIC_PROMPT, name)
        rest = unit(gallery - cosine[:, None] * mean)
        text = np.asarray((1 + rest @ unit(context)) / 2, np.float32)
        return Contributions(image, text, image * text)


@dataclass(frozen=True)
class SeparatedProduct(Visual):
    """Learns what `visual` learns, and multiplies by the separated context at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = SeparatedProductVocabulary
