"""Tables of the documentation, generated from committed result files.

A page holds a pair of markers around each table, the first with the word ``table:`` and a name::

    <!-- table:dev/photos-dev -->
    (generated)
    <!-- /table -->

``dev/photos-dev`` is the result ``photos-dev`` in ``benchmarks/results/dev.json``;
``dev/photos-dev/paired`` are its paired comparisons, ``dev/photos-dev/palavra`` its rows whose names begin
so, ``dev/photos-dev/palavra/intervals`` these with intervals; ``examples/photos-dev-deal-3/by-examples`` puts
the results ``photos-dev-examples-1-deal-3``, ``photos-dev-examples-2-deal-3`` and so on beside each other.
A name that ends in ``?`` may not be measured yet: its place stays as it is until then.
``mining/rows`` and ``mining/variants`` are the rows of
``benchmarks/results/mining.json``, which ``thisismy evaluate mining --variants --json`` printed;
``segmentation/rows`` those of what ``thisismy evaluate segmentation --json`` prints; ``learning/rows`` and
``shots/rows`` are what ``benchmarks/learning.py`` and ``benchmarks/shots.py`` wrote. ``datasets/folders`` and
``datasets/published`` come from `thisismy.evaluation.datasets.registry`, not from a result file.

Result files keep the ids that methods had when they were written; tables show the current ones.
``python -m thisismy.evaluation.reports.docs_tables`` rewrites the pages of a checkout, with ``--check`` it
only says which are out of date.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from thisismy.core.atomic_files import write_text
from thisismy.core.errors import BenchmarkError, ThisIsMyError
from thisismy.evaluation.datasets.base import read_json
from thisismy.evaluation.datasets.registry import DATASETS, Dataset, Published
from thisismy.evaluation.methods import current_label
from thisismy.evaluation.reports.render import (
    examples_markdown,
    markdown,
    mining_markdown,
    paired_markdown,
    seeds_of,
    segmentation_markdown,
    split_note,
)

_TABLE = re.compile(r"(<!-- table:(?P<name>\S+) -->\n)(?P<body>.*?)(<!-- /table -->)", re.DOTALL)


def make_table(name: str, results: Path) -> str:
    """The text of a table.

    Args:
        name: ``FILE/RESULT``, ``FILE/RESULT/paired``, ``FILE/RESULT/BEGINNING`` (``/intervals``) or
            ``FILE/RESULT/by-examples``, or ``FILE/rows`` or ``FILE/variants`` of mining.
        results: the folder with the result files.

    Raises:
        BenchmarkError: no such file, result or row.
    """
    parts = name.split("/")
    if parts[0] == "datasets":
        return _datasets(parts[1:])
    intervals = parts[3:] == ["intervals"]
    if len(parts) not in (2, 3) and not intervals:
        raise BenchmarkError(f"a table is named FILE/RESULT, with /paired or /BEGINNING, not {name!r}")
    path = results / f"{parts[0]}.json"
    document = read_json(path)
    if parts[0] in OTHERS:
        return OTHERS[parts[0]](document, parts[1], path)
    found = {result["name"]: result for result in document["results"]}
    if parts[2:] == ["by-examples"]:
        return _by_examples(found, parts[1], path)
    if parts[1] not in found:
        raise BenchmarkError(f"{path} has no result {parts[1]!r}; it has: {', '.join(found)}")
    result = found[parts[1]]
    if parts[2:] == ["paired"]:
        return paired_markdown([_current(pair) for pair in result["paired"]])
    rows = [_current(row) for row in result["rows"] if _begins(row["method"], parts[2] if parts[2:] else "")]
    if not rows:
        raise BenchmarkError(f"{path}: no row of {parts[1]!r} begins with {parts[2]!r}")
    about = _origin(result["provenance"], path, "; 95 % intervals over queries" if intervals else "")
    return f"{markdown(rows, intervals=intervals)}\n\n{about}"


def _current(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row or a pair with the current ids of its methods."""
    named = {key: current_label(row[key]) for key in ("method", "against") if key in row}
    return {**row, **named}


def _begins(label: str, beginning: str) -> bool:
    """Whether a row's label begins so, under its old or its current id."""
    return label.startswith(beginning) or current_label(label).startswith(beginning)


def _by_examples(found: Mapping[str, Mapping[str, Any]], name: str, path: Path) -> str:
    """Results that differ in the number of examples alone, beside each other."""
    alike = {
        result["provenance"]["protocol"]["examples"]: result
        for key, result in found.items()
        if re.sub(r"-examples-\d+", "", key) == name != key
    }
    if not alike:
        raise BenchmarkError(f"{path} has no results {name!r} with numbers of examples")
    about = _origin(next(iter(alike.values()))["provenance"], path)
    rows = {n: [_current(row) for row in result["rows"]] for n, result in alike.items()}
    return f"{examples_markdown(rows)}\n\n{about}"


def _origin(origin: Mapping[str, Any], path: Path, more: str = "") -> str:
    split = split_note(origin)
    return (
        f"x100, mean ± standard error over {seeds_of(origin)}"
        f"{f' ({split})' if split else ''}{more}; "
        f"encoder `{origin['encoder']}`, data `{origin['data']}`, from `benchmarks/results/{path.name}`."
    )


def _mining(document: Mapping[str, Any], part: str, path: Path) -> str:
    """The rows of mining with its own settings, or those with other settings."""
    if part not in ("rows", "variants"):
        raise BenchmarkError(f"{path} has no result {part!r}; it has: rows, variants")
    wanted = [row for row in document["rows"] if (row["variant"] == "default") == (part == "rows")]
    origin = document["provenance"]
    return (
        f"{mining_markdown(wanted)}\n\n"
        f"Precision / recall in percent: {origin['videos']} videos, {origin['mentions']} mentions, "
        f"{origin['visible']} of something shown; encoder `{origin['encoder']}`, shots by "
        f"`{origin['shots by']}`, from `benchmarks/results/{path.name}`."
    )


