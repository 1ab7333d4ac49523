"""The default: how much a picture looks like the instance, times how well the rest of it fits the context.

Ours, chosen on development data (docs/methods/default.md); no word is learned. Three ideas:

* the likeness to the mean example is put on a scale of its own for each instance, on which 0 is what
unrelated
  pictures have and 1 a copy, and becomes a probability that saturates: once a picture surely shows the
  instance, more likeness (usually the same background again) earns nothing;
* what the instance itself brings to a picture is taken out of the picture before the context is looked for;
* the context is asked for without the name and without the category.

The two are multiplied, as a product of probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import (
    Contributions,
    Learned,
    Method,
    NamedInstance,
    Scores,
    Vocabulary,
)
from thisismy.personalization.context import context_vector
from thisismy.personalization.texts import category_text
from thisismy.progress import Progress

UNRELATED_LIMIT = 0.95
"""Largest likeness of unrelated pictures that is believed; above it the scale would blow up."""

PRIOR_WEIGHT = 2.0
"""How many examples the prior of a cut-off is worth."""

PRIOR_LIKENESS = 0.6
"""Scaled likeness of an unseen picture of the same thing, before any is seen."""


class EvidenceVocabulary(Vocabulary):
    """Scores by the logarithm of the product of the two probabilities."""

    method: ClassVar[str] = "default"

    def embed(self, prompt: str, name: str) -> Features:
        """The mean example and, with a context, the category text added: the nearest single vector."""
        mean: Features = self.concept(name).arrays["mean"]
        if context_vector(self.encoder, prompt) is None:
            return mean
        return unit(mean + category_text(self, prompt, name))

    def score(self, prompt: str, name: str, gallery: Features) -> Scores:
        """``(n,)`` log probabilities up to a constant; a row's score depends on no other row."""
        return self.explain(prompt, name, gallery).score

    def explain(self, prompt: str, name: str, gallery: Features) -> Contributions:
        """Instance: log probability that the row shows it; context: weighted cosine, 0 without one."""
        arrays = self.concept(name).arrays
        cosine = gallery @ arrays["mean"]
        likeness = scaled(cosine, arrays["unrelated"].item())
        instance = self._log_probability(likeness)
        context = np.zeros(len(gallery), np.float32)
        query = context_vector(self.encoder, prompt)
        if query is not None:
            rest = unit(gallery - cosine[:, None] * arrays["mean"])
            weight = self.arguments["context_weight"] * self.encoder.logit_scale
            context = np.asarray(weight * (rest @ query), np.float32)
        return Contributions(instance, context, instance + context)

    def threshold(self, name: str) -> float:
        """The instance's part at the likeness that the instance's own examples and the others suggest."""
        return float(self._log_probability(self.concept(name).arrays["cut"])[0])

    def _log_probability(self, likeness: Scores) -> Scores:
        slope, middle = self.arguments["slope"], self.arguments["middle"]
        return np.asarray(-np.logaddexp(0, -slope * (likeness - middle)), np.float32)


@dataclass(frozen=True)
class Evidence(Method):
    """Instance evidence times separate context.

    Attributes:
        middle: scaled likeness (0 unrelated, 1 a copy) at which a picture shows the instance with
            probability 1/2.
        slope: how sharply that probability rises; more makes the decision harder and the context decide
            sooner.
        context_weight: weight of the context's cosine in units of the encoder's ``logit_scale``; more lets
            the context outweigh doubts about the instance.
    """

    vocabulary: ClassVar[type[Vocabulary]] = EvidenceVocabulary

    middle: float = 0.5
    slope: float = 8.0
    context_weight: float = 0.2

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Mean, scale and cut-off of each instance."""
        known = [c.arrays["mean"][None] for c in vocabulary.concepts.values()]
        means = unit(np.array([i.examples.mean(axis=0) for i in instances]))
        learned = []
        for number, instance in enumerate(instances):
            others = np.concatenate([negatives, *known, np.delete(means, number, axis=0)])
            unrelated = usual_likeness(means[number], others)
            cut = cut_off(instance.examples, means[number], others, unrelated)
            learned.append(
                {
                    "mean": means[number],
                    "unrelated": np.array([unrelated], np.float32),
                    "cut": np.array([cut], np.float32),
                }
            )
            progress("instances", number + 1, len(instances))
        return learned, {}


def scaled(cosine: Scores, unrelated: float) -> Scores:
    """Cosines on the scale where ``unrelated`` is 0 and a copy 1."""
    return np.asarray((cosine - unrelated) / (1 - unrelated), np.float32)


def usual_likeness(mean: Features, others: Features) -> float:
    """The mean cosine of pictures of other things, between 0 and `UNRELATED_LIMIT`; 0 when there are none."""
    if len(others) == 0:
        return 0.0
    return float(np.clip((others @ mean).mean(), 0.0, UNRELATED_LIMIT))


def left_out_likeness(examples: Features) -> Scores:
    """``(n,)`` cosine of each example to the mean of the others; empty for one example."""
    if len(examples) < 2:
        return np.zeros(0, np.float32)
    rest = unit(examples.sum(axis=0) - examples)
    return np.asarray((rest * examples).sum(axis=1), np.float32)


def cut_off(examples: Features, mean: Features, others: Features, unrelated: float) -> float:
    """The scaled likeness half-way between the nearest other thing and the instance's own left-out examples.

    Few examples are helped by a prior, and the examples of one place are known to be more alike than the next
    picture will be, so they cannot raise the cut-off above the prior's half.
    """
    own = scaled(left_out_likeness(examples), unrelated)
    expected = (own.sum() + PRIOR_WEIGHT * PRIOR_LIKENESS) / (len(own) + PRIOR_WEIGHT)
    nearest = scaled(others @ mean, unrelated).max() if len(others) else 0.0
    half = (min(float(expected), PRIOR_LIKENESS) + max(float(nearest), 0.0)) / 2
    return float(np.clip(half, 0.0, float(expected)))
