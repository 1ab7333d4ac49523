"""What the trainings of PALAVRA's set encoder and pi-map's map share: checks, resuming, keeping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from thisismy.core.progress import Progress
from thisismy.encoders.base import Encoder
from thisismy.personalization.array_file import versions
from thisismy.personalization.base import Arrays
from thisismy.personalization.inversion.corpus import Corpus, check_corpus
from thisismy.personalization.inversion.weights import STATE, Inversion, fingerprint, resumed
from thisismy.personalization.prompts import check_takes_tokens
from thisismy.personalization.training import Losses, Training


@dataclass(frozen=True)
class Learner:
    """Something that is about to be trained.

    Attributes:
        network: what is learned.
        training: of its parameters.
        losses: of a batch.
        stage: what is being learned, as a person reads it.
    """

    network: torch.nn.Module
    training: Training
    losses: Losses
    stage: str


def train_inversion(
    kind: str,
    corpus: Corpus,
    encoder: Encoder,
    settings: Mapping[str, Any],
    prepare: Callable[[], Learner],
    *,
    seed: int,
    checkpoint: Path | None,
    progress: Progress,
) -> Inversion:
    """Train a predictor of words to its end, from the beginning or from where it was stopped.

    Args:
        kind: the method it is for.
        corpus: things with names and features of their pictures.
        encoder: frozen; must take tokens.
        settings: all that the training depends on besides seed and corpus; ``epochs`` among them.
        prepare: makes the learner, once it is known that it is needed.
        seed: of everything that is drawn.
        checkpoint: written after every epoch, and resumed from when it exists.
        progress: told epoch by epoch.

    Raises:
        VocabularyError: the checkpoint belongs to other settings, another seed or corpus.
        EncoderError: the encoder takes no tokens.
        EncoderMismatchError: the checkpoint belongs to another encoder.
    """
    check_takes_tokens(encoder)
    check_corpus(corpus, encoder)
    provenance = {"seed": seed, "corpus": fingerprint(corpus), "source": corpus.source, **versions()}
    found = resumed(checkpoint, kind, encoder, settings, provenance)
    if found is not None and found.finished:
        return found
    learner = prepare()
    training = learner.training
    if found is not None:
        kept = {k.removeprefix(STATE): v for k, v in found.arrays.items() if k.startswith(STATE)}
        training.restore(
            kept, {"history": found.history, "rng": found.state.get("rng") or found.state["draw"]}
        )

    def now(*, stopped: bool) -> Inversion:
        arrays: Arrays = {k: v.detach().numpy().copy() for k, v in learner.network.state_dict().items()}
        state: dict[str, Any] = {}
        if stopped:
            kept, about = training.state()
            arrays |= {STATE + key: array for key, array in kept.items()}
            state = {"rng": about["rng"]}
        history = list(training.history)
        return Inversion(kind, encoder.id, arrays, dict(settings), provenance, history, state)

    def keep() -> None:
        if checkpoint is not None and len(training.history) < settings["epochs"]:
            now(stopped=True).save(checkpoint)

    training.run(learner.losses, progress=progress, stage=learner.stage, after_epoch=keep)
    done = now(stopped=False)
    if checkpoint is not None:
        done.save(checkpoint)
    return done
