"""What the commands that train share: options, and how they say what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import typer

from thisismy.cli.numbers import LARGEST_SEED
from thisismy.cli.output import console, print_json, say

Out = Annotated[Path, typer.Option("--out", "-o", help="The file to write.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting, such as epochs=20; may be repeated.")
]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Same seed, same result.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

NO_LOSSES = {"epoch", "learning_rate", "round"}


class Report(Protocol):
    """What every training reports."""

    @property
    def curves(self) -> Path | None:
        """PNG of the losses; None without the extra ``study``."""

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """Per epoch the losses."""

    @property
    def failed(self) -> Mapping[str, str]:
        """Pictures that could not be read, with the reason."""


def print_report(report: Report, told: str, json: bool) -> None:
    """Print a report as JSON, or for people: what was left out, what was done, the losses at the end."""
    if json:
        print_json(report)
        return
    for path, reason in report.failed.items():
        say(f"left out: {path}: {reason}")
    out = console()
    out.print(told, markup=False)
    last = report.history[-1] if report.history else {}
    losses = [f"{key} {value:.3f}" for key, value in last.items() if key not in NO_LOSSES]
    out.print(f"losses at the end: {', '.join(losses) or 'none'}", markup=False)
    if report.curves is not None:
        out.print(f"curves: {report.curves}", markup=False)
