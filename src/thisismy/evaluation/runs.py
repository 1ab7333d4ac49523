"""One evaluation from start to end: features, every method with every seed, the table, its origin."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.features import ItemFeatures, encode, feature_file
from thisismy.evaluation.protocols.provenance import provenance
from thisismy.evaluation.protocols.retrieval import Cell, Protocol, run
from thisismy.evaluation.reports.aggregate import aggregate
from thisismy.personalization.base import Method


def evaluate(
    benchmark: Benchmark,
    encoder: Encoder,
    methods: Mapping[str, Method],
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    protocol: Protocol | None = None,
    features: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Run methods on a benchmark.

    Args:
        benchmark: what to run.
        encoder: frozen.
        methods: label -> method ready to run.
        seeds: one run of every method each.
        protocol: the choices of the protocol.
        features: the features file; None takes the one in the user's cache folder.
        progress: told the stage and how far it is.

    Returns:
        ``rows`` and ``paired`` (see `thisismy.evaluation.reports.aggregate`) and ``provenance``; plain JSON
        values.

    Raises:
        BenchmarkError: media are missing, or the protocol does not fit the benchmark.
    """
    started = time.perf_counter()
    file = feature_file(benchmark.name, encoder, features)
    found = encode(benchmark, encoder, file, progress=progress)
    encoded = time.perf_counter()
    results = run_methods(benchmark, found, encoder, methods, seeds, protocol, progress)
    times = {"encode": round(encoded - started, 2), "run": round(time.perf_counter() - encoded, 2)}
    origin = provenance(benchmark, found, seeds, protocol or Protocol()) | {"seconds": times}
    return aggregate(benchmark, results) | {"provenance": origin}


def run_methods(
    benchmark: Benchmark,
    features: ItemFeatures,
    encoder: Encoder,
    methods: Mapping[str, Method],
    seeds: Sequence[int],
    protocol: Protocol | None = None,
    progress: Progress = silent,
) -> dict[str, list[Cell]]:
    """Label -> one cell per seed."""
    results: dict[str, list[Cell]] = {label: [] for label in methods}
    total = len(methods) * len(seeds)
    for label, method in methods.items():
        for seed in seeds:
            cell = run(benchmark, features, encoder, method, seed=seed, protocol=protocol, progress=progress)
            results[label].append(cell)
            progress("runs", sum(map(len, results.values())), total)
    return results
