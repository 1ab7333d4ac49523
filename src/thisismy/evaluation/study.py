"""A whole study: every benchmark, setting, method and seed of a file, to results, tables, a plot and sheets.

Every method and seed is a cell with a file of its own in ``cells/``. Its name is a hash of all that the
cell depends on (data, encoder, protocol, method, arguments, seed, and the source of this package), so an
interrupted study resumes where it stopped and nothing stale is ever reused.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from thisismy.core.atomic_files import write_text
from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent
from thisismy.encoders import load_encoder
from thisismy.encoders.base import Encoder
from thisismy.encoders.caching import CachingEncoder
from thisismy.evaluation import tiny
from thisismy.evaluation.config import Study, Task
from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.datasets.registry import DATASETS
from thisismy.evaluation.features import FeatureFile, ItemFeatures, encode, feature_file
from thisismy.evaluation.methods import is_default, reference_label
from thisismy.evaluation.protocols.provenance import provenance
from thisismy.evaluation.protocols.retrieval import Cell, Protocol, run
from thisismy.evaluation.reports.aggregate import aggregate
from thisismy.evaluation.reports.query_sheets import write_query_sheet
from thisismy.evaluation.reports.render import latex, markdown, paired_markdown, split_note
from thisismy.personalization.array_file import FILE_ARGUMENTS
from thisismy.personalization.registry import make_method


@dataclass
class _Counter:
    """How far a study is."""

    done: int
    total: int
    progress: Progress

    def step(self) -> None:
        self.done += 1
        self.progress("cells", self.done, self.total)


def run_study(
    study: Study, out: Path, *, features: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Run a study and write everything into a folder.

    Args:
        study: what to run.
        out: gets ``results.json``, ``tables.md``, ``tables.tex``, ``examples.png`` (with two or more
            numbers of examples and the extra ``study``), ``queries-*.png`` and ``cells/``.
        features: folder for features files; the user's cache folder when None.
        progress: told stages and cells.

    Returns:
        The content of ``results.json``.

    Raises:
        BenchmarkError: a benchmark is incomplete.
    """
    if not study.tasks:
        raise BenchmarkError(f"the study {study.name!r} has no benchmark: add a [[benchmarks]] table")
    out.mkdir(parents=True, exist_ok=True)
    encoder = CachingEncoder(load_encoder(study.encoder))
    cells = len(study.methods) * study.seeds * sum(len(task.protocols) for task in study.tasks)
    counter = _Counter(0, cells, progress)
    results: list[dict[str, Any]] = []
    for task in study.tasks:
        file = feature_file(task.path.resolve().name, encoder)
        if features is not None:
            file = FeatureFile(features / (file.path.name if file.path else ""), encoder.id)
        benchmark = DATASETS[task.kind].read(task.path, task.options, encoder, file, progress)
        encoded = encode(benchmark, encoder, file, progress=progress)
        for protocol in task.protocols:
            name = result_name(benchmark, protocol, task.protocols)
            if any(result["name"] == name for result in results):
                raise BenchmarkError(f"the study {study.name!r} has two results called {name!r}: drop one")
            found = _run_protocol(study, benchmark, encoded, encoder, protocol, out / "cells", counter)
            compared = aggregate(benchmark, found)
            origin = provenance(benchmark, encoded, range(study.seeds), protocol)
            results.append({"name": name, **compared, "provenance": origin})
            label = _shown(found, compared["rows"])
            write_query_sheet(out / f"queries-{name}.png", benchmark, found[label][0], f"{name}: {label}")
    document = {"study": study.name, "config": dict(study.raw), "results": results}
    _write_reports(document, out)
    return document


def tiny_study(study: Study, folder: Path) -> Study:
    """The same methods on drawn pictures with few seeds, to try a study out in seconds.

    Args:
        study: its benchmarks are left out.
        folder: where the pictures go.
    """
    path = tiny.write(folder)
    protocols = (Protocol(examples=1), Protocol(examples=2))
    return replace(study, seeds=min(study.seeds, 2), tasks=(Task("photos", path, {}, protocols),))


