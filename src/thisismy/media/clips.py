"""Cutting a clip out of a video: losslessly where possible, to the frame where asked."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from thisismy.errors import MediaError
from thisismy.media.audio import Sound, sound_pieces
from thisismy.media.frames import DecodedFrame, VideoStream
from thisismy.media.opening import (
    audio_stream,
    clock_start,
    display_name,
    open_container,
    video_stream,
)
from thisismy.spans import Span

_TIME_BASE = Fraction(1, 90_000)
_SOUND_RATE = 48_000
_ROUNDING = 1e-6
# Visually lossless and still small (x264's own scale, where 0 is lossless and 51 the worst).
_QUALITY = {"crf": "18", "preset": "veryfast"}


class _CannotCopyError(Exception):
    """The packets of a source do not fit into the container of the clip."""


def cut_clip(path: str | Path, span: Span, out: str | Path, *, exact: bool = False) -> Span:
    """Write a part of a video to a new file.

    Without ``exact`` the packets are copied as they are, in no time and without loss; the clip then starts at
    the last key frame at or before the span. Where the container of ``out`` cannot hold them, and with
    ``exact``, pictures are encoded anew as upright H.264 and sound as AAC, and the clip has exactly the
    frames shown in the span.

    Args:
        path: a video.
        span: what to cut, in seconds on the player's clock.
        out: the file to write; its suffix chooses the container. It appears whole or not at all, and replaces
            a file of that name.
        exact: encode anew, to start and end at the frame.

    Returns:
        What was really cut, on the clock of the source.

    Raises:
        MediaError: the video cannot be read, has no frame in the span, ``out`` is the video itself or cannot
            be written.
    """
    path, out = Path(path), Path(out)
    if span.duration <= 0:
        raise MediaError(f"{display_name(path)}: a clip from {span.start} to {span.end} s would be empty")
    if out.exists() and path.exists() and os.path.samefile(path, out):
        raise MediaError(f"{display_name(out)}: is the video itself; write the clip to another file")
    with _finished_file(out) as part:
        if not exact:
            try:
                return _copy(path, span, part)
            except _CannotCopyError:
                part.unlink(missing_ok=True)
        return _encode(path, span, part)


@contextmanager
def _finished_file(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its name when the block ends well and is removed when it does not."""
    name = display_name(out)
    if not out.suffix:
        raise MediaError(f"{name}: a clip needs a suffix such as .mp4")
    try:
        handle, part_name = tempfile.mkstemp(prefix=".clip-", suffix=out.suffix, dir=out.parent)
    except OSError as error:
        raise MediaError(f"{name}: cannot be written: {error.strerror}") from error
    os.close(handle)
    part = Path(part_name)
    try:
        yield part
        # A temporary file is private; a clip is a file like any other.
        part.chmod(0o666 & ~_umask())
        part.replace(out)
    except OSError as error:
        raise MediaError(f"{name}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _copy(path: Path, span: Span, out: Path) -> Span:
    with open_container(path) as source:
        video = video_stream(source)
        if video is None:
            raise MediaError(f"{display_name(path)}: has no picture stream")
        chosen = [s for s in (video, audio_stream(source)) if s is not None]
        offset = clock_start(source)
        try:
            source.seek(math.floor((span.start + offset) / video.time_base), stream=video)
            with av.open(str(out.absolute()), "w") as target:
                copies = {s.index: target.add_stream_from_template(s) for s in chosen}
                packets = _packets_of(source, chosen, Span(span.start + offset, span.end + offset))
                begin, end = _mux(packets, copies, target, video.index)
        except (av.error.FFmpegError, ValueError, RuntimeError) as error:
            raise _CannotCopyError from error
    return Span(max(0.0, begin - offset), max(0.0, end - offset))


def _packets_of(source: Any, streams: list[Any], wanted: Span) -> Iterator[Any]:
    """The packets of a span on the container's clock, from the first key frame on, in decoding order."""
    video = streams[0].index
    begin: float | None = None
    early: list[Any] = []
    for packet in source.demux(*streams):
        if packet.pts is None or packet.dts is None:
            continue
        time = float(packet.pts * packet.time_base)
        if packet.stream.index == video:
            if begin is None and not packet.is_keyframe:
                continue
            if float(packet.dts * packet.time_base) >= wanted.end:
                return
            if begin is None:
                begin = time
                yield packet
                yield from (p for p in early if float(p.pts * p.time_base) >= begin)
            elif time >= begin:
                # A picture shown before the key frame needs one that is not copied.
                yield packet
        elif begin is None:
            early.append(packet)
        elif begin <= time < wanted.end:
            yield packet


def _mux(packets: Iterator[Any], copies: dict[int, Any], target: Any, video: int) -> tuple[float, float]:
    """Write packets so that the first picture is at 0; give when the pictures begin and end in the source."""
    begin: float | None = None
    end = 0.0
    for packet in packets:
        time_base = packet.time_base
        if begin is None:
            begin = float(packet.pts * time_base)
        if packet.stream.index == video:
            end = max(end, float((packet.pts + (packet.duration or 0)) * time_base))
        shift = round(begin / time_base)
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = copies[packet.stream.index]
        target.mux(packet)
    if begin is None:
        raise _CannotCopyError
    return begin, max(begin, end)


def _encode(path: Path, span: Span, out: Path) -> Span:
    with VideoStream(path) as stream:
        if span.start > 0:
            stream.seek(span.start)
        frames = _shown_in(iter(stream), span)
        first = next(frames, None)
        if first is None:
            raise MediaError(f"{display_name(path)}: shows no frame from {span.start} to {span.end} s")
        begin = max(first.time, span.start)
        try:
            with av.open(str(out.absolute()), "w") as target:
                pictures = _picture_encoder(target, first, stream.frame_rate)
                sound = (
                    target.add_stream("aac", rate=_SOUND_RATE, layout="stereo") if _has_sound(path) else None
                )
                end = _encode_pictures(
                    target, pictures, itertools.chain([first], frames), Span(begin, span.end)
                )
                if sound is not None:
                    _encode_sound(path, target, sound, Span(begin, end))
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"{display_name(path)}: the clip cannot be encoded: {error}") from error
    return Span(begin, end)


