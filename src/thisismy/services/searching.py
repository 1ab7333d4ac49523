"""Finding moments: by words, names, pictures, and shots like or unlike what is wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.errors import InstanceError, QueryError
from thisismy.services.context import LibraryContext
from thisismy.services.files import FileService
from thisismy.services.instances import InstanceService
from thisismy.services.learning import LearningService
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import REJECTED, find_by

if TYPE_CHECKING:
    from thisismy.encoders.base import Features, Picture
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.names import NamedQuery
    from thisismy.retrieval.results import Hit, SearchResult
    from thisismy.store.vector_index.gallery import Gallery


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
        self._instances = instances
        self._learning = learning

    def find(
        self,
        text: str = "",
        *,
        images: Sequence[Path | Picture] = (),
        like: Sequence[int] = (),
        unlike: Sequence[int] = (),
        k: int = 20,
        by: str = "shot",
        cutoff: float = 0.95,
        fold: bool = True,
        filters: Filters | None = None,
    ) -> SearchResult:
        """Find shots by words, by pictures, or by both; names of instances in the words mean those instances.

        An instance that was named or changed since it was learned is learned first. ``<#3>`` in the words is
        the instance with row 3, whatever its name.

        Args:
            text: what to look for.
            images: photos of what to look for: files, or RGB pictures.
            like: rows of shots to find more like; they count as photos and are left out themselves.
            unlike: rows of shots that are not wanted: left out, and what looks like them scores less.
            k: hits wanted.
            by: "shot" or "frame"; see ``SearchOptions``.
            cutoff: share of unrelated pairs a hit must beat; 0 shows everything.
            fold: fold near-duplicates into the best of them.
            filters: which files count.

        Raises:
            QueryError: the query or an option makes no sense, or names nobody in ``<brackets>``.
            InstanceError: a named instance has no example to learn from.
            MediaError: a picture cannot be read.
            LibraryError: the library cannot be read.
        """
        from thisismy.media.photos import read_photo
        from thisismy.retrieval.named import find_named
        from thisismy.retrieval.names import suggest
        from thisismy.retrieval.results import describe_hits
        from thisismy.retrieval.search import Found, Query, SearchOptions, find, fold_above

        options = SearchOptions(k=k, by=by, cutoff=cutoff, fold=fold)
        prepared = self._context.prepared()
        gallery = prepared.gallery
        wanted, unwanted = _features(gallery, like), _features(gallery, unlike)
        pictures = tuple(read_photo(item) if isinstance(item, Path) else item for item in images)
        query = Query(text, pictures, wanted, unwanted)
        read = self.read(text)
        if read.names and (pictures or like):
            raise QueryError(f"a photo and {read.names[0]!r} cannot be asked for together: leave one out")
        found = Found()
        if prepared.background is not None:
            allowed = ~np.isin(gallery.shot_ids, [*like, *unlike])
            if filters is not None and filters.any:
                allowed &= np.isin(gallery.media_ids, list(filters.media_ids(self._files.all())))
            if read.names:
                allowed &= ~self._refused(read.names, gallery)
                fold_from = fold_above(prepared.background, options)
                vocabulary = self._learning.learned(read.names)
                found = find_named(read, gallery, vocabulary, options, fold_from, allowed)
            else:
                found = find(query, gallery, self._context.encoder, prepared.background, options, allowed)
        remark = None if read.names else suggest(text, self._known())
        return describe_hits(self._context.store, gallery, found, read, [remark] if remark else [])

    def occurrences(self, name: str | int, k: int = 500) -> list[Hit]:
        """Where an instance is seen, as far as what was learned of it says; nothing is learned for this.

        Raises:
            InstanceError: no such instance.
            VocabularyError: it was not learned.
        """
        from thisismy.retrieval.named import find_named
        from thisismy.retrieval.names import NamedQuery
        from thisismy.retrieval.results import describe_hits
        from thisismy.retrieval.search import SearchOptions

        with self._context.store.read() as connection:
            instance = find_by(connection, name)
        vocabulary = self._learning.vocabulary_of(instance.name)
        gallery = self._context.prepared().gallery
        read = NamedQuery(instance.name, (instance.name,), "*", ("*",), "")
        allowed = ~self._refused((instance.name,), gallery)
        found = find_named(read, gallery, vocabulary, SearchOptions(k=k, fold=False), None, allowed)
        return describe_hits(self._context.store, gallery, found, read).hits

    def find_pictured(self, text: str, photo: Path, **options: Any) -> SearchResult:
        """Find what a photo shows, in the context of words with ``*``; see `image_query.search_pictured`."""
        from thisismy.services.image_query import search_pictured

        return search_pictured(self._context, self._files, text, photo, **options)

    def _known(self) -> Sequence[tuple[str, str]]:
        """(name or alias, name of the instance) of every instance."""
        return [(name, item.name) for item in self._instances.all() for name in (item.name, *item.aliases)]

    def read(self, text: str) -> NamedQuery:
        """The query as it is understood, with instances by name and by number."""
        from thisismy.retrieval.names import read_query

        names = {item.id: item.name for item in self._instances.all()}
        stood: dict[str, str] = {}

        def mark(found: re.Match[str]) -> str:
            number = int(found.group(1))
            if number not in names:
                raise InstanceError(f"there is no instance number {number}")
            # No name holds characters of the private use area, so what stands for a number is no name.
            stood[f"\ue000{number}\ue001"] = names[number]
            return f"<\ue000{number}\ue001>"

        plain = re.sub(r"<#(\d{1,9})>", mark, text)
        read = read_query(plain, [*self._known(), *stood.items()])

        def named(line: str) -> str:
            for token, name in stood.items():
                line = line.replace(f"<{token}>", name).replace(token, name)
            return line

        return replace(
            read,
            text=named(plain),
            prompt=named(read.prompt),
            prompts=tuple(map(named, read.prompts)),
            explanation=named(read.explanation),
        )

    def _refused(self, names: Sequence[str], gallery: Gallery) -> np.ndarray[Any, np.dtype[np.bool_]]:
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
    rows = []
    for shot_id in shot_ids:
        at = np.flatnonzero(gallery.shot_ids == shot_id)
        if not len(at):
            raise QueryError(f"there is no shot {shot_id} any more: search again")
        rows.append(np.asarray(gallery.vectors[int(at[0])]))
    return tuple(rows)
