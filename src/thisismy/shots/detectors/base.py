"""The one method behind every shot detector, and the detector of fixed windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from thisismy.core.errors import ThisIsMyError
from thisismy.core.span import Span
from thisismy.media.pictures import Picture

_ROUNDING = 1e-6
# Few enough frames lie in this many seconds to be held back until it is known whether the video continues.
_SLIVER = 0.1
_WINDOWS = 0.1, 86_400.0


class ShotError(ThisIsMyError):
    """A shot detector is unknown or was given a setting that makes no sense."""


@dataclass(frozen=True)
class Shot:
    """What lies between two cuts.

    Attributes:
        index: position in its video, from 0.
        span: seconds on the player's clock. The shots of a video tile it: each ends where the next starts.
    """

    index: int
    span: Span


class CutFinder(Protocol):
    """One run of a detector over one video: it is fed frames in order and learns cuts with a bounded delay.

    A cut is the time of the first frame of the new shot.
    """

    @property
    def settled(self) -> float:
        """Cuts up to and including this time are known; ``-inf`` before anything is."""
        ...

    def feed(self, time: float, picture: Picture | None) -> Sequence[float]:
        """Look at the next frame; give the cuts that became certain, in order.

        Args:
            time: when the frame is shown, in seconds, later than the frame before.
            picture: the frame as ``(height, width, 3)`` RGB of the detector's ``picture_size``.
        """
        ...

    def finish(self, end: float) -> Sequence[float]:
        """The remaining cuts, in order, once the video has ended at ``end`` seconds."""
        ...


class ShotDetector(Protocol):
    """A way to find cuts.

    Attributes:
        id: name and settings; stored with the shots that it found.
        picture_size: ``(width, height)`` of the small pictures it looks at, or None when it looks at none.
    """

    @property
    def id(self) -> str: ...  # noqa: D102

    @property
    def picture_size(self) -> tuple[int, int] | None: ...  # noqa: D102

    def start(self) -> CutFinder:
        """Begin with a new video.

        Raises:
            MissingExtraError: the detector needs a package that is not installed.
        """
        ...


@dataclass(frozen=True)
class FixedWindows:
    """Windows of equal length, without a look at the picture; This-Is-My uses 3 s.

    Args:
        seconds: length of a window, 0.1 to 86,400 (a day). Longer windows mean fewer and coarser moments.
            What is left at the end is a window of its own unless it is shorter than 0.1 s and a tenth of one.

    Raises:
        ShotError: ``seconds`` is out of range.
    """

    seconds: float = 3.0
    picture_size: None = None

    def __post_init__(self) -> None:
        if not _WINDOWS[0] <= self.seconds <= _WINDOWS[1]:
            raise ShotError(
                f"a window must last from {_WINDOWS[0]:g} to {_WINDOWS[1]:g} seconds, not {self.seconds}"
            )

    @property
    def id(self) -> str:
        """Name and settings."""
        return f"windows/seconds={self.seconds:g}"

    def start(self) -> CutFinder:
        """Begin with a new video."""
        return _Windows(self.seconds)


class _Windows:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sliver = min(_SLIVER, seconds / 10)
        self._given = 0
        self.settled = -math.inf

    def feed(self, time: float, picture: Picture | None) -> Sequence[float]:
        cuts = self._up_to(time - self._sliver + _ROUNDING)
        following = (self._given + 1) * self._seconds
        self.settled = min(time, math.nextafter(following, -math.inf))
        return cuts

    def finish(self, end: float) -> Sequence[float]:
        return self._up_to(end - self._sliver + _ROUNDING)

    def _up_to(self, time: float) -> list[float]:
        known = math.floor(time / self._seconds)
        cuts = [number * self._seconds for number in range(self._given + 1, known + 1)]
        self._given = max(self._given, known)
        return cuts
