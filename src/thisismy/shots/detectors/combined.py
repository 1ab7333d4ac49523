"""Hard cuts and gradual transitions of one video as one list of cuts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from thisismy.media.pictures import Picture
from thisismy.shots.detectors.base import CutFinder, ShotError
from thisismy.shots.detectors.gradual import GradualFinder

# A cut found this close to the middle of a transition is part of it.
_WITHIN = 0.5
# Longer than any flash of a camera; what was there before is back by then.
_FLASH = 0.4


class CombinedRun:
    """A finder of hard cuts corrected by what a look at a few seconds shows.

    A gradual transition becomes one cut in its middle, in place of hard cuts found inside. A cut after which
    the picture before it soon comes back is a flash, and dropped.

    Args:
        hard: finds hard cuts.
        gradual: finds transitions.
    """

    def __init__(self, hard: CutFinder, gradual: GradualFinder) -> None:
        self._hard = hard
        self._gradual = gradual
        self._cuts: list[float] = []
        self._middles: list[float] = []
        self._given = -math.inf
        self.settled = -math.inf

    def feed(self, time: float, picture: Picture | None) -> Sequence[float]:
        """Look at the next frame; give the cuts that became certain, in order."""
        if picture is None:
            raise ShotError("gradual transitions need pictures")
        self._cuts += self._hard.feed(time, picture)
        self._middles += [transition.middle for transition in self._gradual.feed(time, picture)]
        self.settled = max(self.settled, min(self._hard.settled, time - self._gradual.delay - _WITHIN))
        return self._known(self.settled)

    def finish(self, end: float) -> Sequence[float]:
        """The remaining cuts, in order, once the video has ended at ``end`` seconds."""
        self._cuts += self._hard.finish(end)
        self._middles += [transition.middle for transition in self._gradual.finish()]
        return self._known(math.inf)

    def _known(self, until: float) -> list[float]:
        """The cuts up to a time, in order; the others are kept."""
        hard = [cut for cut in self._cuts if cut <= until]
        self._cuts = self._cuts[len(hard) :]
        lonely = [c for c in hard if not any(abs(c - m) <= _WITHIN for m in self._middles)]
        middles = [m for m in self._middles if self._given < m <= until]
        # A transition is remembered while cuts beside it may still come.
        self._middles = [m for m in self._middles if m > until - _WITHIN]
        self._given = max(self._given, until)
        return sorted([*(cut for cut in lonely if not self._is_flash(cut)), *middles])

    def _is_flash(self, cut: float) -> bool:
        buffer = self._gradual.buffer
        first = buffer.index(cut)
        last = buffer.index(cut + _FLASH)
        if first == 0 or last <= first or buffer.times[last] > cut + 2 * _FLASH:
            return False
        return bool(buffer.same(first - 1, list(range(first + 1, last + 1))).any())
