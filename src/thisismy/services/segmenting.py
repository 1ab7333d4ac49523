"""Where a named thing is in one picture, to the pixel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.errors import InstanceError, QueryError

if TYPE_CHECKING:
    from thisismy.encoders.base import Picture
    from thisismy.personalization.segmentation import Mask
    from thisismy.services.learning import LearningService
    from thisismy.services.searching import SearchService

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


def segment_named(
    search: SearchService, learning: LearningService, text: str, place: str, *, method: str = METHOD
) -> Segmented:
    """Find the pixels of the named thing in a frame or a photo.

    Every picture is cut into a part that is likelier and one that is less likely to show the thing; whether
    it is there at all is for a search to say.

    Args:
        search: reads the query.
        learning: knows what the thing looks like.
        text: the name, or a query with it: "my dog Biscuit in the grass".
        place: "VIDEO@1:23" or a photo; need not be in the library.
        method: makes the concept that windows of the picture are scored against, with arguments as
            "palavra?epochs=0". Nothing of it is kept.

    Raises:
        QueryError: the text names nobody, or more than one, or a time makes no sense.
        InstanceError: the thing has no example to learn from.
        VocabularyError: there is no such method.
        EncoderError: the method needs learned words, which the library's encoder does not take.
        MediaError: the file cannot be read, or has no such frame.
    """
    from thisismy.personalization.registry import make_method, parse_method
    from thisismy.personalization.segmentation import segment

    path, time = _place(place)
    read = search.read(text)
    if len(read.names) != 1:
        found = ", ".join(read.names) if read.names else "nobody"
        raise QueryError(f"{text!r} names {found}: name one thing that `thisismy instances list` shows")
    when, picture = _picture(path, time)
    thing = next((one for one in learning.corpus() if one.name == read.names[0]), None)
    if thing is None:
        name = read.names[0]
        raise InstanceError(f'{name!r} has no example: `thisismy name "{name}" VIDEO@1:23` adds one')
    none = np.zeros((0, learning.encoder.embed_dim), np.float32)
    vocabulary = make_method(*parse_method(method)).fit([thing], none, learning.encoder)
    mask = segment(picture, vocabulary, thing.name, prompt=read.prompts[0])
    return Segmented(read.names[0], read.prompts[0], path, when, picture, mask)


def _place(text: str) -> tuple[Path, float | None]:
    from thisismy.store.examples import parse_seconds

    found = _AT.match(text)
    if found is None or Path(text).expanduser().exists():
        return Path(text).expanduser(), None
    try:
        return Path(found["path"]).expanduser(), parse_seconds(found["time"])
    except ValueError:
        raise QueryError(f"{found['time']!r} is no time: write VIDEO@1:23 or VIDEO@83.5") from None


def _picture(path: Path, time: float | None) -> tuple[float | None, Picture]:
    from thisismy.media.frames import frames_at
    from thisismy.media.info import PHOTO_SUFFIXES
    from thisismy.media.photos import read_photo
    from thisismy.media.probe import probe

    if path.suffix.lower() in PHOTO_SUFFIXES:
        return None, read_photo(path, SHORTER_SIDE)
    if time is None:
        raise QueryError(f"which moment of {path.name}? write {path}@1:23")
    duration = probe(path).duration
    if time > duration:
        raise QueryError(f"{path.name} has nothing at {time:g} s: it ends at {duration:.1f} s")
    frame = frames_at(path, [time], SHORTER_SIDE)[0]
    return frame.time, frame.image
