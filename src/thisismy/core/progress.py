"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with the name of a stage, the units done and the units in all (None: not known).

    A caller that wants to stop long work raises from here; whatever was finished before stays finished.
    """

    def __call__(self, stage: str, done: float, total: float | None, /) -> None:
        """Hear how far a stage is."""
        ...


def silent(stage: str, done: float, total: float | None, /) -> None:
    """The listener that does nothing."""
