"""The text encoder's output moved by a small learned network: the baseline Adapter of PALAVRA.

Cohen et al., ECCV 2022, section 6.1 and appendix, after Houlsby et al., "Parameter-efficient transfer
learning for NLP", 2019. Each instance gets a name of its own, its type and a number ("skirt 241"); the
network learns to bring the text of that name to the instance's pictures. Sizes and rates are not given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import PLACEHOLDER, Features, unit
from thisismy.personalization.arguments import choice, ranged
from thisismy.personalization.base import (
    Arrays,
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
    instance_seed,
    is_generic,
)
from thisismy.personalization.prompts import encode_distinct

if TYPE_CHECKING:
    import torch

NUMBERS = 1000
"""Tags are a type and a number below this."""

ASKED = ("tag", "type")


class AdapterVocabulary(Vocabulary):
    """Scores by the cosine to the moved text vector of the prompt with the instance's tag."""

    method: ClassVar[str] = "adapter"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """Text vectors after the network; the instance alone is asked for by its bare tag."""
        concept = self.concept(name)
        word = bytes(concept.arrays["tag"]).decode()
        if self.arguments["asked"] == "type":
            word = concept.category
        texts = [word if is_generic(prompt) else prompt.replace(PLACEHOLDER, word) for prompt in prompts]
        return moved(concept.arrays, encode_distinct(self.encoder, texts))


@dataclass(frozen=True)
class Adapter(Method):
    """A residual network behind the text tower, one for all instances learned together.

    Attributes:
        width: of its hidden layer.
        epochs: times every example is seen.
        batch: examples per step.
        learning_rate: the largest (Adam, cosine).
        temperature: of the contrast of a batch's texts and pictures.
        asked: what stands for ``*`` in a query: the instance's "tag", or its "type" (COLLIE:Text).
    """

    vocabulary: ClassVar[type[Vocabulary]] = AdapterVocabulary
    scaled: ClassVar[bool] = False

    width: int = ranged(256, 1, 65536)
    epochs: int = ranged(60, 0, 100_000)
    batch: int = ranged(64, 1, 1_000_000)
    learning_rate: float = ranged(1e-3, 0, 10, open_low=True)
    temperature: float = ranged(0.1, 0, 100, open_low=True)
    asked: str = choice("tag", ASKED)

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Train one network on all instances; each keeps it as it was when the instance was learned."""
        import torch

        from thisismy.personalization.training import Plan, Training

        if not instances:
            return [], {}
        encoder = vocabulary.encoder
        tags = tags_of(instances, vocabulary.seed)
        texts = torch.from_numpy(encoder.encode_texts(tags))
        plain = torch.from_numpy(
            encoder.encode_texts(sorted({f"a photo of a {i.category}" for i in instances}))
        )
        pictures = torch.from_numpy(np.concatenate([i.examples for i in instances]))
        things = torch.from_numpy(np.repeat(np.arange(len(instances)), [len(i.examples) for i in instances]))
        seed = instance_seed(vocabulary.seed, "\n".join(i.name for i in instances))
        weights = self._fresh(encoder.embed_dim, seed)

        def losses(batch: np.ndarray[Any, Any], _rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
            rows = torch.from_numpy(batch)
            return self._losses(weights, texts, plain, pictures[rows], things[rows])

        plan = Plan(self.epochs, self.batch, self.learning_rate)
        training = Training(list(weights.values()), plan, len(pictures), seed=seed)
        training.run(losses, progress=progress, stage=self.vocabulary.method)
        learned = {key: value.detach().numpy().copy() for key, value in weights.items()}
        return [
            {
                **learned,
                "tag": np.frombuffer(tag.encode(), np.uint8).copy(),
                "mean": unit(instance.examples.mean(axis=0)),
            }
            for tag, instance in zip(tags, instances, strict=True)
        ], {}

    def _fresh(self, width: int, seed: int) -> dict[str, torch.Tensor]:
        import torch

        generator = torch.Generator().manual_seed(seed % 2**62)
        weights = {
            "first": torch.randn(self.width, width, generator=generator) * width**-0.5,
            "first_bias": torch.zeros(self.width),
            "second": torch.randn(width, self.width, generator=generator) * 0.1 * self.width**-0.5,
            "second_bias": torch.zeros(width),
        }
        if self.scaled:
            weights["scale"] = torch.zeros(self.width)
            weights["scale_bias"] = torch.zeros(1)
        return {key: value.requires_grad_() for key, value in weights.items()}

    def _losses(
        self,
        weights: Mapping[str, torch.Tensor],
        texts: torch.Tensor,
        plain: torch.Tensor,
        pictures: torch.Tensor,
        things: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Pictures find the moved text of their own tag among all tags; ``plain`` should not be moved."""
        import torch
        from torch.nn import functional

        found, _ = step(weights, texts)
        named = functional.normalize(texts + found, dim=-1)
        losses = {"tags": functional.cross_entropy(pictures @ named.T / self.temperature, things)}
        losses["pictures"] = 1 - (pictures * named[things]).sum(-1).mean()
        if self.scaled:
            _, on_tags = step(weights, texts)
            _, on_plain = step(weights, plain)
            losses["scale"] = (-torch.log(on_tags + 1e-6).mean() - torch.log(1 - on_plain + 1e-6).mean()) / 2
        return losses


def step(weights: Mapping[str, torch.Tensor], texts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``(n, embed_dim)`` moves of texts, and ``(n,)`` how strongly each applies (1 without a scale)."""
    import torch
    from torch.nn import functional

    hidden = functional.gelu(texts @ weights["first"].T + weights["first_bias"])
    move = hidden @ weights["second"].T + weights["second_bias"]
    if "scale" not in weights:
        return move, torch.ones(len(texts))
    scale = torch.sigmoid(hidden @ weights["scale"] + weights["scale_bias"])
    return move * scale[:, None], scale


def moved(arrays: Arrays, texts: Features) -> Features:
    """Text vectors after the network of a concept."""
    import torch

    weights = {k: torch.from_numpy(v) for k, v in arrays.items() if k not in {"tag", "mean"}}
    with torch.no_grad():
        found, _ = step(weights, torch.from_numpy(texts))
    return unit(texts + found.numpy())


def tags_of(instances: Sequence[NamedInstance], seed: int) -> list[str]:
    """A type and a number for each instance, all different."""
    tags: list[str] = []
    for instance in instances:
        rng = np.random.default_rng(instance_seed(seed, instance.name))
        tag = f"{instance.category} {rng.integers(1, NUMBERS)}"
        while tag in tags:
            tag = f"{instance.category} {rng.integers(1, NUMBERS)}"
        tags.append(tag)
    return tags
