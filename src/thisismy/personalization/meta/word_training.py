"""How words are trained on the examples of instances (Yeh et al., equations 5 to 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from thisismy.core.progress import Progress
from thisismy.encoders.base import Encoder, Features
from thisismy.personalization.meta.losses import category_loss, language_loss, vision_language_loss
from thisismy.personalization.prompts import TEMPLATES
from thisismy.personalization.training import Plan, Training

Tokens = Callable[[torch.Tensor], torch.Tensor]
"""Instance numbers ``(n,)`` to their tokens ``(n, tokens, token_dim)``, differentiable."""


@dataclass(frozen=True)
class Recipe:
    """How tokens are trained.

    Attributes:
        epochs: times every sample is seen.
        batch: samples per step.
        learning_rate: the largest; it falls to zero along a cosine.
        weight_decay: Adam's; pulls the learned numbers to zero.
        temperature: of both contrastive losses; smaller looks more at the nearest wrong rows.
        language_weight: of equation 5; 0 leaves it out.
        category_weight: of equation 7 (``lambda_c``); 0 leaves it out; more keeps tokens nearer to their
            category.
        step_negatives: non-instance shots drawn per step; 0 gives "N = B".
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    temperature: float
    language_weight: float
    category_weight: float
    step_negatives: int


@dataclass(frozen=True)
class Samples:
    """What is trained on: one row per example.

    Attributes:
        images: ``(n, embed_dim)`` unit rows.
        labels: ``(n,)`` instance numbers.
        anchors: ``(n_instances, embed_dim)`` text vector of each instance's category.
        negatives: ``(m, embed_dim)`` unit rows of no instance.
    """

    images: Features
    labels: np.ndarray
    anchors: Features
    negatives: Features


def train_tokens(
    tokens: Tokens,
    parameters: Sequence[torch.Tensor],
    samples: Samples,
    encoder: Encoder,
    recipe: Recipe,
    *,
    seed: int,
    progress: Progress,
    stage: str,
) -> list[dict[str, float]]:
    """Optimise the parameters that the tokens are made of; the encoder stays as it is.

    Args:
        tokens: makes the tokens from the parameters.
        parameters: leaf tensors, changed in place.
        samples: what to learn from.
        encoder: must take tokens.
        recipe: the settings.
        seed: of the order of the samples, of the templates and of the negatives.
        progress: called once an epoch with ``stage``.
        stage: what is being learned, as a person reads it.

    Returns:
        Per epoch the mean of each loss and the learning rate it began with.

    Raises:
        VocabularyError: a loss is not finite, so the settings cannot work.
    """
    images, negatives = torch.from_numpy(samples.images), torch.from_numpy(samples.negatives)
    anchors, labels = torch.from_numpy(samples.anchors), torch.from_numpy(samples.labels)

    def losses(batch: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        rows = torch.from_numpy(batch)
        texts = _prompt_vectors(tokens, labels[rows], encoder, rng)
        picked = _draw_rows(negatives, recipe.step_negatives, rng)
        return {
            "vision_language": vision_language_loss(
                texts, images[rows], labels[rows], picked, recipe.temperature
            ),
            "language": language_loss(texts, labels[rows], recipe.temperature) * recipe.language_weight,
            "category": category_loss(texts, anchors[labels[rows]]) * recipe.category_weight,
        }

    plan = Plan(recipe.epochs, recipe.batch, recipe.learning_rate, recipe.weight_decay)
    training = Training(parameters, plan, len(labels), seed=seed)
    return training.run(losses, progress=progress, stage=stage)


def _prompt_vectors(
    tokens: Tokens, labels: torch.Tensor, encoder: Encoder, rng: np.random.Generator
) -> torch.Tensor:
    """``(b, embed_dim)`` text vectors, each with a template of its own; equal prompts are encoded once."""
    templates = rng.integers(len(TEMPLATES), size=len(labels))
    pairs = np.stack([labels.numpy(), templates], axis=1)
    unique, back = np.unique(pairs, axis=0, return_inverse=True)
    prompts = [TEMPLATES[t] for _, t in unique]
    texts = encoder.encode_prompts(prompts, tokens(torch.from_numpy(np.ascontiguousarray(unique[:, 0]))))
    return texts[torch.from_numpy(back.reshape(-1))]


def _draw_rows(rows: torch.Tensor, count: int, rng: np.random.Generator) -> torch.Tensor:
    """Up to ``count`` different rows at random."""
    if len(rows) <= count:
        return rows
    return rows[torch.from_numpy(rng.choice(len(rows), size=count, replace=False))]
