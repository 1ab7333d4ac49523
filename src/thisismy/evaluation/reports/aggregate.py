"""From cells to the table: means, standard errors over seeds, intervals over queries, paired comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.methods import reference_label
from thisismy.evaluation.metrics.statistics import bootstrap, mean_and_error, paired
from thisismy.evaluation.protocols.retrieval import MEASURES, Cell

COLUMNS: dict[str, tuple[str, ...]] = {"generic": ("map", "mrr"), "contextual": ("mrr", "r5")}
"""The measures of a row by the kind of query, as the papers report them."""

Row = dict[str, Any]


def aggregate(benchmark: Benchmark, results: Mapping[str, Sequence[Cell]]) -> dict[str, list[Row]]:
    """Rows and paired comparisons, all values x100.

    Args:
        benchmark: what was run.
        results: label of a method -> its cells, one per seed. The default method, or else the first, is
            compared with every other.

    Returns:
        ``rows``: per method ``generic`` (``map``, ``mrr``), ``contextual`` (``mrr``, ``r5``), ``intervals``
        (95 %, over queries), ``errors`` (standard error over seeds), ``measures`` (everything that was
        measured) and ``seconds``; a kind of query the benchmark does not have is null. ``paired``:
        reference minus other, per measure.
    """
    kinds = {kind: [q.id for q in benchmark.queries if q.kind == kind] for kind in COLUMNS}
    values = {label: _values(cells, kinds) for label, cells in results.items()}
    rows = [_row(label, values[label], results[label]) for label in results]
    reference = reference_label(results)
    others = [label for label in results if label != reference]
    comparisons = [
        _pair(values, reference, other, kind, name)
        for other in others
        for kind, names in COLUMNS.items()
        if (kind, names[0]) in values[reference]
        for name in names
    ]
    return {"rows": rows, "paired": comparisons}


Values = dict[tuple[str, str], NDArray[np.float64]]
"""(kind, measure) -> ``(n_seeds, n_queries)``, NaN where a seed does not ask a query."""


def _values(cells: Sequence[Cell], kinds: Mapping[str, Sequence[str]]) -> Values:
    found = {}
    for kind, ids in kinds.items():
        asked = [q for q in ids if any(q in cell.values for cell in cells)]
        none = dict.fromkeys(MEASURES, np.nan)
        for name in MEASURES if asked else ():
            rows = [[cell.values.get(q, none)[name] for q in asked] for cell in cells]
            found[kind, name] = np.array(rows, np.float64)
    return found


def _per_query(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(n_queries,)`` means over the seeds that ask a query."""
    means: NDArray[np.float64] = np.nanmean(values, axis=0)
    return means


def _error(values: NDArray[np.float64]) -> float:
    """Standard error over the seeds that ask anything."""
    return mean_and_error([np.nanmean(row) for row in values if not np.isnan(row).all()])[1]


def _row(label: str, values: Values, cells: Sequence[Cell]) -> Row:
    row: Row = {"method": label}
    intervals: Row = {}
    errors: Row = {}
    measures: Row = {}
    for kind, names in COLUMNS.items():
        if (kind, names[0]) not in values:
            row[kind] = intervals[kind] = errors[kind] = measures[kind] = None
            continue
        measures[kind] = {name: _percent(_per_query(values[kind, name]).mean()) for name in MEASURES}
        row[kind] = {name: measures[kind][name] for name in names}
        ends = {name: bootstrap(_per_query(values[kind, name])) for name in names}
        intervals[kind] = {name: [_percent(end.low), _percent(end.high)] for name, end in ends.items()}
        errors[kind] = {name: _percent(_error(values[kind, name])) for name in names}
    learn = float(np.mean([cell.learn_seconds for cell in cells]))
    ask = float(np.mean([cell.ask_seconds for cell in cells]))
    seconds = {"learn": round(learn, 3), "ask": round(ask, 3)}
    return row | {"intervals": intervals, "errors": errors, "measures": measures, "seconds": seconds}


def _pair(values: Mapping[str, Values], first: str, second: str, kind: str, name: str) -> Row:
    found = paired(_per_query(values[first][kind, name]), _per_query(values[second][kind, name]))
    return {
        "method": first,
        "against": second,
        "kind": kind,
        "metric": name,
        "difference": _percent(found.mean),
        "interval": [_percent(found.interval.low), _percent(found.interval.high)],
        "p": round(found.p, 4),
        "queries": found.n,
    }


def _percent(value: float) -> float:
    return round(100 * float(value), 2)
