"""How the set encoder and the alignment of PALAVRA are learned, once for an encoder.

Cohen et al., ECCV 2022, section 4 and appendix A. In each step every name of the batch is seen twice: as
pictures of one thing with that name, and as captions in which the name is another object's of the vocabulary
that is most like it (text augmentation). From either the set encoder predicts a word; the text vector of a
prompt with that word has to fit what was put in (cycle), the word itself the name's own (ground truth).
"""

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
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.personalization.arguments import check_arguments, choice, ranged
from thisismy.personalization.inversion.corpus import SCENES, Corpus, object_names
from thisismy.personalization.inversion.palavra_losses import alignment_loss, pair_loss, word_loss
from thisismy.personalization.inversion.palavra_networks import Alignment, SetEncoder
from thisismy.personalization.inversion.resumable import Learner, train_inversion
from thisismy.personalization.inversion.weights import Inversion
from thisismy.personalization.prompts import check_takes_tokens
from thisismy.personalization.training import Plan, Training

KIND = "palavra"

PROMPTS = (
    "This is a photo of a *",
    "This photo contains a *",
    "A photo of a *",
    "This is an illustration of a *",
    "An illustration of a *",
    "This is a sketch of a *",
    "A sketch of a *",
    "This is a diagram of a *",
    "A diagram of a *",
    "A *",
    "We see a *",
    "*",
    "We see a * in this photo",
    "We see a * in this image",
    "* photo",
    "* image",
)
"""Frames of the kinds that the paper names; one is drawn for each step."""


@dataclass(frozen=True)
class PalavraArguments:
    """How the set encoder is trained. Where it says "paper", another value is the default here.

    Attributes:
        width: of the hidden layers (paper: 4096, which are 90 million weights).
        dropout: share of numbers left out while training.
        tokens: words that are predicted.
        views: pictures or captions in a set.
        epochs: times every name is seen (paper: 300).
        batch: names per step (paper: 256).
        learning_rate: the largest (paper: 1e-4).
        temperature: of the cycle loss.
        cycle_target: "image", the mean of what was put in, as printed; or "text", the text vector of the
            same prompt with the name, as practised.
        cycle_weight: 0 is the ablation "only ground truth".
        word_weight: 2 as practised, 512 as printed; 0 is the ablation "only cycle".
        word: "first", the first token of the name; or "mean" of its tokens.
        text_augmentation: False trains on pictures alone.
        aligned: whether captions come through the alignment before the set encoder sees them.
        align_from_text: whether the losses of captions also teach the alignment (as printed).
    """

    width: int = ranged(256, 1, 65536)
    dropout: float = ranged(0.25, 0, 0.99)
    tokens: int = ranged(1, 1, 32)
    views: int = ranged(5, 1, 1000)
    epochs: int = ranged(20, 0, 100_000)
    batch: int = ranged(128, 1, 1_000_000)
    learning_rate: float = ranged(1e-3, 0, 10, open_low=True)
    temperature: float = ranged(0.25, 0, 100, open_low=True)
    cycle_target: str = choice("image", ("image", "text"))
    cycle_weight: float = ranged(1.0, 0, 10_000)
    word_weight: float = ranged(2.0, 0, 10_000)
    word: str = choice("first", ("first", "mean"))
    text_augmentation: bool = True
    aligned: bool = True
    align_from_text: bool = False

    def __post_init__(self) -> None:
        check_arguments("train-inversion palavra", self)


