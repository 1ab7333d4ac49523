"""Dissolves and fades: changes that a comparison of neighbouring frames does not see.

Twin comparison (Zhang, Kankanhalli and Smoliar 1993, "Automatic partitioning of full-motion video") finds
gradual transitions by comparing frames that lie far apart, where neighbours differ too little. That alone
also finds pans, so the pictures outside must change less, and those between must be blends of the two
(:mod:`thisismy.shots.detectors.blend`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thisismy.media.pictures import Picture
from thisismy.shots.detectors.base import ShotError
from thisismy.shots.detectors.blend import Blend, fit_blend
from thisismy.shots.detectors.frame_buffer import FrameBuffer

_HALF_WIDTHS = (0.2, 0.28, 0.4, 0.56, 0.8, 1.1)
"""Half the seconds between the two compared pictures; a transition is found where it just fits."""
_HOP = 0.08
_STEPS = 10
_AROUND = 0.4
# A transition lies in the middle of the window that finds it, give or take this share of half its width.
_OFF_CENTRE = 0.5
_SAME = 0.35
_MIN_CONTRAST = 8.0
_MIN_PICTURES = 6
_STEP, _RELAPSE = 0.4, 0.15
_MAX_RESIDUAL = 0.3
_TOLERANCE, _DRIFT = 0.02, 0.3
_LOOK_AHEAD = _HALF_WIDTHS[-1] + _AROUND
_MEMORY = 2 * _LOOK_AHEAD + 4 * _HOP
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Transition:
    """A dissolve or fade.

    Attributes:
        start: seconds, when the picture before begins to give way.
        middle: seconds, when both pictures weigh the same; in a fade, when it is darkest (or lightest).
        end: seconds, when the picture after is all there is.
    """

    start: float
    middle: float
    end: float


@dataclass(frozen=True)
class Gradual:
    """What makes a slow change a transition.

    Args:
        max_similarity: correlation of the pictures before and after, up to which they count as different,
            between 0 and 1. Raising it finds transitions between similar pictures, and more false ones.
        max_residual: how much of a picture inside may be no blend of the two, above 0, as a share of what a
            moving camera would leave, which is little where the two are alike.
            Raising it finds transitions between moving shots, and takes fast motion for transitions.
        max_outside_change: how much the calmer one of the sides may change, as a share of the whole change,
            above 0. Raising it finds transitions between moving shots, and takes more pans for transitions.
        min_sightings: how many windows, moved and scaled, must find the transition, 1 or more. Raising it
            finds fewer and surer ones.

    Raises:
        ShotError: a setting is out of range.
    """

    max_similarity: float = 0.65
    max_residual: float = 0.7
    max_outside_change: float = 0.15
    min_sightings: int = 3

    def __post_init__(self) -> None:
        shares = 0 < self.max_similarity < 1 and self.max_residual > 0 and self.max_outside_change > 0
        if not shares or not self.min_sightings >= 1:
            raise ShotError(
                "gradual transitions need max_similarity between 0 and 1, max_residual > 0, "
                f"max_outside_change > 0 and min_sightings >= 1, not {self.max_similarity}, "
                f"{self.max_residual}, {self.max_outside_change} and {self.min_sightings}"
            )

    @property
    def id(self) -> str:
        """Name and settings; libraries keep it with their shots, so its words stay as they were."""
        return (
            f"gradual-1/alike={self.max_similarity:g},unexplained={self.max_residual:g},"
            f"unrest={self.max_outside_change:g},looks={self.min_sightings}"
        )


@dataclass(frozen=True)
class _Sighting:
    centre: float
    width: float
    middle: float
    span: tuple[float, float]
    error: float


class GradualFinder:
    """One run over one video, which tells transitions some 2.5 seconds after their middle.

    Attributes:
        buffer: the pictures of the last seconds.

    Args:
        settings: what makes a transition.
    """

    delay = _LOOK_AHEAD + _OFF_CENTRE * _HALF_WIDTHS[-1] + _SAME + _HOP
    """Seconds after which a transition is certain to be known."""

    def __init__(self, settings: Gradual) -> None:
        self._settings = settings
        self.buffer = FrameBuffer(_MEMORY)
        self._next = -math.inf
        self._sightings: list[_Sighting] = []

    def feed(self, time: float, picture: Picture) -> list[Transition]:
        """Look at the next frame, ``(height, width, 3)`` RGB; give the transitions that became certain."""
        if not self.buffer.add(time, picture):
            return []
        self._next = max(self._next, self.buffer.times[0])
        while self._next + _LOOK_AHEAD <= time + _ROUNDING:
            self._look(self._next)
            self._next += _HOP
        return self._settled(self._next - _OFF_CENTRE * _HALF_WIDTHS[-1] - _SAME)

    def finish(self) -> list[Transition]:
        """The remaining transitions, once the video has ended."""
        while self.buffer.times and self._next <= self.buffer.times[-1]:
            self._look(self._next)
            self._next += _HOP
        return self._settled(math.inf)

    def _look(self, centre: float) -> None:
        """Try windows of all widths around a time."""
        buffer = self.buffer
        reach = min(centre - buffer.times[0], buffer.times[-1] - centre) + _ROUNDING
        widths = [width for width in _HALF_WIDTHS if width <= reach]
        if not widths:
            return
        firsts = [buffer.index(centre - w) for w in widths]
        lasts = [buffer.index(centre + w) for w in widths]
        similarity = buffer.similarity(firsts, lasts)
        contrast = np.minimum(buffer.contrast(firsts), buffer.contrast(lasts))
        for i in np.flatnonzero((similarity < self._settings.max_similarity) & (contrast > _MIN_CONTRAST)):
            self._try(centre, widths[i], float(similarity[i]))

    def _try(self, centre: float, width: float, similarity: float) -> None:
        buffer = self.buffer
        change = 1 - similarity
        indices = [buffer.index(centre + width * (2 * k / _STEPS - 1)) for k in range(_STEPS + 1)]
        if len(set(indices)) < _MIN_PICTURES:
            return
        around = min(width, _AROUND)
        outside = [buffer.index(centre - width - around), buffer.index(centre + width + around)]
        calm = buffer.similarity(outside, [indices[0], indices[-1]])
        if 1 - float(calm.max()) >= self._settings.max_outside_change * change:
            return
        blend = fit_blend(np.array([buffer.times[i] for i in indices]), buffer.rows(indices))
        allowed = self._settings.max_residual * _left_by_motion(similarity)
        if blend is None or not self._is_transition(blend, min(allowed, _MAX_RESIDUAL)):
            return
        if abs(blend.middle - centre) <= _OFF_CENTRE * width:
            self._sightings.append(
                _Sighting(centre, width, blend.middle, blend.span, blend.residual / allowed)
            )

    @staticmethod
    def _is_transition(blend: Blend, allowed: float) -> bool:
        return blend.residual < allowed and blend.largest_step < _STEP and blend.largest_relapse < _RELAPSE

    def _settled(self, until: float) -> list[Transition]:
        """Groups of sightings of one transition that no later look can change."""
        found: list[Transition] = []
        groups: list[list[_Sighting]] = []
        for one in sorted(self._sightings, key=lambda sighting: sighting.middle):
            if groups and one.middle - groups[-1][-1].middle < _SAME / 2:
                groups[-1].append(one)
            else:
                groups.append([one])
        self._sightings = []
        for group in groups:
            if group[-1].middle >= until:
                self._sightings += group
            elif len(group) >= self._settings.min_sightings and _agree(group):
                best = min(group, key=lambda sighting: sighting.error)
                middle = float(np.median([sighting.middle for sighting in group]))
                found.append(Transition(min(best.span[0], middle), middle, max(best.span[1], middle)))
        return found


def _left_by_motion(similarity: float) -> float:
    """The share of the picture half way through a camera movement that its two ends do not explain.

    Where the correlation of a picture with itself, moved, is a Gaussian of the distance, ends correlated by c
    correlate by the fourth root of c with the picture between them. Sharper pictures leave more.
    """
    kept = max(0.0, similarity)
    return (1 - math.sqrt(kept)) ** 2 / (1 + kept)


def _agree(group: list[_Sighting]) -> bool:
    """Whether the sightings mean one instant: the middle of a movement goes along with the window.

    Narrow windows inside a long dissolve do so, too; the widest ones hold all of it.
    """
    widest = max(sighting.width for sighting in group)
    wide = [sighting for sighting in group if sighting.width == widest]
    middles = np.array([sighting.middle for sighting in wide])
    centres = np.array([sighting.centre for sighting in wide])
    return bool(middles.std() <= _TOLERANCE + _DRIFT * centres.std())
