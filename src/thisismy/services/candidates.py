"""Shots that look like the confirmed examples of an instance: ranked for labelling, or proposed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import CONFIRMED, JOB, PROPOSED, USER, Example, Instance

if TYPE_CHECKING:
    from thisismy.encoders.base import Features
    from thisismy.services.context import LibraryContext
    from thisismy.services.example_features import ExampleFeatures
    from thisismy.store.database import Connection
    from thisismy.store.vector_index.gallery import Gallery


@dataclass(frozen=True)
class Candidates:
    """Shots that may show an instance, best first.

    Attributes:
        shot_ids: their rows, ``(n,)``.
        scores: cosine to the nearest confirmed example, ``(n,)``.
    """

    shot_ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.shot_ids)


def rank_candidates(
    context: LibraryContext, features: ExampleFeatures, instance: Instance, *, unlabelled: bool
) -> Candidates:
    """Every shot by likeness to the confirmed examples, best first.

    Args:
        context: the library.
        features: of its examples.
        instance: which.
        unlabelled: leave out what is decided.

    Raises:
        InstanceError: no confirmed example can be seen.
    """
    examples = _confirmed(features, instance)
    gallery = context.prepared().gallery
    scores = (np.asarray(gallery.vectors) @ examples.T).max(axis=1)
    order = np.argsort(-scores, kind="stable")
    if unlabelled:
        with context.store.read() as connection:
            known = rows.examples_of(connection, instance)
            decided = [item for item in known if item.decided_by == USER or item.state == CONFIRMED]
            order = order[~_rows_of(connection, gallery, decided)[order]]
    return Candidates(np.asarray(gallery.shot_ids[order]), scores[order])


def propose_examples(
    context: LibraryContext, features: ExampleFeatures, instance: Instance, limit: int
) -> None:
    """Put the most similar shots of other videos beside an instance as proposed examples.

    Shots about which a person decided are skipped before any is counted.

    Args:
        context: the library.
        features: of its examples.
        instance: which.
        limit: most proposals.

    Raises:
        InstanceError: no confirmed example can be seen.
        LibraryError: the encoder has no calibration, and there are too few shots to make one.
    """
    from thisismy.mining.examples import propose_elsewhere
    from thisismy.services.calibration import library_calibration

    examples = _confirmed(features, instance)
    gallery = context.prepared().gallery
    threshold = library_calibration(context.store, gallery).example_threshold
    with context.store.write() as connection:
        known = rows.examples_of(connection, instance)
        shown = {item.content_hash for item in known if item.state == CONFIRMED}
        own = [catalog.find_media_id(connection, digest) for digest in shown]
        skipped = np.isin(gallery.media_ids, [number for number in own if number is not None])
        skipped |= _rows_of(connection, gallery, (item for item in known if item.decided_by == USER))
        left = np.flatnonzero(~skipped)
        for proposal in propose_elsewhere(examples, np.asarray(gallery.vectors[left]), threshold, limit):
            row = int(left[proposal.shot])
            digest = catalog.hash_of(connection, int(gallery.media_ids[row]))
            example = Example(digest, _span(gallery, row), PROPOSED, JOB, "similar", proposal.similarity)
            rows.put_example(connection, instance, example)


def _confirmed(features: ExampleFeatures, instance: Instance) -> Features:
    examples = features.confirmed(instance)
    if not len(examples):
        raise InstanceError(f"{instance.name!r} has no confirmed example that can be seen: confirm one first")
    return examples


def _rows_of(connection: Connection, gallery: Gallery, examples: Iterable[Example]) -> NDArray[np.bool_]:
    """``(n_shots,)``: which rows of a gallery are at the place of one of some examples."""
    found = np.zeros(len(gallery), bool)
    by_content: dict[str, list[Span]] = {}
    for example in examples:
        by_content.setdefault(example.content_hash, []).append(example.span)
    for digest, spans in by_content.items():
        media_id = catalog.find_media_id(connection, digest)
        if media_id is None:
            continue
        for row in np.flatnonzero(gallery.media_ids == media_id).tolist():
            found[row] = any(_span(gallery, row).same_place(span) for span in spans)
    return found


def _span(gallery: Gallery, row: int) -> Span:
    return Span(float(gallery.starts[row]), float(gallery.ends[row]))
