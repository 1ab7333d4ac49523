"""Where in a picture the thing is: a box from a person or from saliency, and the ellipse drawn around it.

Korbar and Zisserman draw a red ellipse through the middles of the sides of a detector's box and encode the
picture with it (after Shtedritski, Rupprecht and Vedaldi, "What does CLIP know about a red circle?", ICCV
2023). Where nobody drew a box, one is proposed around what differs in colour from the picture's border, in
units of how much the border itself varies (as in the border cue of Zhang et al., "Minimum barrier salient
object detection", ICCV 2015); that needs no weights and is right for one thing before a quiet background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import MediaError
from thisismy.encoders.base import Picture

IGNORE, CROP, ELLIPSE = "ignore", "crop", "ellipse"
MARKS = (IGNORE, CROP, ELLIPSE)
"""What a method can be shown of a picture with a box: all of it, what is inside, or all with an ellipse."""

RED = (255, 0, 0)

LINE = 4 / 224
"""Width of the line as a part of the picture's shorter side; not given in the paper."""

SMALL = 96
"""Longer side that saliency looks at: it is about whole things, not about texture."""

BORDER = 0.1
"""Part of the sides that is border."""

SMOOTHING = 2.0
"""Deviation of the blur before and after, in pixels of the small picture."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: ``left <= x < right``, ``top <= y < bottom``."""

    left: float
    top: float
    right: float
    bottom: float


def inside(box: Box, picture: Picture) -> Box:
    """The part of a box that lies in the picture.

    Raises:
        MediaError: no part does, or it has no area or a number that is not finite.
    """
    height, width = picture.shape[:2]
    return _cut(box, width, height)


def _cut(box: Box, width: int, height: int) -> Box:
    numbers = (box.left, box.top, box.right, box.bottom)
    cut = Box(max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height))
    if not np.isfinite(numbers).all() or cut.right - cut.left < 1 or cut.bottom - cut.top < 1:
        shown = ", ".join(f"{number:g}" for number in numbers)
        raise MediaError(
            f"the box {shown} (left, top, right, bottom) lies outside of the "
            f"picture of {width} x {height} pixels, or is empty: give one inside"
        )
    return cut


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
    cut = _cut(box, width, height)
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


def cropped(picture: Picture, box: Box) -> Picture:
    """The box alone, for encoders to which an ellipse means nothing.

    Raises:
        MediaError: the box lies outside of the picture.
    """
    box = inside(box, picture)
    top, bottom = int(box.top), int(np.ceil(box.bottom))
    return picture[top:bottom, int(box.left) : int(np.ceil(box.right))]


def marked(picture: Picture, box: Box, boxes: str) -> Picture:
    """The picture as a method with these `MARKS` is shown it.

    Raises:
        MediaError: the box lies outside of the picture.
    """
    if boxes == IGNORE:
        return picture
    return cropped(picture, box) if boxes == CROP else encircled(picture, box)


def saliency(picture: Picture) -> NDArray[np.float32]:
    """``(height, width)`` how far a pixel's colour is from those of the border, 0 to 1."""
    height, width = picture.shape[:2]
    scale = SMALL / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colours = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), SMOOTHING)
    rows, columns = (max(1, round(BORDER * n)) for n in colours.shape[:2])
    border = np.ones(colours.shape[:2], bool)
    border[rows:-rows, columns:-columns] = False
    spread = np.cov(colours[border].T) + np.eye(3)
    apart = colours - colours[border].mean(axis=0)
    distance = np.sqrt(np.einsum("hwc,cd,hwd->hw", apart, np.linalg.inv(spread), apart))
    smooth = cv2.GaussianBlur(distance.astype(np.float32), (0, 0), SMOOTHING)
    smooth = (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1e-12)
    full: NDArray[np.float32] = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    return full


def salient_box(picture: Picture) -> Box | None:
    """The box of the largest region that stands out (cut by Otsu); None where all is one colour."""
    if float(np.ptp(picture)) == 0:
        return None
    grey = np.round(255 * saliency(picture)).astype(np.uint8)
    _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, _, about, _ = cv2.connectedComponentsWithStats(mask)
    if len(about) < 2:
        return None
    left, top, width, height, _ = (float(n) for n in about[1 + int(about[1:, cv2.CC_STAT_AREA].argmax())])
    return Box(left, top, left + width, top + height)


def localised(
    picture: Picture,
    box: Box | None = None,
    *,
    find: Literal["saliency", "none"] = "saliency",
    mark: Literal["ellipse", "crop"] = "ellipse",
) -> Picture:
    """The picture with its thing marked: in a person's box, else in one that is found, else as it is.

    Args:
        picture: RGB.
        box: where a person said the thing is.
        find: how a box is found where none is given.
        mark: "ellipse" as published, or "crop".

    Raises:
        MediaError: the box lies outside of the picture.
    """
    if box is None and find == "saliency":
        box = salient_box(picture)
    if box is None:
        return picture
    return marked(picture, box, mark)
