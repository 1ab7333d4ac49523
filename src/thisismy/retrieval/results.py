"""Hits as people and programs see them: files and times instead of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from thisismy.core.paths import path_text
from thisismy.core.span import Span
from thisismy.retrieval.hits import Evidence, SearchHits, ShotHit
from thisismy.retrieval.names import NamedQuery
from thisismy.store import catalog
from thisismy.store.folder import Store
from thisismy.store.vector_index.gallery import Gallery


@dataclass(frozen=True)
class DuplicateHit:
    """A near-duplicate moment that was folded into a better hit.

    Attributes:
        path: the file.
        span: from when to when.
        media_id, shot_id: rows of the library.
    """

    path: str
    span: Span
    media_id: int
    shot_id: int


@dataclass(frozen=True)
class Hit:
    """A moment found.

    Attributes:
        rank: 1 is best.
        path: the file; when several hold the same content, the first added.
        span: from when to when; from 0 to 0 for a photo.
        score: what hits are ordered by.
        relevance: how sure it is, 0 to 1. Without names in the query: the share of unrelated pairs that score
            lower. With names: the ``probability`` or, for a method that gives none, the share of the library
            that shows them less.
        best_time: seconds; the frame that fits best.
        kind: "video" or "photo".
        created: when it was made, as the file says (ISO 8601), or None.
        media_id, shot_id: rows of the library.
        also: other files with the same content.
        similar: near-duplicate moments folded into this one.
        instance, context: what named instances and what the rest of the query brought to the score; None for
            a query without names.
        context_percentile: share of the library that fits the rest of a query with names less; None without
            a rest.
        probability: that it shows the named instances, 0 to 1; None without names, and for a method that
            gives none.
        box: where in the picture they are: left, top, right and bottom as shares of it; None for all of it.
        evidence: for each named instance, why it is taken to be there.
    """

    rank: int
    path: str
    span: Span
    score: float
    relevance: float
    best_time: float
    kind: str
    created: str | None
    media_id: int
    shot_id: int
    also: list[str] = field(default_factory=list)
    similar: list[DuplicateHit] = field(default_factory=list)
    instance: float | None = None
    context: float | None = None
    context_percentile: float | None = None
    probability: float | None = None
    box: tuple[float, float, float, float] | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class SearchResult:
    """The answer to a query.

    Attributes:
        query: the text asked for.
        hits: best first; empty when nothing is good enough.
        nearest: the nearest misses, when there are no hits or they were asked for.
        searched: shots that were looked at.
        read: how it was understood, for people.
        names: the instances found in it.
        remarks: what else a person may want to know: a name nobody has, say.
    """

    query: str
    hits: list[Hit]
    nearest: list[Hit]
    searched: int
    read: str = ""
    names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def describe_hits(
    store: Store, gallery: Gallery, found: SearchHits, read: NamedQuery, remarks: Sequence[str] = ()
) -> SearchResult:
    """Look up files and dates for rows of the gallery."""
    hits = _describe(store, gallery, found.hits)
    nearest = _describe(store, gallery, found.nearest)
    return SearchResult(read.text, hits, nearest, len(gallery), read.explanation, read.names, tuple(remarks))


def _describe(store: Store, gallery: Gallery, found: Sequence[ShotHit]) -> list[Hit]:
    hits: list[Hit] = []
    with store.read() as connection:
        for item in found:
            media_id = int(gallery.media_ids[item.row])
            paths = [path_text(raw) for raw in catalog.paths_of(connection, media_id)]
            if not paths:
                continue  # taken out of the library since the gallery was read
            kind, created = catalog.kind_and_date(connection, media_id)
            similar = []
            for row in item.folded:
                owner = int(gallery.media_ids[row])
                other = catalog.paths_of(connection, owner)
                if other:
                    shot_id = int(gallery.shot_ids[row])
                    similar.append(DuplicateHit(path_text(other[0]), _span(gallery, row), owner, shot_id))
            hits.append(
                Hit(
                    rank=item.rank,
                    path=paths[0],
                    span=_span(gallery, item.row),
                    score=round(item.score, 6),
                    relevance=round(item.relevance, 6),
                    best_time=item.best_time,
                    kind=kind,
                    created=created,
                    media_id=media_id,
                    shot_id=int(gallery.shot_ids[item.row]),
                    also=paths[1:],
                    similar=similar,
                    instance=item.instance,
                    context=item.context,
                    context_percentile=item.context_percentile,
                    probability=item.probability,
                    evidence=item.evidence,
                )
            )
    return hits


def _span(gallery: Gallery, row: int) -> Span:
    return Span(float(gallery.starts[row]), float(gallery.ends[row]))
