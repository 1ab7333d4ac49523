"""The default: how much a picture looks like the instance, times how well the rest of it fits the context.

Ours, chosen on development data (docs/methods/prototype-context.md); no word is learned. Three ideas:

* the likeness to the mean example is put on a scale of its own for each instance, on which 0 is what
  unrelated pictures have and 1 a copy;
* the likeness to the instance's nearest rivals (other things that look like it) counts against it;
* this becomes a probability that saturates: once a picture surely shows the instance, more likeness
  (usually the same background again) earns nothing;
* the context is looked for in the rim of a picture, where the encoder tells the rim apart; else in what is
  left of a picture when what the instance brings to it is taken out;
* the context is asked for without the name and without the category.

The two are multiplied, as a product of probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.encoders.space import Block
from thisismy.personalization.arguments import ranged
from thisismy.personalization.base import (
    Arrays,
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
)
from thisismy.personalization.context import ContextLikeness, context_vector
from thisismy.personalization.scorers import Contributions, Scorer, Scores

UNRELATED_LIMIT = 0.95
"""Largest likeness of unrelated pictures that is believed; above it the scale would blow up."""

PRIOR_WEIGHT = 2.0
"""How many examples the prior of a cut-off is worth."""

PRIOR_LIKENESS = 0.6
"""Scaled likeness of an unseen picture of the same thing, before any is seen."""


RIVALS = 16
"""Nearest other things kept of each instance."""

RIVAL_TEMPERATURE = 0.1
"""In cosines; smaller listens to the nearest rival only, larger to the mean of all."""


@dataclass(frozen=True, kw_only=True)
class PrototypeContextScorer(Scorer):
    """The logarithm of the product of the two probabilities, up to a constant.

    Attributes:
        arrays: ``mean``, ``unrelated`` and ``rivals`` of the instance.
        slope, middle, rivalry: as of `PrototypeContext`.
        context: finds the context in a row; None for a generic prompt.
        context_weight: of its likeness.
    """

    arrays: Arrays
    slope: float
    middle: float
    rivalry: float
    context: ContextLikeness | None
    context_weight: float

    def score(self, block: Block) -> Contributions:
        """Instance: log probability that the row shows it; context: weighted cosine, 0 without one."""
        instance = self._instance(block)
        if self.context is None:
            return Contributions(instance, np.zeros(len(block), np.float32), instance)
        context = np.float32(self.context_weight) * self.context.of(block)
        return Contributions(instance, context, instance + context)

    def score_bound(self, block: Block) -> Scores:
        """The log probability if no rival took anything from the likeness."""
        own = scaled(block.frame @ self.arrays["mean"], self.arrays["unrelated"].item())
        return log_probability(own, self.slope, self.middle)

    def probability(self, block: Block) -> Scores:
        """The instance's part of the score; 1/2 at ``middle``."""
        return np.asarray(np.exp(self._instance(block)), np.float32)

    def _instance(self, block: Block) -> Scores:
        found = likeness(block.frame, self.arrays, self.rivalry)
        return log_probability(found, self.slope, self.middle)


class PrototypeContextVocabulary(Vocabulary):
    """Scores by the logarithm of the product of the two probabilities."""

    method: ClassVar[str] = "prototype-context"

    def compile(self, prompt: str, name: str) -> PrototypeContextScorer:
        """The instance's likeness, and the text of the context where there is one."""
        arrays, arguments = self.concept(name).arrays, self.arguments
        query = self.context_query(prompt, name)
        return PrototypeContextScorer(
            space=self.space,
            probes=arrays["mean"][None],
            threshold=self.threshold(name),
            arrays=arrays,
            slope=arguments["slope"],
            middle=arguments["middle"],
            rivalry=arguments["rivalry"],
            context=None
            if query is None
            else ContextLikeness(query, arrays["mean"], arguments["surroundings"]),
            context_weight=arguments["context_weight"] * self.encoder.logit_scale,
        )

    def context_query(self, prompt: str, name: str) -> Features | None:
        """``(embed_dim,)`` unit vector of what is looked for around the thing; None for a generic prompt."""
        return context_vector(self.encoder, prompt)

    def threshold(self, name: str) -> float:
        """The instance's part at the likeness that the instance's own examples and the others suggest."""
        cut = self.concept(name).arrays["cut"]
        return float(log_probability(cut, self.arguments["slope"], self.arguments["middle"])[0])


