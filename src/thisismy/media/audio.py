"""Sound as speech models want it: mono, 16 kHz, on the clock of the frames."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from thisismy.core.span import Span
from thisismy.media.opening import audio_stream, clock_start, open_container

SAMPLE_RATE = 16_000
"""Samples a second of everything this module gives."""

Sound = NDArray[np.float32]
"""Samples from -1 to 1, shape ``(n,)``, or ``(n, channels)`` where it is said."""

# Timestamps jitter by a packet or so; only a gap or overlap beyond this moves what follows.
_SLACK = 0.045
# Codecs need some packets before the first good one.
_RUN_UP = 1.0
_SILENCE = 1 << 20


def read_audio(path: str | Path, span: Span | None = None) -> Sound:
    """The sound of a file as one array; for long files use :func:`audio_blocks`.

    Args:
        path: a video or audio file.
        span: the part to read; None reads all, from time 0.

    Returns:
        Samples of which the first is at ``span.start`` (or 0); shorter than the span where the sound ends
        before, empty without sound. Silence stands where a stream starts late or packets are lost.

    Raises:
        MediaError: the file cannot be opened.
    """
    pieces = [piece[:, 0] for piece in sound_pieces(path, span)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def audio_blocks(path: str | Path, seconds: float = 30.0) -> Iterator[Sound]:
    """The sound of a file in consecutive blocks, with flat memory.

    Args:
        path: a video or audio file.
        seconds: length of each block but the last; raising it costs memory only.

    Yields:
        Blocks that together are what :func:`read_audio` gives; none without sound.

    Raises:
        ValueError: ``seconds`` is not above 0.
        MediaError: the file cannot be opened.
    """
    if not seconds > 0:
        raise ValueError(f"blocks must be longer than 0 seconds, not {seconds}")
    size = max(1, round(seconds * SAMPLE_RATE))
    waiting: list[Sound] = []
    count = 0
    for piece in sound_pieces(path):
        waiting.append(piece[:, 0])
        count += len(piece)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count // size * size
            yield from joined[:whole].reshape(-1, size)
            waiting = [joined[whole:]]
            count -= whole
    if count:
        yield np.concatenate(waiting)


def sound_pieces(
    path: str | Path, span: Span | None = None, *, rate: int = SAMPLE_RATE, layout: str = "mono"
) -> Iterator[Sound]:
    """Pieces of sound that follow each other without gaps; the first begins at ``span.start`` (or 0).

    Args:
        path: a video or audio file.
        span: the part to read; None reads all.
        rate: samples a second.
        layout: "mono" or "stereo".

    Yields:
        Arrays of ``(n, channels)``, from -1 to 1; nothing without sound.

    Raises:
        MediaError: the file cannot be opened.
    """
    start = span.start if span is not None else 0.0
    position = round(start * rate)
    last = round(span.end * rate) if span is not None else sys.maxsize
    with open_container(Path(path)) as container:
        stream = audio_stream(container)
        if stream is None:
            return
        if start > _RUN_UP:
            _seek(container, stream, start - _RUN_UP)
        for at, piece in _placed(container, stream, rate, layout):
            silence = min(at, last) - position
            if silence > 0:
                yield from _silence(silence, piece.shape[1])
                position += silence
            useful = piece[max(0, position - at) : max(0, last - at)]
            if len(useful):
                yield useful
                position += len(useful)
            if position >= last:
                return


def _silence(count: int, channels: int) -> Iterator[Sound]:
    """Zeros in small pieces, so that a stream that starts hours late costs no memory."""
    for done in range(0, count, _SILENCE):
        yield np.zeros((min(_SILENCE, count - done), channels), np.float32)


def _seek(container: Any, stream: Any, time: float) -> None:
    target = time + clock_start(container)
    try:
        container.seek(math.floor(target / stream.time_base), stream=stream)
    except (av.error.FFmpegError, OSError):
        # Without an index the sound is read from the start; what comes too early is cut off.
        return


def _placed(container: Any, stream: Any, rate: int, layout: str) -> Iterator[tuple[int, Sound]]:
    """Resampled pieces and the sample on the player's clock where each begins."""
    offset = clock_start(container)
    resampler: Any = None
    form: tuple[object, ...] = ()
    begin, given, taken = 0, 0, 0.0
    for frame in _frames(container, stream):
        time = None if frame.time is None else frame.time - offset
        expected = begin / rate + taken
        moved = time is not None and abs(time - expected) > _SLACK
        if resampler is None or moved or form != _form(frame):
            if resampler is not None:
                yield from _pieces(resampler, None, begin + given)
            begin, given, taken = round((expected if time is None else time) * rate), 0, 0.0
            resampler = AudioResampler(format="flt", layout=layout, rate=rate)
            form = _form(frame)
        taken += frame.samples / frame.sample_rate
        frame.pts = None
        for at, piece in _pieces(resampler, frame, begin + given):
            given += len(piece)
            yield at, piece
    if resampler is not None:
        yield from _pieces(resampler, None, begin + given)


def _form(frame: Any) -> tuple[object, ...]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _pieces(resampler: Any, frame: Any, at: int) -> Iterator[tuple[int, Sound]]:
    for out in resampler.resample(frame):
        samples = out.to_ndarray().reshape(-1, len(out.layout.channels))
        piece = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32)
        yield at, piece
        at += len(piece)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            # What is lost becomes silence, because the next frame says when it is.
            continue
