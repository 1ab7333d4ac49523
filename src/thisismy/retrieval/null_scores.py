"""How high unrelated things score: what a cosine means on this encoder and these pictures.

Cosines of different encoders, and even of different libraries, are not comparable: 0.25 is a match for one
and noise for another. So a cosine is read against the cosines of pairs that have nothing to do with each
other: everyday words with the library's own shots, and shots of different files with each other. Most such
pairs are unrelated, so the share that scores lower says how unusual a score is, with no labels, no tuning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Encoder, Features
from thisismy.store.vector_index.base import VectorIndex

SHOTS = 1000
"""Shots looked at; more only narrows the error of the quantiles, which is small beside their use."""

LEVELS = np.concatenate([np.linspace(0, 0.9, 91), np.linspace(0.901, 0.999, 99), [0.9995, 0.9999, 1.0]])
"""Quantiles kept, close together where a cut-off may lie."""

WORDS = tuple(
    """
    person woman man child baby crowd face hands dog cat bird horse cow sheep fish insect bear elephant
    bicycle car motorcycle airplane bus train truck boat street bridge building house castle church
    tower kitchen bathroom bedroom office garden forest mountain river lake beach desert snow rain
    sunset sky flower tree grass fruit apple banana bread cake pizza soup salad coffee wine bottle cup
    plate fork knife chair table sofa bed lamp window door mirror clock book newspaper letter map
    painting statue laptop phone camera television keyboard guitar piano drum ball kite skateboard
    surfboard ski tent backpack suitcase handbag umbrella hat shoe shirt dress coat glasses ring watch
    toy doll balloon candle hammer scissors rope ladder wheel engine robot rocket ship anchor flag coin
    key box basket vase
    """.split()
)
"""Everyday things, from what photos and films show; the list only has to be broad."""


@dataclass(frozen=True)
class NullScores:
    """How unrelated pairs score: quantiles at ``LEVELS``, each ``(len(LEVELS),)``.

    Attributes:
        text: of everyday words with shots.
        image: of shots of different files with each other; None where the library is too small to tell.
    """

    text: NDArray[np.float64]
    image: NDArray[np.float64] | None

    def relevance(self, cosines: NDArray[np.float32], kind: str) -> NDArray[np.float64]:
        """Share of unrelated pairs that score lower, in [0, 1], same shape as ``cosines``."""
        quantiles = self._of(kind)
        if quantiles is None:
            return np.ones(cosines.shape)
        levels: NDArray[np.float64] = np.interp(cosines, quantiles, LEVELS)
        return levels

    def cosine(self, relevance: float, kind: str) -> float:
        """The cosine this share of unrelated pairs stays below; minus infinity when that is unknown."""
        quantiles = self._of(kind)
        return -np.inf if quantiles is None else float(np.interp(relevance, LEVELS, quantiles))

    def spread(self, kind: str) -> tuple[float, float]:
        """Median and distance to the 84th percentile: mean and deviation that outliers do not move."""
        quantiles = self._of(kind)
        if quantiles is None:
            return 0.0, 1.0
        middle, high = np.interp([0.5, 0.8413], LEVELS, quantiles)
        return float(middle), max(float(high - middle), 1e-6)

    def _of(self, kind: str) -> NDArray[np.float64] | None:
        return self.text if kind == "text" else self.image


def query_features(encoder: Encoder, texts: Sequence[str]) -> Features:
    """``(n, embed_dim)`` unit vectors of what people type: the words alone and as a caption, averaged.

    A bare noun is unlike the captions image-text models are trained on; the average serves both.
    """
    from thisismy.encoders.base import unit

    both = encoder.encode_texts([*texts, *(f"a photo of {text}" for text in texts)])
    return unit(both[: len(texts)] + both[len(texts) :])


def measure_null_scores(index: VectorIndex, words: Features, seed: int = 0) -> NullScores:
    """The null scores of an index.

    Args:
        index: not empty.
        words: ``(len(WORDS), embed_dim)``, the words encoded as queries are.
        seed: which shots are looked at when there are many.
    """
    sample = index.sample(SHOTS, seed)
    finite = np.isfinite(sample.vectors).all(axis=1)
    vectors, media_ids = sample.vectors[finite], sample.media_ids[finite]
    text = np.quantile(words @ vectors.T, LEVELS)
    apart = media_ids[:, None] != media_ids[None, :]
    image = np.quantile((vectors @ vectors.T)[apart], LEVELS) if apart.sum() >= len(LEVELS) else None
    return NullScores(text, image)
