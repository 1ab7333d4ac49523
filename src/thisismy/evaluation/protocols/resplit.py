"""Photos of a thing dealt anew into examples and gallery.

A benchmark that gives two examples of a thing cannot say what a third is worth. `dealt` mixes the photos of
each thing, its examples and its photos in the gallery together, and takes so many of them for learning as
the seed says; the others are what is to be found. A caption is asked only where its photo is to be found.

Shots are never dealt across videos: of a thing in videos only the examples are dealt, and the gallery stays.
Things with too few are left out, so that every thing is learned from the same number. Their photos stay in
the gallery.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thisismy.core.errors import BenchmarkError
from thisismy.evaluation.datasets.base import Benchmark, Instance, Query


def dealt(benchmark: Benchmark, number: int, seed: int) -> Benchmark:
    """The benchmark with so many examples of each thing, drawn by the seed, and none of them in the gallery.

    Args:
        benchmark: whose photos to deal.
        number: of examples of each thing.
        seed: same seed, same deal.

    Raises:
        BenchmarkError: the number is below 1, or no thing has so many.
    """
    if number < 1:
        raise BenchmarkError(f"photos are dealt 1 or more to a thing, not {number}")
    examples: dict[str, tuple[str, ...]] = {}
    for position, instance in enumerate(benchmark.instances):
        pool = _pool(benchmark, instance)
        if len(pool) >= _needed(benchmark, instance, number):
            # Apart from the protocol's own draws by the same seed.
            order = np.random.default_rng([seed, position, 2_000_003]).permutation(len(pool))
            examples[instance.id] = tuple(pool[i] for i in sorted(order[:number]))
    if not examples:
        raise BenchmarkError(
            f"{benchmark.name}: no thing has {number} photos to learn from and one to find: deal fewer"
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
        lost=frozenset(),
    )


def left_out(benchmark: Benchmark, number: int) -> tuple[str, ...]:
    """Ids of the things that have too few photos to deal so many of them."""
    few = [i.id for i in benchmark.instances if len(_pool(benchmark, i)) < _needed(benchmark, i, number)]
    return (*few, *sorted(benchmark.lost))


def _pool(benchmark: Benchmark, instance: Instance) -> tuple[str, ...]:
    """What is dealt: examples, and photos in the gallery that stand alone."""
    found = [
        key
        for query in benchmark.queries
        if query.instance == instance.id and query.kind == "generic"
        for key in query.relevant
        if benchmark.items[key].video is None
    ]
    return tuple(dict.fromkeys([*instance.examples, *found]))


def _needed(benchmark: Benchmark, instance: Instance, number: int) -> int:
    """So many, and where photos are dealt one more that is to be found."""
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
