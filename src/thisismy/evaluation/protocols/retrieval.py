"""How a benchmark is run: what is learned, what is ranked, what is measured.

Per seed, a method learns all instances together from their examples and answers every query of each on
that instance's gallery. Choices:

- ``examples``: how many an instance is learned from, drawn by the seed; all of them when not given;
- ``query``: by ``text``, or by ``image``: one example is held back, becomes a concept of its own by
  extending what was learned, and stands for the name. An instance with a single example is not learned
  before, its one picture is the question (after Korbar and Zisserman's image queries);
- ``pooling``: a shot is scored by its ``mean`` vector, or is worth the ``max`` of its frames' scores;
- ``corpus``: size of the gallery; right answers of all queries stay, the others are drawn by the seed;
- ``deal``: the photos of each thing are split again by the seed, this many to learn from and the others to
  find (see `thisismy.evaluation.protocols.resplit`); ``examples`` are then drawn from those.

**Apart.** Nothing from a video that holds an example of an instance is in the gallery of that instance; what
cannot be kept apart raises `BenchmarkError`.

**Negatives** are what a benchmark declares as such and never a row of the gallery that is ranked. Where
galleries differ by instance (vlogs), the instances with the same allowed negatives share a run of the
method: all instances are learned in it, only these are asked for.

**Unlearned instances** (mining found no example) cannot be asked for: all their queries score 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.encoders.space import Block
from thisismy.evaluation.datasets.base import Benchmark, Instance, Query
from thisismy.evaluation.features import ItemFeatures
from thisismy.evaluation.metrics.ranking import metric, rank
from thisismy.evaluation.protocols.resplit import resplit
from thisismy.personalization.base import Method, NamedInstance, Vocabulary

MEASURES = ("map", "mrr", "r1", "r5", "r10", "p5", "tr5")
"""What is measured of every query."""

TOP = 8
"""Hits kept of every query, for the pages of best and worst queries."""


@dataclass(frozen=True)
class Protocol:
    """See the module's text."""

    examples: int | None = None
    query: Literal["text", "image"] = "text"
    pooling: Literal["mean", "max"] = "mean"
    corpus: int | None = None
    deal: int | None = None


@dataclass(frozen=True)
class Cell:
    """One method with one seed.

    Attributes:
        seed: of the method and of every draw.
        values: query id -> measure -> value, 0 to 1; of the queries this seed asks (all, unless photos are
            split again).
        top: query id -> ids of the first hits.
        learn_seconds, ask_seconds: what it took.
    """

    seed: int
    values: dict[str, dict[str, float]]
    top: dict[str, list[str]] = field(default_factory=dict)
    learn_seconds: float = 0.0
    ask_seconds: float = 0.0


@dataclass(frozen=True)
class _Group:
    """Instances that may be learned with the same negatives."""

    negatives: tuple[str, ...]
    galleries: dict[str, tuple[str, ...]]


def run(
    benchmark: Benchmark,
    features: ItemFeatures,
    encoder: Encoder,
    method: Method,
    *,
    seed: int = 0,
    protocol: Protocol | None = None,
    progress: Progress = silent,
) -> Cell:
    """Learn and ask everything once.

    Args:
        benchmark: what to run.
        features: of all its items.
        encoder: the one the features come from.
        method: ready to run.
        seed: same seed, same cell.
        protocol: the choices; None takes text queries on shot means with all examples.
        progress: told how far learning is, and the queries done.

    Raises:
        BenchmarkError: examples and gallery cannot be kept apart, or the protocol asks for what the
            benchmark does not have.
    """
    protocol = protocol or Protocol()
    if protocol.deal is not None:
        benchmark = resplit(benchmark, protocol.deal, seed)
    drawn, pictures = draw_examples(benchmark, protocol, seed)
    asked: dict[str, list[Query]] = {}
    for query in benchmark.queries:
        asked.setdefault(query.instance, []).append(query)
    zero = dict.fromkeys(MEASURES, 0.0)
    values = {q.id: zero for q in benchmark.queries if q.instance in benchmark.unlearned}
    top: dict[str, list[str]] = {}
    learning = asking = 0.0
    for group in _groups(benchmark, protocol, seed):
        start = time.perf_counter()
        vocabulary, names = _learn(group, drawn, pictures, features, encoder, method, seed, progress)
        learning += time.perf_counter() - start
        start = time.perf_counter()
        for key, gallery in group.galleries.items():
            rows = _Gallery(features, gallery, protocol.pooling)
            for query in asked.get(key, ()):
                scores = rows.score(vocabulary, query.prompt, names[key])
                values[query.id] = _measure(scores, gallery, query)
                top[query.id] = [gallery[i] for i in np.argsort(-scores, kind="stable")[:TOP]]
            progress("queries", len(values), len(benchmark.queries))
        asking += time.perf_counter() - start
    return Cell(seed, values, top, learning, asking)


