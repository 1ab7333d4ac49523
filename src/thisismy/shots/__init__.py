"""Video to shots: three detectors behind one method, and one pass that also samples the frames."""

from __future__ import annotations

from collections.abc import Callable

from thisismy.shots.detectors.adaptive import Adaptive
from thisismy.shots.detectors.base import CutFinder, FixedWindows, Shot, ShotDetector, ShotError
from thisismy.shots.detectors.gradual import Gradual, Transition
from thisismy.shots.detectors.transnet import TransNet
from thisismy.shots.scan import Sampling, Scan, ScannedShot, scan_video
from thisismy.shots.scoring import CutScore, score_cuts

DETECTORS: dict[str, Callable[..., ShotDetector]] = {
    "adaptive": Adaptive,
    "transnet": TransNet,
    "windows": FixedWindows,
}
"""Every detector by name; call one with its settings, or with none for the defaults."""

__all__ = [
    "DETECTORS",
    "Adaptive",
    "CutFinder",
    "CutScore",
    "FixedWindows",
    "Gradual",
    "Sampling",
    "Scan",
    "ScannedShot",
    "Shot",
    "ShotDetector",
    "ShotError",
    "TransNet",
    "Transition",
    "scan_video",
    "score_cuts",
]
