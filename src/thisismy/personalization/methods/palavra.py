"""A word predicted from a few pictures, then tuned: PALAVRA.

Niv Cohen, Rinon Gal, Eli A. Meirom, Gal Chechik, Yuval Atzmon: "This is my unicorn, Fluffy: Personalizing
frozen vision-language representations", ECCV 2022 (arXiv 2204.01694). Written from the paper; where paper
and practice are known to differ, both are settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.personalization.arguments import choice, ranged
from thisismy.personalization.base import (
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
    instance_seed,
    is_generic,
)
from thisismy.personalization.prompts import ORDERS, check_takes_tokens, in_order, prompt_vectors

if TYPE_CHECKING:
    import torch

    from thisismy.personalization.inversion.palavra_training import Networks

SUPER_CONCEPT = "item"
"""The one type that stands for all in practice."""

STARTS = ("predicted", "category", "random")
CONTRASTS = ("type", "item", "none")


class PalavraVocabulary(Vocabulary):
    """Scores by the cosine to the text vector of the prompt with the word and, if asked for, its type."""

    method: ClassVar[str] = "palavra"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """One run of the text tower with the instance's word in each prompt."""
        concept = self.concept(name)
        orders = [self.arguments["generic_order" if is_generic(prompt) else "order"] for prompt in prompts]
        asked = [in_order(p, concept.category, order) for p, order in zip(prompts, orders, strict=True)]
        return prompt_vectors(self.encoder, asked, concept.arrays["tokens"])


@dataclass(frozen=True)
class Palavra(Method):
    """A set encoder's word, tuned towards the pictures and away from the type.

    Ablations of its table: ``epochs=0`` (no tuning), ``start="random"``, ``aligned=False``; those of the set
    encoder are settings of `PalavraArguments`, chosen by the file.

    Attributes:
        set_encoder: file of `train-inversion`; empty takes the one that comes with the package for the
            encoder. Where there is none, the word begins as the category's.
        start: "predicted", "category" or "random".
        epochs: steps of tuning; 0 leaves the word as predicted.
        learning_rate: of tuning (Adam).
        temperature: of the contrast.
        contrast: what the word is kept away from: its "type" as printed, one "item" for all as practised,
            or "none".
        aligned: whether the type's text is brought to where pictures lie.
        order: what stands for ``*`` in a query: "word", "word type" as printed or "type word" as practised.
        generic_order: the same where the query asks for the instance alone.
        templates: True tunes on the prompts of training, False on the bare word as published.
    """

    vocabulary: ClassVar[type[Vocabulary]] = PalavraVocabulary

    set_encoder: str = ""
    start: str = choice("predicted", STARTS)
    epochs: int = ranged(30, 0, 100_000)
    learning_rate: float = ranged(0.01, 0, 10, open_low=True)
    temperature: float = ranged(0.25, 0, 100, open_low=True)
    contrast: str = choice("type", CONTRASTS)
    aligned: bool = True
    order: str = choice("word type", ORDERS)
    generic_order: str = choice("word", ORDERS)
    templates: bool = True

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Predict a word for each instance and tune all in one batch; none sees another."""
        import torch

        from thisismy.personalization.inversion.palavra_training import trained_networks
        from thisismy.personalization.inversion.weights import find_inversion

        if not instances:
            return [], {}
        encoder = vocabulary.encoder
        check_takes_tokens(encoder)
        found = find_inversion(self.set_encoder, "palavra", encoder)
        networks = None if found is None else trained_networks(found)
        words = torch.stack([self._first(i, encoder, networks, vocabulary.seed) for i in instances])
        if self.epochs:
            self._tune(words, instances, encoder, networks, vocabulary.seed, progress)
        tokens = words.detach().numpy()
        return [
            {"tokens": tokens[n].copy(), "mean": unit(instance.examples.mean(axis=0))}
            for n, instance in enumerate(instances)
        ], {}

    def _first(
        self, instance: NamedInstance, encoder: Encoder, networks: Networks | None, seed: int
    ) -> torch.Tensor:
        """``(tokens, token_dim)`` the word before tuning."""
        import torch

        from thisismy.personalization.meta.word_model import draw_word

        if self.start == "random":
            own = instance_seed(seed, instance.name)
            return draw_word(check_takes_tokens(encoder), 1, None, own).T.contiguous()
        if self.start == "predicted" and networks is not None:
            with torch.no_grad():
                word: torch.Tensor = networks.set_encoder(torch.from_numpy(instance.examples)[None])[0]
            return word
        return torch.from_numpy(encoder.word_vectors(instance.category)[:1].copy())

    def _tune(
        self,
        words: torch.Tensor,
        instances: Sequence[NamedInstance],
        encoder: Encoder,
        networks: Networks | None,
        seed: int,
        progress: Progress,
    ) -> None:
        """Change the words in place."""
        import torch

        from thisismy.personalization.inversion.palavra_losses import tuning_loss
        from thisismy.personalization.inversion.palavra_training import PROMPTS
        from thisismy.personalization.training import Plan, Training

        pictures = torch.from_numpy(unit(np.stack([i.examples.mean(axis=0) for i in instances])))
        types = None
        if self.contrast != "none":
            named = [SUPER_CONCEPT if self.contrast == "item" else i.category for i in instances]
            types = torch.from_numpy(encoder.encode_texts(named))
            if self.aligned and networks is not None:
                types = networks.alignment(types)
        words.requires_grad_()

        def losses(_rows: np.ndarray, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
            prompt = PROMPTS[rng.integers(len(PROMPTS))] if self.templates else PLACEHOLDER
            texts = encoder.encode_prompts([prompt] * len(words), words)
            return {"tuning": tuning_loss(texts, pictures, types, self.temperature)}

        plan = Plan(self.epochs, len(words), self.learning_rate, decay="none")
        Training([words], plan, len(words), seed=seed).run(losses, progress=progress, stage="words")
