"""A random order: the row of the tables that knows nothing (Yeh et al., Table 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.encoders.space import Block
from thisismy.personalization.base import (
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
    instance_seed,
)
from thisismy.personalization.scorers import Contributions, Scorer


@dataclass(frozen=True, kw_only=True)
class RandomScorer(Scorer):
    """Uniform numbers that do not look at the rows, only at their places: the one score that does so.

    Attributes:
        seed: the same seed gives the same numbers.
    """

    seed: int

    def score(self, block: Block) -> Contributions:
        """Numbers from 0 to 1; the context's part is 0."""
        drawn = np.random.default_rng(self.seed).random(len(block), np.float32)
        return Contributions(drawn, np.zeros_like(drawn), drawn)


class RandomOrderVocabulary(Vocabulary):
    """Ranks at random."""

    method: ClassVar[str] = "random"

    def compile(self, prompt: str, name: str) -> RandomScorer:
        """A seed of the name's and the prompt's own, and a random direction to find candidates by."""
        self.concept(name)
        seed = instance_seed(self.seed, f"{name}:{prompt}")
        probe = unit(np.random.default_rng(seed).standard_normal((1, self.encoder.embed_dim)))
        return RandomScorer(space=self.space, probes=probe, seed=seed)


@dataclass(frozen=True)
class RandomOrder(Method):
    """Ranking at random."""

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
