"""Learned words from category features: the method of the paper this package is built around.

Chun-Hsiao Yeh, Bryan Russell, Josef Sivic, Fabian Caba Heilbron, Simon Jenni: "Meta-Personalizing
Vision-Language
Models to Find Named Instances in Video", CVPR 2023 (arXiv 2306.10169), sections 3 and 3.2, appendix C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Encoder, Features, unit
from thisismy.personalization.arguments import choice, ranged
from thisismy.personalization.base import (
    Learned,
    Method,
    NamedInstance,
    Vocabulary,
    instance_seed,
)
from thisismy.personalization.prompts import category_anchors, check_takes_tokens, prompt_vectors

if TYPE_CHECKING:
    import torch

    from thisismy.personalization.meta.category_features import CategoryFeatures
    from thisismy.personalization.meta.word_model import Start, WordModel

MATRIX = "category features/"
"""Prefix of the names of category matrices among a vocabulary's shared arrays."""


INITS = ("random", "category")


class MetaTokensVocabulary(Vocabulary):
    """Scores by the cosine to the text vector of the prompt with the learned words in place of ``*``."""

    method: ClassVar[str] = "meta-tokens"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """One run of the text tower with the instance's words in each prompt."""
        return prompt_vectors(self.encoder, prompts, self.concept(name).arrays["tokens"])


