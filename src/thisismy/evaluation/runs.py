"""One evaluation from start to end: features, every method with every seed, the table, its origin."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thisismy.core.caches import cache_folder
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.features import FeatureFile, ItemFeatures, encode
from thisismy.evaluation.protocols.resplit import left_out
from thisismy.evaluation.protocols.retrieval import Cell, Protocol, run
from thisismy.evaluation.reports.aggregate import table
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
    found = load_features(benchmark, encoder, features, progress)
    encoded = time.perf_counter()
    results = run_methods(benchmark, found, encoder, methods, seeds, protocol, progress)
    times = {"encode": round(encoded - started, 2), "run": round(time.perf_counter() - encoded, 2)}
    origin = provenance(benchmark, found, seeds, protocol or Protocol()) | {"seconds": times}
    return table(benchmark, results) | {"provenance": origin}


def load_features(
    benchmark: Benchmark, encoder: Encoder, path: Path | None, progress: Progress = silent
) -> ItemFeatures:
    """Features of a benchmark from a file, or from the user's cache folder; what is lacking is encoded."""
    file = feature_file(benchmark.name, encoder, path)
    return encode(benchmark, encoder, file, progress=progress)


def feature_file(name: str, encoder: Encoder, path: Path | None = None) -> FeatureFile:
    """The features file at a path, or the one of a benchmark and encoder in the user's cache folder."""
    own = cache_folder() / "features" / f"{_slug(name)}-{_slug(encoder.id)}.safetensors"
    return FeatureFile(path or own, encoder.id)


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


def provenance(
    benchmark: Benchmark, features: ItemFeatures, seeds: Sequence[int], protocol: Protocol
) -> dict[str, Any]:
    """Everything needed to know what a result was measured on."""
    facts = dict(benchmark.facts)
    if protocol.deal is not None:
        # Of lost things there is nothing to deal either.
        things = len(benchmark.instances) + len(benchmark.lost)
        few = list(left_out(benchmark, protocol.deal))
        facts |= {"dealt": {"photos": protocol.deal, "things": things - len(few), "left out": few}}
    return {
        "benchmark": benchmark.name,
        "facts": facts,
        "data": data_version(benchmark, features),
        "encoder": features.encoder_id,
        "seeds": list(seeds),
        "protocol": asdict(protocol),
        "version": version("thisismy"),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def data_version(benchmark: Benchmark, features: ItemFeatures) -> str:
    """Hash of the benchmark as it was run: queries, instances, gallery and the contents of the media."""
    what = {
        "queries": [asdict(q) for q in benchmark.queries],
        "instances": [asdict(i) for i in benchmark.instances],
        "gallery": benchmark.gallery,
        "negatives": benchmark.negatives,
        "contents": sorted(features.contents.items()),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def commit() -> str | None:
    """The commit of the checkout this runs from, with ``+`` when it was changed; None when installed."""
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False, timeout=10
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        # A package installed below somebody else's repository is not that repository's version.
        if not git("ls-files", "--", Path(__file__).name):
            return None
        changed = git("status", "--porcelain", "--", str(folder.parent))
        return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.TimeoutExpired):
        return None


def _slug(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in text)
    return plain if plain == text else f"{plain[:60]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
