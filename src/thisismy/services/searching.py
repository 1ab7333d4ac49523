"""The verb of finding: by words, names, pictures, and shots like or unlike what is wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.errors import InstanceError, QueryError
from thisismy.services.learning import LearningVerbs

if TYPE_CHECKING:
    from thisismy.encoders.base import Features, Picture
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.names import NamedQuery
    from thisismy.retrieval.results import SearchResult
    from thisismy.store.vector_index.gallery import Gallery


class SearchingVerbs(LearningVerbs):
    """Finding moments."""

    def search(
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
        prepared = self._prepared()
        gallery = prepared.gallery
        wanted, unwanted = _features(gallery, like), _features(gallery, unlike)
        pictures = tuple(read_photo(item) if isinstance(item, Path) else item for item in images)
        query = Query(text, pictures, wanted, unwanted)
        known = [(name, item.name) for item in self.instances() for name in (item.name, *item.aliases)]
        read = self._read(text, known)
        if read.names and (pictures or like):
            raise QueryError(f"a photo and {read.names[0]!r} cannot be asked for together: leave one out")
        found = Found()
        if prepared.background is not None:
            allowed = ~np.isin(gallery.shot_ids, [*like, *unlike])
            if filters is not None and filters.any:
                allowed &= np.isin(gallery.media_ids, list(filters.media_ids(self.files())))
            if read.names:
                allowed &= ~self._refused(read.names, gallery)
                fold_from = fold_above(prepared.background, options)
                vocabulary = self._learned(read.names)
                found = find_named(read, gallery, vocabulary, options, fold_from, allowed)
            else:
                found = find(query, gallery, self.encoder, prepared.background, options, allowed)
        remark = None if read.names else suggest(text, known)
        return describe_hits(self.store, gallery, found, read, [remark] if remark else [])

    def _read(self, text: str, known: Sequence[tuple[str, str]]) -> NamedQuery:
        """The query as it is understood, with instances by name and by number."""
        from thisismy.retrieval.names import read_query

        names = {item.id: item.name for item in self.instances()}
        stood: dict[str, str] = {}

        def mark(found: re.Match[str]) -> str:
            number = int(found.group(1))
            if number not in names:
                raise InstanceError(f"there is no instance number {number}")
            # No name holds characters of the private use area, so what stands for a number is no name.
            stood[f"\ue000{number}\ue001"] = names[number]
            return f"<\ue000{number}\ue001>"

        plain = re.sub(r"<#(\d{1,9})>", mark, text)
        read = read_query(plain, [*known, *stood.items()])

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
