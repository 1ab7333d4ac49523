"""A library ready to be searched: its gallery with its null scores, both cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from thisismy.core.atomic_files import replacing
from thisismy.core.caches import cache_folder
from thisismy.core.errors import EncoderMismatchError
from thisismy.encoders.base import Encoder, Features
from thisismy.encoders.embedded.identity import embedded_id
from thisismy.retrieval.null_scores import WORDS, NullScores, measure_null_scores, query_features
from thisismy.store.folder import Store
from thisismy.store.vector_index.gallery import Gallery
from thisismy.store.vector_index.memory import MemoryIndex

DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile)
"""What reading a file that is not there, or not whole, may raise."""


@dataclass(frozen=True)
class Prepared:
    """What a search reads: vectors, and the one encoder whose queries may meet them.

    Attributes:
        index: every shot.
        null_scores: None while there are no shots.
        load_encoder: gives the gallery's encoder; many things are found without it.
    """

    index: MemoryIndex
    null_scores: NullScores | None
    load_encoder: Callable[[], Encoder]

    @property
    def gallery(self) -> Gallery:
        """The arrays of the index, with the single frames behind each shot."""
        return self.index.gallery

    @property
    def encoder(self) -> Encoder:
        """The gallery's encoder.

        Raises:
            EncoderError: it cannot be loaded.
            EncoderMismatchError: its name gives another one now.
        """
        encoder = self.load_encoder()
        if encoder.id != self.gallery.encoder_id:
            raise EncoderMismatchError(
                f"a query of {encoder.id} cannot be looked up among vectors of {self.gallery.encoder_id}"
            )
        return encoder


def prepare(store: Store, encoder_id: str, encoder: Callable[[], Encoder]) -> Prepared:
    """Load what a search needs, making what is missing; ``encoder`` is only called for words it never saw."""
    index = MemoryIndex.open(store, encoder_id)
    if not len(index):
        return Prepared(index, None, encoder)
    words = _words(store, encoder_id, encoder)
    name = _digest(encoder_id, " ".join(WORDS))
    path = store.cache / f"null-scores-{name}-{index.version}.npz"
    try:
        with np.load(path) as saved:
            return Prepared(index, NullScores(saved["text"], saved.get("image")), encoder)
    except DAMAGED:
        null_scores = measure_null_scores(index, words)
    for older in store.cache.glob(f"null-scores-{name}-*"):
        older.unlink(missing_ok=True)
    parts = {"text": null_scores.text, "image": null_scores.image}
    _save(path, {key: value for key, value in parts.items() if value is not None})
    return Prepared(index, null_scores, encoder)


def _words(store: Store, encoder_id: str, encoder: Callable[[], Encoder]) -> Features:
    # What the package's own encoder makes of them follows from its id, so a new library need not load it.
    folder = cache_folder() if encoder_id == embedded_id() else store.cache
    path = folder / f"words-{_digest(encoder_id, ' '.join(WORDS))}.npz"
    try:
        with np.load(path) as saved:
            words: Features = saved["words"]
            return words
    except DAMAGED:
        words = query_features(encoder(), WORDS)
    _save(path, {"words": words})
    return words


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=6).hexdigest()


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a cache file whole or not at all; not being able to only costs time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            np.savez(part, **arrays)  # type: ignore[arg-type]
