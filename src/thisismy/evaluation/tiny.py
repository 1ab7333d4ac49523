"""A benchmark of drawn pictures, made in a moment: for trying a study out, and for CI.

Things are simple shapes in one colour, places are backgrounds; another thing stands in the same places, so
that neither thing nor place is enough. It says nothing about photos.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from thisismy.evaluation.benchmarks.photos import FORMAT

THINGS = {
    "Ruby": ("ball", "red"),
    "Emmy": ("cube", "green"),
    "Sunny": ("ball", "yellow"),
    "Sky": ("cube", "blue"),
}
PLACES = {"a white wall": "white", "a black wall": "black", "an orange wall": "orange", "a grey wall": "grey"}
SIZE = 96


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
