"""How well predicted cuts match true ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CutScore:
    """Counts of one comparison; scores of several videos are made by adding counts.

    Attributes:
        true_positives: predicted cuts that match a true one, one to one.
        false_positives: predicted cuts without a true one.
        false_negatives: true cuts that were missed.
    """

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def precision(self) -> float:
        """Share of the predicted cuts that are right; 1 when nothing was predicted."""
        predicted = self.true_positives + self.false_positives
        return self.true_positives / predicted if predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the true cuts that were found; 1 when there are none."""
        true = self.true_positives + self.false_negatives
        return self.true_positives / true if true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 when there is nothing to find and nothing was found."""
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / total if total else 1.0

    def __add__(self, other: CutScore) -> CutScore:
        return CutScore(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )


def score_cuts(predicted: Sequence[float], truth: Sequence[float], tolerance: float) -> CutScore:
    """Match predicted cuts with true ones, as many as possible, each used once.

    Args:
        predicted: seconds, in any order.
        truth: seconds, in any order.
        tolerance: how far apart, in seconds, two cuts still match; 0 or more, bounds included.

    Raises:
        ValueError: ``tolerance`` is negative.
    """
    if not tolerance >= 0:
        raise ValueError(f"the tolerance must be 0 seconds or more, not {tolerance}")
    found = sorted(predicted)
    taken = 0
    matches = 0
    # On a line, giving each true cut in order the first free prediction within reach leaves most for the
    # others.
    for cut in sorted(truth):
        taken = max(taken, bisect_left(found, cut - tolerance))
        if taken < len(found) and found[taken] <= cut + tolerance:
            matches += 1
            taken += 1
    return CutScore(matches, len(found) - matches, len(truth) - matches)
