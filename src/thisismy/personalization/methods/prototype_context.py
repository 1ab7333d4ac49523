"""The default: how much a picture looks like the instance, times how well the rest of it fits the context.

Ours, chosen on development data (docs/methods/default.md); no word is learned. Three ideas:

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
from thisismy.personalization.arguments import ranged
from thisismy.personalization.base import (
    Arrays,
    Contributions,
    Learned,
    Method,
    NamedInstance,
    Scores,
    Vocabulary,
)
from thisismy.personalization.context import context_likeness, context_vector
from thisismy.personalization.prompts import category_text

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


class PrototypeContextVocabulary(Vocabulary):
    """Scores by the logarithm of the product of the two probabilities."""

    method: ClassVar[str] = "prototype-context"

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
        instance = self._instance(name, gallery)
        context = np.zeros(len(gallery), np.float32)
        query = self.context(prompt, name)
        if query is not None:
            where = self.encoder if self.arguments["surroundings"] else None
            weight = np.float32(self.arguments["context_weight"] * self.encoder.logit_scale)
            context = weight * context_likeness(query, gallery, arrays["mean"], where)
        return Contributions(instance, context, instance + context)

    def context(self, prompt: str, name: str) -> Features | None:
        """``(embed_dim,)`` unit vector of what is looked for around the thing; None for a generic prompt."""
        return context_vector(self.encoder, prompt)

    def threshold(self, name: str) -> float:
        """The instance's part at the likeness that the instance's own examples and the others suggest."""
        return float(self._log_probability(self.concept(name).arrays["cut"])[0])

    def headroom(self, name: str, gallery: Features) -> Scores:
        """``(n,)``: what the likeness would be above the cut-off if no rival took any of it."""
        arrays = self.concept(name).arrays
        own = scaled(gallery @ arrays["mean"], arrays["unrelated"].item())
        return np.asarray(own - arrays["cut"][0], np.float32)

    def certainty(self, name: str, gallery: Features) -> Scores:
        """``(n,)`` probabilities, the instance's part of the score; 1/2 at ``middle``."""
        return np.asarray(np.exp(self._instance(name, gallery)), np.float32)

    def _instance(self, name: str, gallery: Features) -> Scores:
        found = likeness(gallery, self.concept(name).arrays, self.arguments["rivalry"])
        return self._log_probability(found)

    def _log_probability(self, likeness: Scores) -> Scores:
        slope, middle = self.arguments["slope"], self.arguments["middle"]
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
