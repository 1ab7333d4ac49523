"""Text and image vectors averaged (Yeh et al., section 5.2, "CLIP (V+L)")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import Vocabulary
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.prompts import category_text


class ClipVLVocabulary(Vocabulary):
    """Scores by the average of the text vector and the mean example."""

    method: ClassVar[str] = "clip-vl"

    def embed(self, prompt: str, name: str) -> Features:
        """The unit average of the category text and the mean example."""
        return unit(category_text(self, prompt, name) + self.concept(name).arrays["mean"])


@dataclass(frozen=True)
class ClipVL(ClipVisual):
    """Learns what `clip-visual` learns, and adds the words at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ClipVLVocabulary
