"""Photos of a thing split again into examples and gallery.

A benchmark that gives two examples of a thing cannot say what a third is worth. `resplit` pools the photos of
each thing, its examples and those in the gallery, and draws a given number of them by the seed to learn
from; the others are to be found. A caption is asked only where its photo is to be found.

Shots never move between videos: of a thing in videos only the examples are drawn, and the gallery stays.
Things with too few are left out, so that every thing is learned from the same number. Their photos stay in
the gallery.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thisismy.core.errors import BenchmarkError
from thisismy.evaluation.datasets.base import Benchmark, Instance, Query


def resplit(benchmark: Benchmark, number: int, seed: int) -> Benchmark:
    """The benchmark with examples drawn by the seed, none of them in the gallery.

    Args:
        benchmark: whose photos to split.
        number: examples of each thing.
        seed: same seed, same split.

    Raises:
        BenchmarkError: the number is below 1, or no thing has enough photos.
    """
    if number < 1:
        raise BenchmarkError(f"a thing is learned from 1 photo or more, not {number}")
    examples: dict[str, tuple[str, ...]] = {}
    for position, instance in enumerate(benchmark.instances):
        pool = _pool(benchmark, instance)
        if len(pool) >= _needed(benchmark, instance, number):
            # Apart from the protocol's own draws by the same seed.
            order = np.random.default_rng([seed, position, 2_000_003]).permutation(len(pool))
            examples[instance.id] = tuple(pool[i] for i in sorted(order[:number]))
    if not examples:
        raise BenchmarkError(
            f"{benchmark.name}: no thing has {number} photos to learn from and one to find: ask for fewer"
        )
    taken = {key for keys in examples.values() for key in keys}
    back = [
        key
        for instance in benchmark.instances
        if instance.id in examples
        for key in _pool(benchmark, instance)
        if benchmark.items[key].video is None
    ]
    gallery = tuple(key for key in dict.fromkeys([*benchmark.gallery, *back]) if key not in taken)
    return replace(
        benchmark,
        gallery=gallery,
        instances=tuple(replace(i, examples=examples[i.id]) for i in benchmark.instances if i.id in examples),
        queries=_asked(benchmark, examples, set(gallery)),
        unlearned=frozenset(),
    )


def too_few_photos(benchmark: Benchmark, number: int) -> tuple[str, ...]:
    """Ids of the things that have too few photos for this number of examples."""
    few = [i.id for i in benchmark.instances if len(_pool(benchmark, i)) < _needed(benchmark, i, number)]
    return (*few, *sorted(benchmark.unlearned))


def _pool(benchmark: Benchmark, instance: Instance) -> tuple[str, ...]:
    """What is split: examples, and photos in the gallery that stand alone."""
    found = [
        key
        for query in benchmark.queries
        if query.instance == instance.id and query.kind == "generic"
        for key in query.relevant
        if benchmark.items[key].video is None
    ]
    return tuple(dict.fromkeys([*instance.examples, *found]))


def _needed(benchmark: Benchmark, instance: Instance, number: int) -> int:
    """Photos a thing must have: the examples, and where photos are split one more to find."""
    return number + any(benchmark.items[key].video is None for key in _pool(benchmark, instance))


def _asked(
    benchmark: Benchmark, examples: dict[str, tuple[str, ...]], gallery: set[str]
) -> tuple[Query, ...]:
    """The queries of the things that are learned, with what is left of their answers."""
    instances = {i.id: i for i in benchmark.instances}
    found = []
    for query in benchmark.queries:
        if query.instance not in examples:
            continue
        known = query.relevant
        if query.kind == "generic":
            alone = [
                k for k in _pool(benchmark, instances[query.instance]) if benchmark.items[k].video is None
            ]
            known = tuple(dict.fromkeys([*known, *alone]))
        relevant = tuple(key for key in known if key in gallery)
        if relevant or query.missing:
            found.append(replace(query, relevant=relevant))
    return tuple(found)
