"""Ranking by lot: the row of the tables that knows nothing (Yeh et al., Table 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import (
    Learned,
    Method,
    NamedInstance,
    Scores,
    Vocabulary,
    instance_seed,
)


class RandomOrderVocabulary(Vocabulary):
    """Ranks by lot."""

    method: ClassVar[str] = "random"

    def embed(self, prompt: str, name: str) -> Features:
        """A random direction, the same for the same seed, name and prompt."""
        self.concept(name)
        draw = np.random.default_rng(instance_seed(self.seed, f"{name}:{prompt}"))
        return unit(draw.standard_normal(self.encoder.embed_dim))

    def score(self, prompt: str, name: str, gallery: Features) -> Scores:
        """Uniform numbers that do not look at the rows."""
        self.concept(name)
        draw = np.random.default_rng(instance_seed(self.seed, f"{name}:{prompt}"))
        return draw.random(len(gallery), np.float32)


@dataclass(frozen=True)
class RandomOrder(Method):
    """Ranking by lot."""

    vocabulary: ClassVar[type[Vocabulary]] = RandomOrderVocabulary
    needs_examples: ClassVar[bool] = False

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Nothing."""
        return [{} for _ in instances], {}
