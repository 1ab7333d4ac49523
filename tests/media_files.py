"""Small media files with known content, written with PyAV for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE, BLACK = (200, 30, 30), (30, 170, 40), (30, 40, 200), (235, 235, 235), (0, 0, 0)
YELLOW, GREY = (220, 210, 40), (128, 128, 128)


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (160, 90), step: int = 0) -> np.ndarray:
    """A colour with a lighter quarter top left, to tell which way is up, and a small moving square."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = colour
    if colour == BLACK:
        return image
    image[: height // 2, : width // 2] = np.minimum(255, np.array(colour) + 50)
    left = step % max(1, width - 8)
    image[-6:, left : left + 8] = 255
    return image


def write_video(
    path: Path,
    shots: Sequence[tuple[tuple[int, int, int], float]] = ((RED, 2.0), (GREEN, 2.0), (BLUE, 2.0)),
    *,
    rate: int = 25,
    size: tuple[int, int] = (160, 90),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    sample_aspect: Fraction | None = None,
    sound: bool = False,
    keyframe_every: int = 250,
    times: Callable[[int], float] | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    setup: Callable[[object], None] | None = None,
) -> Path:
    """A video of plain shots, each ``(colour, seconds)``; ``times`` maps a frame's number to its own time.

    ``rotation`` is the counter-clockwise turn that a player has to apply.
    """
    with av.open(str(path), "w", options=options or {}) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "g": str(keyframe_every), "sc_threshold": "0"}
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        if setup is not None:
            setup(stream)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        voice = out.add_stream("aac", rate=16000, layout="mono") if sound else None
        number = 0
        for colour, seconds in shots:
            for _ in range(round(seconds * rate)):
                frame = av.VideoFrame.from_ndarray(picture(colour, size, number), format="rgb24")
                frame = frame.reformat(format=pixel_format)
                if times is None:
                    frame.pts, frame.time_base = number, Fraction(1, rate)
                else:
                    frame.pts, frame.time_base = round(times(number) * 1000), Fraction(1, 1000)
                out.mux(stream.encode(frame))
                number += 1
        out.mux(stream.encode(None))
        if voice is not None:
            _write_tone(out, voice, sum(seconds for _, seconds in shots))
    return path


def _write_tone(out: object, stream: object, seconds: float) -> None:
    samples = tone(seconds)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def tone(seconds: float) -> np.ndarray:
    """One click of 50 ms at the start of each second, so that a shift in time is easy to see."""
    time = np.arange(round(seconds * 16000)) / 16000
    return (0.8 * np.sin(2 * np.pi * 440 * time) * (time % 1 < 0.05)).astype(np.float32)


def write_sound(path: Path, seconds: float = 3.0) -> Path:
    with av.open(str(path), "w") as out:
        _write_tone(out, out.add_stream("aac", rate=16000, layout="mono"), seconds)
    return path


def truncate(source: Path, target: Path, share: float) -> Path:
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def write_photo(
    path: Path, *, orientation: int = 1, date: str | None = None, zone: str | None = None
) -> Path:
    """A red photo, lighter top left once upright; ``orientation`` is the EXIF value it is stored with."""
    upright = Image.fromarray(picture(RED, (80, 60)))
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    stored = upright.transpose(undo) if undo is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    if date is not None:
        folder = exif.get_ifd(0x8769)
        folder[0x9003] = date
        if zone is not None:
            folder[0x9011] = zone
    stored.save(path, exif=exif)
    return path


def mean_colour(image: np.ndarray) -> np.ndarray:
    """Mean of the lower right quarter, which holds a shot's own colour (above the moving square)."""
    height, width = image.shape[:2]
    return image[height // 2 + 1 : height * 5 // 6, width // 2 + 1 :].reshape(-1, 3).mean(0)


def is_upright(image: np.ndarray) -> bool:
    height, width = image.shape[:2]
    quarters = {
        (y, x): image[
            y * height // 2 + 2 : (y + 1) * height // 2 - 8, x * width // 2 + 2 : (x + 1) * width // 2 - 2
        ].mean()
        for y in (0, 1)
        for x in (0, 1)
    }
    return max(quarters, key=quarters.__getitem__) == (0, 0)
