"""What a stage of the work on a media is, in which order stages come, and how one is added from outside.

A stage derives rows of one kind from a media: its shots, the vectors of its frames, its transcript. Which
stages of a media are done, and under which key, is noted beside the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from thisismy.core.errors import ThisIsMyError
from thisismy.store.catalog import FEATURES, SHOTS, TRANSCRIPT

if TYPE_CHECKING:
    from thisismy.shots import ScannedShot
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings

BUILT_IN: Mapping[str, tuple[str, ...]] = {SHOTS: (), FEATURES: (SHOTS,), TRANSCRIPT: ()}
"""The stages of this package and what each needs."""


class StageError(ThisIsMyError):
    """Stages that cannot be put in order."""


@dataclass(frozen=True)
class Media:
    """A media that stages work on.

    Attributes:
        id: its row.
        path: a file that holds it.
        kind: "video" or "photo".
        duration: seconds; 0 for a photo.
        has_sound: whether there is anything to hear.
    """

    id: int
    path: Path
    kind: str
    duration: float
    has_sound: bool = False


@dataclass(frozen=True)
class Inputs:
    """What a stage is given.

    Attributes:
        shots: whole shots in order of time with pictures of their frames, for a stage that needs "shots";
            a photo is one shot with one frame.
        tell: to be told the seconds done by a stage that works on a whole media at once.
    """

    shots: Sequence[ScannedShot]
    tell: Callable[[float], None]


class Stage(Protocol):
    """One step. It keeps nothing about a media between calls: several may be worked on at once.

    Attributes:
        name: under which it is noted as done; for good, and no other stage's.
        needs: names of the stages whose results it reads; when those are replaced, it runs again.
        side_by_side: whether its results under several keys stand beside each other. If not, a result
            replaces the one before.
    """

    name: str
    needs: tuple[str, ...]
    side_by_side: bool

    @property
    def shorter_side(self) -> int | None:
        """Pixels of the pictures it wants; None if any will do. A pass gives all stages the largest."""
        ...

    def key(self, settings: IndexSettings, media: Media) -> str | None:
        """What its result depends on beside the media; None where there is nothing to do for this media."""
        ...

    def run(self, media: Media, inputs: Inputs) -> Sequence[Any]:
        """Work, without the library: give rows in a form that `store` knows.

        A stage that needs "shots" is called with a few shots at a time; any other is called once with none.
        """
        ...

    def store(self, connection: Connection, media: Media, rows: Sequence[Any]) -> None:
        """Put all rows of a media in place of those this stage stored before; touch no other stage's.

        Args:
            connection: inside the transaction that also notes that the stage is done.
            media: whose they are; what the stage needs is stored.
            rows: what all calls of `run` gave, in order.
        """
        ...


_added: dict[str, Stage] = {}


def register(stage: Stage) -> None:
    """Have every indexing from now on, of any library, run a stage after those it needs.

    Raises:
        StageError: there is one of that name, or what it needs is not there.
    """
    if stage.name in BUILT_IN or stage.name in _added:
        raise StageError(f"there is a stage called {stage.name!r} already: give yours another name")
    check_order({**BUILT_IN, **needs_of([*_added.values(), stage])})
    _added[stage.name] = stage


def unregister(name: str) -> None:
    """Take a registered stage out again; what it stored stays."""
    _added.pop(name, None)


def registered() -> list[Stage]:
    """Stages from outside, in the order they were registered."""
    return list(_added.values())


def needs_of(stages: Sequence[Stage]) -> dict[str, tuple[str, ...]]:
    """What each stage needs, by name."""
    return {stage.name: tuple(stage.needs) for stage in stages}


def check_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Names of stages, each after those it needs.

    Raises:
        StageError: one needs a stage that is not there, or itself by way of others.
    """
    for name, wanted in needs.items():
        for other in wanted:
            if other not in needs:
                raise StageError(
                    f"the stage {name!r} needs {other!r}, which is not there: there are {', '.join(needs)}"
                )
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise StageError(f"stages need each other in a circle: {' -> '.join(error.args[1])}") from None


def dependents(name: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Stages that need another one, directly or by way of others."""
    found: set[str] = set()
    for other in check_order(needs):
        if name in needs[other] or found & set(needs[other]):
            found.add(other)
    return found
