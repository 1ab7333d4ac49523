"""Find the shots in which named instances are seen, in a context or in none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Features
from thisismy.personalization.base import Contributions, Scores, Vocabulary, score_together
from thisismy.retrieval.names import NamedQuery
from thisismy.retrieval.ranking import Ranked, best_row, pool_frames, rank
from thisismy.retrieval.search import Found, SearchOptions, ShotHit
from thisismy.store.vector_index.gallery import Gallery

SAMPLE = 1000
"""Shots that stand for the library where a share of it is said."""

NEAREST = 200
"""Shots below the cut-off among which the nearest misses are found: those that look most like the thing."""


def find_named(
    read: NamedQuery,
    gallery: Gallery,
    vocabulary: Vocabulary,
    options: SearchOptions,
    fold_above: float | None,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Score every shot for the instances of a query and its context; all instances must be there.

    A hit must reach the cut-off that each instance learned from its own examples, unless ``options.cutoff``
    is 0. Its ``relevance`` is the probability that it shows the instances, by the method's own judgement, or
    with a method that has none the share of a sample of the gallery that shows them less surely.

    Args:
        read: a query with at least one name.
        gallery: what is searched.
        vocabulary: knows every name of the query.
        options: how many hits, how scored.
        fold_above: cosine above which near-duplicates are folded, None for not.
        allowed: ``(n_shots,)``; shots that may be found, None for all.
    """
    if not len(gallery):
        return Found()
    ask = _Asked(read, gallery, vocabulary, options)
    allowed = np.ones(len(gallery), bool) if allowed is None else allowed
    if options.cutoff == 0:
        parts = ask.all()
        return Found(ask.hits(ask.rank(parts, options.k, fold_above, allowed), parts))
    parts, looked = ask.likeliest(allowed)
    passing = looked & (parts.instance >= _cut(read, vocabulary))
    found = ask.rank(parts, options.k, fold_above, passing)
    if found:
        return Found(ask.hits(found, parts))
    return Found(nearest=ask.hits(ask.rank(parts, min(options.k, 5), fold_above, looked), parts))


@dataclass(frozen=True)
class _Asked:
    """A query asked of a gallery."""

    read: NamedQuery
    gallery: Gallery
    vocabulary: Vocabulary
    options: SearchOptions

    def all(self) -> Contributions:
        """What every shot scores; by its mean, or by its best frame."""
        if self.options.by == "shot":
            return _contributions(self.read, np.asarray(self.gallery.vectors), self.vocabulary)
        parts = _contributions(self.read, np.asarray(self.gallery.frame_vectors), self.vocabulary)
        pooled = (pool_frames(self.gallery, part) for part in (parts.instance, parts.context, parts.score))
        return Contributions(*pooled)

    def likeliest(self, allowed: NDArray[np.bool_]) -> tuple[Contributions, NDArray[np.bool_]]:
        """The same for the allowed shots that matter, and which these are.

        Left out, at minus infinity, are those that a quick look shows to be below the cut-off, but for the
        `NEAREST` of them that come closest to it.
        """
        room = None
        if self.options.by == "shot" and len(self.read.names) == 1:
            room = self.vocabulary.headroom(self.read.names[0], np.asarray(self.gallery.vectors))
        if room is None:
            return self.all(), allowed
        room[~allowed] = -np.inf
        least = min(0.0, float(np.partition(room, -NEAREST)[-NEAREST])) if len(room) > NEAREST else -np.inf
        looked = allowed & (room >= least)
        rows = np.flatnonzero(looked)
        parts = _contributions(self.read, np.asarray(self.gallery.vectors[rows]), self.vocabulary)
        whole = [np.full(len(self.gallery), -np.inf, np.float32) for _ in range(3)]
        for full, part in zip(whole, (parts.instance, parts.context, parts.score), strict=True):
            full[rows] = part
        return Contributions(*whole), looked

    def rank(
        self, parts: Contributions, k: int, fold_above: float | None, allowed: NDArray[np.bool_]
    ) -> list[Ranked]:
        """The best shots of those allowed."""
        files = self.gallery.media_ids
        vectors = self.gallery.vectors
        return rank(parts.score, vectors, k, allowed=allowed, fold_above=fold_above, files=files)

    def hits(self, ranked: Sequence[Ranked], parts: Contributions) -> list[ShotHit]:
        """Ranked shots with how sure they are, how well they fit, and their best frame."""
        sample = self.gallery.vectors[:: max(1, len(self.gallery) // SAMPLE)]
        usual = _contributions(self.read, np.asarray(sample), self.vocabulary)
        instances, contexts = np.sort(usual.instance), np.sort(usual.context)
        generic = not parts.context[[item.row for item in ranked]].any()
        made = []
        for place, item in enumerate(ranked, start=1):
            instance, context = parts.instance[item.row], parts.context[item.row]
            sure = self._certainty(item.row)
            hit = ShotHit(
                rank=place,
                row=item.row,
                score=item.score,
                relevance=_share_below(instances, instance) if sure is None else sure,
                best_time=self._best_time(item.row),
                folded=item.folded,
                instance=float(instance),
                context=float(context),
                fits=None if generic else _share_below(contexts, context),
            )
            made.append(hit)
        return made

    def _frames(self, row: int) -> slice:
        return slice(int(self.gallery.first_frame[row]), int(self.gallery.first_frame[row + 1]))

    def _certainty(self, row: int) -> float | None:
        """The probability that a shot, or its best frame, shows the instance it shows least."""
        rows = self.gallery.vectors[row : row + 1]
        if self.options.by == "frame":
            rows = self.gallery.frame_vectors[self._frames(row)]
        found = [self.vocabulary.certainty(name, np.asarray(rows)) for name in self.read.names]
        sure = [float(one.max()) for one in found if one is not None]
        return min(sure) if len(sure) == len(found) else None

    def _best_time(self, row: int) -> float:
        frames = self._frames(row)
        vectors = np.asarray(self.gallery.frame_vectors[frames])
        scores = _contributions(self.read, vectors, self.vocabulary).score
        return float(self.gallery.frame_times[frames][best_row(scores)])


def _contributions(read: NamedQuery, rows: Features, vocabulary: Vocabulary) -> Contributions:
    if len(read.names) == 1:
        return vocabulary.explain(read.prompts[0], read.names[0], rows)
    return score_together(vocabulary, zip(read.prompts, read.names, strict=True), rows)


def _cut(read: NamedQuery, vocabulary: Vocabulary) -> float:
    """Instances searched together are already counted from their cut-offs."""
    return vocabulary.threshold(read.names[0]) if len(read.names) == 1 else 0.0


def _share_below(ordered: Scores, score: float) -> float:
    return float(np.searchsorted(ordered, score) / len(ordered))
