"""What a browser is shown of a video: the file itself, or pieces of it that any browser can play."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from thisismy.errors import MediaError
from thisismy.media.audio import Sound, sound_pieces
from thisismy.media.frames import DecodedFrame, VideoStream
from thisismy.media.opening import audio_stream, display_name, open_container
from thisismy.spans import Span

SEGMENT_SECONDS = 6.0
"""Length of a piece: long enough to compress well, short enough to be made while the one before plays."""

_SHORTEST = 0.5

MAX_SIDE = 540
"""Pixels of the shorter side of a piece; more could not be made in time on a small machine."""

SEGMENT_TYPE = 'video/mp4; codecs="avc1.4d401f, mp4a.40.2"'
SILENT_TYPE = 'video/mp4; codecs="avc1.4d401f"'
"""Media types of the pieces with and without sound: H.264 Main at level 3.1, AAC-LC."""

# Containers by suffix with the codecs in them that today's browsers all play.
_MP4 = frozenset({"h264", "av1", "vp9"}), frozenset({"aac", "mp3", "opus", "flac", None})
_WEBM = frozenset({"vp8", "vp9", "av1"}), frozenset({"vorbis", "opus", None})
_PLAYED = {".mp4": _MP4, ".m4v": _MP4, ".mov": _MP4, ".webm": _WEBM}
# Decoders that go by another name than their codec.
_SAME = {"mp3float": "mp3", "libdav1d": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8", "libopus": "opus"}
_PIXELS = frozenset({"yuv420p", "yuvj420p"})

_TIME_BASE = Fraction(1, 90_000)
_SOUND_RATE = 48_000
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_PICTURES = {"preset": "superfast", "crf": "23", "profile": "main", "level": "3.1", "bf": "0"}
_ROUNDING = 1e-6
_LEAST_APART = 2700
"""Ticks between two pictures of a piece: of 60 a second half are left out, which level 3.1 asks for."""


def plays_in_browsers(path: Path, video_codec: str | None, audio_codec: str | None) -> bool:
    """Whether the file itself can be given to any of today's browsers.

    Args:
        path: its suffix tells the container; 10-bit and 4:4:4 pictures are looked for in the file.
        video_codec: name as probing gives it.
        audio_codec: likewise, None without sound.
    """
    pictures, sounds = _PLAYED.get(path.suffix.lower(), (frozenset(), frozenset()))
    video_codec, audio_codec = (_SAME.get(codec or "", codec) for codec in (video_codec, audio_codec))
    if video_codec not in pictures or audio_codec not in sounds:
        return False
    return video_codec != "h264" or _pixel_format(path) in _PIXELS


def _pixel_format(path: Path) -> str | None:
    try:
        with open_container(path) as container:
            name: str | None = container.streams.video[0].codec_context.pix_fmt
            return name
    except (MediaError, IndexError):
        return None


def segments_of(duration: float) -> list[Span]:
    """The pieces of a video in order; a rest of less than half a second belongs to the piece before it."""
    count = max(1, math.ceil((duration - _SHORTEST) / SEGMENT_SECONDS))
    starts = [number * SEGMENT_SECONDS for number in range(count)]
    return [Span(start, end) for start, end in zip(starts, [*starts[1:], max(duration, 0.04)], strict=True)]


def write_segment(path: Path, span: Span, out: Path, *, sound: bool = True, side: int = MAX_SIDE) -> None:
    """Write a stretch of a video as a complete fragmented MP4 (H.264, AAC) whose own time starts at 0.

    Two stretches that follow each other, one appended to the other, play without a gap.

    Args:
        path: a video.
        span: seconds on the player's clock.
        out: the file to write, whole or not at all.
        sound: whether it has a sound track; then silence where the video has none.
        side: pixels the shorter side is reduced to.

    Raises:
        MediaError: the video cannot be read, shows no frame in the span, or ``out`` cannot be written.
    """
    with _whole(out) as part, VideoStream(path) as stream:
        if span.start > 0:
            with suppress(MediaError):  # what cannot be searched is decoded from its beginning
                stream.seek(span.start)
        frames = _shown(iter(stream), span)
        first = next(frames, None)
        if first is None:
            raise MediaError(f"{display_name(path)}: shows no frame from {span.start} to {span.end} s")
        try:
            with av.open(str(part), "w", format="mp4", options=dict(_FRAGMENTED)) as target:
                pictures = _picture_stream(target, first, stream.frame_rate, side)
                voice = target.add_stream("aac", rate=_SOUND_RATE, layout="stereo") if sound else None
                _put_pictures(target, pictures, itertools.chain([first], frames), span, side)
                if voice is not None:
                    _put_sound(target, voice, path, span)
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"{display_name(path)}: cannot be made playable: {error}") from error


def has_sound(path: Path) -> bool:
    """Whether a video has a sound track.

    Raises:
        MediaError: it cannot be opened.
    """
    with open_container(path) as source:
        return audio_stream(source) is not None


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its name when the block ends well."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".making-", dir=out.parent)
    except OSError as error:
        raise MediaError(f"{display_name(out)}: cannot be written: {error.strerror}") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise MediaError(f"{display_name(out)}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _shown(frames: Iterator[DecodedFrame], span: Span) -> Iterator[DecodedFrame]:
    """The frames on screen during a span, beginning with the one that was shown when it began."""
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
    if before is not None:
        yield before


def _picture_stream(target: Any, first: DecodedFrame, rate: Fraction | None, side: int) -> Any:
    width, height = _even(first.size, side)
    stream = target.add_stream("libx264", rate=rate or 25, options=dict(_PICTURES))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = _TIME_BASE
    return stream


def _even(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size reduced to a shorter side and to what level 3.1 allows, both sides even."""
    width, height = size
    scale = min(1.0, side / max(1, min(width, height)), 1280 / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _put_pictures(target: Any, stream: Any, frames: Iterator[DecodedFrame], span: Span, side: int) -> None:
    last = -_LEAST_APART
    for frame in frames:
        pts = round(max(0.0, frame.time - span.start) / _TIME_BASE)
        if pts < last + _LEAST_APART:
            continue
        picture = av.VideoFrame.from_ndarray(frame.rgb(side, rough=True), format="rgb24")
        picture = picture.reformat(stream.width, stream.height, "yuv420p")
        picture.pts, picture.time_base, last = pts, _TIME_BASE, pts
        target.mux(stream.encode(picture))
    target.mux(stream.encode(None))


def _put_sound(target: Any, stream: Any, path: Path, span: Span) -> None:
    size = stream.codec_context.frame_size or 1024
    written, wanted = 0, round(span.duration * _SOUND_RATE)
    pieces = sound_pieces(path, span, rate=_SOUND_RATE, layout="stereo") if has_sound(path) else iter(())
    for block in _blocks(itertools.chain(pieces, _silence()), size, wanted):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
        frame.sample_rate = _SOUND_RATE
        frame.pts, frame.time_base = written, Fraction(1, _SOUND_RATE)
        written += len(block)
        target.mux(_heard(stream.encode(frame)))
    target.mux(_heard(stream.encode(None)))


def _heard(packets: list[Any]) -> list[Any]:
    """Packets without the encoder's run-up, for which the container would move all pictures."""
    return [packet for packet in packets if packet.pts is None or packet.pts >= 0]


def _silence() -> Iterator[Sound]:
    while True:
        yield np.zeros((_SOUND_RATE, 2), np.float32)


def _blocks(pieces: Iterator[Sound], size: int, wanted: int) -> Iterator[Sound]:
    """Exactly ``wanted`` samples in blocks of one length, the last one shorter."""
    rest = np.zeros((0, 2), np.float32)
    while wanted > 0:
        while len(rest) < min(size, wanted):
            rest = np.concatenate([rest, next(pieces)])
        yield rest[: min(size, wanted)]
        rest, wanted = rest[min(size, wanted) :], wanted - size
