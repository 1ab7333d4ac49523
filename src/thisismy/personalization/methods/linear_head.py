"""A linear classifier per instance: what recognises a thing in MyVLM, multiplied by the text's likeness.

Alaluf, Richardson, Tulyakov, Aberman, Cohen-Or: "MyVLM: Personalizing VLMs for User-Specific Queries",
ECCV 2024 (the concept head for objects). The head is logistic regression on frozen features, the instance's
examples against the negatives and the examples of all other instances, both sides weighing the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features
from thisismy.encoders.space import Block
from thisismy.personalization.arguments import ranged
from thisismy.personalization.base import (
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
    is_generic,
)
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.prompts import category_texts
from thisismy.personalization.scorers import Contributions, Scorer

STEPS = 30
"""Newton steps at most; it has settled long before."""


@dataclass(frozen=True, kw_only=True)
class LinearHeadScorer(Scorer):
    """Log odds for a generic prompt, else the product of the head's probability and the text's likeness.

    Attributes:
        weight, bias: of the head.
        text: ``(dim,)`` text vector of the prompt; None for a generic prompt.
    """

    weight: Features
    bias: NDArray[np.float32]
    text: Features | None

    def score(self, block: Block) -> Contributions:
        """The head's part, the text's part and the score."""
        odds = np.asarray(block.frame @ self.weight + self.bias, np.float32)
        if self.text is None:
            return Contributions(odds, np.zeros_like(odds), odds)
        probability = np.asarray(1 / (1 + np.exp(-odds)), np.float32)
        likeness = np.maximum(block.frame @ self.text, 0)
        return Contributions(probability, likeness, probability * likeness)


class LinearHeadVocabulary(Vocabulary):
    """Scores by the head's probability, for a prompt with a context times the text's likeness."""

    method: ClassVar[str] = "linear-head"

    def compile(self, prompt: str, name: str) -> LinearHeadScorer:
        """The head, and the text about the category where the prompt has a context."""
        arrays = self.concept(name).arrays
        return LinearHeadScorer(
            space=self.space,
            probes=arrays["mean"][None],
            threshold=self.threshold(name),
            weight=arrays["weight"],
            bias=arrays["bias"],
            text=None if is_generic(prompt) else category_texts(self, [prompt], name)[0],
        )


@dataclass(frozen=True)
class LinearHead(Method):
    """A linear head per instance.

    Attributes:
        ridge: weight of the squared length of the head; more keeps it nearer to the mean difference.
    """

    vocabulary: ClassVar[type[Vocabulary]] = LinearHeadVocabulary

    ridge: float = ranged(0.001, 0, 1000, open_low=True)

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """One head per instance; with nothing to tell it from, the head is the mean example."""
        means, _ = ClipVisual().learn(vocabulary, instances, negatives, progress)
        known = [c.arrays["mean"][None] for c in vocabulary.concepts.values()]
        learned = []
        for number, instance in enumerate(instances):
            rest = [i.examples for i in instances if i is not instance]
            others = np.concatenate([negatives, *known, *rest])
            weight, bias = fit_head(instance.examples, others, self.ridge)
            learned.append({"weight": weight, "bias": np.array([bias], np.float32), **means[number]})
            progress("heads", number + 1, len(instances))
        return learned, {}


def fit_head(positive: Features, negative: Features, ridge: float) -> tuple[Features, float]:
    """Weight ``(embed_dim,)`` and bias of balanced logistic regression with a ridge, by Newton's method.

    Works on the span of the rows, so that the size of a step is the number of rows and not ``embed_dim``.
    """
    if len(negative) == 0:
        weight = positive.mean(axis=0)
        return weight, -0.5 * float(weight @ weight)
    rows = np.concatenate([positive, negative]).astype(np.float64)
    target = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    share = np.where(target == 1, 0.5 / len(positive), 0.5 / len(negative))
    left, singular, right = np.linalg.svd(rows, full_matrices=False)
    design = np.concatenate([left * singular, np.ones((len(rows), 1))], axis=1)
    penalty = np.append(np.full(len(singular), ridge), 1e-9)
    solution = np.zeros(design.shape[1])
    for _ in range(STEPS):
        guess = 1 / (1 + np.exp(-design @ solution))
        slope = design.T @ (share * (guess - target)) + penalty * solution
        curve = (design.T * (share * guess * (1 - guess))) @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        solution -= step
        if np.abs(step).max() < 1e-8:
            break
    return (solution[:-1] @ right).astype(np.float32), float(solution[-1])
