"""Features of a benchmark's items: encoded once, kept in a file that can be shared.

A features file (safetensors) holds unit frame vectors of many items, those of their rims where the encoder
tells them apart, the id of the encoder, and per item everything that determines its pictures: content hash
of the file, span, cut-out, frame sampling, and how the frames were chosen. An item whose media are here is
looked up by that key, so a changed photo is encoded again; an item whose media are not here is looked up by
its id alone, so a file can take the place of videos one may not pass on. Interrupted work resumes from what
the file has.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from thisismy.core.atomic_files import replacing
from thisismy.core.caches import cache_folder
from thisismy.core.errors import BenchmarkError, EncoderMismatchError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder, Features, encode_block, unit
from thisismy.encoders.space import Block, join_blocks
from thisismy.evaluation.datasets.base import Benchmark, Item, Media
from thisismy.evaluation.pictures import SAMPLING, batches

FORMAT = "thisismy-features/1"
SAVE_EVERY = 30.0
"""Seconds of encoding that an interruption can cost."""


@dataclass(frozen=True)
class ItemFeatures:
    """Features of items.

    Attributes:
        encoder_id: the encoder they come from.
        index: item id -> position.
        frames: ``(n_frames, embed_dim)`` unit rows, frames of an item together.
        first: ``(n_items + 1,)``; frames of item i are ``first[i]:first[i + 1]``.
        contents: item id -> what it was encoded from; empty when only the file knows.
        rims: ``(n_frames, embed_dim)`` unit rows of the frames' rims; None when the encoder does not tell
            them apart.
    """

    encoder_id: str
    index: dict[str, int]
    frames: Features
    first: NDArray[np.int64]
    contents: dict[str, str]
    rims: Features | None = None

    def shots(self, ids: Sequence[str]) -> Features:
        """``(n, embed_dim)``: the unit mean of each item's unit frame vectors (Yeh et al., section 3.1)."""
        return self.shot_block(ids).frame

    def shot_block(self, ids: Sequence[str]) -> Block:
        """The rows of `shots`, with the unit mean of the rims of each item's frames."""
        if not ids:
            none = np.zeros((0, self.frames.shape[1]), np.float32)
            return Block(none, None if self.rims is None else none)
        rows, starts = self.frames_of(ids)
        rims = None if rows.rim is None else unit(np.add.reduceat(rows.rim, starts, axis=0))
        return Block(unit(np.add.reduceat(rows.frame, starts, axis=0)), rims)

    def frames_of(self, ids: Sequence[str]) -> tuple[Block, NDArray[np.int64]]:
        """All frames of items one after another, and where each item starts."""
        parts = [np.arange(self.first[i], self.first[i + 1]) for i in (self.index[key] for key in ids)]
        starts = np.cumsum([0, *(len(p) for p in parts[:-1])]).astype(np.int64)
        return Block(self.frames, self.rims).take(np.concatenate(parts)), starts


