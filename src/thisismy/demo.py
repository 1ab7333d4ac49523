"""A small library to try things on, made from photographs that installed packages ship.

Four short videos with motion, cuts, other backgrounds and subtitles, and one photo. In the first a cat and a
motorcycle are named aloud; in the others they appear again, mirrored, elsewhere, from another side, and
nobody says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.core.atomic_files import replacing, write_text
from thisismy.core.errors import MissingExtraError
from thisismy.core.progress import Progress, silent

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT, RATE = 640, 360, 25

PICTURES = {
    "astronaut": "skimage/data/astronaut.png",
    "brick": "skimage/data/brick.png",
    "cat": "skimage/data/chelsea.png",
    "coffee": "skimage/data/coffee.png",
    "coins": "skimage/data/coins.png",
    "flower": "sklearn/datasets/images/flower.jpg",
    "grass": "skimage/data/grass.png",
    "moon": "skimage/data/moon.png",
    "motorcycle left": "skimage/data/motorcycle_left.png",
    "motorcycle right": "skimage/data/motorcycle_right.png",
    "rocket": "skimage/data/rocket.jpg",
    "stars": "skimage/data/hubble_deep_field.jpg",
    "temple": "sklearn/datasets/images/china.jpg",
}
"""Where the photographs lie inside the packages scikit-image and scikit-learn."""

GREENS = ("#0a1905", "#aae66e")
"""The darkest and the brightest of grass."""


@dataclass(frozen=True)
class View:
    """What the camera sees of a picture: the middle of the view and its width, as shares of the picture."""

    x: float = 0.5
    y: float = 0.5
    share: float = 1.0


@dataclass(frozen=True)
class Scene:
    """One picture for some seconds, with the camera moving from one view to another.

    Attributes:
        picture: a key of ``PICTURES``.
        seconds: how long.
        start, end: the first and the last view.
        background: a key of ``PICTURES``; the picture then hangs small in front of it.
        mirrored: left for right.
        light: brightness; 1 leaves it alone.
        said: the subtitle.
    """

    picture: str
    seconds: float
    start: View = View()
    end: View = View()
    background: str | None = None
    mirrored: bool = False
    light: float = 1.0
    said: str = ""


VIDEOS = {
    "hello": (
        Scene(
            "coffee", 4, View(share=1.0), View(0.45, 0.5, 0.75), said="Good morning! Coffee first, always."
        ),
        Scene("cat", 5, View(share=0.95), View(0.55, 0.45, 0.75), said="And this is my cat Chelsea."),
        Scene(
            "cat", 4, View(0.55, 0.45, 0.6), View(0.5, 0.5, 0.8), said="She has been watching you all along."
        ),
        Scene(
            "motorcycle left", 5, View(share=1.0), View(0.5, 0.6, 0.8), said="This is my motorcycle Betty."
        ),
        Scene(
            "temple", 4, View(share=0.9), View(0.6, 0.5, 0.7), said="This is my favourite time of the year."
        ),
    ),
    "away": (
        Scene("temple", 5, View(0.3, 0.5, 0.7), View(0.7, 0.5, 0.7), said="We went far away this summer."),
        Scene("flower", 4, View(share=0.7), View(share=1.0), said="Everything was in bloom."),
        Scene(
            "motorcycle right", 5, View(0.4, 0.55, 0.75), View(share=1.0), light=0.85, said="We rode all day."
        ),
        Scene("rocket", 4, View(0.5, 0.6, 0.8), View(0.5, 0.4, 0.9), said="Three, two, one, and up it goes."),
    ),
    "evening": (
        Scene("stars", 4, View(share=0.6), View(0.6, 0.4, 0.8), said="Look up when the night is clear."),
        Scene("astronaut", 4, View(0.4, 0.35, 0.8), View(share=1.0), said="She has really been there."),
        Scene(
            "cat", 5, background="grass", mirrored=True, light=0.9, said="Guess who is waiting in the garden."
        ),
        Scene("moon", 3, View(share=1.0), View(0.5, 0.5, 0.7), said="Good night."),
    ),
    "table": (
        Scene("coins", 4, View(share=0.8), View(0.6, 0.6, 0.6), said="I sorted the old coins."),
        Scene("coffee", 5, background="brick", mirrored=True, light=1.1, said="Another cup, on the terrace."),
        Scene(
            "motorcycle left",
            4,
            View(0.6, 0.6, 0.6),
            View(0.5, 0.5, 0.7),
            mirrored=True,
            said="It needs oil.",
        ),
    ),
}
"""Every video by name."""

QUERIES = (
    "my cat Chelsea",
    "my cat Chelsea in green grass",
    "my motorcycle Betty",
    "a cup of coffee on a table",
    "a rocket launch",
    "a submarine under the ice",
)
"""What the demonstration asks: two things that were named, two that were not, one that is not there."""


def make_media(folder: Path, progress: Progress = silent) -> list[Path]:
    """Write the videos with their subtitles, and the photo; what is already there is kept.

    Args:
        folder: where to; made if needed.
        progress: told of each video.

    Raises:
        MissingExtraError: the package with the photographs is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for done, (name, scenes) in enumerate(VIDEOS.items()):
        progress("filming", done, len(VIDEOS))
        path = folder / f"{name}.mp4"
        if not path.exists():
            write_text(path.with_suffix(".srt"), _subtitles(scenes))
            _film(scenes, path)
        made.append(path)
    photo = folder / "garden.jpg"
    if not photo.exists():
        with replacing(photo) as part:
            _draw(Scene("cat", 0, View(0.5, 0.45, 0.7), light=1.15), 0.0).save(part, quality=90)
    progress("filming", len(VIDEOS), len(VIDEOS))
    return [*made, photo]


