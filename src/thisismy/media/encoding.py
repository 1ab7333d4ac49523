"""Writing pictures and sound to a file: what clips and the pieces a browser plays have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from thisismy.core.atomic_files import replacing
from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.audio import Sound, sound_pieces
from thisismy.media.frames import DecodedFrame
from thisismy.media.opening import audio_stream, display_name, open_container

_TIME_BASE = Fraction(1, 90_000)
_SOUND_RATE = 48_000
_ROUNDING = 1e-6


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """`thisismy.core.atomic_files.replacing` with the errors of media files.

    Raises:
        MediaError: it cannot be written.
    """
    try:
        with replacing(out) as part:
            yield part
    except OSError as error:
        raise MediaError(f"{display_name(out)}: cannot be written: {error.strerror or error}") from error


def has_sound(path: Path) -> bool:
    """Whether a video has a sound track.

    Raises:
        MediaError: it cannot be opened.
    """
    with open_container(path) as source:
        return audio_stream(source) is not None


def frames_shown(frames: Iterator[DecodedFrame], span: Span, *, hold: bool) -> Iterator[DecodedFrame]:
    """The frames on screen during a span: also the one that was shown before it began and still is.

    Args:
        frames: in order, from before the span on.
        span: seconds on the player's clock.
        hold: keep a last frame on screen beyond its own duration, for a span that starts after it.
    """
    before: DecodedFrame | None = None
    for frame in frames:
        if frame.time >= span.end - _ROUNDING:
            break
        if frame.time <= span.start + _ROUNDING:
            before = frame
            continue
        if before is not None:
            yield before
            before = None
        yield frame
    if before is not None and (hold or before.time + before.duration > span.start):
        yield before


def add_pictures(
    target: Any, size: tuple[int, int], rate: Fraction | None, options: Mapping[str, str]
) -> Any:
    """An H.264 stream of an open container.

    Args:
        target: the container.
        size: width and height, both even, as the chroma of 4:2:0 pictures needs.
        rate: frames a second, if known.
        options: of x264.
    """
    stream = target.add_stream("libx264", rate=rate or 25, options=dict(options))
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _TIME_BASE
    return stream


def put_pictures(
    target: Any,
    stream: Any,
    frames: Iterator[DecodedFrame],
    span: Span,
    *,
    shorter_side: int | None = None,
    least_apart: float = 0.0,
) -> float:
    """Encode frames so that the span's start is at 0; gives when the last one ends in the source.

    Args:
        target: the container.
        stream: of `add_pictures`.
        frames: of the span, in order.
        span: seconds on the player's clock.
        shorter_side: pixels the frames are quickly reduced to; None for their full size.
        least_apart: seconds between two pictures; one that comes sooner is left out.
    """
    end, last = span.start, -least_apart
    for frame in frames:
        time = max(0.0, frame.time - span.start)
        if time < last + least_apart - _ROUNDING:
            continue
        pixels = frame.rgb() if shorter_side is None else frame.rgb(shorter_side, rough=True)
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture = picture.reformat(stream.width, stream.height, "yuv420p")
        picture.pts, picture.time_base = round(time / _TIME_BASE), _TIME_BASE
        end, last = max(end, min(span.end, frame.time + frame.duration)), time
        target.mux(stream.encode(picture))
    target.mux(stream.encode(None))
    return end


def add_sound(target: Any) -> Any:
    """A stereo AAC stream of an open container."""
    return target.add_stream("aac", rate=_SOUND_RATE, layout="stereo")


def put_sound(target: Any, stream: Any, path: Path, span: Span) -> None:
    """Encode the sound of a span, beginning with its first sample."""
    pieces = sound_pieces(path, span, rate=_SOUND_RATE, layout="stereo")
    for packets in _encoded(stream, pieces):
        target.mux(packets)


def put_sound_or_silence(target: Any, stream: Any, path: Path, span: Span) -> None:
    """Encode exactly as much sound as the span is long, silence where the video has none.

    The encoder's run-up is left out: for it the container would move all pictures.
    """
    known = sound_pieces(path, span, rate=_SOUND_RATE, layout="stereo") if has_sound(path) else iter(())
    pieces = _first(chain(known, _silence()), round(span.duration * _SOUND_RATE))
    for packets in _encoded(stream, pieces):
        target.mux([packet for packet in packets if packet.pts is None or packet.pts >= 0])


def _encoded(stream: Any, pieces: Iterator[Sound]) -> Iterator[list[Any]]:
    written = 0
    for block in _blocks(pieces, stream.codec_context.frame_size or 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
        frame.sample_rate = _SOUND_RATE
        frame.pts, frame.time_base = written, Fraction(1, _SOUND_RATE)
        written += len(block)
        yield stream.encode(frame)
    yield stream.encode(None)


def _silence() -> Iterator[Sound]:
    while True:
        yield np.zeros((_SOUND_RATE, 2), np.float32)


def _first(pieces: Iterator[Sound], count: int) -> Iterator[Sound]:
    """The first ``count`` samples."""
    while count > 0:
        piece = next(pieces)[:count]
        count -= len(piece)
        yield piece


def _blocks(pieces: Iterator[Sound], size: int) -> Iterator[Sound]:
    """Pieces of any length as blocks of one length, the last one shorter."""
    rest = np.zeros((0, 2), np.float32)
    for piece in pieces:
        rest = np.concatenate([rest, piece])
        whole = len(rest) // size * size
        yield from rest[:whole].reshape(-1, size, 2)
        rest = rest[whole:]
    if len(rest):
        yield rest
