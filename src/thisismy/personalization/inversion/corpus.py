"""What predictors of words are trained on: features of things with names, from pictures or from stand-ins.

`class_stand_ins` needs no picture. The classifier of the embedded encoder's image network says where each
of its classes lies; a thing is that place moved at random, and a picture of it that thing moved a little.
The moves are random mixtures of all class rows, as other things and places in a picture would cause them,
and as long as they are for the photos that come with scikit-image (cosine to the class about 0.5).

`text_stand_ins` serves any encoder: texts stand for the pictures they describe, as in language-only
training of composed retrieval (Gu et al., "LinCIR", CVPR 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderError, VocabularyError
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit

THING_SPREAD = 1.5
"""Length of the move from a class to a thing, where the class's place has length 1."""

PICTURE_SPREAD = 0.7
"""Length of the move from a thing to a picture of it: two pictures of one thing have a cosine of 0.67."""

MIXED = 1000
"""Rows at most that a move is a mixture of."""

THINGS_PER_CLASS = 4
PICTURES_PER_THING = 5

SCENES = (
    "a photo of a *",
    "a * on a table",
    "a * in a garden",
    "a close-up of a *",
    "a * in front of a building",
    "someone with a *",
    "a * in a room",
    "a small * outdoors",
)
"""Captions of stand-ins; ``*`` is the name."""


@dataclass(frozen=True)
class Corpus:
    """Things with names, and features of pictures of each.

    Attributes:
        names: the name of each thing; things may share one.
        features: ``(n, embed_dim)`` unit rows.
        things: ``(n,)``, the thing that a row shows.
        captions: a caption per row with ``*`` for the name; empty where a row has none.
        source: where it comes from, for the provenance of what is learned.
    """

    names: tuple[str, ...]
    features: Features
    things: NDArray[np.int64]
    captions: tuple[str, ...] = ()
    source: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fits = self.features.ndim == 2 and self.things.shape == (len(self.features),)
        fits = fits and len(self.captions) in {0, len(self.features)}
        if not fits or not set(np.unique(self.things)) == set(range(len(self.names))):
            raise VocabularyError(
                f"a corpus of {len(self.names)} names needs rows of each, and has features "
                f"{self.features.shape}, things {self.things.shape}, {len(self.captions)} captions"
            )
        if len(set(self.names)) < 2:
            raise VocabularyError(
                f"a corpus needs things of two names or more to tell apart, and has {len(set(self.names))}"
            )

    def rows_of_things(self) -> list[NDArray[np.int64]]:
        """The rows that show each thing."""
        order = np.argsort(self.things, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.things[order])) + 1)

    def told(self, row: int, otherwise: str = "") -> str:
        """The caption of a row with the name in it; where it has none, ``otherwise`` with the name."""
        caption = self.captions[row] if self.captions else ""
        return (caption or otherwise).replace(PLACEHOLDER, self.names[self.things[row]])


def check_corpus(corpus: Corpus, encoder: Encoder) -> None:
    """Refuse features of another encoder.

    Raises:
        VocabularyError: they have another number of dimensions.
    """
    if corpus.features.shape[1] != encoder.embed_dim:
        raise VocabularyError(
            f"the corpus has features of {corpus.features.shape[1]} numbers, the encoder {encoder.id!r} "
            f"gives {encoder.embed_dim}: encode its pictures with this encoder"
        )


def object_names() -> tuple[str, ...]:
    """Everyday words and the names of the ImageNet classes, each once: what text augmentation draws from."""
    from thisismy.encoders.embedded.build import class_names, everyday_words

    return tuple(dict.fromkeys([*everyday_words(), *class_names()]))


def class_stand_ins(encoder: Encoder, *, seed: int = 0) -> Corpus:
    """Stand-ins for pictures of 1,200 kinds of things, drawn around the embedded encoder's own classes.

    Raises:
        EncoderError: the encoder is not the embedded one.
    """
    from thisismy.encoders.embedded.encoder import EmbeddedEncoder

    if not isinstance(encoder, EmbeddedEncoder):
        raise EncoderError(
            f"only the embedded encoder knows where its classes lie, not {encoder.id!r}: "
            "train on a folder of pictures, or from texts"
        )
    names, places = _class_places()
    rng = np.random.default_rng(seed)
    centred = places - places.mean(axis=0)

    def moved(rows: Features, length: float) -> Features:
        return unit(rows + length * _moves(centred, len(rows), rng))

    things = moved(np.repeat(places, THINGS_PER_CLASS, axis=0), THING_SPREAD)
    pictures = moved(np.repeat(things, PICTURES_PER_THING, axis=0), PICTURE_SPREAD)
    return Corpus(
        tuple(np.repeat(names, THINGS_PER_CLASS).tolist()),
        pictures,
        np.repeat(np.arange(len(things)), PICTURES_PER_THING),
        source={"kind": "class rows", "names": len(names), "things": len(things), "pictures": len(pictures)},
    )


def text_stand_ins(encoder: Encoder, names: Sequence[str] = (), *, seed: int = 0) -> Corpus:
    """Captions of things stand for pictures of them, each moved a little at random.

    Args:
        encoder: any.
        names: of things; `object_names` when none is given.
        seed: of the moves.
    """
    names = tuple(names) or object_names()
    captions = [scene for _ in names for scene in SCENES]
    texts = [scene.replace("*", name) for name in names for scene in SCENES]
    rows = encoder.encode_texts(texts)
    rng = np.random.default_rng(seed)
    moves = _moves(rows - rows.mean(axis=0), len(rows), rng)
    return Corpus(
        names,
        unit(rows + PICTURE_SPREAD * moves),
        np.repeat(np.arange(len(names)), len(SCENES)),
        tuple(captions),
        {"kind": "texts", "names": len(names), "pictures": len(texts)},
    )


def _moves(centred: Features, count: int, rng: np.random.Generator) -> Features:
    """``(count, dim)`` unit vectors, each a random mixture of rows."""
    some = centred[rng.permutation(len(centred))[:MIXED]]
    return unit(rng.standard_normal((count, len(some))).astype(np.float32) @ some)


def _class_places() -> tuple[list[str], Features]:
    """Names, and where the image network expects them in the encoder's space, ``(n, embed_dim)``."""
    from safetensors.numpy import load

    from thisismy.encoders.embedded.build import class_names, everyday_words
    from thisismy.encoders.embedded.efficientnet import load_network
    from thisismy.encoders.embedded.identity import CONSTANTS

    raw = resources.files("thisismy.encoders.embedded").joinpath("data", CONSTANTS).read_bytes()
    rows = load_network()._fc.weight.detach().double().numpy()
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    words = everyday_words()
    groups = [rows[members].mean(axis=0) for members in words.values()]
    places = unit(np.concatenate([np.stack(groups), rows]) @ load(raw)["image_map"])
    return [*words, *class_names()], places
