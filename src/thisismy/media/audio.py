"""Sound as speech models want it: mono, 16 kHz, on the clock of the frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from thisismy.media.opening import audio_stream, clock_start, open_container
from thisismy.spans import Span

SAMPLE_RATE = 16_000
"""Samples a second of everything this module gives."""

Sound = NDArray[np.float32]
"""Mono samples from -1 to 1, shape ``(n,)``."""

# Timestamps jitter by a packet or so; only a gap or overlap beyond this moves what follows.
_SLACK = 0.045
# Codecs need some packets before the first good one.
_RUN_UP = 1.0


def read_audio(path: str | Path, span: Span | None = None) -> Sound:
    """The sound of a file as one array; for long files use :func:`audio_blocks`.

    Args:
        path: a video or audio file.
        span: the part to read; None reads all, from time 0.

    Returns:
        Samples of which the first is at ``span.start`` (or 0); shorter than the span where the sound ends before,
        empty without sound. Silence stands where a stream starts late or packets are lost.

    Raises:
        MediaError: the file cannot be opened.
    """
    start, end = (span.start, span.end) if span is not None else (0.0, math.inf)
    pieces = list(_samples(Path(path), start, end))
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
    for piece in _samples(Path(path), 0.0, math.inf):
        waiting.append(piece)
        count += len(piece)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count // size * size
            yield from joined[:whole].reshape(-1, size)
            waiting = [joined[whole:]]
            count -= whole
    if count:
        yield np.concatenate(waiting)


def _samples(path: Path, start: float, end: float) -> Iterator[Sound]:
    """Pieces of sound without gaps, from ``start`` to ``end`` or the end of the sound."""
    position = round(start * SAMPLE_RATE)
    last = math.inf if math.isinf(end) else round(end * SAMPLE_RATE)
    with open_container(path) as container:
        stream = audio_stream(container)
        if stream is None:
            return
        if start > _RUN_UP:
            _seek(container, stream, start - _RUN_UP)
        for at, piece in _placed(container, stream):
            if at > position:
                silence = min(at, last) - position
                yield from _silence(int(silence))
                position += int(silence)
            useful = piece[max(0, position - at) : max(0, int(min(last - at, len(piece))))]
            if len(useful):
                yield useful
                position += len(useful)
            if position >= last:
                return


def _silence(count: int) -> Iterator[Sound]:
    """Zeros in pieces of at most a minute, so that a stream that starts hours late costs no memory."""
    step = 60 * SAMPLE_RATE
    for done in range(0, count, step):
        yield np.zeros(min(step, count - done), np.float32)


def _seek(container: Any, stream: Any, time: float) -> None:  # noqa: ANN401
    target = time + clock_start(container)
    try:
        container.seek(math.floor(target / stream.time_base), stream=stream)
    except (av.error.FFmpegError, OSError):
        # Without an index the sound is read from the start; what comes too early is cut off.
        return


def _placed(container: Any, stream: Any) -> Iterator[tuple[int, Sound]]:  # noqa: ANN401
    """Resampled pieces and the sample on the player's clock where each begins."""
    offset = clock_start(container)
    resampler: Any = None
    form: tuple[object, ...] = ()
    begin, given, taken = 0, 0, 0.0
    for frame in _frames(container, stream):
        time = float(frame.pts * frame.time_base) - offset if frame.pts is not None else None
        expected = begin / SAMPLE_RATE + taken
        moved = time is not None and abs(time - expected) > _SLACK
        if resampler is None or moved or form != _form(frame):
            if resampler is not None:
                yield from _pieces(resampler, None, begin + given)
            begin, given, taken = round((expected if time is None else time) * SAMPLE_RATE), 0, 0.0
            resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            form = _form(frame)
        taken += frame.samples / frame.sample_rate
        frame.pts = None
        for at, piece in _pieces(resampler, frame, begin + given):
            given += len(piece)
            yield at, piece
    if resampler is not None:
        yield from _pieces(resampler, None, begin + given)


def _form(frame: Any) -> tuple[object, ...]:  # noqa: ANN401
    return frame.format.name, frame.layout.name, frame.sample_rate


def _pieces(resampler: Any, frame: Any, at: int) -> Iterator[tuple[int, Sound]]:  # noqa: ANN401
    for out in resampler.resample(frame):
        piece = np.clip(np.nan_to_num(out.to_ndarray().reshape(-1)), -1, 1).astype(np.float32)
        yield at, piece
        at += len(piece)


def _frames(container: Any, stream: Any) -> Iterator[Any]:  # noqa: ANN401
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
