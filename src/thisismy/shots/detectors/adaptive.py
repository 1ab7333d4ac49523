"""The default detector: hard cuts by PySceneDetect's adaptive one, dissolves and fades beside them.

PySceneDetect (https://www.scenedetect.com) is fed with small frames and real times.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from thisismy.media.pictures import Picture
from thisismy.shots.detectors.base import CutFinder, ShotError
from thisismy.shots.detectors.combined import CombinedRun
from thisismy.shots.detectors.gradual import Gradual, GradualFinder

# Frames on either side whose average change a cut must stand out from: the library's default.
_NEIGHBOURS = 2
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Adaptive:
    """A cut is a frame that changes far more than its neighbours do, which tells cuts from camera motion.

    The defaults are the published ones. Change is the mean difference of hue, saturation and value (0 to
    255). Dissolves and fades, which change no frame far more than its neighbours, are found beside them.

    Args:
        threshold: how many times the change of its neighbours a cut must change, above 1. Raising it finds
            fewer cuts.
        least_change: change that a cut must have in any case. Raising it ignores cuts between similar
            pictures.
        shortest: seconds between two hard cuts, 0 or more.
        gradual: how dissolves and fades are found; None finds hard cuts only, and takes flashes for cuts.

    Raises:
        ShotError: a setting is out of range.
    """

    threshold: float = 3.0
    least_change: float = 15.0
    shortest: float = 0.6
    gradual: Gradual | None = field(default_factory=Gradual)
    picture_size: tuple[int, int] = (48, 27)

    def __post_init__(self) -> None:
        if not self.threshold > 1 or not self.least_change >= 0 or not self.shortest >= 0:
            raise ShotError(
                "the adaptive detector needs threshold > 1, least_change >= 0 and shortest >= 0, "
                f"not {self.threshold}, {self.least_change} and {self.shortest}"
            )

    @property
    def id(self) -> str:
        """Name and settings."""
        width, height = self.picture_size
        hard = (
            f"adaptive/threshold={self.threshold:g},least_change={self.least_change:g},"
            f"shortest={self.shortest:g},size={width}x{height}"
        )
        return hard if self.gradual is None else f"{hard}+{self.gradual.id}"

    def start(self) -> CutFinder:
        """Begin with a new video."""
        hard = _AdaptiveRun(self)
        return hard if self.gradual is None else CombinedRun(hard, GradualFinder(self.gradual))


class _AdaptiveRun:
    def __init__(self, settings: Adaptive) -> None:
        from scenedetect.detectors import AdaptiveDetector

        self._detector = AdaptiveDetector(
            adaptive_threshold=settings.threshold,
            min_scene_len=max(0.0, settings.shortest - _ROUNDING),
            min_content_val=settings.least_change,
            window_width=_NEIGHBOURS,
        )
        self._recent: deque[float] = deque(maxlen=_NEIGHBOURS + 1)
        self.settled = -math.inf

    def feed(self, time: float, picture: Picture | None) -> Sequence[float]:
        if picture is None:
            raise ShotError("the adaptive detector needs pictures")
        self._recent.append(time)
        # The detector only subtracts and compares times, so seconds serve as well as its own time type, which
        # would round variable frame rates to frame numbers.
        cuts: Sequence[float] = self._detector.process_frame(time, np.ascontiguousarray(picture[..., ::-1]))
        if len(self._recent) > _NEIGHBOURS:
            self.settled = self._recent[0]
        return cuts

    def finish(self, end: float) -> Sequence[float]:
        return []
