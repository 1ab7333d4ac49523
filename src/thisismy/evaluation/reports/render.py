"""Tables as text: for a terminal, Markdown and LaTeX, all from one result document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thisismy.evaluation.protocols.mining import STEPS as MINING_STEPS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

HEADINGS = {
    ("generic", "map"): "generic mAP",
    ("generic", "mrr"): "generic MRR",
    ("contextual", "mrr"): "contextual MRR",
    ("contextual", "r5"): "contextual R@5",
}
"""The columns of a table, in order."""

Document = Mapping[str, Any]
"""What `thisismy.evaluation.runs.evaluate` returns."""


def split_note(origin: Document) -> str:
    """Which things were learned, where photos were split again; empty where they were not."""
    about = origin.get("facts", {}).get("dealt")
    if about is None:
        return ""
    few = f", {len(about['left out'])} with too few left out" if about["left out"] else ""
    noun = "thing" if about["things"] == 1 else "things"
    return (
        f"{about['photos']} examples of each thing, split again by each seed; {about['things']} {noun}{few}"
    )


def columns(rows: Sequence[Document]) -> list[tuple[str, str]]:
    """The columns some row has values for."""
    return [(kind, name) for kind, name in HEADINGS if any(row[kind] is not None for row in rows)]


def best(rows: Sequence[Document], kind: str, name: str) -> float:
    """The highest value of a column; minus infinity for no rows."""
    return max((row[kind][name] for row in rows), default=float("-inf"))


def markdown(rows: Sequence[Document], *, intervals: bool = False) -> str:
    """A Markdown table: means with the standard error over seeds where there is one, the best in bold.

    Args:
        rows: of a result.
        intervals: add the 95 % intervals over queries.
    """
    shown = columns(rows)
    lines = [
        "| method | " + " | ".join(HEADINGS[c] for c in shown) + " |",
        "|---|" + "---:|" * len(shown),
    ]
    for row in rows:
        cells = []
        for kind, name in shown:
            text = _with_error(row, kind, name, " ± ")
            marked = len(rows) > 1 and row[kind][name] == best(rows, kind, name)
            text = f"**{text}**" if marked else text
            low, high = row["intervals"][kind][name] if intervals else (0, 0)
            cells.append(f"{text} ({low:.0f}–{high:.0f})" if intervals else text)
        lines.append(f"| {row['method']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def examples_markdown(results: Mapping[int, Sequence[Document]]) -> str:
    """Generic mAP and contextual MRR of every method by the number of examples, as a Markdown table.

    Args:
        results: number of examples -> rows, with the same methods in each.
    """
    numbers = sorted(results)
    rows = {n: {row["method"]: row for row in results[n]} for n in numbers}
    shown = [("generic", "map"), ("contextual", "mrr")]
    heads = [f"{HEADINGS[column]}, {n}" if n == numbers[0] else str(n) for column in shown for n in numbers]
    lines = ["| method | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for method in rows[numbers[0]]:
        cells = [
            _with_error(rows[n][method], kind, name, " ± ") if rows[n][method][kind] is not None else ""
            for kind, name in shown
            for n in numbers
        ]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def paired_markdown(comparisons: Sequence[Document]) -> str:
    """Paired differences as a Markdown table; empty when there is nothing to compare."""
    if not comparisons:
        return ""
    lines = ["| difference | measure | mean | 95 % interval | p |", "|---|---|---:|---:|---:|"]
    for pair in comparisons:
        low, high = pair["interval"]
        measure = HEADINGS[pair["kind"], pair["metric"]]
        lines.append(
            f"| {pair['method']} - {pair['against']} | {measure} | {pair['difference']:+.1f} "
            f"| {low:+.1f} to {high:+.1f} | {pair['p']:.4f} |"
        )
    return "\n".join(lines)


def latex(rows: Sequence[Document], caption: str) -> str:
    """A LaTeX table (booktabs): means with standard errors, the best in bold."""
    shown = columns(rows)
    lines = [
        r"\begin{table}",
        rf"\caption{{{_escape(caption)}}}",
        r"\begin{tabular}{l" + "r" * len(shown) + "}",
        r"\toprule",
        " & ".join(["method", *(HEADINGS[c] for c in shown)]) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        cells = [_escape(row["method"])]
        for kind, name in shown:
            text = _with_error(row, kind, name, r"\,$\pm$\,")
            cells.append(rf"\textbf{{{text}}}" if row[kind][name] == best(rows, kind, name) else text)
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def seeds_of(origin: Mapping[str, Any]) -> str:
    """How many seeds a result has, in words."""
    count = len(origin["seeds"])
    return f"{count} seed{'s' if count != 1 else ''}"


def rich_tables(document: Document) -> Iterator[RenderableType]:
    """What the command shows to a person: the rows, the paired comparisons, and where they come from."""
    from rich.table import Table

    rows, origin = document["rows"], document["provenance"]
    shown = columns(rows)
    title = f"{origin['benchmark']}, {origin['encoder']}, {seeds_of(origin)}"
    results = Table(title=title)
    results.add_column("method")
    for column in shown:
        results.add_column(HEADINGS[column], justify="right")
    for row in rows:
        cells = []
        for kind, name in shown:
            low, high = row["intervals"][kind][name]
            text = f"{_with_error(row, kind, name, ' ± ')} [dim]{low:.0f}-{high:.0f}[/dim]"
            cells.append(f"[bold]{text}[/bold]" if row[kind][name] == best(rows, kind, name) else text)
        results.add_row(row["method"], *cells)
    yield results
    if document["paired"]:
        pairs = Table(title="paired over queries: difference, 95 % interval, p")
        for heading in ("difference", "measure", "mean", "95 %", "p"):
            pairs.add_column(heading, justify="left" if heading in ("difference", "measure") else "right")
        for pair in document["paired"]:
            low, high = pair["interval"]
            pairs.add_row(
                f"{pair['method']} - {pair['against']}",
                HEADINGS[pair["kind"], pair["metric"]],
                f"{pair['difference']:+.1f}",
                f"{low:+.1f} to {high:+.1f}",
                f"{pair['p']:.4f}",
            )
        yield pairs
    if split_note(origin):
        yield split_note(origin)
    yield (
        f"means ± standard error over seeds, 95 % intervals over queries; data {origin['data']}, "
        f"version {origin['version']}, commit {origin['commit']}"
    )


def segmentation_markdown(rows: Sequence[Document]) -> str:
    """Overlaps and rates of segmentation as a Markdown table, with 95 % intervals over pictures."""
    limits = list(rows[0]["rates"]) if rows else []
    heads = ["overlap", *(f"> {limit}" for limit in limits)]
    lines = ["| method | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for row in rows:
        cells = [" ".join(cell) for cell in _overlap_cells(row)]
        lines.append(f"| {row['method']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def segmentation_tables(document: Document) -> Iterator[RenderableType]:
    """What the command shows to a person: overlaps, paired differences, and where they come from."""
    from rich.table import Table

    rows, origin = document["rows"], document["provenance"]
    title = (
        f"{origin['benchmark']}: {origin['pictures']} pictures asked by {origin['asked by']}, "
        f"{origin['encoder']}, {seeds_of(origin)}"
    )
    results = Table(title=title)
    results.add_column("method")
    for heading in ("overlap", *(f"> {limit}" for limit in (rows[0]["rates"] if rows else ()))):
        results.add_column(heading, justify="right")
    for row in rows:
        results.add_row(row["method"], *(f"{mean} [dim]{ends}[/dim]" for mean, ends in _overlap_cells(row)))
    yield results
    for pair in document["paired"]:
        low, high = pair["interval"]
        yield (
            f"{pair['method']} - {pair['against']}: {pair['difference']:+.1f} "
            f"({low:+.1f} to {high:+.1f}), p {pair['p']:.4f}"
        )
    yield (
        "overlap: intersection over union x100, mean ± standard error over seeds, 95 % intervals over "
        f"pictures; > t: share of pictures above it; data {origin['data']}, version {origin['version']}, "
        f"commit {origin['commit']}"
    )


def mining_table(document: Mapping[str, Any]) -> Table:
    """What the command shows to a person: precision and recall per step, in percent."""
    from rich.table import Table

    origin = document["provenance"]
    title = (
        f"{origin['benchmark']}: {origin['mentions']} mentions, {origin['visible']} of something shown; "
        f"{origin['encoder']}, shots by {origin['shots by']}"
    )
    table = Table(title=title, caption="precision / recall in percent", caption_justify="left")
    headings = ("patterns", "transcript", *MINING_STEPS)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in MINING_STEPS else "left")
    for row in document["rows"]:
        label = row["patterns"] + (f", {row['variant']}" if row["variant"] != "default" else "")
        table.add_row(label, row["transcript"], *(mining_shares(row[step]) for step in MINING_STEPS))
    return table


def mining_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table, precision / recall in percent."""
    lines = [
        "| patterns | transcript | " + " | ".join(MINING_STEPS) + " |",
        "|---|---|" + "---:|" * len(MINING_STEPS),
    ]
    for row in rows:
        label = row["patterns"] if row["variant"] == "default" else row["variant"]
        cells = " | ".join(mining_shares(row[step]) for step in MINING_STEPS)
        lines.append(f"| {label} | {row['transcript']} | {cells} |")
    return "\n".join(lines)


def mining_shares(step: Mapping[str, Any]) -> str:
    """Precision and recall of a step as "93 / 100"; a dash where there is nothing to share."""
    parts = (step["precision"], step["recall"])
    return " / ".join("-" if part is None else f"{100 * part:.0f}" for part in parts)


def _overlap_cells(row: Document) -> Iterator[tuple[str, str]]:
    """Mean with its error, and interval, of the overlap and of each rate."""
    for name, value in {"overlap": row["overlap"], **row["rates"]}.items():
        error, (low, high) = row["errors"][name], row["intervals"][name]
        yield f"{value:.1f}" + (f" ± {error:.1f}" if error else ""), f"({low:.0f}–{high:.0f})"


def _with_error(row: Document, kind: str, name: str, sign: str) -> str:
    error = row["errors"][kind][name]
    return f"{row[kind][name]:.1f}" + (f"{sign}{error:.1f}" if error else "")


def _escape(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash{}"),
        ("_", r"\_"),
        ("%", r"\%"),
        ("&", r"\&"),
        ("#", r"\#"),
    ):
        text = text.replace(plain, escaped)
    return text
