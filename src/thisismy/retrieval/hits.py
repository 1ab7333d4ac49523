"""Shots found, as rows of a gallery, with the evidence for what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.space import FRAME
from thisismy.personalization.scorers import Contributions, Scorer, Scores
from thisismy.retrieval.pooling import Rows, frames_block, frames_of, shots_block
from thisismy.retrieval.ranking import Ranked
from thisismy.store.vector_index.gallery import Gallery

LEAST_DOUBT = 1e-6
"""Probabilities are told from 0 and 1 by no less: single precision holds no more."""

_AT_ONCE = 256
"""Shots whose frames are looked at together, which bounds the memory of a long list."""


@dataclass(frozen=True)
class Evidence:
    """What one feature space says about one instance in one moment.

    Attributes:
        instance: name of the instance.
        space: id of the feature space.
        region: kind of region that was looked at: "frame", the whole picture.
        probability: that the instance is seen there, 0 to 1; None for a method that gives none.
        log_odds: of that probability; they add up over spaces.
        time: seconds; where the instance is seen best.
        box: left, top, right and bottom as shares of the picture; None for the whole of it.
    """

    instance: str
    space: str
    region: str
    probability: float | None
    log_odds: float | None
    time: float
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class ShotHit:
    """A shot found.

    Attributes:
        rank: 1 is best.
        row: its row in the gallery.
        score: what hits are ordered by: the cosine of a text or picture query; of both, the mean number of
            deviations above unrelated pairs.
        relevance: how sure it is, 0 to 1; see `thisismy.retrieval.results.Hit`. Of words and a picture, the
            smaller.
        best_time: seconds; the frame that fits best.
        folded: rows of near-duplicates that scored less.
        instance, context: what named instances and what the rest of the query brought to the score; None for
            a query without names.
        context_percentile: share of the gallery's shots that fit the rest of a query with names less; None
            without a rest.
        probability: that it shows the named instances; None without names, and for a method that gives none.
        evidence: for each named instance, why it is taken to be there.
    """

    rank: int
    row: int
    score: float
    relevance: float
    best_time: float
    folded: tuple[int, ...] = ()
    instance: float | None = None
    context: float | None = None
    context_percentile: float | None = None
    probability: float | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class SearchHits:
    """Shots that reach the cut-off, and the nearest of those that do not, as far as they were asked for."""

    hits: list[ShotHit] = field(default_factory=list)
    nearest: list[ShotHit] = field(default_factory=list)


@dataclass(frozen=True)
class LibraryScores:
    """What is usual in a library: scores of a sample of its shots, each in ascending order."""

    instance: Scores
    context: Scores


@dataclass(frozen=True)
class Judge:
    """Says how sure ranked shots are, how well they fit, and where in them the instances are seen.

    Attributes:
        gallery: what was searched.
        pooling: how shots were scored.
        scorer: of the whole query.
        parts: name of an instance -> the scorer for it alone.
        scores: of every shot, from ``scorer``.
        usual: what the library's shots score.
    """

    gallery: Gallery
    pooling: str
    scorer: Scorer
    parts: dict[str, Scorer]
    scores: Contributions
    usual: LibraryScores

    def hits(self, ranked: Sequence[Ranked], first: int = 1) -> list[ShotHit]:
        """Ranked shots as hits, numbered from ``first``."""
        if not ranked:
            return []
        rows = np.array([item.row for item in ranked], np.int64)
        contexts = self.scores.context[rows]
        fits = _shares_below(self.usual.context, contexts) if contexts.any() else None
        sure = _shares_below(self.usual.instance, self.scores.instance[rows])
        made = []
        seen = self._seen(rows)
        for place, (item, (time, evidence)) in enumerate(zip(ranked, seen, strict=True)):
            known = [one.probability for one in evidence if one.probability is not None]
            probability = min(known) if len(known) == len(evidence) else None
            made.append(
                ShotHit(
                    rank=first + place,
                    row=item.row,
                    score=item.score,
                    relevance=float(sure[place]) if probability is None else probability,
                    best_time=time,
                    folded=item.folded,
                    instance=float(self.scores.instance[item.row]),
                    context=float(contexts[place]),
                    context_percentile=None if fits is None else float(fits[place]),
                    probability=probability,
                    evidence=evidence,
                )
            )
        return made

    def _seen(self, rows: Rows) -> Iterator[tuple[float, tuple[Evidence, ...]]]:
        """For each shot the time of its best frame, and the evidence for each instance."""
        for start in range(0, len(rows), _AT_ONCE):
            yield from self._seen_at_once(rows[start : start + _AT_ONCE])

    def _seen_at_once(self, rows: Rows) -> Iterator[tuple[float, tuple[Evidence, ...]]]:
        frames, begins = frames_of(self.gallery, rows)
        block, times = frames_block(self.gallery, frames), self.gallery.frame_times[frames]
        best = times[_best_of_each(self.scorer.score(block).total, begins)]
        columns = []
        for name, part in self.parts.items():
            shown = times[_best_of_each(part.score(block).instance, begins)]
            found = part.probability(shots_block(self.gallery, rows) if self.pooling == "mean" else block)
            if found is not None and self.pooling != "mean":
                found = np.maximum.reduceat(found, begins)
            sure = [None] * len(rows) if found is None else [float(value) for value in found]
            columns.append(
                [
                    Evidence(name, part.space.id, FRAME, value, _log_odds(value), float(time))
                    for value, time in zip(sure, shown, strict=True)
                ]
            )
        for place, time in enumerate(best):
            yield float(time), tuple(column[place] for column in columns)


def _best_of_each(scores: Scores, begins: Rows) -> Rows:
    """Number of the best frame of each shot, the first of equal ones."""
    ends = [*begins[1:].tolist(), len(scores)]
    best = [at + int(scores[at:end].argmax()) for at, end in zip(begins.tolist(), ends, strict=True)]
    return np.array(best, np.int64)


def _shares_below(ordered: Scores, scores: Scores) -> NDArray[np.float64]:
    return np.searchsorted(ordered, scores) / len(ordered)


def _log_odds(probability: float | None) -> float | None:
    if probability is None:
        return None
    doubted = min(max(probability, LEAST_DOUBT), 1 - LEAST_DOUBT)
    return float(np.log(doubted / (1 - doubted)))
