"""How the map of pi-map is pre-trained, once for an encoder, on pictures of named things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.personalization.arguments import check_arguments, choice, ranged
from thisismy.personalization.base import Arrays
from thisismy.personalization.inversion.corpus import Corpus
from thisismy.personalization.inversion.pi_map_losses import symmetric_loss
from thisismy.personalization.inversion.pi_map_network import CONDITIONS, PictureMap
from thisismy.personalization.inversion.resumable import Learner, train_inversion
from thisismy.personalization.inversion.weights import Inversion
from thisismy.personalization.prompts import check_takes_tokens
from thisismy.personalization.training import Plan, Training

KIND = "pi-map"

PROMPT = "A photo of *"
"""The prompt that words are trained in."""

CAPTIONS = 2048
"""Pictures and captions looked at for the conditioning vectors."""


@dataclass(frozen=True)
class PiMapArguments:
    """How the map is pre-trained; the paper's values, except where another was chosen on development data.

    Attributes:
        epochs: times every thing is seen, one picture of it at a time (paper: 10, of all of ImageNet).
        batch: things per step (paper: 256).
        learning_rate: the largest (AdamW; paper: 3e-4, for thousands of times as many steps).
        weight_decay: not given in the paper.
        temperature: of the symmetric loss.
        condition: see `PictureMap.condition`.
    """

    epochs: int = ranged(10, 0, 100_000)
    batch: int = ranged(128, 1, 1_000_000)
    learning_rate: float = ranged(1e-3, 0, 10, open_low=True)
    weight_decay: float = ranged(0.01, 0, 10)
    temperature: float = ranged(0.07, 0, 100, open_low=True)
    condition: str = choice("zeroed", CONDITIONS)

    def __post_init__(self) -> None:
        check_arguments("train-inversion pi-map", self)


def train_map(
    corpus: Corpus,
    encoder: Encoder,
    arguments: PiMapArguments | None = None,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Pre-train the map: the text of a picture's word finds the picture, and the picture the text.

    Args:
        corpus: things with names and features of their pictures.
        encoder: frozen; must take tokens.
        arguments: settings.
        seed: same seed, same weights, interrupted or not.
        checkpoint: written after every epoch, and resumed from when it exists.
        progress: told epoch by epoch.

    Raises:
        VocabularyError: the checkpoint belongs to other settings, another seed or corpus.
        EncoderError: the encoder takes no tokens.
        EncoderMismatchError: the checkpoint belongs to another encoder.
    """
    arguments = arguments or PiMapArguments()

    def prepare() -> Learner:
        width = check_takes_tokens(encoder)
        network = PictureMap(encoder.embed_dim, width, torch.Generator().manual_seed(seed))
        _condition(network, corpus, encoder, arguments.condition, seed)
        plan = Plan(
            arguments.epochs,
            arguments.batch,
            arguments.learning_rate,
            arguments.weight_decay,
            decoupled=True,
        )
        training = Training(list(network.parameters()), plan, len(corpus.names), seed=seed)
        losses = _losses(network, corpus, encoder, arguments.temperature)
        return Learner(network, training, losses, "picture map")

    return train_inversion(
        KIND, corpus, encoder, asdict(arguments), prepare, seed=seed, checkpoint=checkpoint, progress=progress
    )


def trained_map(found: Inversion) -> PictureMap:
    """The map of a file, ready to be trained further."""
    return map_from(found.weights)


def map_from(weights: Arrays) -> PictureMap:
    """A map with these weights."""
    token_dim = weights["last.bias"].shape[0]
    embed_dim = weights["entry.weight"].shape[1] if "entry.weight" in weights else token_dim
    network = PictureMap(embed_dim, token_dim, torch.Generator())
    network.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    return network


def _losses(network: PictureMap, corpus: Corpus, encoder: Encoder, temperature: float) -> Any:
    features = torch.from_numpy(corpus.features)
    rows_of = corpus.rows_of_things()

    def losses(things: NDArray[Any], rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        rows = np.array([rows_of[i][rng.integers(len(rows_of[i]))] for i in things])
        pictures = features[torch.from_numpy(rows)]
        texts = encoder.encode_prompts([PROMPT] * len(rows), network(pictures)[:, None, :])
        return {"symmetric": symmetric_loss(functional.normalize(texts, dim=-1), pictures, temperature)}

    return losses


def _condition(network: PictureMap, corpus: Corpus, encoder: Encoder, how: str, seed: int) -> None:
    count = min(CAPTIONS, len(corpus.features))
    rows = np.random.default_rng(seed).choice(len(corpus.features), size=count, replace=False)
    texts = [corpus.told(int(i), otherwise=PROMPT) for i in rows]
    network.condition(corpus.features[rows], encoder.encode_texts(texts), how)
