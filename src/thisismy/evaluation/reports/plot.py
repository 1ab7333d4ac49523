"""MRR against the number of examples an instance is learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from thisismy.core.atomic_files import replacing

LOOKS = ("o-", "s--", "^:", "D-.")
"""Mark and dash of the first ten lines, the next ten, and so on."""


def plot_examples(results: Sequence[Mapping[str, Any]], path: Path) -> bool:
    """Draw a row of panels per benchmark, one per kind of query, one line per method, with standard errors.

    Args:
        results: the results of a study; those that ask by text on the whole corpus count.
        path: a PNG file.

    Returns:
        Whether a plot was drawn: it takes two numbers of examples, and the extra ``study``.
    """
    panels: dict[tuple[str, str], dict[str, list[tuple[int, float, float]]]] = {}
    for result in results:
        protocol = result["provenance"]["protocol"]
        number = protocol["examples"]
        if number is None or protocol["query"] != "text" or protocol["corpus"] is not None:
            continue
        for row in result["rows"]:
            for kind in ("generic", "contextual"):
                if row[kind] is not None:
                    lines = panels.setdefault((_title(result["provenance"]), kind), {})
                    point = (number, row[kind]["mrr"], row["errors"][kind]["mrr"])
                    lines.setdefault(row["method"], []).append(point)
    drawn = {k: v for k, v in panels.items() if len({p[0] for points in v.values() for p in points}) > 1}
    if not drawn:
        return False
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        # The plot is a picture of the table; the table is complete without it.
        return False
    names = list(dict.fromkeys(name for name, _ in drawn))
    kinds = list(dict.fromkeys(kind for _, kind in drawn))
    figure = Figure(figsize=(5.5 * len(kinds) + 1.5, 4.2 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(names), len(kinds), squeeze=False)
    for place in set(product(names, kinds)) - set(drawn):
        grid[names.index(place[0])][kinds.index(place[1])].set_axis_off()
    for (name, kind), lines in drawn.items():
        axes = grid[names.index(name)][kinds.index(kind)]
        for number, (label, points) in enumerate(lines.items()):
            numbers, values, errors = zip(*sorted(points), strict=True)
            # The colours come round after ten; another mark and dash keeps such lines apart.
            look = LOOKS[number // 10 % len(LOOKS)]
            axes.errorbar(numbers, values, yerr=errors, fmt=look, capsize=3, label=label)
        axes.set_title(f"{name}: {kind} queries")
        axes.set_xlabel("examples per instance")
        axes.set_ylabel("MRR x100")
        axes.set_xticks(sorted({p[0] for points in lines.values() for p in points}))
        axes.set_ylim(0, 102)
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize="small")
    with replacing(path) as part:
        figure.savefig(part, dpi=130)
    return True


def _title(origin: Mapping[str, Any]) -> str:
    """The benchmark, and where photos were split again, how many examples of how many things."""
    about = origin.get("facts", {}).get("dealt")
    more = f", {about['photos']} examples of each of {about['things']} things" if about else ""
    return f"{origin['benchmark']}{more}"
