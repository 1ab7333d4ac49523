"""MRR against the number of examples an instance is learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOOKS = ("o-", "s--", "^:", "D-.")
"""Mark and dash of the first ten lines, the next ten, and so on."""


def plot_examples(results: Sequence[Mapping[str, Any]], path: Path) -> bool:
    """Draw one panel per benchmark and kind of query, one line per method, with standard errors over seeds.

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
                    lines = panels.setdefault((result["provenance"]["benchmark"], kind), {})
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
    figure = Figure(figsize=(5.5 * len(drawn), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, ((name, kind), lines) in zip(
        figure.subplots(1, len(drawn), squeeze=False)[0], drawn.items(), strict=True
    ):
        for number, (label, points) in enumerate(lines.items()):
            numbers, values, errors = zip(*sorted(points), strict=True)
            # The colours come round after ten; another mark and dash keeps such lines apart.
            look = LOOKS[number // 10 % len(LOOKS)]
            axes.errorbar(numbers, values, yerr=errors, fmt=look, capsize=3, label=label)
        axes.set_title(f"{name}, {kind} queries")
        axes.set_xlabel("examples per instance")
        axes.set_ylabel("MRR x100")
        axes.set_xticks(sorted({p[0] for points in lines.values() for p in points}))
        axes.set_ylim(0, 102)
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize="small")
    figure.savefig(path, dpi=130)
    return True
