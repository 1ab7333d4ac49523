"""What `search`, `export` and `demo` print with ``--json``: kept whatever the classes are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thisismy.retrieval import hits, results


@dataclass(frozen=True)
class Evidence:
    """What one feature space says about one instance.

    Attributes:
        instance: name of the instance.
        space: id of the feature space.
        region: kind of region that was looked at: "frame", the whole picture.
        probability: that the instance is seen there, 0 to 1; null for a method that gives none.
        log_odds: of that probability.
        time: seconds; where the instance is seen best.
        box: left, top, right and bottom as shares of the picture; null for the whole of it.
    """

    instance: str
    space: str
    region: str
    probability: float | None
    log_odds: float | None
    time: float
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Place:
    """A stretch of a file: path, from where to where in seconds, and the rows of the library."""

    path: str
    start: float
    end: float
    media_id: int
    shot_id: int


@dataclass(frozen=True)
class Hit:
    """A moment found.

    Attributes:
        rank: 1 is best.
        path: the file; when several hold the same content, the first added.
        start, end: seconds; both 0 for a photo.
        score: what hits are ordered by.
        relevance: how sure it is, 0 to 1. Without names in the query: the share of unrelated pairs that score
            lower. With names: the probability that it shows them or, for a method that gives none, the share
            of the library that shows them less.
        time: seconds; the frame that fits best.
        kind: "video" or "photo".
        created: when it was made, as the file says (ISO 8601), or null.
        media_id, shot_id: rows of the library.
        also: other files with the same content.
        similar: near-duplicate moments folded into this one.
        instance, context: what named instances and what the rest of the query brought to the score; null for
            a query without names.
        fits: share of the library that fits the rest of a query with names less; null without a rest.
        probability: that it shows the named instances, 0 to 1; null without names, and for a method that
            gives none.
        box: where in the picture they are: left, top, right and bottom as shares of it; null for all of it.
        evidence: for each named instance, why it is taken to be there.
    """

    rank: int
    path: str
    start: float
    end: float
    score: float
    relevance: float
    time: float
    kind: str
    created: str | None
    media_id: int
    shot_id: int
    also: list[str]
    similar: list[Place]
    instance: float | None
    context: float | None
    fits: float | None
    probability: float | None
    box: tuple[float, float, float, float] | None
    evidence: list[Evidence]


@dataclass(frozen=True)
class Search:
    """The answer to a query.

    Attributes:
        query: the text asked for.
        hits: best first; empty when nothing is good enough.
        nearest: the nearest misses, when there are no hits.
        searched: shots that were looked at.
        read: how it was understood, for people.
        names: the instances found in it.
        remarks: what else a person may want to know: a name nobody has, say.
    """

    query: str
    hits: list[Hit]
    nearest: list[Hit]
    searched: int
    read: str
    names: tuple[str, ...]
    remarks: tuple[str, ...]


def search_json(result: results.SearchResult) -> Search:
    """The answer to a query as it is printed."""
    return Search(
        query=result.query,
        hits=hits_json(result.hits),
        nearest=hits_json(result.nearest),
        searched=result.searched,
        read=result.read,
        names=result.names,
        remarks=result.remarks,
    )


def hits_json(found: Sequence[results.Hit]) -> list[Hit]:
    """Hits as they are printed."""
    return [
        Hit(
            rank=hit.rank,
            path=hit.path,
            start=hit.span.start,
            end=hit.span.end,
            score=hit.score,
            relevance=hit.relevance,
            time=hit.best_time,
            kind=hit.kind,
            created=hit.created,
            media_id=hit.media_id,
            shot_id=hit.shot_id,
            also=hit.also,
            similar=[
                Place(one.path, one.span.start, one.span.end, one.media_id, one.shot_id)
                for one in hit.similar
            ],
            instance=hit.instance,
            context=hit.context,
            fits=hit.context_percentile,
            probability=hit.probability,
            box=hit.box,
            evidence=[_evidence(one) for one in hit.evidence],
        )
        for hit in found
    ]


def _evidence(one: hits.Evidence) -> Evidence:
    return Evidence(
        instance=one.instance,
        space=one.space,
        region=one.region,
        probability=one.probability,
        log_odds=one.log_odds,
        time=one.time,
        box=one.box,
    )