@dataclass(frozen=True)
class MetaTokens(Method):
    """Words ``w = C_l z`` learned from an instance's shots.

    Defaults are the paper's but for three that a weak encoder needs (docs/methods/meta-tokens.md): the
    paper has ``tokens=1``, ``init="random"`` and ``temperature=0.1``, and names no learning rate.

    ``C_l`` and ``z`` are optimised together with Adam from ``category_features`` or from random. Ablations
    of Table 1: (a) ``factorize=False``; (b) ``single_category=True``; (c) ``language_weight=0``; (d)
    ``category_weight=0``; (e) ``step_negatives=0``; (f) no ``category_features``.

    To guard against over-fitting with other instances of the same categories, learn them too and drop them
    with `Vocabulary.without`.

    Attributes:
        category_features: file of `meta_train`; empty starts from ``init``. A category it lacks starts
            from ``init``.
        q: columns of a fresh category matrix.
        tokens: words per instance; more hold more detail and over-fit sooner.
        epochs: times every example is seen.
        batch: samples per step.
        learning_rate: the largest; not given in the paper, chosen on development data.
        weight_decay: not given in the paper.
        temperature: of the contrastive losses.
        language_weight: of the language-language loss.
        category_weight: of the category loss.
        step_negatives: non-instance shots drawn per step.
        negatives_kept: part of the negatives used, those least like the instances' categories in words;
            the paper keeps those of "low similarity" and names no number.
        init: "random" or "category" (the category's own word vectors).
        factorize: False learns the words directly, without ``C`` and ``z``.
        single_category: one matrix for all categories.
    """

    vocabulary: ClassVar[type[Vocabulary]] = MetaTokensVocabulary

    category_features: str = ""
    q: int = ranged(512, 1, 65536)
    tokens: int = ranged(4, 1, 32)
    epochs: int = ranged(40, 0, 100_000)
    batch: int = ranged(16, 1, 1_000_000)
    learning_rate: float = ranged(0.005, 0, 10, open_low=True)
    weight_decay: float = ranged(0.0, 0, 10)
    temperature: float = ranged(0.2, 0, 100, open_low=True)
    language_weight: float = ranged(1.0, 0, 1000)
    category_weight: float = ranged(0.5, 0, 1000)
    step_negatives: int = ranged(512, 0, 1_000_000)
    negatives_kept: float = ranged(1.0, 0, 1)
    init: str = choice("category", INITS)
    factorize: bool = True
    single_category: bool = False

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Optimise codes, and the matrices of categories the vocabulary does not know yet."""
        import torch

        from thisismy.personalization.meta.word_training import Recipe, Samples, train_tokens

        if not instances:
            return [], {}
        encoder = vocabulary.encoder
        model, trained = self._start(instances, vocabulary)
        recipe = Recipe(
            self.epochs,
            self.batch,
            self.learning_rate,
            self.weight_decay,
            self.temperature,
            self.language_weight,
            self.category_weight,
            self.step_negatives,
        )
        anchors = category_anchors(encoder, [i.category for i in instances])
        known = [c.arrays["mean"][None] for c in vocabulary.concepts.values()]
        samples = Samples(
            np.concatenate([i.examples for i in instances]),
            np.repeat(np.arange(len(instances)), [len(i.examples) for i in instances]),
            anchors,
            np.concatenate([least_like(negatives, anchors, self.negatives_kept), *known]),
        )
        seed = instance_seed(vocabulary.seed, "\n".join(i.name for i in instances))
        train_tokens(
            model.tokens, trained, samples, encoder, recipe, seed=seed, progress=progress, stage="words"
        )
        with torch.no_grad():
            words = model.tokens(torch.arange(len(instances))).numpy()
        concepts = [
            {"tokens": words[n].copy(), "mean": unit(instance.examples.mean(axis=0))}
            for n, instance in enumerate(instances)
        ]
        learned = {k: m for k, m in model.matrices.items() if m.requires_grad}
        return concepts, {MATRIX + key: matrix.detach().numpy() for key, matrix in learned.items()}

    def _start(
        self, instances: Sequence[NamedInstance], vocabulary: Vocabulary
    ) -> tuple[WordModel, list[torch.Tensor]]:
        """The model with fresh codes, and what is to be trained: the codes and the matrices not known yet."""
        import torch

        from thisismy.personalization.meta.word_model import (
            ANY,
            WordModel,
            draw_code,
            draw_matrix,
            draw_word,
            start_matrix,
            start_words,
        )

        encoder, seed = vocabulary.encoder, vocabulary.seed
        width = check_takes_tokens(encoder)
        if not self.factorize:
            words = [start_words(encoder, i.category, self.init, width) for i in instances]
            codes = [
                draw_word(width, self.tokens, w, instance_seed(seed, i.name)).requires_grad_()
                for i, w in zip(instances, words, strict=True)
            ]
            return WordModel({ANY: torch.eye(width)}, codes, [ANY] * len(codes)), codes
        keys = [ANY if self.single_category else i.category for i in instances]
        learned = self._learned_matrices(encoder)
        matrices: dict[str, torch.Tensor] = {}
        starts: dict[str, Start] = {}
        for key in dict.fromkeys(keys):
            sharing = [i.category for i, own in zip(instances, keys, strict=True) if own == key]
            if MATRIX + key in vocabulary.shared:
                matrices[key] = torch.from_numpy(vocabulary.shared[MATRIX + key])
                # Which columns of a matrix for all hold whose words is not kept.
                init = learned.arguments["init"] if learned and key in learned.matrices else self.init
                own = [] if self.single_category else sharing
                starts[key] = start_matrix(encoder, own, init, matrices[key].shape[1])
            elif learned is not None and key in learned.matrices:
                matrices[key] = torch.from_numpy(learned.matrices[key]).requires_grad_()
                starts[key] = learned.start(encoder, key)
            else:
                starts[key] = start_matrix(encoder, sharing, self.init, self.q)
                fresh = draw_matrix(encoder, self.q, starts[key].words, instance_seed(seed, key))
                matrices[key] = torch.from_numpy(fresh).requires_grad_()
        codes = [
            draw_code(
                matrices[key].shape[1], self.tokens, starts[key].of(i.category), instance_seed(seed, i.name)
            ).requires_grad_()
            for i, key in zip(instances, keys, strict=True)
        ]
        return WordModel(matrices, codes, keys), codes + [m for m in matrices.values() if m.requires_grad]

    def _learned_matrices(self, encoder: Encoder) -> CategoryFeatures | None:
        """Those of the file of category features, where one is given."""
        if not self.category_features:
            return None
        from thisismy.personalization.meta.category_features import load_category_features

        return load_category_features(Path(self.category_features), encoder)


def least_like(negatives: Features, anchors: Features, kept: float) -> Features:
    """The part ``kept`` (0 to 1) of the negatives that is least like any of the anchors."""
    if kept >= 1 or len(negatives) == 0:
        return negatives
    likeness = (negatives @ anchors.T).max(axis=1)
    order = np.argsort(likeness, kind="stable")
    return negatives[np.sort(order[: max(1, round(kept * len(negatives)))])]
