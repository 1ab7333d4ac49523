"""Where a result comes from: the data, the encoder, the settings and the commit."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.features import ItemFeatures
from thisismy.evaluation.protocols.resplit import too_few_photos
from thisismy.evaluation.protocols.retrieval import Protocol


def provenance(
    benchmark: Benchmark, features: ItemFeatures, seeds: Sequence[int], protocol: Protocol
) -> dict[str, Any]:
    """Everything needed to know what a result was measured on."""
    facts = dict(benchmark.facts)
    if protocol.deal is not None:
        # Unlearned things have nothing to split either.
        things = len(benchmark.instances) + len(benchmark.unlearned)
        few = list(too_few_photos(benchmark, protocol.deal))
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
    package = Path(__file__).parents[2]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(package), *words], capture_output=True, text=True, check=False, timeout=10
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        # A package installed below somebody else's repository is not that repository's version.
        if not git("ls-files", "--", "__init__.py"):
            return None
        changed = git("status", "--porcelain", "--", str(package))
        return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.TimeoutExpired):
        return None
