"""Text and image vectors averaged (Yeh et al., section 5.2, "CLIP (V+L)")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import Vocabulary
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.prompts import category_texts


class ClipVLVocabulary(Vocabulary):
    """Scores by the average of the text vector and the mean example."""

    method: ClassVar[str] = "clip-vl"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """The unit averages of the category texts and the mean example."""
        return unit(category_texts(self, prompts, name) + self.concept(name).arrays["mean"])


@dataclass(frozen=True)
class ClipVL(ClipVisual):
    """Learns what `clip-visual` learns, and adds the words at query time."""

    vocabulary: ClassVar[type[Vocabulary]] = ClipVLVocabulary
