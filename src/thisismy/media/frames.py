"""Decoded frames with exact times, in one pass or at given instants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from thisismy.core.errors import MediaError
from thisismy.media import colour
from thisismy.media.opening import (
    clock_start,
    container_duration,
    display_name,
    open_container,
    stream_end,
    video_stream,
)
from thisismy.media.pictures import Orientation, Picture, fitted

# Where the next wanted instant is further ahead than this, seeking beats decoding through: about two groups
# of pictures of an ordinary camera or web video.
_SEEK_AHEAD = 10.0
# A timestamp that falls back by more than this is a joint of two recordings, less is a damaged timestamp.
_CLOCK_RESET = 1.0
_ROUNDING = 1e-6


class _Planar(NamedTuple):
    """How a pixel format stores one sample: its bytes, and the bits to drop to get 8."""

    bytes: int
    shift: int


_PLANAR = {
    **dict.fromkeys(
        ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12"), _Planar(1, 0)
    ),
    **dict.fromkeys(("yuv420p10le", "yuv422p10le", "yuv444p10le"), _Planar(2, 2)),
    **dict.fromkeys(("yuv420p12le", "yuv422p12le", "yuv444p12le"), _Planar(2, 4)),
    "p010le": _Planar(2, 8),
}
"""Pixel formats whose planes can be read in place."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a video and when it is shown.

    Attributes:
        time: seconds on the player's clock.
        image: upright RGB, ``(height, width, 3)``, square pixels.
    """

    time: float
    image: Picture


class Renderer:
    """Turns decoded frames of one stream into upright RGB, remembering what depends only on the format."""

    def __init__(self, sample_aspect: Fraction | None) -> None:
        ratio = float(sample_aspect) if sample_aspect else 1.0
        # Ratios beyond any real format come from damaged headers.
        self.sample_aspect = ratio if 0.1 <= ratio <= 10 else 1.0
        self._orientation: Orientation | None = None
        self._grids: dict[tuple[object, ...], tuple[NDArray[np.intp], ...]] = {}
        self._scaler = VideoReformatter()

    def orientation(self, frame: av.VideoFrame) -> Orientation:
        """How the stream's stored pixels are turned upright, as its first frame says."""
        # Asked once only: a frame whose side data were looked at is part of a reference cycle, and megabytes
        # of frames would wait for the garbage collector.
        if self._orientation is None:
            matrix = frame.side_data.get("DISPLAYMATRIX")
            # Row by row: a b u, c d v, x y w; a matrix of zeros is none.
            values = np.frombuffer(bytes(matrix or b"").ljust(36, b"\0"), np.int32)
            self._orientation = Orientation.from_matrix(*(int(values[i]) for i in (0, 1, 3, 4)))
        return self._orientation

    def displayed_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """``(width, height)`` as shown: square pixels, upright."""
        width = max(1, round(frame.width * self.sample_aspect))
        return (frame.height, width) if self.orientation(frame).transpose else (width, frame.height)

    def rgb(self, frame: av.VideoFrame, shorter_side: int | None, *, rough: bool = False) -> Picture:
        """The picture as shown, scaled down to a shorter side; ``rough`` as in `DecodedFrame.rgb`."""
        return self._scaled(frame, *fitted(*self.displayed_size(frame), shorter_side), rough)

    def small(self, frame: av.VideoFrame, width: int, height: int) -> Picture:
        """An upright picture of exactly this size, by picking pixels where the format allows it."""
        name = frame.format.name
        planar = _PLANAR.get(name)
        planes = frame.planes
        if planar is None or any(plane.line_size <= 0 for plane in planes):
            return self._scaled(frame, width, height)
        y, u, v = self._codes(planes, self._grid(frame, planes, (width, height), planar.bytes), planar)
        matrix = colour.matrix_of(frame.colorspace, frame.width, frame.height)
        to_y, v_r, u_g, v_g, u_b = colour.yuv_tables(matrix, _is_full_range(frame))
        light = to_y[y]
        out = np.empty((height, width, 3), np.int16)
        np.add(light, v_r[v], out=out[..., 0])
        np.add(light, u_g[u] + v_g[v], out=out[..., 1])
        np.add(light, u_b[u], out=out[..., 2])
        np.maximum(out, 0, out=out)
        np.minimum(out, 255, out=out)
        return out.astype(np.uint8)

    def _codes(
        self, planes: Sequence[Any], grids: Sequence[NDArray[np.intp]], planar: _Planar
    ) -> tuple[NDArray[np.integer[Any]], ...]:
        """The 8-bit luma and chroma codes at the places of a grid, each ``(height, width)``."""
        kind = np.dtype(np.uint8 if planar.bytes == 1 else np.uint16)
        stored: list[NDArray[Any]] = [np.frombuffer(plane, kind) for plane in planes]
        if len(stored) == 2:
            stored = [stored[0], stored[1], stored[1][1:]]
        codes = tuple(plane.take(grid, mode="clip") for plane, grid in zip(stored, grids, strict=True))
        if planar.shift:
            codes = tuple(np.minimum(code >> planar.shift, 255) for code in codes)
        return codes

    def _grid(
        self, frame: av.VideoFrame, planes: Sequence[Any], size: tuple[int, int], sample_bytes: int
    ) -> tuple[NDArray[np.intp], ...]:
        """Where in each plane's memory the samples of an upright picture of ``(width, height)`` lie."""
        orientation = self.orientation(frame)
        lines = tuple(plane.line_size for plane in planes)
        key = (frame.format.name, frame.width, frame.height, lines, orientation, size)
        grids = self._grids.get(key)
        if grids is None:
            luma = _plane_grid(planes[0], orientation, size, sample_bytes, 1)
            interleaved = len(planes) == 2
            chroma = [_plane_grid(p, orientation, size, sample_bytes, 1 + interleaved) for p in planes[1:]]
            grids = (luma, chroma[0], chroma[-1])
            self._grids = {key: grids}
        return grids

    def _scaled(self, frame: av.VideoFrame, width: int, height: int, rough: bool = False) -> Picture:
        orientation = self.orientation(frame)
        stored = (height, width) if orientation.transpose else (width, height)
        transfer = frame.color_trc
        hdr = transfer in (colour.PQ, colour.HLG)
        try:
            shown = self._scaler.reformat(
                frame,
                width=stored[0],
                height=stored[1],
                format="rgb48le" if hdr else "rgb24",
                src_colorspace=colour.matrix_of(frame.colorspace, frame.width, frame.height),
                src_color_range=2 if _is_full_range(frame) else 1,
                dst_color_range=2,
            )
            pixels: NDArray[Any] = shown.to_ndarray()
        except (av.error.FFmpegError, ValueError, MemoryError) as error:
            raise MediaError(
                f"a {frame.width}x{frame.height} {frame.format.name} frame cannot be shown: {error}"
            ) from error
        tone_mapped = colour.roughly_tone_mapped if rough else colour.tone_mapped
        picture = tone_mapped(pixels, transfer) if hdr else pixels
        return np.ascontiguousarray(orientation.apply(picture), dtype=np.uint8)