def _picture(name: str) -> Image.Image:
    from PIL import Image, ImageOps

    package, _, inside = PICTURES[name].partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtraError("the demonstration", "demo")
    with Image.open(Path(spec.origin).parent / inside) as image:
        # The picture of grass has no colour of its own.
        return ImageOps.colorize(image.convert("L"), *GREENS) if name == "grass" else image.convert("RGB")


def _film(scenes: tuple[Scene, ...], path: Path) -> None:
    import av

    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in _frames(scenes):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _frames(scenes: tuple[Scene, ...]) -> Iterator[NDArray[np.uint8]]:
    for scene in scenes:
        draw = _drawer(scene)
        count = round(scene.seconds * RATE)
        for number in range(count):
            yield np.asarray(draw(number / max(count - 1, 1)))


def _draw(scene: Scene, progress: float) -> Image.Image:
    return _drawer(scene)(progress)


def _drawer(scene: Scene) -> Callable[[float], Image.Image]:
    """What a scene looks like when a share of its time has passed."""
    from PIL import ImageEnhance, ImageFilter, ImageOps

    picture = _picture(scene.picture)
    if scene.mirrored:
        picture = ImageOps.mirror(picture)
    picture = ImageEnhance.Brightness(picture).enhance(scene.light)
    if scene.background is None:
        return lambda at: _through_camera(picture, scene.start, scene.end, at)
    behind = ImageOps.fit(_picture(scene.background), (WIDTH, HEIGHT)).filter(ImageFilter.GaussianBlur(2))
    small = ImageOps.contain(picture, (WIDTH * 2 // 3, HEIGHT * 3 // 4))

    def draw(at: float) -> Image.Image:
        shown = behind.copy()
        shown.paste(small, (round(20 + at * (WIDTH - small.width - 40)), (HEIGHT - small.height) // 2))
        return shown

    return draw


def _through_camera(picture: Image.Image, start: View, end: View, at: float) -> Image.Image:
    from PIL import Image

    x, y, share = (
        a + at * (b - a) for a, b in ((start.x, end.x), (start.y, end.y), (start.share, end.share))
    )
    width = share * min(picture.width, picture.height * WIDTH / HEIGHT)
    height = width * HEIGHT / WIDTH
    left = min(max(x * picture.width - width / 2, 0), picture.width - width)
    top = min(max(y * picture.height - height / 2, 0), picture.height - height)
    box = (left, top, left + width, top + height)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box)


def _subtitles(scenes: tuple[Scene, ...]) -> str:
    lines: list[str] = []
    start = 0.0
    for number, scene in enumerate(scenes, start=1):
        span = f"{_stamp(start + 0.3)} --> {_stamp(start + scene.seconds - 0.5)}"
        lines += [str(number), span, scene.said, ""]
        start += scene.seconds
    return "\n".join(lines)


def _stamp(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"00:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
