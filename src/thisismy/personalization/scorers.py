"""Queries compiled: every text is encoded beforehand, so that scoring rows is arithmetic on arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import Features
from thisismy.encoders.space import Block, FeatureSpace

Scores = NDArray[np.float32]
"""One number per row, shape ``(n,)``; higher is better."""


@dataclass(frozen=True)
class Contributions:
    """What a score is made of, per row: the instance's part, the context's part, and both together."""

    instance: Scores
    context: Scores
    total: Scores


@dataclass(frozen=True, kw_only=True)
class Scorer(ABC):
    """A query for one instance or several, compiled; it may be used from any number of threads.

    Attributes:
        space: the only space whose rows it can score.
        probes: ``(n_probes, dim)`` unit vectors; what they find nearest are the candidates for a high score.
        threshold: the instance's part of a score below which a row is taken not to show the instance. Minus
            infinity for a method that learns none: then nothing is cut off.
    """

    space: FeatureSpace
    probes: Features
    threshold: float = -np.inf

    @abstractmethod
    def score(self, block: Block) -> Contributions:
        """Score rows; the score of a row depends on no other row."""

    def score_bound(self, block: Block) -> Scores | None:
        """``(n,)``: what the instance's part of a score is at most, by a quick look.

        None for a method that has no quicker way than `score`.
        """
        return None

    def probability(self, block: Block) -> Scores | None:
        """``(n,)`` probabilities that rows show the instance, 0 to 1; None for a method that gives none."""
        return None


@dataclass(frozen=True, kw_only=True)
class CosineScorer(Scorer):
    """Scores by the cosine to one vector.

    The instance's part is the score of the generic prompt, the context's what the prompt adds to it.

    Attributes:
        generic: ``(dim,)`` unit vector of the generic prompt; None where the prompt makes no difference.
    """

    generic: Features | None

    def score(self, block: Block) -> Contributions:
        """Cosines; one pass over the rows."""
        query = self.probes[0]
        if self.generic is None:
            total = np.asarray(block.frame @ query, np.float32)
            return Contributions(total, np.zeros_like(total), total)
        total, instance = np.asarray(np.stack([query, self.generic]) @ block.frame.T, np.float32)
        return Contributions(instance, total - instance, total)


@dataclass(frozen=True, kw_only=True)
class JointScorer(Scorer):
    """Scores rows that must show several instances.

    A row is worth what it is worth to the instance it shows least: each instance's score is taken relative
    to the instance's own threshold (where it has one), then the smallest counts.

    Attributes:
        parts: one scorer per instance, whose prompt has ``*`` for that one and words for the others.
    """

    parts: tuple[Scorer, ...]

    def score(self, block: Block) -> Contributions:
        """The smallest of each part, counted from the thresholds."""
        found = [(_shift(part), part.score(block)) for part in self.parts]
        instance = np.stack([one.instance - shift for shift, one in found]).min(axis=0)
        context = np.stack([one.context for _, one in found]).min(axis=0)
        total = np.stack([one.total - shift for shift, one in found]).min(axis=0)
        return Contributions(instance, context, total)

    def score_bound(self, block: Block) -> Scores | None:
        """The smallest bound; None when one of them has none."""
        bounds = []
        for part in self.parts:
            bound = part.score_bound(block)
            if bound is None:
                return None
            bounds.append(bound - _shift(part))
        return np.asarray(np.min(bounds, axis=0), np.float32)

    def probability(self, block: Block) -> Scores | None:
        """The smallest probability; None when one of them has none."""
        found = []
        for part in self.parts:
            probability = part.probability(block)
            if probability is None:
                return None
            found.append(probability)
        return np.asarray(np.min(found, axis=0), np.float32)


def join_scorers(scorers: Sequence[Scorer]) -> Scorer:
    """A scorer for rows that must satisfy all of these; a single one is returned as it is.

    Raises:
        VocabularyError: there is none, or they are of different spaces.
    """
    if not scorers:
        raise VocabularyError("a query for several instances needs at least one instance")
    first = scorers[0]
    if len(scorers) == 1:
        return first
    other = next((one.space for one in scorers if one.space != first.space), None)
    if other is not None:
        raise VocabularyError(f"scores in {first.space.id!r} and in {other.id!r} cannot be joined")
    probes = np.concatenate([one.probes for one in scorers])
    return JointScorer(space=first.space, probes=probes, threshold=0.0, parts=tuple(scorers))


def _shift(part: Scorer) -> np.float32:
    return np.float32(part.threshold if np.isfinite(part.threshold) else 0.0)
