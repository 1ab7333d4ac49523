"""Many tiny pictures of a video in a few files, for a time line that shows what is under the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.frames import Renderer, frames_at
from thisismy.media.opening import clock_start, open_container, video_stream
from thisismy.media.pictures import Picture

COLUMNS, ROWS = 10, 10
WIDTH = 160
"""Pixels; the height follows from the video."""

STRIP = 8
"""Pictures of one shot."""

STRIP_SECONDS = 8.0
"""How much of a shot they cover; decoding more would keep a gallery waiting."""

STRIP_SIDE = 180
"""Pixels of the shorter side of each."""

MOST = 600
"""Pictures of a video however long: more than the time line has pixels would only cost time."""


@dataclass(frozen=True)
class SpritePlan:
    """Where the pictures of a video are.

    Attributes:
        interval: seconds from one picture to the next.
        count: pictures in all.
        width, height: pixels of one.
    """

    interval: float
    count: int
    width: int
    height: int

    @property
    def sheets(self) -> int:
        """Files of ``COLUMNS`` x ``ROWS`` pictures."""
        return -(-self.count // (COLUMNS * ROWS))


def plan_sprites(duration: float, width: int, height: int) -> SpritePlan:
    """One picture a second, fewer of a long video.

    Args:
        duration: seconds.
        width: of the video in pixels, as displayed.
        height: likewise.
    """
    interval = max(1.0, duration / MOST)
    shown = max(16, min(WIDTH * 2, round(WIDTH * height / max(1, width))))
    return SpritePlan(interval, max(1, int(np.ceil(duration / interval))), WIDTH, shown)


def draw_sheet(path: Path, plan: SpritePlan, number: int) -> Image.Image:
    """One file of pictures; the key frame at or before each instant stands for it.

    Args:
        path: the video.
        plan: of this video.
        number: which file, from 0.

    Raises:
        ValueError: there is no such file in the plan.
        MediaError: the video cannot be read.
    """
    if not 0 <= number < plan.sheets:
        raise ValueError(f"sheet {number} of {plan.sheets}")
    first = number * COLUMNS * ROWS
    here = range(first, min(plan.count, first + COLUMNS * ROWS))
    rows = -(-len(here) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * plan.width, rows * plan.height))
    pictures = _key_pictures(path, [index * plan.interval for index in here], plan)
    for place, picture in enumerate(pictures):
        if picture is not None:
            image = Image.fromarray(picture).resize((plan.width, plan.height))
            sheet.paste(image, (place % COLUMNS * plan.width, place // COLUMNS * plan.height))
    return sheet


def draw_strip(path: Path, span: Span) -> Image.Image:
    """Eight pictures of the beginning of a shot side by side.

    Args:
        path: the video.
        span: the shot; of a long one the first seconds are shown.

    Raises:
        MediaError: the video cannot be read.
    """
    length = min(span.duration, STRIP_SECONDS)
    times = [span.start + length * (number + 0.5) / STRIP for number in range(STRIP)]
    pictures = [frame.image for frame in frames_at(path, times, STRIP_SIDE)]
    height, width = pictures[0].shape[:2]
    strip = Image.new("RGB", (STRIP * width, height))
    for number, picture in enumerate(pictures):
        strip.paste(Image.fromarray(picture), (number * width, 0))
    return strip


def _key_pictures(path: Path, times: list[float], plan: SpritePlan) -> list[Picture | None]:
    """A picture for each instant in rising order; None where nothing can be decoded."""
    found: list[Picture | None] = []
    with open_container(path) as container:
        stream = video_stream(container)
        if stream is None:
            raise MediaError(f"{path.name}: has no picture stream")
        # Decoding nothing but key frames makes a sheet of an hour as quick as one of a minute.
        stream.codec_context.skip_frame = "NONKEY"
        renderer = Renderer(stream.sample_aspect_ratio)
        start = clock_start(container)
        seen: tuple[object, Picture] | None = None
        for time in times:
            frame = _key_frame(container, stream, time + start)
            if frame is not None and (seen is None or seen[0] != frame.pts):
                seen = (frame.pts, renderer.rgb(frame, min(plan.width, plan.height)))
            found.append(seen[1] if seen else None)
    return found


def _key_frame(container: object, stream: object, time: float) -> av.VideoFrame | None:
    try:
        container.seek(int(time / stream.time_base), stream=stream)  # type: ignore[attr-defined]
        return next(container.decode(stream), None)  # type: ignore[attr-defined]
    except (av.error.FFmpegError, OSError):
        return None