def run_tiny(study: Study, out: Path, progress: Progress = silent) -> dict[str, Any]:
    """`tiny_study`, run in a folder that is thrown away but for the reports in ``out``."""
    with tempfile.TemporaryDirectory() as scratch:
        small = tiny_study(study, Path(scratch) / "tiny")
        return run_study(small, out, features=Path(scratch), progress=progress)


def result_name(benchmark: Benchmark, protocol: Protocol, protocols: Sequence[Protocol]) -> str:
    """A benchmark's name, with the settings in which its tables differ."""
    name = benchmark.name
    for key, value in asdict(protocol).items():
        split = key == "deal" and value is not None
        if split or len({getattr(p, key) for p in protocols}) > 1:
            name += f"-{key}-{'all' if value is None else value}"
    return name


def _run_protocol(
    study: Study,
    benchmark: Benchmark,
    features: ItemFeatures,
    encoder: Encoder,
    protocol: Protocol,
    folder: Path,
    counter: _Counter,
) -> dict[str, list[Cell]]:
    base = provenance(benchmark, features, (), protocol)
    results: dict[str, list[Cell]] = {}
    shared = [base["data"], base["encoder"], base["protocol"], source_version()]
    for label, (name, arguments) in study.methods.items():
        method = make_method(name, arguments)
        for seed in range(study.seeds):
            about = [*shared, name, _with_contents(asdict(method)), seed]
            key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:20]
            path = folder / f"{key}.json"
            cell = _load(path)
            if cell is None:
                cell = run(
                    benchmark,
                    features,
                    encoder,
                    method,
                    seed=seed,
                    protocol=protocol,
                    progress=counter.progress,
                )
                _save(path, cell, label)
            results.setdefault(label, []).append(cell)
            counter.step()
    return results


def _with_contents(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the hash of what is in a file in place of its path."""
    files = {name: Path(arguments[name]) for name in FILE_ARGUMENTS if arguments.get(name)}
    return arguments | {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.is_file()
    }


def source_version() -> str:
    """Hash of the source that a cell depends on: encoders, personalization and evaluation."""
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for part in ("encoders", "personalization", "evaluation"):
        for path in sorted((package / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _load(path: Path) -> Cell | None:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return Cell(**{key: about[key] for key in Cell.__dataclass_fields__})
    except (OSError, ValueError, KeyError):
        # Not run yet, or cut off while it was written: it is run (again).
        return None


def _save(path: Path, cell: Cell, label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"label": label, "time": time.time(), **asdict(cell)}))


def _shown(found: Mapping[str, Sequence[Cell]], rows: Sequence[dict[str, Any]]) -> str:
    """The method whose queries are drawn: the default one where it was run, or else the best."""
    reference = reference_label(found)
    if is_default(reference):
        return reference
    return str(max(rows, key=_quality)["method"])


def _quality(row: dict[str, Any]) -> float:
    return float(row["contextual"]["mrr"] if row["contextual"] else row["generic"]["map"])


def _write_reports(document: dict[str, Any], out: Path) -> None:
    write_text(out / "results.json", json.dumps(document, indent=1) + "\n")
    text, tex = [f"# {document['study']}\n"], []
    for result in document["results"]:
        origin = result["provenance"]
        text.append(
            f"## {result['name']}\n\n{markdown(result['rows'])}\n\nValues x100, mean ± standard error over "
            f"{len(origin['seeds'])} seeds; encoder `{origin['encoder']}`, data `{origin['data']}`, version "
            f"{origin['version']}, commit `{origin['commit']}`. {split_note(origin)}\n"
        )
        pairs = paired_markdown(result["paired"])
        text.append(f"Paired over queries:\n\n{pairs}\n" if pairs else "")
        tex.append(latex(result["rows"], f"{result['name']}, {origin['encoder']}"))
    write_text(out / "tables.md", "\n".join(text))
    write_text(out / "tables.tex", "\n\n".join(tex) + "\n")
    from thisismy.evaluation.reports.plot import plot_examples

    plot_examples(document["results"], out / "examples.png")
