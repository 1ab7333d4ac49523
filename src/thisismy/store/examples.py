"""From what people point at to content and time, and from there to features."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from thisismy.core.errors import InstanceError
from thisismy.core.paths import content_hash
from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features, Picture, unit
from thisismy.media.info import PHOTO_SUFFIXES
from thisismy.media.photos import read_photo
from thisismy.store import catalog
from thisismy.store.features import frames_with_content, shots_of
from thisismy.store.folder import Store
from thisismy.store.instances import Example, find_example, get_photo

KEPT_SIDE = 640
"""Pixels of the shorter side of a photo kept with the library: more than any encoder looks at."""

MOST_SIDE = 16_384
"""Pixels of the longer side of what is taken for such a photo; a small file can claim any size."""

_TIME = r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)"
_AT = re.compile(
    rf"^(?P<path>.+)@(?P<start>{_TIME}|\d+(?:\.\d+)?)(?:-(?P<end>{_TIME}|\d+(?:\.\d+)?))?$", re.DOTALL
)


@dataclass(frozen=True)
class MediaSpan:
    """Something pointed at: a stretch of a media, or a photo.

    Attributes:
        content_hash: what it is.
        span: seconds; ``Span(0, 0)`` for a photo.
        jpeg: the photo, when it is no file of the library.
        box: the thing in the picture, as shares of its sides: left, top, right, bottom; None for all of it.
        box_time: the frame that was pointed at, on which a box is drawn, in seconds.
    """

    content_hash: str
    span: Span
    jpeg: bytes | None = None
    box: tuple[float, float, float, float] | None = None
    box_time: float | None = None


def parse_seconds(text: str) -> float:
    """Seconds from "83.5", "1:23.5" or "1:02:05"."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def locate(store: Store, text: str) -> MediaSpan:
    """What "VIDEO@1:23", "VIDEO@2:10-2:14" or "photo.jpg" points at.

    One instant means the shot around it. A video must be in the library; a photo need not: then it is kept
    with the library, reduced.

    Raises:
        InstanceError: a video is not in the library, a time lies outside of it, or a video has no time.
        MediaError: a photo cannot be read.
    """
    found = _AT.match(text)
    if found and not Path(text).exists():
        return _locate_shot(store, Path(found["path"]), found["start"], found["end"])
    path = Path(text).expanduser().absolute()
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        raise InstanceError(f"when is it seen in {text}? write {text}@1:23 or {text}@1:20-1:26")
    with store.read() as connection:
        row = catalog.find_file(connection, path)
        if row is not None and row["media_id"] is not None:
            return MediaSpan(catalog.hash_of(connection, row["media_id"]), Span(0, 0))
    picture = read_photo(path, KEPT_SIDE)
    return MediaSpan(content_hash(path), Span(0, 0), jpeg_of(picture))


def jpeg_of(picture: Picture) -> bytes:
    """A picture as JPEG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def picture_of(jpeg: bytes) -> Picture:
    """A kept JPEG as a picture.

    Raises:
        ValueError: it is none, or far larger than what is kept.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            if max(image.size) > MOST_SIDE:
                raise ValueError(f"a picture of {image.width} x {image.height} pixels is too large")
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise ValueError(f"no JPEG picture: {error}") from error


def _locate_shot(store: Store, path: Path, start: str, end: str | None) -> MediaSpan:
    with store.read() as connection:
        row = catalog.find_file(connection, path.expanduser().absolute())
        if row is None or row["media_id"] is None:
            raise InstanceError(f"{path} is not in the library: `thisismy add` it first")
        media_id = int(row["media_id"])
        digest = catalog.hash_of(connection, media_id)
        shots = [shot.span for _, shot in shots_of(connection, media_id)]
    last = max((span.end for span in shots), default=0.0)
    first, until = parse_seconds(start), parse_seconds(end) if end else None
    if until is not None and until <= first:
        raise InstanceError(f"{path}@{start}-{end} ends before it begins")
    if first > last:
        raise InstanceError(f"{path} has nothing at {start}: it ends at {last:.1f} s")
    if until is not None:
        span = Span(first, min(until, last))
        return MediaSpan(digest, span, box_time=span.middle)
    around = next((span for span in shots if first in span), shots[-1])
    return MediaSpan(digest, around, box_time=first)


def example_features(
    store: Store, encoder_id: str, encoder: Callable[[], Encoder], examples: Sequence[Example]
) -> list[Features | None]:
    """The ``(embed_dim,)`` unit vector of each example, None for one that is nowhere to be seen any more.

    The encoder is only asked for when a photo that is no file of the library has to be encoded.

    A stretch of a video is the mean of the frames kept inside it, or of the shots it touches when there are
    none.
    """
    found: list[Features | None] = []
    for example in examples:
        with store.read() as connection:
            rows = _frames_in(connection, encoder_id, example)
            jpeg = None if len(rows) else get_photo(connection, example.content_hash)
        if jpeg is not None:
            rows = encoder().encode_images([picture_of(jpeg)])
        found.append(unit(unit(rows).mean(axis=0)) if len(rows) else None)
    return found


def _frames_in(connection: Connection, encoder_id: str, example: Example) -> Features:
    rows = frames_with_content(connection, example.content_hash, encoder_id)
    span = example.span
    if span.duration:
        inside = [row for row in rows if row[0] in span]
        rows = inside or [row for row in rows if row[1].overlap(span) > 0]
    return np.stack([vector for _, _, vector in rows]) if rows else np.zeros((0, 1), np.float32)


@dataclass(frozen=True)
class ExampleSource:
    """An example and where its picture comes from.

    Attributes:
        example: the example.
        path: the file on disk, None when it is gone.
        jpeg: the photo kept with the library, None when none is.
    """

    example: Example
    path: Path | None
    jpeg: bytes | None


def example_source(connection: Connection, example_id: int) -> ExampleSource | None:
    """An example with where its picture comes from, None when there is no such example."""
    example = find_example(connection, example_id)
    if example is None:
        return None
    digest = example.content_hash
    return ExampleSource(example, path_of(connection, digest), get_photo(connection, digest))


def path_of(connection: Connection, digest: str) -> Path | None:
    """Where a content can be seen on disk, None when it is nowhere."""
    media_id = catalog.find_media_id(connection, digest)
    return catalog.first_path(connection, media_id) if media_id is not None else None
