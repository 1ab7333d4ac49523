"""The pictures of a media as stages are given them: from a scan for shots, or of shots that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from thisismy.core.errors import MediaError
from thisismy.jobs.prefetch import prefetch
from thisismy.jobs.shot_stage import make_detector, make_sampling
from thisismy.jobs.threads import half_for_encoding
from thisismy.media.frames import Frame, frames_at
from thisismy.media.photos import read_photo
from thisismy.shots import ScannedShot, Shot, scan_video
from thisismy.store.features import frames_of, shots_of

if TYPE_CHECKING:
    from thisismy.jobs.stages import Media
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings

BATCH = 4
"""Frames encoded at once. On a CPU more is slower, because what is in between leaves the cache, and the last
batch is encoded when nothing is left to decode; decoding keeps even a fast GPU waiting."""


class PictureSource:
    """One pass over the shots of a media with the pictures of their frames.

    Attributes:
        empty: whether the pass gave no picture.
        notes: what was wrong with the file, in words; complete after the pass.
    """

    def __init__(self, shots: Iterable[ScannedShot], notes: Callable[[], tuple[str, ...]]) -> None:
        self._shots, self._notes = shots, notes
        self.empty = True

    @classmethod
    def scanned(cls, media: Media, settings: IndexSettings, shorter_side: int | None) -> PictureSource:
        """Of shots that are found in the same pass."""
        scan = scan_video(media.path, make_detector(settings), make_sampling(settings), shorter_side)
        return cls(scan, lambda: scan.notes)

    @classmethod
    def known(cls, connection: Connection, media: Media, shorter_side: int | None) -> PictureSource:
        """Of shots and frames that are stored; cuts are not looked for again."""
        times: dict[int, list[float]] = {}
        for frame in frames_of(connection, media.id):
            times.setdefault(frame.shot_id, []).append(frame.time)
        shots = [(shot, times.get(row, [])) for row, shot in shots_of(connection, media.id)]
        return cls(_read_again(media, shots, shorter_side), tuple)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the file."""
        return self._notes()

    @contextmanager
    def opened(self) -> Iterator[Iterator[ScannedShot]]:
        """The shots, decoded in a thread of their own while they are used."""
        with half_for_encoding(), prefetch(self._counted(), depth=4) as shots:
            yield shots

    def _counted(self) -> Iterator[ScannedShot]:
        for shot in self._shots:
            self.empty = self.empty and not shot.frames
            yield shot


def in_batches(shots: Iterable[ScannedShot]) -> Iterator[list[ScannedShot]]:
    """Whole shots, as few as have ``BATCH`` frames together."""
    waiting: list[ScannedShot] = []
    for shot in shots:
        waiting.append(shot)
        if sum(len(item.frames) for item in waiting) >= BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _read_again(
    media: Media, shots: Sequence[tuple[Shot, list[float]]], shorter_side: int | None
) -> Iterator[ScannedShot]:
    # Opening the file and finding a place in it costs more than a few pictures.
    start = 0
    while start < len(shots):
        end, count = start, 0
        while end < len(shots) and count < BATCH:
            count += len(shots[end][1])
            end += 1
        times = [time for _, taken in shots[start:end] for time in taken]
        frames = iter(_frames(media, times, shorter_side))
        for shot, taken in shots[start:end]:
            yield ScannedShot(shot, tuple(next(frames) for _ in taken))
        start = end


def _frames(media: Media, times: Sequence[float], shorter_side: int | None) -> list[Frame]:
    if media.kind == "photo":
        picture = read_photo(media.path, shorter_side)
        return [Frame(time, picture) for time in times]
    decoded = frames_at(media.path, times, shorter_side)
    if len(decoded) != len(times):
        raise MediaError(f"{len(times) - len(decoded)} frames that were read before cannot be decoded now")
    return [Frame(time, frame.image) for time, frame in zip(times, decoded, strict=True)]
