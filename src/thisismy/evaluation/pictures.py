"""From items to pictures: photos, cut-outs, and frames of shots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from PIL import Image

from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span
from thisismy.encoders.base import Picture
from thisismy.evaluation.datasets.base import Cutout, Item, Media
from thisismy.media.frames import frames_at
from thisismy.media.photos import read_photo
from thisismy.media.probe import probe
from thisismy.shots.scan import Sampling

BATCH = 32
"""Pictures the encoder gets at once, at least."""


SAMPLING = Sampling(rate=1.0, at_least=1, at_most=8)
"""One frame per second, as Korbar's thesis evaluates This-Is-My (section 5.4); what a library keeps."""


def sampled_times(span: Span) -> list[float]:
    """Instants in the middle of equal parts of a shot, so that cuts and fades at its ends are avoided."""
    count = SAMPLING.count(span.duration)
    return [span.start + (i + 0.5) * span.duration / count for i in range(count)]


def batches(items: Sequence[Item], shorter_side: int) -> Iterator[list[tuple[Item, list[Picture]]]]:
    """Items with their pictures, some together; one video is decoded in one pass.

    Args:
        items: all with media that are here.
        shorter_side: pixels the encoder looks at.

    Raises:
        MediaError: a file cannot be decoded.
    """
    batch: list[tuple[Item, list[Picture]]] = []
    count = 0
    for item, pictures in _pictures(items, shorter_side):
        batch.append((item, pictures))
        count += len(pictures)
        if count >= BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _pictures(items: Sequence[Item], shorter_side: int) -> Iterator[tuple[Item, list[Picture]]]:
    for (path, video), group in groupby(items, key=lambda item: _source(item)):
        if video:
            yield from _of_video(path, list(group), shorter_side)
        else:
            for item in group:
                yield item, [read_picture(_media(item), shorter_side)]


def _of_video(path: str, items: list[Item], shorter_side: int) -> Iterator[tuple[Item, list[Picture]]]:
    scanned = [item.id for item in items if _media(item).scanned_by]
    if scanned:
        raise BenchmarkError(
            f"the features of {scanned[0]!r} come with its shot scan and are not in the features file: "
            "find the shots again"
        )
    spans = [media.span for media in map(_media, items)]
    if any(span is None for span in spans):
        whole = Span(0.0, max(probe(path).duration, 0.04))
        spans = [span or whole for span in spans]
    times = [sampled_times(span) for span in spans if span is not None]
    # A few shots at a time: a long video's frames do not fit into memory at once, seeking costs little.
    for start in range(0, len(items), BATCH):
        part = times[start : start + BATCH]
        frames = frames_at(path, [t for own in part for t in own], shorter_side)
        used = 0
        for item, own in zip(items[start : start + BATCH], part, strict=True):
            yield item, [frame.image for frame in frames[used : used + len(own)]]
            used += len(own)


def read_picture(media: Media, shorter_side: int | None = None) -> Picture:
    """The picture of a photo, cut out where the benchmark says so.

    Raises:
        MediaError: the photo cannot be read.
        BenchmarkError: the mask does not show the object.
    """
    if media.cutout is None:
        return read_photo(media.path, shorter_side)
    return cut_out(read_photo(media.path), media.cutout)


def cut_out(picture: Picture, cutout: Cutout) -> Picture:
    """The box around an object's mask, widened and clipped to the picture.

    The last row and column of the mask are left out, as in the scripts the benchmark was made with.

    Raises:
        BenchmarkError: the mask does not show the object or has another size.
    """
    with Image.open(cutout.mask) as image:
        mask = np.asarray(image) == cutout.value
    if mask.shape[:2] != picture.shape[:2] or not mask.any():
        raise BenchmarkError(f"the mask {cutout.mask} does not show object {cutout.value} of its picture")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    down, across = round(cutout.grow * (bottom - top)), round(cutout.grow * (right - left))
    return picture[
        max(top - down, 0) : max(bottom + down, top + 1),
        max(left - across, 0) : max(right + across, left + 1),
    ]


def _media(item: Item) -> Media:
    if item.media is None:
        raise BenchmarkError(f"the item {item.id!r} has no media here")
    return item.media


def _source(item: Item) -> tuple[str, bool]:
    media = _media(item)
    return (str(media.path) if media.video else "", media.video)
