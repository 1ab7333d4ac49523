"""Finding moments: by words, names, pictures, and shots like or unlike what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.errors import InstanceError, QueryError
from thisismy.retrieval.filters import NO_FILTERS, Filters
from thisismy.retrieval.options import DEFAULT_OPTIONS, SearchOptions
from thisismy.services.context import LibraryContext
from thisismy.services.files import FileService
from thisismy.services.instances import InstanceService
from thisismy.services.learning import NEGATIVES, LearningService
from thisismy.services.query_reading import QueryReader
from thisismy.services.segmenting import METHOD, Segmented
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import REJECTED, find_by

if TYPE_CHECKING:
    from thisismy.core.box import Box
    from thisismy.encoders.base import Features, Picture
    from thisismy.personalization.base import Vocabulary
    from thisismy.retrieval.hits import SearchHits
    from thisismy.retrieval.names import NamedQuery
    from thisismy.retrieval.prepared import Prepared
    from thisismy.retrieval.results import Hit, SearchResult
    from thisismy.retrieval.search import Query
    from thisismy.store.browsing import ShotRow
    from thisismy.store.vector_index.gallery import Gallery

    Allowed = np.ndarray[Any, np.dtype[np.bool_]]


class SearchService:
    """Finding moments in a library."""

    def __init__(
        self,
        context: LibraryContext,
        files: FileService,
        instances: InstanceService,
        learning: LearningService,
    ) -> None:
        self._context = context
        self._files = files
        self._learning = learning
        self._reader = QueryReader(instances)

    def find(
        self,
        text: str = "",
        *,
        images: Sequence[Path | Picture] = (),
        like: Sequence[int] = (),
        unlike: Sequence[int] = (),
        options: SearchOptions = DEFAULT_OPTIONS,
        filters: Filters = NO_FILTERS,
    ) -> SearchResult:
        """Find shots by words, by pictures, or by both; names of instances in the words mean those instances.

        An instance that was named or changed since it was learned is learned first. ``<#3>`` in the words is
        the instance with row 3, whatever its name.

        Args:
            text: what to look for.
            images: photos of what to look for: files, or RGB pictures.
            like: rows of shots to find more like; they count as photos and are left out themselves.
            unlike: rows of shots that are not wanted: left out, and what looks like them scores less.
            options: how many hits, how sure, how scored.
            filters: which files count.

        Raises:
            QueryError: the query makes no sense, or names nobody in ``<brackets>``.
            InstanceError: a named instance has no example to learn from.
            MediaError: a picture cannot be read.
            LibraryError: the library cannot be read.
            EncoderMismatchError: the library is being encoded again, and not all of it is.
        """
        from thisismy.media.photos import read_photo
        from thisismy.retrieval.search import Query

        prepared = self._context.prepared()
        gallery = prepared.gallery
        wanted, unwanted = _features(gallery, like), _features(gallery, unlike)
        pictures = tuple(read_photo(item) if isinstance(item, Path) else item for item in images)
        query = Query(text, pictures, wanted, unwanted)
        read = self.read(text)
        if read.names and (pictures or like):
            raise QueryError(f"a search takes a photo or the name {read.names[0]!r}, not both")
        allowed = self._allowed(gallery, filters)
        if like or unlike:
            allowed &= ~np.isin(gallery.shot_ids, [*like, *unlike])
        found = self._find(query, read, prepared, options, allowed)
        return self._described(prepared, found, read)

    def find_pictured(
        self,
        text: str,
        photo: Path,
        *,
        box: Box | None = None,
        method: str = "prototype-context",
        category: str = "thing",
        options: SearchOptions = DEFAULT_OPTIONS,
        filters: Filters = NO_FILTERS,
    ) -> SearchResult:
        """Find shots of the thing in a photo, in a context; nothing is named, learned or kept.

        Args:
            text: with ``*`` where the thing goes, "* on the beach"; empty for the thing alone.
            photo: a file.
            box: where in the photo the thing is; the photo is cut to it.
            method: makes a concept of one photo; "pi-map" makes a word of it, "prototype-context" finds
                more (see docs/methods/pi-map.md).
            category: what kind of thing it is, for methods that use it.
            options: how many hits, how sure, how scored. Hits must reach what the method takes for the thing,
                if it learns that, unless the cut-off is 0.
            filters: which files count.

        Raises:
            QueryError: the words have no ``*``.
            MediaError: the photo cannot be read, or the box lies outside of it.
            VocabularyError: there is no such method.
            EncoderError: the method needs learned words, which the library's encoder does not take.
        """
        from thisismy.encoders.regions import crop
        from thisismy.media.photos import read_photo
        from thisismy.retrieval.hits import SearchHits
        from thisismy.services.image_query import concept_of, read_pictured

        read = read_pictured(text, photo.name, method)
        picture = read_photo(photo)
        if box is not None:
            picture = crop(picture, box)
        prepared = self._context.prepared()
        gallery = prepared.gallery
        found = SearchHits()
        if prepared.null_scores is not None:
            vocabulary = concept_of(
                prepared.encoder, [picture], category, method, prepared.index.sample(NEGATIVES).vectors
            )
            found = self._find_named(read, prepared, vocabulary, options, self._allowed(gallery, filters))
        return self._described(prepared, found, read)

    def occurrences(self, name: str | int, k: int = 500) -> list[Hit]:
        """Where an instance is seen, as far as what was learned of it says; nothing is learned for this.

        Raises:
            InstanceError: no such instance.
            VocabularyError: it was not learned.
        """
        from thisismy.retrieval.names import NamedQuery

        with self._context.store.read() as connection:
            instance = find_by(connection, name)
        vocabulary = self._learning.vocabulary_of(instance.name)
        prepared = self._context.prepared()
        read = NamedQuery(instance.name, (instance.name,), "*", ("*",), "")
        allowed = ~self._refused((instance.name,), prepared.gallery)
        options = SearchOptions(k=k, fold=False)
        found = self._find_named(read, prepared, vocabulary, options, allowed)
        return self._described(prepared, found, read).hits

    def score(self, text: str, shot_ids: Sequence[int]) -> list[Hit]:
        """Certain shots as hits of a query, in the order given; those that are gone are left out.

        Args:
            text: what to score them for; empty for no score.
            shot_ids: rows of shots; only these are looked at.

        Raises:
            QueryError, InstanceError, LibraryError: as `find`.
        """
        from thisismy.retrieval.options import MAX_HITS
        from thisismy.retrieval.search import Query

        shots = self._files.shots(shot_ids)
        scored: dict[int, Hit] = {}
        if text.strip() and shots:
            prepared, read = self._context.prepared(), self.read(text)
            allowed = np.isin(prepared.gallery.shot_ids, [shot.id for shot in shots])
            options = SearchOptions(k=min(len(shots), MAX_HITS), cutoff=0, fold=False)
            found = self._find(Query(text), read, prepared, options, allowed)
            scored = {hit.shot_id: hit for hit in self._described(prepared, found, read).hits}
        return [
            replace(scored[shot.id], rank=place) if shot.id in scored else _unscored(shot, place)
            for place, shot in enumerate(shots, start=1)
        ]

    def segment(self, text: str, place: str, *, method: str = METHOD) -> Segmented:
        """Find the pixels of a named thing in a frame or a photo.

        Every picture is cut into a part that is likelier and one that is less likely to show the thing;
        whether it is there at all is for a search to say.

        Args:
            text: the name, or a query with it: "my dog Biscuit in the grass".
            place: "VIDEO@1:23" or a photo; need not be in the library.
            method: makes the concept that windows of the picture are scored against, with arguments as
                "palavra?epochs=0". Nothing of it is kept.

        Raises:
            QueryError: the text names nobody, or more than one, or a time makes no sense.
            InstanceError: the thing has no example to learn from.
            VocabularyError: there is no such method.
            EncoderError: the method needs learned words, which the library's encoder does not take.
            MediaError: the file cannot be read, or has no such frame.
        """
        from thisismy.services.segmenting import picture_at, segment_thing

        read = self.read(text)
        if len(read.names) != 1:
            found = ", ".join(read.names) if read.names else "nobody"
            raise QueryError(f"{text!r} names {found}: name one thing that `thisismy instances list` shows")
        shown = picture_at(place)
        thing = next((one for one in self._learning.corpus() if one.name == read.names[0]), None)
        if thing is None:
            name = read.names[0]
            raise InstanceError(f'{name!r} has no example: `thisismy name "{name}" VIDEO@1:23` adds one')
        return segment_thing(shown, thing, read.prompts[0], self._context.encoder, method)

    def read(self, text: str) -> NamedQuery:
        """The query as it is understood; see `QueryReader.read`."""
        return self._reader.read(text)

    def _find(
        self, query: Query, read: NamedQuery, prepared: Prepared, options: SearchOptions, allowed: Allowed
    ) -> SearchHits:
        """By the names in the query where there are any, else by its words and pictures."""
        from thisismy.retrieval.hits import SearchHits
        from thisismy.retrieval.search import find

        if prepared.null_scores is None:
            return SearchHits()
        if not read.names:
            encoder = prepared.encoder
            return find(query, prepared.gallery, encoder, prepared.null_scores, options, allowed)
        allowed = allowed & ~self._refused(read.names, prepared.gallery)
        return self._find_named(read, prepared, self._learning.learned(read.names), options, allowed)

    @staticmethod
    def _find_named(
        read: NamedQuery,
        prepared: Prepared,
        vocabulary: Vocabulary,
        options: SearchOptions,
        allowed: Allowed,
    ) -> SearchHits:
        from thisismy.retrieval.hits import SearchHits
        from thisismy.retrieval.named import find_named
        from thisismy.retrieval.search import fold_above

        if prepared.null_scores is None:
            return SearchHits()
        fold_from = fold_above(prepared.null_scores, options)
        return find_named(read, prepared.gallery, vocabulary, options, fold_from, allowed)

    def _described(self, prepared: Prepared, found: SearchHits, read: NamedQuery) -> SearchResult:
        from thisismy.retrieval.results import describe_hits

        return describe_hits(self._context.store, prepared.gallery, found, read, self._reader.remarks(read))

    def _allowed(self, gallery: Gallery, filters: Filters) -> Allowed:
        """``(n_shots,)``: shots of the files that count."""
        if not filters.any:
            return np.ones(len(gallery), bool)
        return np.isin(gallery.media_ids, list(filters.media_ids(self._files.all())))

    def _refused(self, names: Sequence[str], gallery: Gallery) -> Allowed:
        """``(n_shots,)``: shots a person said do not show one of the instances."""
        refused = np.zeros(len(gallery), bool)
        with self._context.store.read() as connection:
            for name in names:
                instance = rows.find_instance(connection, name)
                for example in rows.examples_of(connection, instance, REJECTED):
                    media_id = catalog.find_media_id(connection, example.content_hash)
                    if media_id is None:
                        continue
                    start = np.maximum(gallery.starts, example.span.start)
                    shared = np.minimum(gallery.ends, example.span.end) - start
                    whole = gallery.ends - gallery.starts
                    covered = (shared > whole / 2) | ((whole == 0) & (example.span.duration == 0))
                    refused |= (gallery.media_ids == media_id) & covered
        return refused


def _features(gallery: Gallery, shot_ids: Sequence[int]) -> tuple[Features, ...]:
    """``(embed_dim,)`` of each shot.

    Raises:
        QueryError: one is not in the gallery.
    """
    found = []
    for shot_id in shot_ids:
        at = np.flatnonzero(gallery.shot_ids == shot_id)
        if not len(at):
            raise QueryError(f"there is no shot {shot_id} any more: search again")
        found.append(np.asarray(gallery.vectors[int(at[0])]))
    return tuple(found)


def _unscored(shot: ShotRow, rank: int) -> Hit:
    """A shot that was asked for, as a hit without a score."""
    from thisismy.retrieval.results import Hit

    return Hit(
        rank=rank,
        path=shot.path,
        span=shot.span,
        score=0.0,
        relevance=0.0,
        best_time=shot.time,
        kind=shot.kind,
        created=shot.created,
        media_id=shot.media_id,
        shot_id=shot.id,
    )
