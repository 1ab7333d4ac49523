"""One pass over a video: cuts and the frames that stand for each shot, from a single decode."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thisismy.core.errors import MediaError
from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.media.frames import DecodedFrame, Frame, VideoStream
from thisismy.media.info import PHOTO_SUFFIXES
from thisismy.media.opening import display_name
from thisismy.media.photos import read_photo
from thisismy.media.pictures import is_black
from thisismy.shots.detectors.base import CutFinder, Shot, ShotDetector, ShotError

# Decoded frames held until it is known to which shot they belong; older ones are turned into small pictures,
# because a decoded frame of a large video takes tens of megabytes.
_HELD_DECODED = 4
# What stands for a shot too short for a regular candidate lies this many seconds into it where it is that
# long: a shot's very first frame is often mixed with the one before.
_EARLY = 0.25
# Frames that wait for a detector to decide are kept this many seconds apart, at one frame a second.
_LATE = 0.4
# Candidates a shot holds at least before they are thinned out, and all that wait for a slow detector.
_FEW, _MANY = 8, 128
_REPORT_EVERY = 25
_RATES = 0.001, 1000.0
_MOST_FRAMES = 1000


@dataclass(frozen=True)
class Sampling:
    """How many frames stand for a shot, and where they lie: evenly spread over it.

    Args:
        rate: frames a second, 0.001 to 1000. Raising it costs time and space and finds briefer moments.
        at_least: frames of even the shortest shot (as far as it has so many), 1 or more.
        at_most: frames of even the longest shot, from ``at_least`` to 1000; also bounds the memory of a scan.

    Raises:
        ShotError: a value is out of range.
    """

    rate: float = 1.0
    at_least: int = 1
    at_most: int = 8

    def __post_init__(self) -> None:
        if not _RATES[0] <= self.rate <= _RATES[1]:
            raise ShotError(
                f"the rate of frames must be from {_RATES[0]:g} to {_RATES[1]:g} a second, not {self.rate}"
            )
        if not 1 <= self.at_least <= self.at_most <= _MOST_FRAMES:
            raise ShotError(
                f"of each shot 1 to {_MOST_FRAMES} frames can be kept, with at_least up to at_most, "
                f"not {self.at_least} and {self.at_most}"
            )

    def count(self, seconds: float) -> int:
        """How many frames a shot of this length gets."""
        return min(self.at_most, max(self.at_least, math.floor(seconds * self.rate + 0.5)))


@dataclass(frozen=True, eq=False)
class ScannedShot:
    """A shot with the frames that stand for it.

    Attributes:
        shot: index and span.
        frames: at least one, in order, each with a time inside the span.
    """

    shot: Shot
    frames: tuple[Frame, ...]


class Scan:
    """The shots of one video or photo, found while iterating, with memory flat in the length of both.

    Iterate once. A photo is one shot at ``Span(0, 0)`` with one frame.

    Attributes:
        path: the file.
        end: where the last shot ends, in seconds; complete once the iteration has ended.
        notes: what was wrong with the file, in words; complete once the iteration has ended.
    """

    def __init__(
        self,
        path: str | Path,
        detector: ShotDetector,
        sampling: Sampling,
        shorter_side: int | None,
        progress: Progress = silent,
    ) -> None:
        self.path = Path(path)
        self.end = 0.0
        self.notes: tuple[str, ...] = ()
        self._detector = detector
        self._sampling = sampling
        self._shorter_side = shorter_side
        self._progress = progress

    def __iter__(self) -> Iterator[ScannedShot]:
        if self.path.suffix.lower() in PHOTO_SUFFIXES:
            picture = read_photo(self.path, self._shorter_side)
            yield ScannedShot(Shot(0, Span(0.0, 0.0)), (Frame(0.0, picture),))
            return
        finder = self._detector.start()
        with VideoStream(self.path) as stream:
            builder = _Builder(self._sampling, self._shorter_side)
            for count, frame in enumerate(stream):
                yield from builder.feed(frame, self._cuts(finder, frame), finder)
                if count % _REPORT_EVERY == 0:
                    self._progress("shots", frame.time, stream.duration)
            self.notes = stream.notes
            if builder.empty:
                raise MediaError(f"{display_name(self.path)}: no frame can be decoded")
            end = stream.end if stream.truncated else max(stream.end, stream.duration or 0.0)
            self.end = round(end, 6)
            yield from builder.finish(finder.finish(self.end), self.end)
        self._progress("shots", self.end, self.end)

    def _cuts(self, finder: CutFinder, frame: DecodedFrame) -> list[float]:
        size = self._detector.picture_size
        return list(finder.feed(frame.time, frame.small(*size) if size else None))


def scan_video(
    path: str | Path,
    detector: ShotDetector,
    sampling: Sampling,
    shorter_side: int | None,
    progress: Progress = silent,
) -> Scan:
    """Find the shots of a video and the frames that stand for them, in one decode.

    Args:
        path: a video or photo.
        detector: what finds the cuts.
        sampling: how many frames stand for a shot.
        shorter_side: pixels to scale the frames down to; None keeps the full size.
        progress: told the seconds scanned.

    Returns:
        An iterable that yields each shot as soon as its end is known. It raises MediaError where the file
        cannot be read at all, and MissingExtraError where a package is missing.
    """
    return Scan(path, detector, sampling, shorter_side, progress)


class _Candidate:
    """A frame that may come to stand for a shot: decoded, or already a picture."""

    def __init__(self, frame: DecodedFrame) -> None:
        self.time = frame.time
        self._damaged = frame.damaged
        self._decoded: DecodedFrame | None = frame
        self._shown: Frame | None = None

    @property
    def rendered(self) -> bool:
        return self._shown is not None

    def poor(self) -> bool:
        """Whether it is damaged or shows only black."""
        if self._damaged:
            return True
        if self._decoded is not None:
            return is_black(self._decoded.small(64, 36))
        return self._shown is not None and is_black(self._shown.image)

    def shown(self, shorter_side: int | None) -> Frame:
        if self._shown is None and self._decoded is not None:
            self._shown = Frame(self.time, self._decoded.rgb(shorter_side))
            self._decoded = None
        if self._shown is None:
            raise ShotError(f"the frame at {self.time} s is gone")
        return self._shown


class _Builder:
    """Hands frames to the shots they belong to once that is known, and closes shots at cuts."""

    def __init__(self, sampling: Sampling, shorter_side: int | None) -> None:
        self._sampling = sampling
        self._shorter_side = shorter_side
        self._pending: deque[_Candidate] = deque()
        self._pending_spacing = _LATE * min(1.0, 1 / sampling.rate) / sampling.at_least
        self._rendered_until = -math.inf
        self._index = 0
        self._sampler = _Sampler(0.0, sampling, shorter_side)
        self._latest: _Candidate | None = None

    @property
    def empty(self) -> bool:
        return self._latest is None and not self._pending

    def feed(self, frame: DecodedFrame, cuts: list[float], finder: CutFinder) -> Iterator[ScannedShot]:
        self._pending.append(_Candidate(frame))
        for cut in cuts:
            yield from self._close(cut)
        self._settle(finder.settled)
        if len(self._pending) > _HELD_DECODED:
            self._relieve()

    def finish(self, cuts: Sequence[float], end: float) -> Iterator[ScannedShot]:
        for cut in cuts:
            yield from self._close(cut)
        self._settle(math.inf)
        yield self._shot(end)

    def _close(self, cut: float) -> Iterator[ScannedShot]:
        if cut <= self._sampler.start:
            return
        self._settle(cut, including=False)
        yield self._shot(cut)
        self._sampler = _Sampler(cut, self._sampling, self._shorter_side)

    def _settle(self, time: float, including: bool = True) -> None:
        while self._pending and (
            self._pending[0].time < time or (including and self._pending[0].time == time)
        ):
            self._latest = self._pending.popleft()
            self._sampler.offer(self._latest)

    def _shot(self, end: float) -> ScannedShot:
        start = self._sampler.start
        frames = self._sampler.chosen(end)
        if not frames:
            # Nothing new was shown: what was on screen before still is.
            candidate = self._latest or self._pending[0]
            frames = (Frame(start, candidate.shown(self._shorter_side).image),)
        scanned = ScannedShot(Shot(self._index, Span(start, max(start, end))), frames)
        self._index += 1
        return scanned

    def _relieve(self) -> None:
        """Turn the oldest decoded frame into a picture, or drop it where its neighbour is close."""
        position = len(self._pending) - _HELD_DECODED - 1
        candidate = self._pending[position]
        if candidate.rendered:
            return
        if candidate.time - self._rendered_until < self._pending_spacing:
            del self._pending[position]
            return
        candidate.shown(self._shorter_side)
        self._rendered_until = candidate.time
        if len(self._pending) > _MANY:
            self._pending = deque(c for i, c in enumerate(self._pending) if not c.rendered or i % 2 == 0)
            self._pending_spacing *= 2


class _Sampler:
    """The candidates of one shot, thinned out while it lasts."""

    def __init__(self, start: float, sampling: Sampling, shorter_side: int | None) -> None:
        self.start = start
        self._sampling = sampling
        self._shorter_side = shorter_side
        self._spacing = 1 / sampling.rate
        # Until a shot has its least number of frames it may end any time.
        self._urgent = min(self._spacing, _EARLY) / sampling.at_least
        self._limit = max(_FEW, 2 * sampling.at_most)
        self._kept: list[Frame] = []
        self._next: float | None = None
        # What a shot has that ends before its first regular candidate, or shows nothing.
        self._spare: _Candidate | None = None
        self._spare_until = math.inf
        self._wait = min(self._spacing, _EARLY)

    def offer(self, candidate: _Candidate) -> None:
        if self._next is None:
            self._spare = candidate
            self._spare_until = candidate.time + min(_EARLY, self._spacing / 4)
            self._next = candidate.time + (
                self._spacing / 2 if self._sampling.at_least == 1 else self._urgent
            )
        if self._spare is not None and self._spare_until <= candidate.time < self._next:
            self._spare, self._spare_until = candidate, math.inf
        if candidate.time >= self._next:
            self._consider(candidate, self._next)

    def _consider(self, candidate: _Candidate, due: float) -> None:
        if candidate.poor():
            # Looking again soon finds the picture that follows a black beginning; looking ever later keeps
            # long black stretches cheap.
            self._next = candidate.time + self._wait
            self._wait = min(2 * self._wait, self._spacing)
            return
        self._kept.append(candidate.shown(self._shorter_side))
        urgent = len(self._kept) < self._sampling.at_least
        self._next = max(due + (self._urgent if urgent else self._spacing), candidate.time)
        # Where frames lie further apart than the grid, the first one is worth as much as the others.
        if len(self._kept) >= self._sampling.at_least and candidate.time < due + self._spacing / 4:
            self._spare = None
        if len(self._kept) > self._limit:
            self._kept = self._kept[::2]
            self._spacing *= 2

    def chosen(self, end: float) -> tuple[Frame, ...]:
        """Frames nearest to the middles of equal parts; black or damaged ones only for want of others."""
        usable = self._kept
        if self._spare is not None and (not usable or not self._spare.poor()):
            spare = self._spare.shown(self._shorter_side)
            usable = usable if any(f.time == spare.time for f in usable) else [spare, *usable]
        count = min(self._sampling.count(end - self.start), len(usable))
        picked: list[Frame] = []
        low = 0
        for part in range(count):
            middle = self.start + (part + 0.5) * (end - self.start) / count
            choices = range(low, len(usable) - (count - part) + 1)
            best = min(choices, key=lambda i: abs(usable[i].time - middle))
            picked.append(usable[best])
            low = best + 1
        return tuple(picked)
