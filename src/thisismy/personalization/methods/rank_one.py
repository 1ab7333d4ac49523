"""A rank-1 update of the text tower per instance, in the manner of POLAR.

"POLAR" (Adobe Research, CVPR 2025) leaves the words alone and adds, for a thing seen in five pictures, a
rank-1 matrix to the value matrix of the last layer of the text tower, trained with Adam for 500 steps at a
rate of 0.001 and a penalty of 0.1; the thing is written "sks dog". Here the update sits one linear map later,
on the projection into the shared space, where every encoder can be reached: ``text + out (in . text)``,
scaled to length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.personalization.arguments import ranged
from thisismy.personalization.base import Arrays, Learned, Method, NamedInstance, Vocabulary, instance_seed
from thisismy.personalization.prompts import TEMPLATES

MARK = "sks"
"""Stands before the category; a word that means nothing."""

START_STD = 0.02
"""Standard deviation of the incoming side at the start; the outgoing side starts at zero, as in LoRA."""


def marked_texts(encoder: Encoder, prompts: Sequence[str], category: str) -> Features:
    """``(n, embed_dim)`` unit text vectors of prompts with "sks CATEGORY" in place of ``*``."""
    return unit(encoder.encode_texts([p.replace(PLACEHOLDER, f"{MARK} {category}") for p in prompts]))


class RankOneVocabulary(Vocabulary):
    """Scores by the cosine to the text vector that the updated tower gives."""

    method: ClassVar[str] = "rank-one"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """The text vectors of the prompts about "sks CATEGORY", moved by the instance's update."""
        concept = self.concept(name)
        texts = marked_texts(self.encoder, prompts, concept.category)
        return unit(texts + (texts @ concept.arrays["in"])[:, None] * concept.arrays["out"])


@dataclass(frozen=True)
class RankOne(Method):
    """A rank-1 update per instance.

    Attributes:
        steps: of Adam.
        learning_rate: of Adam.
        penalty: weight of the squared size of the update; more stays nearer to the category's text.
    """

    vocabulary: ClassVar[type[Vocabulary]] = RankOneVocabulary

    steps: int = ranged(500, 0, 100_000)
    learning_rate: float = ranged(0.001, 0, 10, open_low=True)
    penalty: float = ranged(0.1, 0, 1000)

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """One update per instance, against the negatives and the examples of all other instances."""
        encoder = vocabulary.encoder
        known = [c.arrays["mean"][None] for c in vocabulary.concepts.values()]
        learned: list[Arrays] = []
        for number, instance in enumerate(instances):
            rest = [i.examples for i in instances if i is not instance]
            others = np.concatenate([negatives, *known, *rest])
            texts = marked_texts(encoder, TEMPLATES, instance.category)
            seed = instance_seed(vocabulary.seed, instance.name)
            update = self._update(texts, instance.examples, others, encoder.logit_scale, seed)
            learned.append(update | {"mean": unit(instance.examples.mean(axis=0))})
            progress("updates", number + 1, len(instances))
        return learned, {}

    def _update(
        self, texts: Features, examples: Features, others: Features, scale: float, seed: int
    ) -> Arrays:
        """The two sides of the update, ``(embed_dim,)`` each."""
        import torch

        chance = torch.Generator().manual_seed(seed % 2**63)
        width = texts.shape[1]
        inward = (torch.randn(width, generator=chance) * START_STD).requires_grad_()
        outward = torch.zeros(width, requires_grad=True)
        prompts, pictures = torch.from_numpy(texts), torch.from_numpy(np.concatenate([examples, others]))
        optimiser = torch.optim.Adam([inward, outward], lr=self.learning_rate)
        for _ in range(self.steps):
            moved = prompts + (prompts @ inward)[:, None] * outward
            logits = scale * torch.nn.functional.normalize(moved, dim=1) @ pictures.T
            share = logits.log_softmax(dim=1)[:, : len(examples)]
            size = inward.square().sum() * outward.square().sum()
            loss = -share.mean() + self.penalty * size
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        return {"in": inward.detach().numpy(), "out": outward.detach().numpy()}
