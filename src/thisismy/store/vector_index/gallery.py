"""The matrix that is searched: a cache of the stored features, memory-mapped and always rebuildable."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thisismy.core.atomic_files import new_folder
from thisismy.encoders.base import Features, unit
from thisismy.encoders.space import FRAME
from thisismy.store.features import count_regions, iterate_vectors
from thisismy.store.folder import Store

FORMAT = 2
"""Raised when the layout of the cached files changes; older ones are then rebuilt."""

_BLOCK = 4096


@dataclass(frozen=True)
class Gallery:
    """Every shot of a library as arrays; row i of one belongs to row i of the others.

    Attributes:
        encoder_id: the encoder all vectors come from.
        vectors: ``(n_shots, embed_dim)``, unit mean of the shot's unit frame vectors.
        shot_ids, media_ids: rows of the store, ``(n_shots,)``.
        starts, ends: seconds, ``(n_shots,)``.
        frame_vectors: ``(n_frames, embed_dim)`` unit rows, frames of a shot together.
        frame_times: seconds, ``(n_frames,)``.
        first_frame: ``(n_shots + 1,)``; frames of shot i are ``first_frame[i]:first_frame[i + 1]``.
    """

    encoder_id: str
    vectors: Features
    shot_ids: NDArray[np.int64]
    media_ids: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    frame_vectors: Features
    frame_times: NDArray[np.float64]
    first_frame: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shot_ids)


ARRAYS = [name for name in Gallery.__annotations__ if name != "encoder_id"]


def load_gallery(store: Store, encoder_id: str, kind: str = FRAME) -> Gallery:
    """The gallery of a library as it is now, from the cache or built and cached.

    A cache that is damaged is made again.

    Args:
        store: the library.
        encoder_id: the feature space.
        kind: of the regions.

    Raises:
        LibraryError: the library cannot be read.
    """
    name = hashlib.blake2b(f"{encoder_id} {kind}".encode(), digest_size=6).hexdigest()
    folder = store.cache / f"gallery-{name}-{FORMAT}-{store.generation}"
    kept = _load(folder, encoder_id)
    if kept is not None:
        return kept
    gallery = build_gallery(store, encoder_id, kind)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        _save(gallery, folder)
    except OSError:
        # A cache that cannot be written (full disk, read-only library) costs time, not answers.
        return gallery
    _drop_older(store.cache, f"gallery-{name}-", folder.name)
    return _load(folder, encoder_id) or gallery


def _load(folder: Path, encoder_id: str) -> Gallery | None:
    """What is cached in a folder, mapped into memory; None when there is nothing, or nothing whole."""
    try:
        about = json.loads((folder / "about.json").read_text())
        arrays: dict[str, Any] = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in ARRAYS}
    except (OSError, ValueError, EOFError):
        return None
    gallery = Gallery(encoder_id=encoder_id, **arrays)
    return gallery if about == _about(gallery) else None


def _about(gallery: Gallery) -> dict[str, Any]:
    shapes = {name: list(getattr(gallery, name).shape) for name in ARRAYS}
    return {"encoder_id": gallery.encoder_id, "shapes": shapes}


def build_gallery(store: Store, encoder_id: str, kind: str = FRAME) -> Gallery:
    """Read every stored vector of a feature space and a kind of region into arrays."""
    with store.read() as connection:
        n_frames = count_regions(connection, encoder_id, kind)
        rows = iterate_vectors(connection, encoder_id, kind)
        shots: list[tuple[int, int, float, float]] = []
        first: list[int] = []
        times = np.zeros(n_frames)
        vectors: Any = None
        used = 0
        for shot_id, media_id, start, end, time, raw in rows:
            if not shots or shots[-1][0] != shot_id:
                shots.append((shot_id, media_id, start, end))
                first.append(used)
            vector = np.frombuffer(raw, np.float16)
            if vectors is None:
                vectors = np.zeros((n_frames, len(vector)), np.float32)
            vectors[used], times[used] = vector, time
            used += 1
    frame_vectors = _unit(vectors[:used]) if vectors is not None else np.zeros((0, 1), np.float32)
    first_frame = np.array([*first, used], np.int64)
    table = np.array(shots, dtype=np.float64).reshape(-1, 4)
    return Gallery(
        encoder_id=encoder_id,
        vectors=_unit(_sums(frame_vectors, first_frame)),
        shot_ids=table[:, 0].astype(np.int64),
        media_ids=table[:, 1].astype(np.int64),
        starts=table[:, 2],
        ends=table[:, 3],
        frame_vectors=frame_vectors,
        frame_times=times[:used],
        first_frame=first_frame,
    )


def _unit(rows: Features) -> Features:
    """The rows themselves made unit, a block at a time: a large library is not copied."""
    for start in range(0, len(rows), _BLOCK):
        rows[start : start + _BLOCK] = unit(rows[start : start + _BLOCK])
    return rows


def _sums(frame_vectors: Features, first_frame: NDArray[np.int64]) -> Features:
    """``(n_shots, embed_dim)`` sums of each shot's frames, a step a frame: much faster than `reduceat`."""
    first, counts = first_frame[:-1], np.diff(first_frame)
    sums = frame_vectors[first]
    for number in range(1, counts.max(initial=0)):
        longer = np.flatnonzero(counts > number)
        sums[longer] += frame_vectors[first[longer] + number]
    return sums


def _save(gallery: Gallery, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(folder) as part:
        for name in ARRAYS:
            np.save(part / f"{name}.npy", getattr(gallery, name))
        (part / "about.json").write_text(json.dumps(_about(gallery)))


def _drop_older(cache: Path, prefix: str, keep: str) -> None:
    for folder in cache.glob(f"{prefix}*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
