"""The shots of a library that the examples of an instance are ranked among, to say how well it is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thisismy.encoders.base import unit
from thisismy.services.context import LibraryContext
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import CONFIRMED, REJECTED, Instance

if TYPE_CHECKING:
    from thisismy.encoders.base import Features


class Rivals(NamedTuple):
    """``(n, embed_dim)`` rows of other shots, and how many more were nearly the same as an example."""

    rows: Features
    near_duplicates: int


def find_rivals(context: LibraryContext, instance: Instance, examples: Features) -> Rivals:
    """Every shot of the library that may be taken for something other than the instance.

    Not taken: files that hold a confirmed example, because their other shots often show the instance too and
    nobody has said so; places that were rejected, because methods learn from them; near-duplicates of an
    example. A shot of another file that shows the instance without being confirmed is taken, so that a rank
    among the rivals is too bad rather than too good.

    Args:
        context: the library.
        instance: whose examples are ranked.
        examples: ``(n, embed_dim)`` unit rows of its confirmed examples.
    """
    from thisismy.retrieval.options import SearchOptions
    from thisismy.retrieval.search import fold_above

    prepared = context.prepared()
    if prepared.null_scores is None:
        return Rivals(np.zeros((0, context.encoder.embed_dim), np.float32), 0)
    gallery = prepared.gallery
    with context.store.read() as connection:
        confirmed = rows.examples_of(connection, instance, CONFIRMED)
        rejected = rows.examples_of(connection, instance, REJECTED)
        media_of = {
            example.content_hash: catalog.find_media_id(connection, example.content_hash)
            for example in (*confirmed, *rejected)
        }
    own = [media_of[example.content_hash] for example in confirmed]
    media_ids, starts, ends = (np.asarray(a) for a in (gallery.media_ids, gallery.starts, gallery.ends))
    taken = ~np.isin(media_ids, [number for number in own if number is not None])
    for example in rejected:
        span = example.span
        same = (starts < span.end) & (ends > span.start) | (starts == span.start) & (ends == span.end)
        taken &= ~((media_ids == media_of[example.content_hash]) & same)
    vectors = np.asarray(gallery.vectors)[taken]
    limit = fold_above(prepared.null_scores, SearchOptions())
    alike = np.zeros(len(vectors), bool)
    if limit is not None and len(vectors):
        alike = (vectors @ unit(examples).T).max(axis=1) >= limit
    return Rivals(vectors[~alike], int(alike.sum()))
