"""What an encoder is shown of a picture in which a person drew a box around the thing.

Korbar and Zisserman draw a red ellipse through the middles of the sides of a detector's box and encode the
picture with it (after Shtedritski, Rupprecht and Vedaldi, "What does CLIP know about a red circle?", ICCV
2023). Here the box comes from a person.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from thisismy.core.box import Box
from thisismy.encoders.base import Picture
from thisismy.encoders.regions import crop

IGNORE, CROP, ELLIPSE = "ignore", "crop", "ellipse"
BOX_VIEWS = (IGNORE, CROP, ELLIPSE)
"""What a method can be shown of a picture with a box: all of it, what is inside, or all with an ellipse."""

RED = (255, 0, 0)

LINE = 4 / 224
"""Width of the line as a part of the picture's shorter side; not given in the paper."""


def inside(box: Box, picture: Picture) -> Box:
    """The part of a box that lies in the picture.

    Raises:
        MediaError: no part does, or it has no area or a number that is not finite.
    """
    height, width = picture.shape[:2]
    return box.within(width, height)


def box_of_shares(shares: Sequence[float], picture: Picture) -> Box:
    """The box of shares of a picture's sides (left, top, right, bottom; 0 to 1) in its pixels."""
    height, width = picture.shape[:2]
    left, top, right, bottom = shares
    return Box(left * width, top * height, right * width, bottom * height)


def shares_of(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a box inside a picture of so many pixels, as shares of its sides.

    Raises:
        MediaError: no part of it is inside.
    """
    cut = box.within(width, height)
    return cut.left / width, cut.top / height, cut.right / width, cut.bottom / height


def encircled(picture: Picture, box: Box) -> Picture:
    """A copy with a red ellipse through the middles of the box's sides.

    Raises:
        MediaError: the box lies outside of the picture.
    """
    box = inside(box, picture)
    marked = np.ascontiguousarray(picture).copy()
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    axes = (box.right - box.left, box.bottom - box.top)
    line = max(1, round(LINE * min(picture.shape[:2])))
    cv2.ellipse(marked, (middle, axes, 0.0), RED, line, cv2.LINE_AA)
    return marked


def marked(picture: Picture, box: Box, boxes: str) -> Picture:
    """The picture as a method with these `BOX_VIEWS` is shown it.

    Raises:
        MediaError: the box lies outside of the picture.
    """
    if boxes == IGNORE:
        return picture
    return crop(picture, box) if boxes == CROP else encircled(picture, box)
