"""One small picture that stands for a video, a moment of it, or a photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thisismy.core.errors import MediaError
from thisismy.media.frames import VideoStream, frames_at
from thisismy.media.info import PHOTO_SUFFIXES
from thisismy.media.opening import display_name
from thisismy.media.photos import read_photo
from thisismy.media.pictures import Picture, is_empty, luma

# Where in a video to look for a telling frame, as shares of its length; tried in this order.
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.02, 0.9)
# Spread of luma (0 to 127) from which a frame surely shows something; grey damage and haze stay below.
_TELLING = 15.0


def thumbnail(path: str | Path, time: float | None = None, size: int = 320) -> Picture:
    """A small upright picture of a video or photo.

    Args:
        path: a video or photo.
        time: seconds on the player's clock; None looks for a frame that shows something, neither black nor of
            one colour, near the beginning, and takes the richest of what there is when all are empty.
        size: pixels of the longer side; pictures are never enlarged.

    Raises:
        ValueError: ``size`` is below 1.
        MediaError: the file cannot be read.
        MissingExtraError: a HEIC photo without the extra "heic".
    """
    if size < 1:
        raise ValueError(f"a thumbnail must be at least 1 pixel large, not {size}")
    path = Path(path)
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return shrunk(read_photo(path, size), size)
    if time is not None:
        return shrunk(frames_at(path, [time], size)[0].image, size)
    return shrunk(_telling_frame(path, size), size)


def shrunk(image: Picture, size: int) -> Picture:
    """A picture whose longer side is at most ``size`` pixels."""
    longer = max(image.shape[:2])
    if longer <= size:
        return image
    from PIL import Image

    width, height = (max(1, round(side * size / longer)) for side in (image.shape[1], image.shape[0]))
    return np.asarray(
        Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    )


def _telling_frame(path: Path, size: int) -> Picture:
    with VideoStream(path) as stream:
        duration = stream.duration
    if duration is None:
        return _first_filled(path, size)
    best: Picture | None = None
    richest = -1.0
    for place in _PLACES:
        image = frames_at(path, [duration * place], size)[0].image
        richness = float(luma(image).std())
        if richness >= _TELLING:
            return image
        if richness > richest:
            best, richest = image, richness
    if best is None:
        raise MediaError(f"{display_name(path)}: no frame can be decoded")
    return best


def _first_filled(path: Path, size: int) -> Picture:
    """The first frame of a video of unknown length that shows something, else the very first."""
    first: Picture | None = None
    with VideoStream(path) as stream:
        for frame in stream:
            if first is None:
                first = frame.rgb(size)
            if not is_empty(frame.small(64, 36)):
                return frame.rgb(size)
    if first is None:
        raise MediaError(f"{display_name(path)}: no frame can be decoded")
    return first
