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
from thisismy.shots.detectors.blend import Mixture, fit_mixture
from thisismy.shots.detectors.frame_buffer import RecentPictures

_HALF_WIDTHS = (0.2, 0.28, 0.4, 0.56, 0.8, 1.1)
"""Half the seconds between the two compared pictures; a transition is found where it just fits."""
_HOP = 0.08
_STEPS = 10
_AROUND = 0.4
# A transition lies in the middle of the window that finds it, give or take this share of half its width.
_OFF_CENTRE = 0.5
_SAME = 0.35
_LEAST_CONTRAST = 8.0
_LEAST_PICTURES = 6
_STEP, _RELAPSE = 0.4, 0.15
_MOST_UNEXPLAINED = 0.3
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
        alike: correlation of the pictures before and after, up to which they count as different, between 0
            and 1. Raising it finds transitions between similar pictures, and more false ones.
        unexplained: how much of a picture inside may be no blend of the two, above 0, as a share of what a
            moving camera would leave, which is little where the two are alike.
            Raising it finds transitions between moving shots, and takes fast motion for transitions.
        unrest: how much the calmer one of the sides may change, as a share of the whole change, above 0.
            Raising it finds transitions between moving shots, and takes more pans for transitions.
        looks: how many windows, moved and scaled, must find the transition, 1 or more. Raising it finds fewer
            and surer ones.

    Raises:
        ShotError: a setting is out of range.
    """

    alike: float = 0.65
    unexplained: float = 0.7
    unrest: float = 0.15
    looks: int = 3

    def __post_init__(self) -> None:
        if not (0 < self.alike < 1 and self.unexplained > 0 and self.unrest > 0 and self.looks >= 1):
            raise ShotError(
                "gradual transitions need alike between 0 and 1, unexplained > 0, unrest > 0 and looks >= 1, "
                f"not {self.alike}, {self.unexplained}, {self.unrest} and {self.looks}"
            )

    @property
    def id(self) -> str:
        """Name and settings."""
        return (
            f"gradual-1/alike={self.alike:g},unexplained={self.unexplained:g},"
            f"unrest={self.unrest:g},looks={self.looks}"
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
        recent: the pictures of the last seconds.

    Args:
        settings: what makes a transition.
    """

    delay = _LOOK_AHEAD + _OFF_CENTRE * _HALF_WIDTHS[-1] + _SAME + _HOP
    """Seconds after which a transition is certain to be known."""

    def __init__(self, settings: Gradual) -> None:
        self._settings = settings
        self.recent = RecentPictures(_MEMORY)
        self._next = -math.inf
        self._sightings: list[_Sighting] = []

    def feed(self, time: float, picture: Picture) -> list[Transition]:
        """Look at the next frame, ``(height, width, 3)`` RGB; give the transitions that became certain."""
        if not self.recent.add(time, picture):
            return []
        self._next = max(self._next, self.recent.times[0])
        while self._next + _LOOK_AHEAD <= time + _ROUNDING:
            self._look(self._next)
            self._next += _HOP
        return self._settled(self._next - _OFF_CENTRE * _HALF_WIDTHS[-1] - _SAME)

    def finish(self) -> list[Transition]:
        """The remaining transitions, once the video has ended."""
        while self.recent.times and self._next <= self.recent.times[-1]:
            self._look(self._next)
            self._next += _HOP
        return self._settled(math.inf)

    def _look(self, centre: float) -> None:
        """Try windows of all widths around a time."""
        recent = self.recent
        reach = min(centre - recent.times[0], recent.times[-1] - centre) + _ROUNDING
        widths = [width for width in _HALF_WIDTHS if width <= reach]
        if not widths:
            return
        firsts = [recent.index(centre - w) for w in widths]
        lasts = [recent.index(centre + w) for w in widths]
        likeness = recent.likeness(firsts, lasts)
        contrast = np.minimum(recent.contrast(firsts), recent.contrast(lasts))
        for i in np.flatnonzero((likeness < self._settings.alike) & (contrast > _LEAST_CONTRAST)):
            self._try(centre, widths[i], float(likeness[i]))

    def _try(self, centre: float, width: float, likeness: float) -> None:
        recent = self.recent
        change = 1 - likeness
        indices = [recent.index(centre + width * (2 * k / _STEPS - 1)) for k in range(_STEPS + 1)]
        if len(set(indices)) < _LEAST_PICTURES:
            return
        around = min(width, _AROUND)
        outside = [recent.index(centre - width - around), recent.index(centre + width + around)]
        calm = recent.likeness(outside, [indices[0], indices[-1]])
        if 1 - float(calm.max()) >= self._settings.unrest * change:
            return
        mixture = fit_mixture(np.array([recent.times[i] for i in indices]), recent.rows(indices))
        allowed = self._settings.unexplained * _left_by_motion(likeness)
        if mixture is None or not self._is_transition(mixture, min(allowed, _MOST_UNEXPLAINED)):
            return
        if abs(mixture.middle - centre) <= _OFF_CENTRE * width:
            self._sightings.append(
                _Sighting(centre, width, mixture.middle, mixture.span, mixture.unexplained / allowed)
            )

    @staticmethod
    def _is_transition(mixture: Mixture, allowed: float) -> bool:
        return (
            mixture.unexplained < allowed
            and mixture.largest_step < _STEP
            and mixture.largest_relapse < _RELAPSE
        )

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
            elif len(group) >= self._settings.looks and _agree(group):
                best = min(group, key=lambda sighting: sighting.error)
                middle = float(np.median([sighting.middle for sighting in group]))
                found.append(Transition(min(best.span[0], middle), middle, max(best.span[1], middle)))
        return found


def _left_by_motion(likeness: float) -> float:
    """The share of the picture half way through a camera movement that its two ends do not explain.

    Where the correlation of a picture with itself, moved, is a Gaussian of the distance, ends correlated by c
    correlate by the fourth root of c with the picture between them. Sharper pictures leave more.
    """
    alike = max(0.0, likeness)
    return (1 - math.sqrt(alike)) ** 2 / (1 + alike)


def _agree(group: list[_Sighting]) -> bool:
    """Whether the sightings mean one instant: the middle of a movement goes along with the window.

    Narrow windows inside a long dissolve do so, too; the widest ones hold all of it.
    """
    widest = max(sighting.width for sighting in group)
    wide = [sighting for sighting in group if sighting.width == widest]
    middles = np.array([sighting.middle for sighting in wide])
    centres = np.array([sighting.centre for sighting in wide])
    return bool(middles.std() <= _TOLERANCE + _DRIFT * centres.std())
