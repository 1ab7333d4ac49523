"""A box around what stands out in a photo: where the thing is, for photos in which nobody drew a box.

What differs in colour from the picture's border, in units of how much the border itself varies (as in the
border cue of Zhang et al., "Minimum barrier salient object detection", ICCV 2015); it needs no weights and is
right for one thing in front of a quiet background.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from thisismy.core.box import Box
from thisismy.encoders.base import Picture

SMALL = 96
"""Longer side that saliency looks at: it is about whole things, not about texture."""

BORDER = 0.1
"""Part of the sides that is border."""

SMOOTHING = 2.0
"""Deviation of the blur before and after, in pixels of the small picture."""


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
