"""Whether pictures are blends of the first and the last one: the mathematics of gradual transitions.

In a dissolve every picture is a weighted sum of what was shown before and what is shown after; in a fade it
is a weighted sum of one of them and a plain colour. Whatever moves is not such a sum: half way
through a pan the picture is a third one, which the two ends do not explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""Pictures as vectors ``(n, dim)`` from which the mean of each colour channel is taken off."""

# Weights count as reached from here on: noise and motion keep them from 0 and 1.
_NEARLY = 0.8
_HALF_WAY = 0.25


@dataclass(frozen=True)
class Blend:
    """A run of pictures as blends of its two ends, ``picture = before * first + after * last + colour``.

    Attributes:
        times: when the pictures are shown, ``(n,)`` seconds.
        before: weights of the first picture, ``(n,)``, 1 at the start and 0 at the end.
        after: weights of the last picture, ``(n,)``, 0 at the start and 1 at the end.
        residual: largest share of a picture, as energy, that the blend leaves over; in units of the weaker
            end, 0 or more.
    """

    times: NDArray[np.float64]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    residual: float

    @property
    def _progress(self) -> NDArray[np.float32]:
        """How far the last picture outweighs the first one: from -1 to 1."""
        return self.after - self.before

    @property
    def largest_step(self) -> float:
        """Largest share of the whole change between two neighbouring pictures; a hard cut has about 1."""
        return float(np.diff(self._progress).max()) / 2

    @property
    def largest_relapse(self) -> float:
        """How much the first picture ever gains, or the last one loses, between two neighbours."""
        return float(max(np.diff(self.before).max(), -np.diff(self.after).min()))

    @property
    def middle(self) -> float:
        """When both ends weigh the same, in seconds; in a fade this is where the plain colour is purest."""
        progress = self._progress
        low = int(np.flatnonzero(progress < -_HALF_WAY)[-1])
        high = low + int(np.flatnonzero(progress[low:] > _HALF_WAY)[0])
        return (self._reached(low, -_HALF_WAY) + self._reached(high - 1, _HALF_WAY)) / 2

    @property
    def span(self) -> tuple[float, float]:
        """When the blend begins and ends, in seconds."""
        progress = self._progress
        first = int(np.flatnonzero(progress < -_NEARLY)[-1])
        last = int(np.flatnonzero(progress > _NEARLY)[0])
        return float(self.times[min(first, last)]), float(self.times[max(first, last)])

    def _reached(self, index: int, level: float) -> float:
        """When the progress passes a level between two neighbours."""
        low, high = self._progress[index], self._progress[index + 1]
        share = (level - low) / (high - low) if high > low else 0.5
        return float(self.times[index] + share * (self.times[index + 1] - self.times[index]))


def fit_blend(times: NDArray[np.float64], pictures: Rows) -> Blend | None:
    """Explain every picture by the first and the last one, by least squares.

    A plain colour needs no weight of its own, because the rows are without their channels' means.

    Args:
        times: seconds, rising, ``(n,)``.
        pictures: ``(n, dim)``, at least three.

    Returns:
        None where the ends are proportional to each other or plain, so that weights mean nothing.
    """
    ends = pictures[[0, -1]]
    gram = ends @ ends.T
    determinant = gram[0, 0] * gram[1, 1] - gram[0, 1] ** 2
    weaker = min(gram[0, 0], gram[1, 1])
    if determinant <= 1e-6 * gram[0, 0] * gram[1, 1]:
        return None
    inner = pictures[1:-1]
    first, last = (inner @ ends.T).T
    before = (first * gram[1, 1] - last * gram[0, 1]) / determinant
    after = (last * gram[0, 0] - first * gram[0, 1]) / determinant
    residuals = np.einsum("ij,ij->i", inner, inner) - before * first - after * last
    return Blend(
        times,
        np.concatenate([[1], before, [0]], dtype=np.float32),
        np.concatenate([[0], after, [1]], dtype=np.float32),
        max(0.0, float(residuals.max() / weaker)),
    )
