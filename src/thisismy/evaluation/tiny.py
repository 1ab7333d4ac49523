"""Small benchmarks of drawn pictures, made in a moment: for trying a study out, and for CI.

Things are simple shapes in one colour, places are backgrounds; another thing stands in the same places, so
that neither thing nor place is enough. For segmentation several things stand in one picture, and their masks
are known to the pixel. It says nothing about photos.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from thisismy.evaluation.datasets.base import Benchmark, Cutout, Instance, Item, Media, generic_query
from thisismy.evaluation.datasets.photos import FORMAT

THINGS = {
    "Ruby": ("ball", "red"),
    "Emmy": ("cube", "green"),
    "Sunny": ("ball", "yellow"),
    "Sky": ("cube", "blue"),
}
PLACES = {"a white wall": "white", "a black wall": "black", "an orange wall": "orange", "a grey wall": "grey"}
SIZE = 96
SCENE = 192
"""Pixels of the sides of a composed picture."""

VIEWS = 5
"""Composed pictures, each with all things; the last two are to be segmented."""


def write(folder: Path, *, distractors: int = 12) -> Path:
    """Draw the pictures and write the benchmark's JSON file.

    Args:
        folder: made where it does not exist.
        distractors: pictures of other shapes.

    Returns:
        The JSON file, of the format ``thisismy-photos/1``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    instances, queries = [], []
    for name, (category, colour) in THINGS.items():
        photos = []
        for number, (place, background) in enumerate(PLACES.items()):
            photo = f"{name.lower()}-{number}.png"
            _draw(rng, category, colour, background).save(folder / photo)
            photos.append(photo)
            if number >= 2:
                queries.append({"instance": name, "caption": f"* in front of {place}", "target": photo})
        instances.append(
            {
                "id": name,
                "name": f"my {category} {name}",
                "category": category,
                "train": photos[:2],
                "test": photos[2:],
            }
        )
    others = [f"other-{number}.png" for number in range(distractors)]
    for photo in others:
        colour, background = rng.choice(["purple", "brown", "pink", "navy"], 2, replace=False)
        _draw(rng, "triangle", str(colour), str(background)).save(folder / photo)
    path = folder / "benchmark.json"
    data = {
        "format": FORMAT,
        "name": "tiny",
        "instances": instances,
        "queries": queries,
        "distractors": others,
    }
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path


def _draw(rng: np.random.Generator, category: str, colour: str, background: str) -> Image.Image:
    image = Image.new("RGB", (SIZE, SIZE), background)
    draw = ImageDraw.Draw(image)
    x, y = (int(v) for v in rng.integers(8, 32, 2))
    side = int(rng.integers(44, 56))
    box = (x, y, x + side, y + side)
    if category == "ball":
        draw.ellipse(box, colour)
    elif category == "cube":
        draw.rectangle(box, colour)
    else:
        draw.polygon([(x, y + side), (x + side, y + side), (x + side // 2, y)], colour)
    return image


def write_scenes(folder: Path) -> Benchmark:
    """Draw pictures with all things in each, and masks that say which pixels are whose.

    Args:
        folder: made where it does not exist; laid out as YouTube-VOS is.

    Returns:
        Cut-outs of the first pictures to learn from, and the last ones to find the things in.
    """
    rng = np.random.default_rng(1)
    items: dict[str, Item] = {}
    examples: dict[str, list[str]] = {name: [] for name in THINGS}
    targets: dict[str, list[str]] = {name: [] for name in THINGS}
    for number in range(VIEWS):
        paths = [folder / part / "drawn" for part in ("JPEGImages", "Annotations")]
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
        picture, mask = paths[0] / f"{number:05d}.jpg", paths[1] / f"{number:05d}.png"
        _compose(rng, picture, mask)
        for value, name in enumerate(THINGS, start=1):
            learned = number < VIEWS - 2
            key = f"{name}/{number:05d}"
            items[key] = Item(key, Media(picture, cutout=Cutout(mask, value)), "drawn")
            (examples if learned else targets)[name].append(key)
    return Benchmark(
        name="drawn",
        items=items,
        gallery=tuple(key for keys in targets.values() for key in keys),
        instances=tuple(
            Instance(name, f"my {kind} {name}", kind, tuple(examples[name]))
            for name, (kind, _) in THINGS.items()
        ),
        queries=tuple(generic_query(name, keys) for name, keys in targets.items()),
        source="the pictures are drawn by `--tiny`",
        shared_videos="all pictures are drawn alike",
        facts={"pictures": VIEWS, "instances": len(THINGS)},
    )


def _compose(rng: np.random.Generator, picture: Path, mask: Path) -> None:
    """All things in the four quarters of one picture, in any order, before a noisy ground."""
    noise = rng.normal(120, 12, (SCENE, SCENE, 3)).clip(0, 255).astype(np.uint8)
    image, truth = Image.fromarray(noise), Image.new("L", (SCENE, SCENE))
    quarters = rng.permutation(len(THINGS))
    for value, ((category, colour), quarter) in enumerate(
        zip(THINGS.values(), quarters, strict=True), start=1
    ):
        side = int(rng.integers(48, 64))
        x = int(quarter % 2) * SCENE // 2 + int(rng.integers(8, 24))
        y = int(quarter // 2) * SCENE // 2 + int(rng.integers(8, 24))
        for canvas, ink in ((image, colour), (truth, value)):
            shape = ImageDraw.Draw(canvas)
            mark = shape.ellipse if category == "ball" else shape.rectangle
            mark((x, y, x + side, y + side), ink)
    image.save(picture, quality=92)
    truth.save(mask)
