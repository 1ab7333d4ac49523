"""Cutting a clip out of a video: losslessly where possible, to the frame where asked."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import av

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.encoding import (
    add_pictures,
    add_sound,
    frames_shown,
    has_sound,
    put_pictures,
    put_sound,
    whole_file,
)
from thisismy.media.frames import VideoStream
from thisismy.media.opening import (
    audio_stream,
    clock_start,
    display_name,
    open_container,
    video_stream,
)

# Visually lossless and still small (x264's own scale, where 0 is lossless and 51 the worst).
_QUALITY = {"crf": "18", "preset": "veryfast"}


class _CannotCopyError(Exception):
    """The packets of a source do not fit into the container of the clip."""


def cut_clip(path: str | Path, span: Span, out: str | Path, *, exact: bool = False) -> Span:
    """Write a part of a video to a new file.

    Without ``exact`` the packets are copied as they are, in no time and without loss; the clip then starts at
    the last key frame at or before the span. Where the container of ``out`` cannot hold them, and with
    ``exact``, pictures are encoded again as upright H.264 and sound as AAC, and the clip has exactly the
    frames shown in the span.

    Args:
        path: a video.
        span: what to cut, in seconds on the player's clock.
        out: the file to write; its suffix chooses the container. It appears whole or not at all, and replaces
            a file of that name.
        exact: encode again, to start and end at the frame.

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
    if not out.suffix:
        raise MediaError(f"{display_name(out)}: a clip needs a suffix such as .mp4")
    with whole_file(out) as part:
        if not exact:
            try:
                return _copy(path, span, part)
            except _CannotCopyError:
                part.unlink(missing_ok=True)
        return _encode(path, span, part)


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
        frames = frames_shown(iter(stream), span, hold=False)
        first = next(frames, None)
        if first is None:
            raise MediaError(f"{display_name(path)}: shows no frame from {span.start} to {span.end} s")
        begin = max(first.time, span.start)
        width, height = (max(2, side - side % 2) for side in first.size)
        try:
            with av.open(str(out.absolute()), "w") as target:
                pictures = add_pictures(target, (width, height), stream.frame_rate, _QUALITY)
                sound = add_sound(target) if has_sound(path) else None
                end = put_pictures(target, pictures, chain([first], frames), Span(begin, span.end))
                if sound is not None:
                    put_sound(target, sound, path, Span(begin, end))
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"{display_name(path)}: the clip cannot be encoded: {error}") from error
    return Span(begin, end)
