"""What was learned to predict words from pictures, and its file: set encoders, maps, alignments.

A file may hold a training that was stopped; then it also has what is needed to resume it. Those that come
with the package lie in ``data/`` and belong to the embedded encoder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from thisismy.core.errors import EncoderMismatchError, VocabularyError
from thisismy.encoders.base import Encoder
from thisismy.personalization.arguments import current_names
from thisismy.personalization.array_file import read_arrays, write_arrays
from thisismy.personalization.base import Arrays
from thisismy.personalization.inversion.corpus import Corpus

FORMAT = "thisismy-inversion/1"

STATE = "training/"
"""Prefix of the arrays that only resuming a training needs."""


@dataclass(frozen=True)
class Inversion:
    """A predictor of words.

    Attributes:
        kind: the method it is for, "palavra" or "pi-map".
        encoder_id: the encoder it belongs to.
        arrays: its weights, and under `STATE` those of an unfinished training.
        arguments: how it was trained.
        provenance: seed, corpus, versions.
        history: per epoch the losses, for curves.
        state: what an unfinished training needs besides arrays; empty when it is finished.
    """

    kind: str
    encoder_id: str
    arrays: Arrays
    arguments: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether training came to its end."""
        return not self.state

    @property
    def weights(self) -> Arrays:
        """The weights as float32, without what only training needs."""
        kept = {key: array for key, array in self.arrays.items() if not key.startswith(STATE)}
        return {key: np.asarray(array, np.float32) for key, array in kept.items()}

    def save(self, path: Path) -> None:
        """Write ``path`` (safetensors).

        Raises:
            VocabularyError: it cannot be written.
        """
        description = {
            "kind": self.kind,
            "encoder_id": self.encoder_id,
            "arguments": self.arguments,
            "provenance": self.provenance,
            "history": self.history,
            "state": self.state,
        }
        write_arrays(path, self.arrays, {"format": FORMAT, **description})


def load_inversion(path: Path, kind: str, encoder: Encoder) -> Inversion:
    """Read a file that `Inversion.save` wrote.

    Raises:
        VocabularyError: there is no such file, it is broken, or it is for another method.
        EncoderMismatchError: it was trained on another encoder.
    """
    arrays, about = read_arrays(path, FORMAT)
    about.pop("format")
    about["arguments"] = current_names(about["arguments"])
    if about["kind"] != kind:
        raise VocabularyError(
            f"{path} was trained for {about['kind']!r}, not for {kind!r}: give the right file"
        )
    if about["encoder_id"] != encoder.id:
        raise EncoderMismatchError(
            f"{path} was trained on {about['encoder_id']!r}, the encoder is {encoder.id!r}: "
            "train it again with `thisismy train-inversion`, or use that encoder"
        )
    return Inversion(arrays=arrays, **about)


def find_inversion(name: str, kind: str, encoder: Encoder) -> Inversion | None:
    """The predictor in a file; for an empty name the one that the package has for this encoder, if any.

    Raises:
        VocabularyError: as `load_inversion`.
        EncoderMismatchError: as `load_inversion`.
    """
    if name:
        return load_inversion(Path(name), kind, encoder)
    with resources.as_file(resources.files("thisismy.personalization").joinpath("data")) as folder:
        path = folder / f"{kind}.safetensors"
        if not path.is_file():
            return None
        try:
            return load_inversion(path, kind, encoder)
        except EncoderMismatchError:
            return None


def resumed(
    path: Path | None,
    kind: str,
    encoder: Encoder,
    arguments: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Inversion | None:
    """The training to resume, None when there is none yet.

    Raises:
        VocabularyError: the file holds a training with other settings, seed or corpus.
        EncoderMismatchError: or of another encoder.
    """
    if path is None or not path.exists():
        return None
    found = load_inversion(path, kind, encoder)
    same = all(found.provenance.get(key) == provenance[key] for key in ("seed", "corpus"))
    if found.arguments != dict(arguments) or not same:
        raise VocabularyError(
            f"{path} holds a training with other settings, seed or corpus: "
            "give the same ones to resume it, or another file to start again"
        )
    return found


def fingerprint(corpus: Corpus) -> str:
    """A short hash of everything in a corpus."""
    digest = hashlib.sha256(np.ascontiguousarray(corpus.features).tobytes())
    digest.update(np.ascontiguousarray(corpus.things).tobytes())
    digest.update("\n".join([*corpus.names, *corpus.captions]).encode())
    return digest.hexdigest()[:16]
