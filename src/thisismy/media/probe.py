"""What a media file is, from its header and its first frame."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import av

from thisismy.core.errors import MediaError
from thisismy.media import colour
from thisismy.media.frames import Renderer, frame_rate_of
from thisismy.media.info import PHOTO_SUFFIXES, MediaInfo, parse_date
from thisismy.media.opening import (
    audio_stream,
    check_file,
    clock_start,
    container_duration,
    display_name,
    open_container,
    stream_end,
    video_stream,
)
from thisismy.media.photos import probe_photo

_FIRST_FRAME_PACKETS = 500
_TAGS_OF_DATE = ("com.apple.quicktime.creationdate", "creation_time", "date", "DATE_RECORDED", "ICRD")


def probe(path: str | Path) -> MediaInfo:
    """Look into a media file; a video's first frame is decoded, to know that it can be.

    Raises:
        MediaError: the file is missing, empty, unreadable or not media, or nothing of it can be decoded.
    """
    path = Path(path)
    check_file(path)
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return probe_photo(path)
    with open_container(path) as container:
        info = _probe_container(path, container)
    if info.duration <= 0 and info.kind != "photo":
        info = replace(
            info,
            duration=_duration_by_packets(path),
            notes=(*info.notes, "duration not in the header: found by reading the whole file"),
        )
    return info


def _probe_container(path: Path, container: Any) -> MediaInfo:
    video, audio = video_stream(container), audio_stream(container)
    if video is None and audio is None:
        raise MediaError(f"{display_name(path)}: holds neither pictures nor sound")
    duration = container_duration(container)
    if duration is None:
        ends = [stream_end(container, s) for s in (video, audio) if s is not None]
        duration = max((end for end in ends if end is not None), default=0.0)
    info = MediaInfo(
        path=path,
        kind="audio" if video is None else "video",
        duration=max(0.0, duration),
        width=0,
        height=0,
        frame_rate=None,
        rotation=0,
        video_codec=None,
        audio_codec=audio.codec_context.name if audio is not None else None,
        pixel_format="",
        hdr=False,
        has_audio=audio is not None,
        created=_created(container, [s for s in (video, audio) if s is not None]),
    )
    return info if video is None else _with_picture(info, container, video)


def _with_picture(info: MediaInfo, container: Any, stream: Any) -> MediaInfo:
    rate = frame_rate_of(stream)
    codec = stream.codec_context.name
    stream.thread_type = "SLICE"
    frame, damaged = _first_frame(container, stream)
    if frame is None:
        raise MediaError(f"{display_name(info.path)}: no picture of its {codec} stream can be decoded")
    renderer = Renderer(stream.sample_aspect_ratio)
    width, height = renderer.displayed_size(frame)
    notes = list(info.notes)
    if damaged:
        notes.append("the first frames are damaged")
    if len(container.streams.video) > 1:
        notes.append(f"{len(container.streams.video)} picture streams: stream {stream.index} is used")
    start = stream.start_time
    late = float(start * stream.time_base) - clock_start(container) if start is not None else 0.0
    if late > 0.5:
        notes.append(f"pictures start at {late:.1f} s")
    if frame.interlaced_frame:
        notes.append("interlaced")
    return replace(
        info,
        width=width,
        height=height,
        frame_rate=rate,
        rotation=renderer.orientation(frame).degrees,
        video_codec=codec,
        pixel_format=frame.format.name,
        hdr=frame.color_trc in (colour.PQ, colour.HLG),
        notes=tuple(notes),
    )


def _first_frame(container: Any, stream: Any) -> tuple[Any, int]:
    """The first frame that decodes, or None, and how many packets were damaged before it."""
    damaged = 0
    try:
        for count, packet in enumerate(container.demux(stream)):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                damaged += 1
                continue
            if frames:
                return frames[0], damaged
            if count >= _FIRST_FRAME_PACKETS:
                break
    except (av.error.FFmpegError, OSError):
        return None, damaged
    return None, damaged


def _duration_by_packets(path: Path) -> float:
    """The end of the last packet, in seconds, by reading the whole file without decoding it."""
    end = 0.0
    with open_container(path) as container:
        start = clock_start(container)
        streams = [s for s in (video_stream(container), audio_stream(container)) if s is not None]
        try:
            for packet in container.demux(*streams):
                if packet.pts is not None:
                    ticks = packet.pts + (packet.duration or 0)
                    end = max(end, float(ticks * packet.time_base) - start)
        except (av.error.FFmpegError, OSError):
            return end
    return end


def _created(container: Any, streams: list[Any]) -> datetime | None:
    sources = [container.metadata, *(s.metadata for s in streams)]
    for tag in _TAGS_OF_DATE:
        for metadata in sources:
            date = parse_date(metadata.get(tag, "") or metadata.get(tag.upper(), ""))
            if date is not None:
                return date
    return None
