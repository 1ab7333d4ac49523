"""How well instances can be found, judged by their own examples alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder, Features, unit
from thisismy.personalization.base import (
    GENERIC_PROMPT,
    Method,
    NamedInstance,
    Vocabulary,
    check_instances,
    check_rows,
)

MAX_FOLDS = 5
"""Left-out examples per instance that are tried; each fold learns everything once."""

LOOKALIKE_LIKENESS = 0.6
"""Cosine of two mean examples below which two things are never said to look alike."""


@dataclass(frozen=True)
class LeftOut:
    """How an instance was found when it had not seen the example looked for.

    Attributes:
        name: the instance.
        tried: examples left out in turn; 0 when the instance has only one.
        found: share of them ranked above everything that is not the instance; NaN when none was tried.
        mean_rank: mean rank among them, 1 at best; NaN when none was tried.
        others: number of rows that were not the instance.
    """

    name: str
    tried: int
    found: float
    mean_rank: float
    others: int


@dataclass(frozen=True)
class LookAlikes:
    """Two instances that can hardly be told apart.

    Attributes:
        first: one.
        second: the other.
        likeness: cosine of their mean examples.
        within: mean cosine of the examples of one of them to its mean of the others; NaN for single examples.
    """

    first: str
    second: str
    likeness: float
    within: float

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"{self.first!r} and {self.second!r} look alike (likeness {self.likeness:.2f}): "
            "give each more examples that show where they differ"
        )


def leave_one_out(
    method: Method,
    instances: Sequence[NamedInstance],
    negatives: Features,
    encoder: Encoder,
    *,
    seed: int = 0,
    rivals: Mapping[str, Features] | None = None,
    progress: Progress = silent,
) -> list[LeftOut]:
    """Learn without an example, then rank it among what is not the instance.

    One example of every instance is left out at a time, so that at most `MAX_FOLDS` vocabularies are
    learned. An instance with one example keeps it and is not judged; nor is one that has nothing to be ranked
    among.

    Args:
        method: what learns.
        instances: all of them; each is learned beside the others.
        negatives: as for `Method.fit`.
        encoder: of all rows.
        seed: of the method.
        rivals: by name of an instance the ``(n, embed_dim)`` rows that its examples are ranked among, such as
            all shots of a library that may be taken for something else. A method knows its negatives, and
            negatives are often chosen to be unlike the instances, so a rank among them alone is too good; it
            is what is given for an instance without rivals: negatives and the examples of other instances.
        progress: told how far it is.

    Raises:
        VocabularyError: as `Method.fit`.
    """
    checked = check_instances(instances, encoder, needs_examples=True)
    rows = check_rows(negatives, encoder, "the negatives")
    folds = min(MAX_FOLDS, max((len(i.examples) for i in checked), default=0))
    given = rivals or {}
    among = {
        i.name: check_rows(given[i.name], encoder, f"the rivals of {i.name!r}")
        if i.name in given
        else _others(checked, i, rows)
        for i in checked
    }
    ranks: dict[str, list[int]] = {i.name: [] for i in checked}
    for fold in range(folds if any(len(i.examples) > 1 for i in checked) else 0):
        vocabulary = method.fit([_without(i, fold) for i in checked], rows, encoder, seed=seed)
        for instance in checked:
            if 1 < len(instance.examples) > fold and len(among[instance.name]):
                ranks[instance.name].append(_rank(vocabulary, instance, fold, among[instance.name]))
        progress("leave-one-out", fold + 1, folds)
    return [_left_out(i, ranks[i.name], len(among[i.name])) for i in checked]


def look_alikes(instances: Sequence[NamedInstance], encoder: Encoder) -> list[LookAlikes]:
    """Pairs of instances that their examples do not tell apart, most alike first.

    A pair is named when the mean examples are as alike as an instance is to itself in another picture
    (where that is known), or nearly the same.

    Raises:
        VocabularyError: as `Method.fit`.
    """
    checked = check_instances(instances, encoder, needs_examples=True)
    if not checked:
        return []
    means = unit(np.stack([i.examples.mean(axis=0) for i in checked]))
    within = np.array([_within(i.examples) for i in checked])
    alike = means @ means.T
    first, second = np.triu_indices(len(checked), k=1)
    own = np.fmax(within[first], within[second])
    limit = np.fmax(np.where(np.isnan(own), LOOKALIKE_LIKENESS, own), LOOKALIKE_LIKENESS)
    pairs = [
        LookAlikes(checked[a].name, checked[b].name, float(alike[a, b]), float(w))
        for a, b, w, high in zip(first, second, own, alike[first, second] >= limit - 1e-6, strict=True)
        if high
    ]
    return sorted(pairs, key=lambda pair: -pair.likeness)


def _without(instance: NamedInstance, fold: int) -> NamedInstance:
    """The instance with one example left out, where it has more than one."""
    if not 1 < len(instance.examples) > fold:
        return instance
    return replace(instance, examples=np.delete(instance.examples, fold, axis=0), example_ids=())


def _others(instances: Sequence[NamedInstance], itself: NamedInstance, negatives: Features) -> Features:
    """Every row that is not the instance."""
    return np.concatenate([negatives, *(i.examples for i in instances if i.name != itself.name)])


def _rank(vocabulary: Vocabulary, instance: NamedInstance, fold: int, others: Features) -> int:
    """Rank of the left-out example among the others; ties count against it."""
    rows = np.concatenate([instance.examples[fold : fold + 1], others])
    scores = vocabulary.score(GENERIC_PROMPT, instance.name, rows)
    return 1 + int((scores[1:] >= scores[0]).sum())


def _left_out(instance: NamedInstance, ranks: list[int], others: int) -> LeftOut:
    if not ranks:
        return LeftOut(instance.name, 0, float("nan"), float("nan"), others)
    found = sum(rank == 1 for rank in ranks) / len(ranks)
    return LeftOut(instance.name, len(ranks), found, sum(ranks) / len(ranks), others)


def _within(examples: Features) -> float:
    """Mean cosine of each example to the mean of the others; NaN for one example."""
    if len(examples) < 2:
        return float("nan")
    rest = unit(examples.sum(axis=0) - examples)
    return float((rest * examples).sum(axis=1).mean())