def _shown_in(frames: Iterator[DecodedFrame], span: Span) -> Iterator[DecodedFrame]:
    """The frames on screen during a span: also the one that was shown before it began and still is."""
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
    if before is not None and before.time + before.duration > span.start:
        yield before


def _picture_encoder(target: Any, first: DecodedFrame, rate: Fraction | None) -> Any:
    width, height = first.size
    stream = target.add_stream("libx264", rate=rate or 25, options=dict(_QUALITY))
    # The chroma of 4:2:0 pictures needs even sides.
    stream.width, stream.height = max(2, width - width % 2), max(2, height - height % 2)
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _TIME_BASE
    return stream


def _encode_pictures(target: Any, stream: Any, frames: Iterator[DecodedFrame], span: Span) -> float:
    """Encode frames so that the span's start is at 0; give when the last one ends in the source."""
    end = span.start
    for frame in frames:
        picture = av.VideoFrame.from_ndarray(frame.rgb(), format="rgb24")
        picture = picture.reformat(stream.width, stream.height, "yuv420p")
        picture.pts = round(max(0.0, frame.time - span.start) / _TIME_BASE)
        picture.time_base = _TIME_BASE
        end = max(end, min(span.end, frame.time + frame.duration))
        target.mux(stream.encode(picture))
    target.mux(stream.encode(None))
    return end


def _has_sound(path: Path) -> bool:
    with open_container(path) as source:
        return audio_stream(source) is not None


def _encode_sound(path: Path, target: Any, stream: Any, span: Span) -> None:
    """Encode the sound of a span, beginning with its first sample."""
    pieces = sound_pieces(path, span, rate=_SOUND_RATE, layout="stereo")
    written = 0
    for block in _blocks(pieces, stream.codec_context.frame_size or 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
        frame.sample_rate = _SOUND_RATE
        frame.pts, frame.time_base = written, Fraction(1, _SOUND_RATE)
        written += len(block)
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


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
