"""Ranges of numeric options that several commands share."""

from __future__ import annotations

import math

import typer

MOST_HITS = 10_000
"""Hits that a search gives at most; a person looks at tens, a program pages by filters."""

MOST_SECONDS = 1e7
"""Longer than any video: 115 days."""

LARGEST_SEED = 2**31 - 1
"""What every random generator takes."""


def finite(value: float | None) -> float | None:
    """Refuse what is not a number: a range lets it pass, because it is neither below nor above."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a number.")
    return value
