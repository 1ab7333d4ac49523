"""Opening media containers: the right streams, one clock, and errors a person can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from thisismy.core.errors import MediaError

# A playlist or script would make the demuxer open other files, even over the network.
_INDIRECT_FORMATS = frozenset(
    {"hls", "concat", "dash", "imf", "rtp", "rtsp", "sdp", "vapoursynth", "avisynth"}
)
_INDIRECT_CODECS = frozenset({"ansi", "bintext", "xbin", "idf"})
_MICROSECONDS = 1_000_000


def display_name(path: str | os.PathLike[str]) -> str:
    """A path as text that can be printed anywhere: bytes that are not UTF-8 and line breaks are replaced."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def check_file(path: Path) -> None:
    """Refuse what cannot be a media file before any decoder sees it.

    Raises:
        MediaError: the path is missing, a folder, no regular file, empty, or may not be read.
    """
    name = display_name(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise MediaError(f"{name}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise MediaError(f"{name}: cannot be reached: {_reason(error)}") from error
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{name}: is a folder, not a video or photo")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{name}: is not a regular file")
    if status.st_size == 0:
        raise MediaError(f"{name}: the file is empty (0 bytes); copy it again from its source")
    if not os.access(path, os.R_OK):
        raise MediaError(f"{name}: may not be read; change its permissions")


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """An open PyAV input container of a local file.

    Raises:
        MediaError: the file cannot be opened as a media container.
    """
    check_file(path)
    name = display_name(path)
    with _source(path) as source:
        try:
            container = av.open(source, options={"protocol_whitelist": "file"}, metadata_errors="replace")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"{name}: {_why_not_opened(path, error)}") from error
        with container:
            if container.format.name.split(",")[0] in _INDIRECT_FORMATS:
                raise MediaError(f"{name}: is a playlist ({container.format.name}), not a media file")
            yield container


@contextmanager
def _source(path: Path) -> Iterator[Any]:
    """What to hand to the demuxer: an absolute path, or an open file where the name is not UTF-8."""
    absolute = os.path.abspath(path)
    try:
        absolute.encode("utf-8")
    except UnicodeEncodeError:
        try:
            handle = open(absolute, "rb")  # noqa: SIM115
        except OSError as error:
            raise MediaError(f"{display_name(path)}: cannot be opened: {_reason(error)}") from error
        with handle:
            yield handle
    else:
        yield absolute


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).splitlines()[0] if text else type(error).__name__


def _why_not_opened(path: Path, error: BaseException) -> str:
    with path.open("rb") as handle:
        head = handle.read(4096)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide"):
        return "the index (moov) is missing or damaged: the recording or the copy was cut short"
    printable = sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in head)
    if printable > 0.95 * len(head):
        return "is a text file, not a video"
    return f"is not a video that can be read: {_reason(error)}"


def video_stream(container: Any) -> Any | None:
    """The main picture stream of a container, or None; cover pictures do not count."""
    streams = [s for s in container.streams.video if not _is_cover(s) and s.codec_context is not None]
    streams = [s for s in streams if s.codec_context.name not in _INDIRECT_CODECS]
    if not streams:
        return None
    chosen = [s for s in streams if _is_default(s)] or streams
    return max(chosen, key=lambda s: (s.codec_context.width * s.codec_context.height, -s.index))


def audio_stream(container: Any) -> Any | None:
    """The sound stream a player would choose, or None: the one marked as default, else the first."""
    streams = [s for s in container.streams.audio if s.codec_context is not None]
    return next((s for s in streams if _is_default(s)), streams[0] if streams else None)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.default)


def clock_start(container: Any) -> float:
    """The container's own time of what a player shows as 0, in seconds."""
    return float(container.start_time or 0) / _MICROSECONDS


def container_duration(container: Any) -> float | None:
    """Seconds from the container's start to its end as the header says, or None where it does not."""
    if container.duration is None or container.duration <= 0:
        return None
    return float(container.duration) / _MICROSECONDS


def stream_end(container: Any, stream: Any) -> float | None:
    """When a stream is announced to end, in seconds on the player's clock, or None where nothing says it."""
    start = 0.0
    if stream.start_time is not None:
        start = float(stream.start_time * stream.time_base) - clock_start(container)
    if stream.duration and stream.time_base:
        return start + float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds) - clock_start(container)
    except ValueError:
        return None
