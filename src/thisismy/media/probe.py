"""What a media file is, from its header and its first frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from thisismy.core.errors import MediaError
from thisismy.media import colour
from thisismy.media.frames import Renderer, frame_rate_of
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

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".mpg",
    ".mpeg", ".wmv", ".flv", ".ogv", ".vob", ".divx",
))
# fmt: on
PHOTO_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif"))

_FIRST_FRAME_PACKETS = 500
_TAGS_OF_DATE = ("com.apple.quicktime.creationdate", "creation_time", "date", "DATE_RECORDED", "ICRD")


@dataclass(frozen=True)
class MediaInfo:
    """What a media file is.

    Attributes:
        path: the file.
        kind: "video", "photo" or "audio".
        duration: seconds on the player's clock; 0 for a photo.
        width: pixels as displayed, after rotation and with square pixels; 0 for audio.
        height: likewise.
        frame_rate: average frames a second, None for photos and audio.
        rotation: clockwise degrees from the stored to the upright picture: 0, 90, 180 or 270.
        video_codec: name of the picture codec or photo format; None for audio.
        audio_codec: name of the sound codec, or None.
        pixel_format: how pixels are stored; "" for audio.
        hdr: whether the pictures are high dynamic range (PQ or HLG).
        has_audio: whether there is sound.
        created: when it was taken: aware when the file gives a zone, else naive; None when it does not say.
        notes: remarks on what is odd about the file.
    """

    path: Path
    kind: str
    duration: float
    width: int
    height: int
    frame_rate: Fraction | None
    rotation: int
    video_codec: str | None
    audio_codec: str | None
    pixel_format: str
    hdr: bool
    has_audio: bool
    created: datetime | None
    notes: tuple[str, ...] = ()


def is_media(path: str | Path) -> bool:
    """Whether a name looks like a video or photo, by its suffix; only of a ``.ts`` file one byte is read.

    ``.ts`` is also the suffix of TypeScript: a transport stream starts with the sync byte 0x47.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".ts":
        try:
            with path.open("rb") as handle:
                head = handle.read(189)
        except OSError:
            return False
        return head[:1] == b"\x47" and head[188:189] in (b"\x47", b"")
    return suffix in VIDEO_SUFFIXES or suffix in PHOTO_SUFFIXES


def probe(path: str | Path) -> MediaInfo:
    """Look into a media file; a video's first frame is decoded, to know that it can be.

    Raises:
        MediaError: the file is missing, empty, unreadable, no media, or nothing of it can be decoded.
    """
    path = Path(path)
    check_file(path)
    if path.suffix.lower() in PHOTO_SUFFIXES:
        from thisismy.media.photos import probe_photo

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


def parse_date(text: str) -> datetime | None:
    """A date as media files write it, ISO 8601 or with colons; None for no date and for a clock never set."""
    text = text.strip().strip("\0")
    if text[4:5] == ":" and text[7:8] == ":":
        text = f"{text[:4]}-{text[5:7]}-{text[8:]}"
    if len(text) < len("2000-01-01"):
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    # 1904 and 1970 are the zeros of the clocks that write these fields.
    return date if date.year > 1970 else None
