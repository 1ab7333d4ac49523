"""The visual filter of section 3.1: which shot near a mention shows the thing, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features
from thisismy.mining.calibrate import Calibration
from thisismy.mining.mention import Mention
from thisismy.mining.naming import filter_texts
from thisismy.mining.prior import noun_phrase
from thisismy.mining.settings import MiningSettings


@dataclass(frozen=True)
class Reference:
    """The shot that fits a mention best.

    Attributes:
        shot: its number.
        score: how well it fits, in the units of ``MiningSettings.score``.
        fit: the score less what its distance in time takes off; this is what has to pass the threshold.
        candidates: numbers of all shots that were looked at.
    """

    shot: int
    score: float
    fit: float
    candidates: tuple[int, ...]


def candidate_shots(span: Span, shots: Sequence[Span], settings: MiningSettings) -> list[int]:
    """Shots during a mention and around it.

    Args:
        span: time of the mention.
        shots: spans in order of time.
        settings: ``shots_around`` on each side, none further than ``seconds_around``.
    """
    during = [i for i, shot in enumerate(shots) if shot.overlap(span) > 0 or span.start in shot]
    if not during:
        gaps = [_gap(span, shot) for shot in shots]
        during = [int(np.argmin(gaps))] if gaps else []
    if not during:
        return []
    first = max(0, during[0] - settings.shots_around)
    last = min(len(shots) - 1, during[-1] + settings.shots_around)
    return [i for i in range(first, last + 1) if _gap(span, shots[i]) <= settings.seconds_around]


def naming_span(mention: Mention, settings: MiningSettings) -> Span:
    """Time from the pattern to the end of the noun phrase, without the words that follow it.

    Without ``settings.language_rules`` it is the moment at which the pattern begins.
    """
    if not settings.language_rules:
        return Span(mention.span.start, mention.span.start)
    named = len(noun_phrase([word.text for word in mention.words]))
    last = mention.words[max(0, named - 1)]
    return Span(mention.span.start, max(mention.span.start, last.span.end))


def find_reference(
    mention: Mention,
    shots: Sequence[Span],
    features: Features,
    encoder: Encoder,
    settings: MiningSettings,
    calibration: Calibration | None,
) -> Reference | None:
    """The best shot for a mention; the caller compares its fit with the threshold.

    Args:
        mention: where something is named.
        shots: n spans in order of time.
        features: ``(n, embed_dim)``.
        encoder: the encoder that made the features.
        settings: see `MiningSettings`.
        calibration: for calibrated scores; None for cosines.

    Returns:
        None when there is no shot near, or no word can be a name.
    """
    said = naming_span(mention, settings)
    candidates = candidate_shots(said, shots, settings)
    texts = filter_texts(mention, settings)
    if not candidates or not texts:
        return None
    scores = _scores(encoder.encode_texts(texts), features[candidates], calibration)
    fits = [
        min(float(score), settings.score_cap) - settings.distance_penalty * _gap(said, shots[i])
        for i, score in zip(candidates, scores, strict=True)
    ]
    best = int(np.argmax(fits))
    return Reference(candidates[best], float(scores[best]), fits[best], tuple(candidates))


def _scores(texts: Features, shots: Features, calibration: Calibration | None) -> NDArray[np.float32]:
    if calibration is None:
        cosines: NDArray[np.float32] = (shots @ texts.T).max(axis=1)
        return cosines
    return calibration.scores(texts, shots)


def _gap(span: Span, shot: Span) -> float:
    """Seconds between a mention and a shot; 0 when they meet."""
    return max(0.0, shot.start - span.end, span.start - shot.end)
