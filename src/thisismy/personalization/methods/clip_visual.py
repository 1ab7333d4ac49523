"""The mean image vector of the examples (Yeh et al., section 5.2, "CLIP (visual)")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import Learned, Method, NamedInstance, Vocabulary


class ClipVisualVocabulary(Vocabulary):
    """Scores by likeness to the mean example."""

    method: ClassVar[str] = "clip-visual"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """The mean example; the prompts are not looked at."""
        mean: Features = self.concept(name).arrays["mean"]
        return np.repeat(mean[None], len(prompts), axis=0)


@dataclass(frozen=True)
class ClipVisual(Method):
    """Keeps nothing of an instance but the unit mean of its examples."""

    vocabulary: ClassVar[type[Vocabulary]] = ClipVisualVocabulary

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """The mean example of each instance."""
        return [{"mean": unit(i.examples.mean(axis=0))} for i in instances], {}
