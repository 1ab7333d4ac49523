"""Time: the one way to say "from here to there"."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of time in seconds, half open: ``start <= t < end``.

    Raises:
        ValueError: a bound is not finite, or ``end < start``.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end)) or self.end < self.start:
            raise ValueError(f"not a span: from {self.start} to {self.end} s")

    @property
    def duration(self) -> float:
        """Length in seconds, 0 or more."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """The instant half way through, in seconds."""
        return (self.start + self.end) / 2

    def __contains__(self, time: float) -> bool:
        return self.start <= time < self.end

    def overlap(self, other: Span) -> float:
        """Seconds that both spans cover; 0 when they do not meet."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))

    def same_place(self, other: Span) -> bool:
        """Whether both are equal, or share more than half of the shorter one."""
        shorter = min(self.duration, other.duration)
        return self == other or (shorter > 0 and self.overlap(other) > shorter / 2)
