"""A library ready to be searched: its gallery with its null scores, both cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thisismy.core.atomic_files import replacing
from thisismy.encoders.base import Encoder, Features
from thisismy.retrieval.null_scores import WORDS, NullScores, measure_null_scores, query_features
from thisismy.store.folder import Store
from thisismy.store.vector_index.gallery import Gallery, load_gallery


@dataclass(frozen=True)
class Prepared:
    """What a search reads; ``null_scores`` is None while the gallery is empty."""

    gallery: Gallery
    null_scores: NullScores | None


def prepare(store: Store, encoder_id: str, encoder: Callable[[], Encoder]) -> Prepared:
    """Load what a search needs, making what is missing; ``encoder`` is only called for words it never saw."""
    gallery = load_gallery(store, encoder_id)
    if not len(gallery):
        return Prepared(gallery, None)
    words = _words(store, encoder_id, encoder)
    name = _digest(encoder_id, " ".join(WORDS))
    path = store.cache / f"null-scores-{name}-{store.generation}.npz"
    try:
        with np.load(path) as saved:
            return Prepared(gallery, NullScores(saved["text"], saved.get("image")))
    except (OSError, ValueError):
        null_scores = measure_null_scores(gallery, words)
    for older in store.cache.glob(f"null-scores-{name}-*"):
        older.unlink(missing_ok=True)
    parts = {"text": null_scores.text, "image": null_scores.image}
    _save(path, {key: value for key, value in parts.items() if value is not None})
    return Prepared(gallery, null_scores)


def _words(store: Store, encoder_id: str, encoder: Callable[[], Encoder]) -> Features:
    path = store.cache / f"words-{_digest(encoder_id, ' '.join(WORDS))}.npz"
    try:
        with np.load(path) as saved:
            words: Features = saved["words"]
            return words
    except (OSError, ValueError):
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
