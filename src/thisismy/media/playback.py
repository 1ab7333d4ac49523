"""What a browser is shown of a video: the file itself, or pieces of it that any browser can play."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import chain
from pathlib import Path

import av

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.encoding import (
    add_pictures,
    add_sound,
    frames_shown,
    put_pictures,
    put_sound_or_silence,
    whole_file,
)
from thisismy.media.frames import VideoStream
from thisismy.media.opening import display_name, open_container

SEGMENT_SECONDS = 6.0
"""Length of a piece: long enough to compress well, short enough to be made while the one before plays."""

_SHORTEST = 0.5

MAX_SIDE = 540
"""Pixels of the shorter side of a piece; more could not be made in time on a small machine."""

SEGMENT_TYPE = 'video/mp4; codecs="avc1.4d401f, mp4a.40.2"'
"""Media type of the pieces, which all have sound: H.264 Main at level 3.1, AAC-LC."""

# Containers by suffix with the codecs in them that today's browsers all play.
_MP4 = frozenset({"h264", "av1", "vp9"}), frozenset({"aac", "mp3", "opus", "flac", None})
_WEBM = frozenset({"vp8", "vp9", "av1"}), frozenset({"vorbis", "opus", None})
_PLAYED = {".mp4": _MP4, ".m4v": _MP4, ".mov": _MP4, ".webm": _WEBM}
# Decoders that go by another name than their codec.
_SAME = {"mp3float": "mp3", "libdav1d": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8", "libopus": "opus"}
_PIXELS = frozenset({"yuv420p", "yuvj420p"})

_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_PICTURES = {"preset": "superfast", "crf": "23", "profile": "main", "level": "3.1", "bf": "0"}
_LEAST_APART = 0.03
"""Seconds between two pictures of a piece: of 60 a second half are left out, which level 3.1 asks for."""


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
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MediaError(f"{display_name(out)}: cannot be written: {error.strerror}") from error
    with whole_file(out) as part, VideoStream(path) as stream:
        if span.start > 0:
            with suppress(MediaError):  # what cannot be searched is decoded from its beginning
                stream.seek(span.start)
        frames = frames_shown(iter(stream), span, hold=True)
        first = next(frames, None)
        if first is None:
            raise MediaError(f"{display_name(path)}: shows no frame from {span.start} to {span.end} s")
        shown = chain([first], frames)
        try:
            with av.open(str(part), "w", format="mp4", options=dict(_FRAGMENTED)) as target:
                pictures = add_pictures(target, _even(first.size, side), stream.frame_rate, _PICTURES)
                voice = add_sound(target) if sound else None
                put_pictures(target, pictures, shown, span, shorter_side=side, least_apart=_LEAST_APART)
                if voice is not None:
                    put_sound_or_silence(target, voice, path, span)
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"{display_name(path)}: cannot be made playable: {error}") from error


def _even(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size reduced to a shorter side and to what level 3.1 allows, both sides even."""
    width, height = size
    scale = min(1.0, side / max(1, min(width, height)), 1280 / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
