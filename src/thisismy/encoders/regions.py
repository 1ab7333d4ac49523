"""Parts of a picture as pictures of their own, for encoders without a better way to look at them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from thisismy.core.box import Box
from thisismy.encoders.base import Picture


def crops(picture: Picture, boxes: Sequence[Box]) -> list[Picture]:
    """The parts of a picture inside boxes, each grown to whole pixels; views, not copies.

    Raises:
        MediaError: a box lies outside of the picture, or is empty.
    """
    return [crop(picture, box) for box in boxes]


def crop(picture: Picture, box: Box) -> Picture:
    """The part of a picture inside a box.

    Raises:
        MediaError: the box lies outside of the picture, or is empty.
    """
    height, width = picture.shape[:2]
    inner = box.within(width, height)
    return picture[int(inner.top) : math.ceil(inner.bottom), int(inner.left) : math.ceil(inner.right)]