def train_set_encoder(
    corpus: Corpus,
    encoder: Encoder,
    arguments: PalavraArguments | None = None,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Inversion:
    """Learn a set encoder and an alignment.

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
    arguments = arguments or PalavraArguments()

    def prepare() -> Learner:
        run = _Run(corpus, encoder, arguments, seed)
        return Learner(run.networks, run.training, run.losses, "set encoder")

    return train_inversion(
        KIND, corpus, encoder, asdict(arguments), prepare, seed=seed, checkpoint=checkpoint, progress=progress
    )


class _Run:
    """The networks, what they learn from, and the losses of a batch of names."""

    def __init__(self, corpus: Corpus, encoder: Encoder, arguments: PalavraArguments, seed: int) -> None:
        self.arguments, self._encoder = arguments, encoder
        width = check_takes_tokens(encoder)
        self.networks = build_networks(encoder.embed_dim, width, arguments, seed)
        self._pictures = _Pictures(corpus)
        names = self._pictures.names
        self._texts = _Texts(names, encoder, arguments.text_augmentation)
        self._pairs = _caption_pairs(corpus, names, self._texts, encoder)
        known = [encoder.word_vectors(name) for name in names]
        rows = np.stack([v[0] if arguments.word == "first" else v.mean(axis=0) for v in known])
        self._words = torch.from_numpy(rows)
        plan = Plan(arguments.epochs, arguments.batch, arguments.learning_rate)
        self.training = Training(list(self.networks.parameters()), plan, len(names), seed=seed)

    def losses(self, rows: NDArray[Any], rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Cycle and ground truth from pictures and from captions, and the alignment's own."""
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        prompt = PROMPTS[rng.integers(len(PROMPTS))]
        sets = self._pictures.draw(rows, self.arguments.views, rng)
        losses = {f"picture {k}": v for k, v in self._of_sets(sets, rows, prompt, generator).items()}
        if self.arguments.text_augmentation:
            others, captions = self._texts.draw(rows, self.arguments.views, rng)
            if self.arguments.aligned:
                captions = self.networks.alignment(captions)
                captions = captions if self.arguments.align_from_text else captions.detach()
            found = self._of_sets(captions, rows, prompt, generator, others)
            losses |= {f"caption {k}": v for k, v in found.items()}
        picked = rng.choice(len(self._pairs[0]), size=min(256, len(self._pairs[0])), replace=False)
        texts, pictures = (part[torch.from_numpy(picked)] for part in self._pairs)
        losses["alignment"] = alignment_loss(self.networks.alignment(texts), pictures)
        return losses

    def _of_sets(
        self,
        sets: torch.Tensor,
        rows: NDArray[Any],
        prompt: str,
        generator: torch.Generator,
        others: NDArray[np.int64] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Losses of ``(b, k, embed_dim)`` sets of names, or of other objects in their place."""
        words = self.networks.set_encoder(sets, generator)
        known = self._words[torch.from_numpy(rows)] if others is None else self._texts.words(others)
        losses = {}
        if self.arguments.cycle_weight:
            predicted = self._encoder.encode_prompts([prompt] * len(rows), words)
            target = functional.normalize(sets.mean(dim=1), dim=-1)
            if self.arguments.cycle_target == "text":
                named = (
                    [self._pictures.names[i] for i in rows] if others is None else self._texts.named(others)
                )
                filled = [prompt.replace(PLACEHOLDER, name) for name in named]
                target = torch.from_numpy(self._encoder.encode_texts(filled))
            cycle = pair_loss(predicted, target, self.arguments.temperature)
            losses["cycle"] = cycle * self.arguments.cycle_weight
        if self.arguments.word_weight:
            losses["word"] = word_loss(words, known) * self.arguments.word_weight
        return losses


class Networks(torch.nn.Module):
    """The set encoder and the alignment together."""

    def __init__(self, set_encoder: SetEncoder, alignment: Alignment) -> None:
        super().__init__()
        self.set_encoder, self.alignment = set_encoder, alignment


def build_networks(embed_dim: int, token_dim: int, arguments: PalavraArguments, seed: int) -> Networks:
    """Fresh networks."""
    generator = torch.Generator().manual_seed(seed)
    encoder = SetEncoder(
        embed_dim, token_dim, arguments.width, arguments.tokens, arguments.dropout, generator
    )
    return Networks(encoder, Alignment(embed_dim))


def trained_networks(found: Inversion) -> Networks:
    """The networks of a file."""
    arguments = PalavraArguments(**found.arguments)
    weights = found.weights
    embed_dim = weights["alignment.step.bias"].shape[0]
    token_dim = weights["set_encoder.last.bias"].shape[0] // arguments.tokens
    networks = build_networks(embed_dim, token_dim, arguments, 0)
    networks.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    return networks.requires_grad_(False)


class _Pictures:
    """The pictures of a corpus by name and thing."""

    def __init__(self, corpus: Corpus) -> None:
        self.names = tuple(dict.fromkeys(corpus.names))
        number = {name: i for i, name in enumerate(self.names)}
        self._things: list[list[int]] = [[] for _ in self.names]
        for thing, name in enumerate(corpus.names):
            self._things[number[name]].append(thing)
        self._rows = corpus.rows_of_things()
        self._features = torch.from_numpy(corpus.features)

    def draw(self, names: NDArray[Any], count: int, rng: np.random.Generator) -> torch.Tensor:
        """``(b, count, embed_dim)`` pictures of one thing of each name, again and again if it has few."""
        chosen = []
        for name in names:
            rows = self._rows[self._things[name][rng.integers(len(self._things[name]))]]
            chosen.append(rng.choice(rows, size=count, replace=len(rows) < count))
        return self._features[torch.from_numpy(np.stack(chosen))]


class _Texts:
    """Captions with the objects of a vocabulary, each object near the name it stands in for."""

    def __init__(self, names: tuple[str, ...], encoder: Encoder, augmented: bool) -> None:
        more = [name for name in object_names() if name not in set(names)] if augmented else []
        self.objects = (*names, *more)
        texts = [scene.replace(PLACEHOLDER, o) for o in self.objects for scene in SCENES]
        rows = encoder.encode_texts(texts)
        self.rows: Features = rows.reshape(len(self.objects), len(SCENES), -1)
        self._tensor = torch.from_numpy(self.rows)
        first = [vectors[0] for vectors in map(encoder.word_vectors, self.objects)]
        self._words = torch.from_numpy(np.stack(first))
        middle = unit(self.rows.mean(axis=1))
        nearest = (middle[len(names) :] @ middle[: len(names)].T).argmax(axis=1)
        self._like: list[list[int]] = [[i] for i in range(len(names))]
        for number, name in enumerate(nearest, start=len(names)):
            self._like[name].append(number)

    def draw(
        self, names: NDArray[Any], count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], torch.Tensor]:
        """An object for each name, and ``(b, count, embed_dim)`` captions with it."""
        objects = np.array([self._like[n][rng.integers(len(self._like[n]))] for n in names], np.int64)
        scenes = np.stack([rng.choice(len(SCENES), size=count, replace=count > len(SCENES)) for _ in names])
        return objects, self._tensor[torch.from_numpy(objects)[:, None], torch.from_numpy(scenes)]

    def words(self, objects: NDArray[np.int64]) -> torch.Tensor:
        """``(b, token_dim)`` word of each object."""
        return self._words[torch.from_numpy(objects)]

    def named(self, objects: NDArray[np.int64]) -> list[str]:
        """The objects' names."""
        return [self.objects[i] for i in objects]


def _caption_pairs(
    corpus: Corpus, names: tuple[str, ...], texts: _Texts, encoder: Encoder
) -> tuple[torch.Tensor, torch.Tensor]:
    """Caption and picture of each row with a caption; where there are none, the mean caption of its name."""
    if not corpus.captions:
        number = {name: i for i, name in enumerate(names)}
        kinds = np.array([number[corpus.names[thing]] for thing in corpus.things])
        rows = unit(texts.rows.mean(axis=1))[kinds]
        return torch.from_numpy(rows), torch.from_numpy(corpus.features)
    told = np.flatnonzero([bool(caption) for caption in corpus.captions])
    filled = encoder.encode_texts([corpus.told(int(i)) for i in told])
    return torch.from_numpy(filled), torch.from_numpy(corpus.features[told])