def draw_examples(
    benchmark: Benchmark, protocol: Protocol, seed: int
) -> tuple[list[tuple[Instance, tuple[str, ...]]], dict[str, str]]:
    """The examples of each instance, and the picture held back as the question in image queries.

    Raises:
        BenchmarkError: less than one example is asked for, or more than were split off.
    """
    drawn, pictures = [], {}
    for position, instance in enumerate(benchmark.instances):
        rng = np.random.default_rng([seed, position])
        pool = [instance.examples[i] for i in rng.permutation(len(instance.examples))]
        if protocol.query == "image":
            pictures[instance.id] = pool.pop()
        wanted = len(pool) if protocol.examples is None else protocol.examples
        if protocol.deal is not None and wanted > protocol.deal:
            raise BenchmarkError(f"{wanted} examples cannot be drawn from the {protocol.deal} of a split")
        if protocol.examples is not None and wanted < 1:
            raise BenchmarkError(f"an instance is learned from 1 example or more, not {wanted}")
        chosen = set(pool[:wanted])
        drawn.append((instance, tuple(e for e in instance.examples if e in chosen)))
    return drawn, pictures


def _groups(benchmark: Benchmark, protocol: Protocol, seed: int) -> list[_Group]:
    kept = _corpus(benchmark, protocol.corpus, seed)
    groups: dict[tuple[str, ...], _Group] = {}
    for instance in benchmark.instances:
        gallery = tuple(key for key in benchmark.gallery_for(instance) if key in kept)
        _check_apart(benchmark, instance, gallery)
        ranked = set(gallery)
        allowed = tuple(key for key in benchmark.negatives if key not in ranked)
        groups.setdefault(allowed, _Group(allowed, {})).galleries[instance.id] = gallery
    return list(groups.values())


def _corpus(benchmark: Benchmark, size: int | None, seed: int) -> set[str]:
    if size is None:
        return set(benchmark.gallery)
    needed = dict.fromkeys(key for q in benchmark.queries for key in q.relevant)
    others = [key for key in benchmark.gallery if key not in needed]
    if not len(needed) <= size <= len(benchmark.gallery):
        raise BenchmarkError(
            f"{benchmark.name}: a corpus of {size} is not possible; it has {len(needed)} right answers and "
            f"{len(benchmark.gallery)} items"
        )
    # One fixed shuffle per seed, so that a smaller corpus is always part of a larger one.
    shuffled = np.random.default_rng([seed, 1_000_003]).permutation(len(others))
    return {*needed, *(others[i] for i in shuffled[: size - len(needed)])}


def _check_apart(benchmark: Benchmark, instance: Instance, gallery: Sequence[str]) -> None:
    common = benchmark.videos(instance.examples) & benchmark.videos(gallery)
    if (common and not benchmark.shared_videos) or set(instance.examples) & set(gallery):
        what = f"the video {min(common)!r}" if common else "an item"
        raise BenchmarkError(
            f"{benchmark.name}: {what} holds examples of {instance.name!r} and is in its gallery"
        )
    if not gallery:
        raise BenchmarkError(f"{benchmark.name}: the gallery of {instance.name!r} is empty")


def _learn(
    group: _Group,
    drawn: Sequence[tuple[Instance, tuple[str, ...]]],
    pictures: Mapping[str, str],
    features: ItemFeatures,
    encoder: Encoder,
    method: Method,
    seed: int,
    progress: Progress,
) -> tuple[Vocabulary, dict[str, str]]:
    """What was learned, and by which name each instance is asked for."""
    negatives = features.shots(group.negatives)
    learned = [
        NamedInstance(i.name, i.category, features.shots(chosen), chosen) for i, chosen in drawn if chosen
    ]
    vocabulary = method.fit(learned, negatives, encoder, seed=seed, progress=progress)
    if not pictures:
        return vocabulary, {i.id: i.name for i, _ in drawn}
    asked = [
        NamedInstance(
            f"what picture {n} shows", i.category, features.shots([pictures[i.id]]), (pictures[i.id],)
        )
        for n, (i, _) in enumerate(drawn)
    ]
    vocabulary = method.extend(vocabulary, asked, negatives, progress=progress)
    return vocabulary, {i.id: new.name for (i, _), new in zip(drawn, asked, strict=True)}


class _Gallery:
    """The rows of a gallery under one way of pooling."""

    def __init__(self, features: ItemFeatures, ids: Sequence[str], pooling: str) -> None:
        self._starts: NDArray[np.int64] | None = None
        self._rows: Block
        if pooling == "max":
            self._rows, self._starts = features.frames_of(ids)
        else:
            self._rows = features.shot_block(ids)

    def score(self, vocabulary: Vocabulary, prompt: str, name: str) -> NDArray[np.float32]:
        scores = np.asarray(vocabulary.score(prompt, name, self._rows), np.float32)
        if scores.shape != (len(self._rows),) or np.isnan(scores).any():
            raise BenchmarkError(
                f"the method {vocabulary.method!r} gave scores of shape {scores.shape} with "
                f"{int(np.isnan(scores).sum())} that are not numbers, for {len(self._rows)} rows"
            )
        return scores if self._starts is None else np.maximum.reduceat(scores, self._starts)


def _measure(scores: NDArray[np.float32], gallery: Sequence[str], query: Query) -> dict[str, float]:
    relevant = np.isin(np.asarray(gallery), query.relevant)
    # An answer that the gallery of this instance lacks counts as never found.
    missing = query.missing + len(query.relevant) - int(relevant.sum())
    ranking = rank(scores, relevant, missing=missing)
    return {name: _METRICS[name](ranking) for name in MEASURES}


_METRICS: dict[str, Callable[..., Any]] = {name: metric(name) for name in MEASURES}
