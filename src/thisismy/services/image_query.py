"""Asking for a thing that nobody has named: ``* on the beach``, where ``*`` is what a photo shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.errors import QueryError

if TYPE_CHECKING:
    from thisismy.core.box import Box
    from thisismy.encoders.base import Encoder
    from thisismy.personalization.base import Vocabulary
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.results import SearchResult
    from thisismy.services.context import LibraryContext
    from thisismy.services.files import FileService

PICTURED = "what the photo shows"
"""The name under which a photo's thing is asked for."""

PLACEHOLDER = "*"


def search_pictured(
    context: LibraryContext,
    files: FileService,
    text: str,
    photo: Path,
    *,
    box: Box | None = None,
    method: str = "default",
    category: str = "thing",
    k: int = 20,
    by: str = "shot",
    cutoff: float = 0.95,
    fold: bool = True,
    filters: Filters | None = None,
) -> SearchResult:
    """Find shots of the thing in a photo, in a context; nothing is named, learned or kept.

    Args:
        context: the library that is searched.
        files: its files.
        text: with ``*`` where the thing goes, "* on the beach"; empty for the thing alone.
        photo: a file.
        box: where in the photo the thing is; the photo is cut to it.
        method: makes a concept of one photo; "pi-map" makes a word of it, "default" finds more (see
            docs/methods/pi-map.md).
        category: what kind of thing it is, for methods that use it.
        k: hits wanted.
        by: "shot" or "frame"; see ``SearchOptions``.
        cutoff: hits must reach what the method takes for the thing, if it learns that; 0 shows everything.
        fold: fold near-duplicates into the best of them.
        filters: which files count.

    Raises:
        QueryError: the words have no ``*``.
        MediaError: the photo cannot be read, or the box lies outside of it.
        VocabularyError: there is no such method.
        EncoderError: the method needs learned words, which the library's encoder does not take.
    """
    from thisismy.encoders.regions import crop
    from thisismy.media.photos import read_photo
    from thisismy.retrieval.named import find_named
    from thisismy.retrieval.names import NamedQuery
    from thisismy.retrieval.results import describe_hits
    from thisismy.retrieval.search import Found, SearchOptions, fold_above

    prompt = " ".join(text.split()) or PLACEHOLDER
    if PLACEHOLDER not in prompt:
        raise QueryError(
            f"the words {prompt!r} do not say where the thing of {photo.name} goes: write a * there, "
            f'such as "* {prompt}"'
        )
    options = SearchOptions(k=k, by=by, cutoff=cutoff, fold=fold)
    picture = read_photo(photo)
    if box is not None:
        picture = crop(picture, box)
    told = f"what {photo.name} shows, read by {method}, in the context {prompt!r}"
    read = NamedQuery(text, (PICTURED,), prompt, (prompt,), told)
    prepared = context.prepared()
    gallery = prepared.gallery
    found = Found()
    if prepared.background is not None:
        vocabulary = concept_of(context.encoder, [picture], category, method, gallery.vectors)
        allowed = None
        if filters is not None and filters.any:
            allowed = np.isin(gallery.media_ids, list(filters.media_ids(files.all())))
        found = find_named(
            read, gallery, vocabulary, options, fold_above(prepared.background, options), allowed
        )
    return describe_hits(context.store, gallery, found, read, [])


def concept_of(
    encoder: Encoder, pictures: Sequence[np.ndarray], category: str, method: str, others: np.ndarray
) -> Vocabulary:
    """A vocabulary with one concept, `PICTURED`, made of pictures.

    Args:
        encoder: of the gallery.
        pictures: RGB, of the same thing.
        category: what kind of thing it is.
        method: a name of the registry.
        others: ``(n, embed_dim)`` rows that mostly show something else; some are drawn.
    """
    from thisismy.personalization.base import NamedInstance
    from thisismy.personalization.registry import make_method
    from thisismy.services.learning import NEGATIVES

    count = min(NEGATIVES, len(others))
    rows = np.sort(np.random.default_rng(0).choice(len(others), count, replace=False))
    thing = NamedInstance(PICTURED, category, encoder.encode_images(pictures))
    return make_method(method).fit([thing], np.asarray(others[rows], np.float32), encoder)
