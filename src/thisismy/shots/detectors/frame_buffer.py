"""The last seconds of a video as small vectors that tell what is shown apart from how light it is."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from thisismy.media.pictures import Picture
from thisismy.shots.detectors.blend import Rows

# Blocks of this many pixels are averaged: it takes away noise and a little motion. A blur on top was measured
# to make camera motion look like a dissolve.
_BLOCK = 3
# Pictures closer than this add nothing, so that 60 frames a second cost no more than 30.
_SPACING = 0.03
_ROUNDING = 1e-6


class FrameBuffer:
    """The pictures of the last seconds, each a vector without its channels' means.

    Args:
        seconds: how far back pictures are kept; memory grows with it, not with the video.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.times: list[float] = []
        self._rows: Rows = np.empty((0, 0), np.float32)
        self._norms = np.empty(0, np.float32)
        self._means = np.empty((0, 3), np.float32)

    def add(self, time: float, picture: Picture) -> bool:
        """Remember a picture ``(height, width, 3)``; False where it is too close to the last one to count."""
        if self.times and time - self.times[-1] < _SPACING - _ROUNDING:
            return False
        means, row = _described(picture)
        if len(self.times) == len(self._rows):
            self._make_room(len(row))
        index = len(self.times)
        self._rows[index], self._means[index] = row, means
        self._norms[index] = np.sqrt(row @ row)
        self.times.append(time)
        return True

    def index(self, time: float) -> int:
        """The first picture at or after a time, or the last one."""
        return min(bisect_left(self.times, time - _ROUNDING), len(self.times) - 1)

    def rows(self, indices: list[int]) -> Rows:
        """Vectors ``(n, dim)``."""
        return self._rows[indices]

    def similarity(self, some: list[int], others: list[int]) -> NDArray[np.float32]:
        """Correlation of pictures pair by pair, ``(n,)``: 1 for one picture in any light, 0 for strangers."""
        products = np.einsum("ij,ij->i", self._rows[some], self._rows[others])
        return np.asarray(products / (self._norms[some] * self._norms[others] + 1), np.float32)

    def contrast(self, indices: list[int]) -> NDArray[np.float32]:
        """Standard deviation of each picture, ``(n,)``, 0 to 128."""
        return self._norms[indices] / np.float32(self._rows.shape[1] ** 0.5)

    def same(self, index: int, others: list[int]) -> NDArray[np.bool_]:
        """Which pictures are the same as one, light and colours included, ``(n,)``."""
        similar = self.similarity([index] * len(others), others) > 0.9
        nearly = np.abs(self._means[others] - self._means[index]).max(axis=1) < 10
        ratio = (self._norms[others] + 1) / (self._norms[index] + 1)
        return np.asarray(similar & nearly & (ratio > 0.8) & (ratio < 1.25))

    def _make_room(self, dim: int) -> None:
        """Forget what is too old; double the arrays where that does not free half of them."""
        if not self.times:
            rows = 64
            self._rows = np.empty((rows, dim), np.float32)
            self._norms, self._means = np.empty(rows, np.float32), np.empty((rows, 3), np.float32)
            return
        keep = slice(bisect_left(self.times, self.times[-1] - self._seconds), len(self.times))
        held = keep.stop - keep.start
        rows = len(self._rows) * (2 if 2 * held > len(self._rows) else 1)
        self.times = self.times[keep]
        for name in ("_rows", "_norms", "_means"):
            old = getattr(self, name)
            new = np.empty((rows, *old.shape[1:]), np.float32)
            new[:held] = old[keep]
            setattr(self, name, new)


def _described(picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The means of the channels ``(3,)``, and the blocks without them ``(dim,)``."""
    height, width = (side // _BLOCK * _BLOCK for side in picture.shape[:2])
    cut = picture[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, 3)
    blocks = cut.sum(axis=(1, 3), dtype=np.float32).reshape(-1, 3) / np.float32(_BLOCK * _BLOCK)
    means = blocks.mean(axis=0)
    return means, (blocks - means).ravel()
