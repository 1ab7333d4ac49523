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
from thisismy.encoders.space import FRAME, RIM
from thisismy.store.features import count_regions, iterate_vectors
from thisismy.store.folder import Store

FORMAT = 3
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
        rims: ``(n_shots, embed_dim)``, unit mean of the unit vectors of the rims of the shot's frames; None
            when the encoder does not tell them apart.
        frame_rims: ``(n_frames, embed_dim)`` unit rows of the rims of frames, or None.
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
    rims: Features | None = None
    frame_rims: Features | None = None

    def __len__(self) -> int:
        return len(self.shot_ids)


ARRAYS = [name for name in Gallery.__annotations__ if name != "encoder_id"]


def load_gallery(store: Store, encoder_id: str, kind: str = FRAME) -> Gallery:
    """The gallery of a library as it is now, from the cache or built and cached.

    A cache that is damaged is made again.

    Args:
        store: the library.
        encoder_id: the feature space.
        kind: of the regions; frames come with their rims.

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
        names = [name for name in ARRAYS if name in about["shapes"]]
        arrays: dict[str, Any] = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in names}
        gallery = Gallery(encoder_id=encoder_id, **arrays)
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None
    return gallery if about == _about(gallery) else None


def _about(gallery: Gallery) -> dict[str, Any]:
    shapes = {name: list(array.shape) for name, array in _arrays(gallery).items()}
    return {"encoder_id": gallery.encoder_id, "shapes": shapes}


def _arrays(gallery: Gallery) -> dict[str, NDArray[Any]]:
    """The arrays that there are."""
    found = {name: getattr(gallery, name) for name in ARRAYS}
    return {name: array for name, array in found.items() if array is not None}


def build_gallery(store: Store, encoder_id: str, kind: str = FRAME) -> Gallery:
    """Read every stored vector of a feature space and a kind of region into arrays; see `load_gallery`."""
    with store.read() as connection:
        n_frames = count_regions(connection, encoder_id, kind)
        rows = iterate_vectors(connection, encoder_id, (kind, RIM) if kind == FRAME else (kind,))
        shots: list[tuple[int, int, float, float]] = []
        first: list[int] = []
        times = np.zeros(n_frames)
        vectors: Any = None
        rims: Any = None
        used = with_rim = 0
        for shot_id, media_id, start, end, time, found, raw in rows:
            vector = np.frombuffer(raw, np.float16)
            if found != kind:
                # A rim follows its frame, unless that has no vector of this space.
                if used and shots[-1][0] == shot_id and times[used - 1] == time:
                    rims = np.zeros((n_frames, len(vector)), np.float32) if rims is None else rims
                    rims[used - 1] = vector
                    with_rim += 1
                continue
            if not shots or shots[-1][0] != shot_id:
                shots.append((shot_id, media_id, start, end))
                first.append(used)
            vectors = np.zeros((n_frames, len(vector)), np.float32) if vectors is None else vectors
            vectors[used], times[used] = vector, time
            used += 1
    first_frame = np.array([*first, used], np.int64)
    frame_vectors = _unit(vectors[:used]) if vectors is not None else np.zeros((0, 1), np.float32)
    # Scores of frames with and without a rim could not be compared.
    frame_rims = _unit(rims[:used]) if rims is not None and with_rim == used else None
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
        rims=None if frame_rims is None else _unit(_sums(frame_rims, first_frame)),
        frame_rims=frame_rims,
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
        for name, array in _arrays(gallery).items():
            np.save(part / f"{name}.npy", array)
        (part / "about.json").write_text(json.dumps(_about(gallery)))


def _drop_older(cache: Path, prefix: str, keep: str) -> None:
    for folder in cache.glob(f"{prefix}*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