class FeatureFile:
    """A features file; with no path it keeps everything in memory.

    Raises:
        BenchmarkError: the file is not a features file.
        EncoderMismatchError: it comes from another encoder.
    """

    def __init__(self, path: Path | None, encoder_id: str) -> None:
        self.path = path
        self._encoder_id = encoder_id
        self._rows: dict[tuple[str, str], Block] = {}
        self._by_id: dict[str, str] = {}
        self._saved = time.monotonic()
        if path is not None and path.exists():
            self._load(path)

    def find(self, item: Item, key: str | None) -> Block | None:
        """The rows of an item, one per frame, or None; ``key`` None takes any version of it."""
        known = self._by_id.get(item.id, "") if key is None else key
        return self._rows.get((item.id, known))

    def add(self, item: Item, key: str, rows: Block) -> None:
        """Keep an item's rows under its `pictures_key`, and save what is new once in a while."""
        self._rows[item.id, key] = rows
        self._by_id[item.id] = key
        if time.monotonic() - self._saved > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the file in one step, so that a reader never sees half of it."""
        self._saved = time.monotonic()
        if self.path is None or not self._rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = join_blocks(list(self._rows.values()))
        counts = np.array([len(rows) for rows in self._rows.values()], np.int64)
        arrays: dict[str, NDArray[Any]] = {"frames": rows.frame, "counts": counts}
        if rows.rim is not None:
            arrays["rims"] = rows.rim
        about = {"format": FORMAT, "encoder": self._encoder_id, "items": json.dumps(list(self._rows))}
        with replacing(self.path) as part:
            save_file(arrays, part, metadata=about)

    def _load(self, path: Path) -> None:
        try:
            with safe_open(path, framework="np") as stored:
                about = stored.metadata() or {}
                if about.get("format") != FORMAT:
                    raise BenchmarkError(f"{path} is not a features file of the format {FORMAT!r}")
                frames, counts = stored.get_tensor("frames"), stored.get_tensor("counts")
                rims = stored.get_tensor("rims") if "rims" in stored.keys() else None  # noqa: SIM118 - it is no mapping
        except (OSError, SafetensorError) as error:
            raise BenchmarkError(f"cannot read the features file {path}: {error}") from error
        if about["encoder"] != self._encoder_id:
            raise EncoderMismatchError(
                f"{path} has features of the encoder {about['encoder']!r}, not of {self._encoder_id!r}: "
                "give another file or that encoder"
            )
        rows, ends = Block(frames, rims), np.cumsum(counts)
        for (key, content), end, count in zip(json.loads(about["items"]), ends, counts, strict=True):
            self._rows[key, content] = rows.take(slice(end - count, end))
            self._by_id[key] = content


def encode(
    benchmark: Benchmark, encoder: Encoder, file: FeatureFile, *, progress: Progress = silent
) -> ItemFeatures:
    """Features of everything a benchmark uses, taken from the file where it has them.

    Args:
        benchmark: whose items to encode.
        encoder: called only for what the file lacks.
        file: new features are added to it and saved, also when the work is interrupted.
        progress: told the items done.

    Raises:
        BenchmarkError: media are missing and the file lacks their features; nothing is encoded then.
        MediaError: a file cannot be decoded.
    """
    items = benchmark.used()
    keys = {item.id: pictures_key(item.media) for item in items}
    found = {item.id: file.find(item, keys[item.id]) for item in items}
    absent = [item for item in items if found[item.id] is None and keys[item.id] is None]
    if absent:
        first = absent[0].media.path if absent[0].media is not None else absent[0].id
        raise BenchmarkError(
            f"{benchmark.name}: {len(absent)} of {len(items)} items have no media here, "
            f"the first is {first}; {benchmark.source}; or give a features file that has them"
        )
    todo = [item for item in items if found[item.id] is None]
    try:
        for done, (item, rows) in enumerate(_encoded(todo, encoder), start=1):
            found[item.id] = rows
            file.add(item, keys[item.id] or "", rows)
            progress("encoding", done, len(todo))
    finally:
        if todo:
            file.save()
    rows_of = [rows for rows in found.values() if rows is not None]
    first_row = np.cumsum([0, *(len(rows) for rows in rows_of)]).astype(np.int64)
    together = join_blocks(rows_of)
    contents = {item.id: content_key(item.media) for item in items}
    known = {key: content for key, content in contents.items() if content is not None}
    index = {key: i for i, key in enumerate(found)}
    rims = None if together.rim is None else together.rim.astype(np.float32)
    return ItemFeatures(encoder.id, index, together.frame.astype(np.float32), first_row, known, rims)


def feature_file(name: str, encoder: Encoder, path: Path | None = None) -> FeatureFile:
    """The features file at a path, or the one of a benchmark and encoder in the user's cache folder."""
    own = cache_folder() / "features" / f"{_slug(name)}-{_slug(encoder.id)}.safetensors"
    return FeatureFile(path or own, encoder.id)


def content_key(media: Media | None) -> str | None:
    """What an item is encoded from, as text; None when its files are not here."""
    if media is None or not media.path.is_file():
        return None
    parts = [_hash(media.path, *_state(media.path))]
    if media.span is not None:
        parts.append(f"{media.span.start:.3f}-{media.span.end:.3f}")
    if media.video:
        parts.append(f"{SAMPLING.rate}/s,{SAMPLING.at_least}-{SAMPLING.at_most}")
    if media.cutout is not None:
        cut = media.cutout
        if not cut.mask.is_file():
            return None
        parts.append(f"{_hash(cut.mask, *_state(cut.mask))}={cut.value}+{cut.grow}")
    return " ".join(parts)


def pictures_key(media: Media | None) -> str | None:
    """Everything that determines an item's pictures, as text; None when its files are not here.

    The encoder is not part of it: a features file belongs to one encoder.
    """
    content = content_key(media)
    if content is None or media is None or not media.video:
        return content
    return f"{content} scanned by {media.scanned_by}" if media.scanned_by else f"{content} spread"


def _encoded(items: Sequence[Item], encoder: Encoder) -> Iterator[tuple[Item, Block]]:
    for batch in batches(items, encoder.image_size):
        pictures = [picture for _, pictures in batch for picture in pictures]
        rows = encode_block(encoder, pictures)
        start = 0
        for item, own in batch:
            yield item, rows.take(slice(start, start + len(own)))
            start += len(own)


def _state(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns


@cache
def _hash(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()[:16]


def _slug(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in text)
    return plain if plain == text else f"{plain[:60]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