def _is_full_range(frame: av.VideoFrame) -> bool:
    return bool(frame.format.name.startswith("yuvj") or frame.color_range == colour.FULL_RANGE)


def _plane_grid(
    plane: Any,
    orientation: Orientation,
    size: tuple[int, int],
    sample_bytes: int,
    step: int,
) -> NDArray[np.intp]:
    columns, rows = (size[1], size[0]) if orientation.transpose else size
    y = ((np.arange(rows) + 0.5) * plane.height / rows).astype(np.intp)
    x = ((np.arange(columns) + 0.5) * plane.width / columns).astype(np.intp)
    offsets = y[:, None] * (plane.line_size // sample_bytes) + x[None, :] * step
    return np.ascontiguousarray(orientation.apply(offsets), dtype=np.intp)


class DecodedFrame:
    """A frame as the decoder left it; pictures are made only when asked for.

    Attributes:
        time: seconds on the player's clock.
        duration: seconds it is shown as the file says, else one over the frame rate.
    """

    __slots__ = ("_frame", "_renderer", "duration", "time")

    def __init__(self, time: float, duration: float, frame: av.VideoFrame, renderer: Renderer) -> None:
        self.time = time
        self.duration = duration
        self._frame = frame
        self._renderer = renderer

    @property
    def damaged(self) -> bool:
        """Whether the decoder had to make up parts of it."""
        return bool(self._frame.is_corrupt)

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` in pixels as displayed."""
        return self._renderer.displayed_size(self._frame)

    def small(self, width: int, height: int) -> Picture:
        """An upright RGB picture of exactly this size, by picking pixels: fast and rough, for detectors.

        The shape is not kept, and high dynamic range is not tone-mapped.
        """
        return self._renderer.small(self._frame, width, height)

    def rgb(self, shorter_side: int | None = None, *, rough: bool = False) -> Picture:
        """The picture as a player shows it, upright, tone-mapped, square pixels.

        Args:
            shorter_side: pixels to scale down to; None keeps the full size. Pictures are never enlarged.
            rough: high dynamic range may be off by a few codes, which is many times faster.

        Raises:
            MediaError: the pixel format cannot be converted.
        """
        return self._renderer.rgb(self._frame, shorter_side, rough=rough)


class VideoStream:
    """The decoded frames of a video's main picture stream, in the order they are shown.

    A context manager and an iterator of :class:`DecodedFrame`. Damaged packets cost their frames and are
    counted.

    Attributes:
        path: the file.
        duration: seconds announced by the container, or None where it does not say.
        announced_end: when the picture stream is announced to end, or None.
        frame_rate: average frames a second, or None where unknown.
        end: when the last frame decoded so far stops being shown, in seconds.
        damaged_packets: packets that could not be decoded so far.

    Raises:
        MediaError: (on entering) the file cannot be opened or has no picture stream.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.duration: float | None = None
        self.announced_end: float | None = None
        self.frame_rate: Fraction | None = None
        self.end = 0.0
        self.damaged_packets = 0
        self._jumps = 0
        self._broken_off = False
        self._finished = False
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._container = stack.enter_context(open_container(self.path))
            stream = video_stream(self._container)
            if stream is None:
                raise MediaError(f"{display_name(self.path)}: has no picture stream")
            stream.thread_type = "AUTO"
            self._stream = stream
            self._start = clock_start(self._container)
            self.duration = container_duration(self._container)
            self.announced_end = stream_end(self._container, stream) or self.duration
            self.frame_rate = frame_rate_of(stream)
            self._period = 1 / float(self.frame_rate) if self.frame_rate else 0.04
            self._renderer = Renderer(stream.sample_aspect_ratio)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was wrong with the stream, in words; complete once the iteration has ended."""
        notes = []
        if self.damaged_packets:
            plural = "" if self.damaged_packets == 1 else "s"
            notes.append(f"{self.damaged_packets} damaged packet{plural} skipped")
        if self._jumps:
            notes.append("the clock jumps back: times continue from there")
        if self._finished and self.truncated:
            notes.append(f"ends at {self.end:.1f} s of {self.announced_end:.1f} s announced")
        return tuple(notes)

    @property
    def truncated(self) -> bool:
        """Whether the pictures decoded so far end clearly before the announced end."""
        if self.announced_end is None:
            return self._broken_off
        return self.end < self.announced_end - max(0.5, 2 * self._period)

    def __iter__(self) -> Iterator[DecodedFrame]:
        last = -math.inf
        offset = -self._start
        tick = float(self._stream.time_base)
        for frame in self._frames():
            known = frame.time
            if known is not None:
                time = known + offset
            else:
                time = last + self._period if math.isfinite(last) else 0.0
            if time <= last:
                if time > last - _CLOCK_RESET:
                    continue
                self._jumps += 1
                offset += last + self._period - time
                time = last + self._period
            time = max(time, 0.0) if last < 0 else time
            last = time
            duration = frame.duration * tick if frame.duration else self._period
            self.end = max(self.end, time + duration)
            yield DecodedFrame(time, duration, frame, self._renderer)
        self._finished = True

    def _frames(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError):
                self._broken_off = True
                packet = None
            try:
                # No packet asks the decoder for the frames that it still holds.
                yield from self._stream.codec_context.decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.damaged_packets += 1
            if packet is None:
                return

    def seek(self, time: float) -> None:
        """Continue from the last key frame at or before ``time``; start a new iteration afterwards.

        Raises:
            MediaError: the file cannot be searched.
        """
        target = max(0.0, time) + self._start
        try:
            self._container.seek(math.floor(target / self._stream.time_base), stream=self._stream)
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{display_name(self.path)}: cannot seek to {time:.3f} s") from error


def frame_rate_of(stream: Any) -> Fraction | None:
    """The average rate of a PyAV video stream, exact, or None where nothing plausible is known."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return None


def frames_at(path: str | Path, times: Sequence[float], shorter_side: int | None = None) -> list[Frame]:
    """The frames on screen at given instants, in the order asked.

    An instant before the first frame gives the first, one after the last the last. The frame's own time is
    given.

    Args:
        path: a video.
        times: seconds on the player's clock.
        shorter_side: pixels to scale down to; None keeps the full size.

    Raises:
        MediaError: the video cannot be read or has no frame.
    """
    order = sorted(set(times))
    found: dict[float, Frame] = {}
    if not order:
        return []
    with VideoStream(path) as stream:
        decoded = iter(stream)
        current = following = _next(decoded)
        for wanted in order:
            if current is None or wanted > current.time + _SEEK_AHEAD:
                current, following, decoded = _sought(stream, wanted, current, decoded)
            while following is not None and following.time <= wanted + _ROUNDING:
                current, following = following, _next(decoded)
            if current is None:
                break
            found[wanted] = Frame(current.time, current.rgb(shorter_side))
    if not found:
        raise MediaError(f"{display_name(path)}: no frame can be decoded")
    last = found[max(found)]
    return [found.get(time, last) for time in times]


def _next(decoded: Iterator[DecodedFrame]) -> DecodedFrame | None:
    return next(decoded, None)


def _sought(
    stream: VideoStream, wanted: float, current: DecodedFrame | None, decoded: Iterator[DecodedFrame]
) -> tuple[DecodedFrame | None, DecodedFrame | None, Iterator[DecodedFrame]]:
    """The stream set on the last key frame before an instant, or further back where that shows nothing."""
    for back in (0.0, 15.0, 120.0):
        if wanted - back <= (current.time if current else 0.0):
            break
        try:
            stream.seek(wanted - back)
        except MediaError:
            break
        again = iter(stream)
        first = _next(again)
        if first is not None and first.time <= wanted + _ROUNDING:
            return first, _next(again), again
    stream.seek(0.0)
    again = iter(stream)
    first = _next(again)
    return (first, _next(again), again) if first is not None else (current, None, decoded)
