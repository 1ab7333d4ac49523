"""Pictures as arrays: how large, which way up, and whether there is anything to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""An RGB picture, shape ``(height, width, 3)``."""

# A picture is black when all but its brightest hundredth stays below this 8-bit luma (video black is 0 after
# range expansion, noise and compression lift it), and flat when the luma spread stays below the second
# number.
_BLACK_LUMA = 28.0
_FLAT_SPREAD = 4.0


@dataclass(frozen=True)
class Orientation:
    """How stored pixels become an upright picture: first transpose, then mirror.

    Attributes:
        transpose: rows become columns.
        mirror_x: left and right are swapped afterwards.
        mirror_y: top and bottom are swapped afterwards.
    """

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def from_matrix(cls, a: int, b: int, c: int, d: int) -> Orientation:
        """The nearest quarter turn (or mirror image) of a display matrix.

        A stored point ``(x, y)``, y pointing down, is shown at ``(a x + c y, b x + d y)`` (ISO 14496-12,
        8.5.3). A matrix of zeros is taken for the identity.
        """
        if a == b == c == d == 0:
            return cls()
        if abs(a) >= abs(b):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def degrees(self) -> int:
        """Clockwise turn of the stored picture: 0, 90, 180 or 270; a mirror image counts as its turn."""
        if self.transpose:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_x and self.mirror_y else 0

    def apply(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The upright picture; ``image`` is ``(height, width, ...)``. A view where that is enough."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        if self.mirror_x:
            image = image[:, ::-1]
        if self.mirror_y:
            image = image[::-1]
        return image


def fitted(width: int, height: int, shorter_side: int | None) -> tuple[int, int]:
    """``(width, height)`` scaled so that the shorter side is ``shorter_side`` pixels, never enlarged.

    Raises:
        ValueError: ``shorter_side`` is below 1.
    """
    if shorter_side is None:
        return width, height
    if shorter_side < 1:
        raise ValueError(f"a picture's shorter side must be at least 1 pixel, not {shorter_side}")
    scale = min(1.0, shorter_side / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def luma(image: Picture) -> NDArray[np.float32]:
    """BT.601 luma of a thinned-out picture, 0 to 255, at most about 64 x 64 values."""
    step_y, step_x = max(1, image.shape[0] // 64), max(1, image.shape[1] // 64)
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(image[::step_y, ::step_x], np.float32) @ weights


def is_black(image: Picture) -> bool:
    """Whether there is nothing to see but black; a night scene with a lamp in it is not black."""
    values = luma(image)
    return int(np.count_nonzero(values >= _BLACK_LUMA)) < 0.01 * values.size


def is_empty(image: Picture) -> bool:
    """Whether a picture is black or all of one brightness, so that it would show nobody anything."""
    return is_black(image) or float(luma(image).std()) < _FLAT_SPREAD
