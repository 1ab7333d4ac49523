"""A rectangle in a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thisismy.core.errors import MediaError


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: ``left <= x < right``, ``top <= y < bottom``."""

    left: float
    top: float
    right: float
    bottom: float

    def within(self, width: int, height: int) -> Box:
        """The part that lies in a picture of so many pixels.

        Raises:
            MediaError: no part does, or it has no area or a number that is not finite.
        """
        numbers = (self.left, self.top, self.right, self.bottom)
        cut = Box(max(self.left, 0), max(self.top, 0), min(self.right, width), min(self.bottom, height))
        if not all(map(math.isfinite, numbers)) or cut.right - cut.left < 1 or cut.bottom - cut.top < 1:
            shown = ", ".join(f"{number:g}" for number in numbers)
            raise MediaError(
                f"the box {shown} (left, top, right, bottom) lies outside of the "
                f"picture of {width} x {height} pixels, or is empty: give one inside"
            )
        return cut
