"""Where a named thing is in one picture, to the pixel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.errors import QueryError

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder, Picture
    from thisismy.personalization.base import NamedInstance
    from thisismy.personalization.segmentation import Mask

SHORTER_SIDE = 720
"""Pixels a picture is brought down to: a border does not get better by more."""

TINT = (255, 60, 0)
"""Colour of the border."""

METHOD = "prototype-context"
"""Takes any encoder, hears the words, and on photos no other method marks things better (docs/methods)."""

_AT = re.compile(r"^(?P<path>.+)@(?P<time>[\d:.]+)$", re.DOTALL)


@dataclass(frozen=True)
class Segmented:
    """A thing found in a picture.

    Attributes:
        name: of the thing.
        prompt: the query with ``*``.
        path: the video or photo.
        time: of the frame in seconds; None for a photo.
        picture: RGB, its shorter side at most `SHORTER_SIDE`.
        mask: True where the thing is; always some of the picture, whether the thing is in it or not.
    """

    name: str
    prompt: str
    path: Path
    time: float | None
    picture: Picture
    mask: Mask

    @property
    def share(self) -> float:
        """Part of the picture that is the thing, 0 to 1."""
        return float(self.mask.mean())

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of the thing in pixels of the picture; None when nothing is marked."""
        if not self.mask.any():
            return None
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def overlay(self) -> Picture:
        """The picture, grey and dim where the thing is not, with its border drawn."""
        import cv2

        grey = np.repeat(cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        shown = np.where(self.mask[..., None], self.picture, grey // 2)
        outlines, _ = cv2.findContours(self.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        drawn: Picture = cv2.drawContours(np.ascontiguousarray(shown), outlines, -1, TINT, 2)
        return drawn


@dataclass(frozen=True)
class ShownPicture:
    """A picture that is looked at.

    Attributes:
        path: the video or photo.
        time: of the frame in seconds; None for a photo.
        picture: RGB, its shorter side at most `SHORTER_SIDE`.
    """

    path: Path
    time: float | None
    picture: Picture


def picture_at(place: str) -> ShownPicture:
    """The frame or photo at "VIDEO@1:23" or a path.

    Raises:
        QueryError: the time makes no sense, or a video has none.
        MediaError: the file cannot be read, or has no such frame.
    """
    from thisismy.media.frames import frames_at
    from thisismy.media.info import PHOTO_SUFFIXES
    from thisismy.media.photos import read_photo
    from thisismy.media.probe import probe

    path, time = _place(place)
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return ShownPicture(path, None, read_photo(path, SHORTER_SIDE))
    if time is None:
        raise QueryError(f"which moment of {path.name}? write {path}@1:23")
    duration = probe(path).duration
    if time > duration:
        raise QueryError(f"{path.name} has nothing at {time:g} s: it ends at {duration:.1f} s")
    frame = frames_at(path, [time], SHORTER_SIDE)[0]
    return ShownPicture(path, frame.time, frame.image)


def segment_thing(
    shown: ShownPicture, thing: NamedInstance, prompt: str, encoder: Encoder, method: str
) -> Segmented:
    """Find the pixels of a thing in a picture; nothing of what is learned for it is kept.

    Args:
        shown: where to look.
        thing: with its examples, in the encoder's space.
        prompt: the query with ``*`` for the thing.
        encoder: encodes windows of the picture.
        method: scores them; with arguments as "palavra?epochs=0".

    Raises:
        VocabularyError: there is no such method.
        EncoderError: the method needs learned words, which the encoder does not take.
    """
    from thisismy.personalization.registry import make_method, parse_method
    from thisismy.personalization.segmentation import segment

    none = np.zeros((0, encoder.embed_dim), np.float32)
    vocabulary = make_method(*parse_method(method)).fit([thing], none, encoder)
    mask = segment(shown.picture, vocabulary, thing.name, prompt=prompt)
    return Segmented(thing.name, prompt, shown.path, shown.time, shown.picture, mask)


def _place(text: str) -> tuple[Path, float | None]:
    from thisismy.store.examples import parse_seconds

    found = _AT.match(text)
    if found is None or Path(text).expanduser().exists():
        return Path(text).expanduser(), None
    try:
        return Path(found["path"]).expanduser(), parse_seconds(found["time"])
    except ValueError:
        raise QueryError(f"{found['time']!r} is not a time: write VIDEO@1:23 or VIDEO@83.5") from None