def log_probability(likeness: Scores, slope: float, middle: float) -> Scores:
    """``(n,)`` log probabilities that rows of these likenesses show the instance."""
    return np.asarray(-np.logaddexp(0, -slope * (likeness - middle)), np.float32)


@dataclass(frozen=True)
class PrototypeContext(Method):
    """Instance evidence times separate context.

    Attributes:
        middle: likeness (0 unrelated, 1 a copy, less what rivals take) at which a picture shows the instance
            with probability 1/2.
        slope: how sharply that probability rises; more makes the decision harder and the context decide
            sooner.
        rivalry: what the likeness to rivals counts against the instance, as a share; 0 leaves them out.
        context_weight: weight of the context's cosine in units of the encoder's ``logit_scale``; more lets
            the context outweigh doubts about the instance.
        surroundings: look for the context in the rim of a picture, where the encoder tells it apart.
    """

    vocabulary: ClassVar[type[Vocabulary]] = PrototypeContextVocabulary

    middle: float = ranged(0.4, -1, 1)
    slope: float = ranged(10.0, 0, 1000, open_low=True)
    rivalry: float = ranged(0.25, 0, 10)
    context_weight: float = ranged(0.25, 0, 100)
    surroundings: bool = True

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Mean, scale, rivals and cut-off of each instance; rivals are negatives and other instances."""
        known = [c.arrays["mean"][None] for c in vocabulary.concepts.values()]
        means = unit(np.array([i.examples.mean(axis=0) for i in instances]))
        learned = []
        for number, instance in enumerate(instances):
            mean = means[number]
            others = np.concatenate([negatives, *known, np.delete(means, number, axis=0)])
            nearest = np.argsort(-(others @ mean), kind="stable")[:RIVALS]
            arrays: Arrays = {
                "mean": mean,
                "unrelated": np.array([usual_likeness(mean, others)], np.float32),
                "rivals": others[nearest],
            }
            cut = cut_off(instance.examples, arrays, self.rivalry)
            learned.append(arrays | {"cut": np.array([cut], np.float32)})
            progress("instances", number + 1, len(instances))
        return learned, {}


def likeness(rows: Features, arrays: Arrays, rivalry: float) -> Scores:
    """How surely each row shows the instance, ``(n,)``: 0 unrelated, 1 a copy that is like no rival.

    Args:
        rows: ``(n, embed_dim)`` unit rows.
        arrays: ``mean``, ``unrelated`` and ``rivals`` of the instance.
        rivalry: what likeness to the rivals counts against it.
    """
    unrelated = arrays["unrelated"].item()
    own = scaled(rows @ arrays["mean"], unrelated)
    return own - np.float32(rivalry) * rival_likeness(rows, arrays["rivals"], unrelated)


def rival_likeness(rows: Features, rivals: Features, unrelated: float) -> Scores:
    """``(n,)`` scaled likeness to the rivals, a soft maximum over them and not below 0; 0 without any."""
    if len(rivals) == 0 or len(rows) == 0:
        return np.zeros(len(rows), np.float32)
    cosines = rows @ rivals.T
    top = cosines.max(axis=1, keepdims=True)
    shares = np.exp((cosines - top) / RIVAL_TEMPERATURE).mean(axis=1)
    return np.maximum(scaled(top[:, 0] + RIVAL_TEMPERATURE * np.log(shares), unrelated), 0)


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


def cut_off(examples: Features, arrays: Arrays, rivalry: float) -> float:
    """The likeness half-way between the nearest rival and the instance's own left-out examples.

    Few examples are helped by a prior, and the examples of one place are known to be more alike than the next
    picture will be, so they cannot raise the cut-off above the prior's half.

    Args:
        examples: ``(n, embed_dim)`` unit rows.
        arrays: ``mean``, ``unrelated`` and ``rivals`` of the instance.
        rivalry: as for `likeness`.
    """
    unrelated = arrays["unrelated"].item()
    own = scaled(left_out_likeness(examples), unrelated)
    expected = float((own.sum() + PRIOR_WEIGHT * PRIOR_LIKENESS) / (len(own) + PRIOR_WEIGHT))
    cost = rivalry * float(rival_likeness(examples, arrays["rivals"], unrelated).mean())
    rivals = likeness(arrays["rivals"], arrays, rivalry)
    nearest = max(float(rivals.max()), 0.0) if len(rivals) else 0.0
    half = (min(expected, PRIOR_LIKENESS) - cost + nearest) / 2
    return float(np.clip(half, 0.0, max(expected - cost, 0.0)))
