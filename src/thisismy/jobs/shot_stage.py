"""The stage that finds the shots of a media and chooses the frames that stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from thisismy.shots import DETECTORS, FixedWindows, Sampling, ShotDetector, ShotError
from thisismy.store.catalog import SHOTS
from thisismy.store.features import EncodedShot, replace_shots

if TYPE_CHECKING:
    from thisismy.jobs.stages import Inputs, Media
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings


class ShotStage:
    """Its rows are shots with the times of their frames; the scan that finds them gives the pictures."""

    name = SHOTS
    needs: tuple[str, ...] = ()
    side_by_side = False
    shorter_side: int | None = None

    def key(self, settings: IndexSettings, _media: Media) -> str:
        """The detector and the sampling."""
        sampling = f"{settings.rate:g}/s {settings.at_least}-{settings.at_most}"
        return f"{make_detector(settings).id} {sampling}"

    def run(self, _media: Media, inputs: Inputs) -> Sequence[EncodedShot]:
        """See `Stage.run`."""
        return [EncodedShot(item.shot, tuple(frame.time for frame in item.frames)) for item in inputs.shots]

    def store(self, connection: Connection, media: Media, rows: Sequence[EncodedShot]) -> None:
        """See `Stage.store`."""
        replace_shots(connection, media.id, rows)


def make_detector(settings: IndexSettings) -> ShotDetector:
    """The shot detector that a library's settings name.

    Raises:
        ShotError: there is none of that name, or the window is out of range, even if it is not used.
    """
    windows = FixedWindows(settings.window)
    if settings.detector not in DETECTORS:
        raise ShotError(f"no shot detector is called {settings.detector!r}; there are {', '.join(DETECTORS)}")
    return windows if settings.detector == "windows" else DETECTORS[settings.detector]()


def make_sampling(settings: IndexSettings) -> Sampling:
    """How many frames stand for a shot.

    Raises:
        ShotError: a value is out of range.
    """
    return Sampling(settings.rate, settings.at_least, settings.at_most)