LEARNED = {
    ("embedded", "default"): "embedded encoder, `prototype-context`",
    ("embedded", "meta-tokens"): "embedded encoder, `meta-tokens`",
    ("embedded", "paper"): "embedded encoder, `meta-tokens` as printed",
    ("clip-b16-random", "paper"): "text tower of CLIP B/16 (random weights), as printed",
}
"""What is timed, and its name in the table."""


def _learning(document: Mapping[str, Any], part: str, path: Path) -> str:
    """Seconds of learning 15 instances."""
    lines = ["| 15 things from 105 shots | seconds of the processor |", "|---|---:|"]
    for (encoder, method), label in LEARNED.items():
        lines.append(f"| {label} | {document[encoder][method]['cpu_seconds']:.1f} |")
    machine = document["machine"]
    return (
        "\n".join(lines)
        + f"\n\nTorch {machine['torch']} with {machine['threads']} thread(s), while other work "
        f"kept {machine['cores']} cores at a load of {machine['load']:.0f}; from "
        f"`benchmarks/results/{path.name}`."
    )


def _segmentation(document: Mapping[str, Any], part: str, path: Path) -> str:
    """Pixels found of things, by method."""
    origin = document["provenance"]
    return (
        f"{segmentation_markdown([_current(row) for row in document['rows']])}\n\n"
        f"Intersection over union x100 of {origin['pictures']} masks asked by {origin['asked by']} "
        f"(95 % intervals over masks, ± standard error over {seeds_of(origin)}), and the share of "
        f"masks above thresholds; encoder `{origin['encoder']}`, data `{origin['data']}`, from "
        f"`benchmarks/results/{path.name}`."
    )


def _shots(document: Mapping[str, Any], part: str, path: Path) -> str:
    """Cuts found, by detector."""
    kinds = list(next(iter(document.values()))["found"])
    lines = [
        f"| detector | P | R | F1 | {' | '.join(f'{kind}s' for kind in kinds)} | scan / decoding |",
        "|---" * (5 + len(kinds)) + "|",
    ]
    for name, row in document.items():
        scores = " | ".join(f"{row['all'][measure]:.3f}" for measure in ("P", "R", "F1"))
        found = " | ".join(row["found"][kind] for kind in kinds)
        lines.append(f"| {name} | {scores} | {found} | {row['CPU of a scan over bare decode']:.2f} |")
    return "\n".join(lines) + f"\n\nFrom `benchmarks/results/{path.name}`."


def _datasets(parts: Sequence[str]) -> str:
    """What the datasets are and need, or what others printed on them."""
    if list(parts) == ["folders"]:
        lines = ["| `thisismy evaluate` | what it is | what its folder must hold |", "|---|---|---|"]
        lines += [
            f"| `{dataset.name}` | {dataset.about} | {dataset.needs} |" for dataset in DATASETS.values()
        ]
        return "\n".join(lines)
    if list(parts) == ["published"]:
        heads = ("generic mAP", "generic MRR", "contextual MRR", "contextual R@5")
        lines = [f"| dataset | method | {' | '.join(heads)} | from |", "|---|---|---:|---:|---:|---:|---|"]
        lines += [_published(dataset, row) for dataset in DATASETS.values() for row in dataset.published]
        return "\n".join(lines)
    raise BenchmarkError(f"there is no table datasets/{'/'.join(parts)}; there are: folders, published")


def _published(dataset: Dataset, row: Published) -> str:
    values = (row.generic_map, row.generic_mrr, row.contextual_mrr, row.contextual_r5)
    cells = " | ".join("" if value is None else f"{value:.1f}" for value in values)
    return f"| `{dataset.name}` | {row.method} | {cells} | {row.source} |"


OTHERS: Mapping[str, Callable[[Mapping[str, Any], str, Path], str]] = {
    "mining": _mining,
    "segmentation": _segmentation,
    "learning": _learning,
    "shots": _shots,
}
"""Result files, by name, that are not studies, and what makes a table of each."""


def refreshed(page: str, results: Path) -> str:
    """A page with every table generated again; everything else stays.

    Raises:
        BenchmarkError: a table names what is not there.
    """

    def filled(found: re.Match[str]) -> str:
        name = found["name"].removesuffix("?")
        try:
            return f"{found[1]}{make_table(name, results)}\n{found[4]}"
        except BenchmarkError:
            if name == found["name"]:
                raise
            return found[0]

    return _TABLE.sub(filled, page)


def pages(root: Path) -> list[Path]:
    """The pages of a checkout that can hold tables."""
    return [path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.is_file()]


def stale_pages(root: Path) -> dict[Path, str]:
    """Pages whose tables differ from the result files, with what they should be.

    Raises:
        BenchmarkError: a table names what is not there.
    """
    found = {}
    for path in pages(root):
        old = path.read_text(encoding="utf-8")
        new = refreshed(old, root / "benchmarks" / "results")
        if new != old:
            found[path] = new
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the pages, or with ``--check`` say which are out of date; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m thisismy.evaluation.reports.docs_tables", description="Tables of the docs."
    )
    parser.add_argument("root", nargs="?", type=Path, default=Path(), help="the checkout")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when a page is out of date"
    )
    options = parser.parse_args(arguments)
    try:
        found = stale_pages(options.root)
    except ThisIsMyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path, text in found.items():
        sys.stderr.write(f"{path} {'is out of date' if options.check else 'updated'}\n")
        if not options.check:
            write_text(path, text)
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
