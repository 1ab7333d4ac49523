"""How well a thing's pixels are found on photos: things pasted into other photos, so that the mask is known.

    python benchmarks/segmentation.py PHOTOS_DEV --out benchmarks/results/segmentation.json

The salient part of one test photo of each thing (what `localise` proposes) is cut out as an ellipse and
pasted into another photo, half as large as that. Learned from the thing's own training photos, as they are.
The mask is the ellipse, so what finds the thing in it and leaves out what is around the thing loses a little.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from saliency import salient_box

from thisismy.encoders import load_encoder
from thisismy.encoders.base import Picture
from thisismy.encoders.regions import crop
from thisismy.evaluation.datasets.base import Benchmark, Cutout, Item, Media, generic_query
from thisismy.evaluation.datasets.photos import read
from thisismy.evaluation.protocols.segmentation import evaluate_segmentation
from thisismy.media.photos import read_photo
from thisismy.personalization.registry import make_method, parse_method

SIDE = 480
"""Shorter side photos are read at."""

SHARE = 0.5
"""Longer side of a pasted thing, in shorter sides of the picture."""

METHODS = "palavra,palavra?epochs=0,pi-map,clip-visual,clip-vl,language,prototype-context,random"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="a folder of the format thisismy-photos/1")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--out", type=Path, help="JSON file")
    given = parser.parse_args()
    methods = {spec: make_method(*parse_method(spec)) for spec in given.methods.split(",")}
    with tempfile.TemporaryDirectory() as scratch:
        made = compose(read(given.photos), Path(scratch))
        document = evaluate_segmentation(
            made,
            load_encoder(given.encoder),
            methods,
            seeds=range(given.seeds),
            examples=None,
            features=Path(scratch) / "examples.safetensors",
        )
    text = json.dumps(document, indent=1) + "\n"
    if given.out is None:
        print(text)
    else:
        given.out.write_text(text, encoding="utf-8")


def compose(benchmark: Benchmark, folder: Path) -> Benchmark:
    """A picture for each thing that has a test photo, with the thing pasted into a distractor of its own."""
    draw = np.random.default_rng(0)
    shown = {key for query in benchmark.queries for key in query.relevant}
    others = [key for key in benchmark.gallery if key not in shown]
    grounds = iter(draw.permutation(others))
    items, queries = dict(benchmark.items), []
    for query in benchmark.queries:
        if query.kind != "generic":
            continue
        thing = read_photo(_path(benchmark, query.relevant[0]), SIDE)
        picture, mask = paste(thing, read_photo(_path(benchmark, next(grounds)), SIDE), draw)
        key = f"pasted/{query.instance}"
        path, truth = folder / f"{query.instance}.png", folder / f"{query.instance}-mask.png"
        Image.fromarray(picture).save(path)
        Image.fromarray(mask.astype(np.uint8)).save(truth)
        items[key] = Item(key, Media(path, cutout=Cutout(truth, 1)))
        queries.append(generic_query(query.instance, [key]))
    return replace(
        benchmark,
        name=f"{benchmark.name}-pasted",
        items=items,
        gallery=tuple(query.relevant[0] for query in queries),
        queries=tuple(queries),
        facts={"pasted": len(queries), "longer side of the thing": SHARE},
    )


def paste(thing: Picture, ground: Picture, draw: np.random.Generator) -> tuple[Picture, np.ndarray]:
    """The salient part of a picture as an ellipse somewhere in another one, and where it is."""
    box = salient_box(thing)
    part = thing if box is None else crop(thing, box)
    scale = SHARE * min(ground.shape[:2]) / max(part.shape[:2])
    size = (max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale)))
    part = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA)
    width, height = size
    top = int(draw.integers(0, ground.shape[0] - height + 1))
    left = int(draw.integers(0, ground.shape[1] - width + 1))
    ellipse = np.zeros((height, width), np.float32)
    cv2.ellipse(ellipse, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(ellipse, (0, 0), 1.5)[..., None]
    picture, mask = ground.copy(), np.zeros(ground.shape[:2], bool)
    under = picture[top : top + height, left : left + width]
    picture[top : top + height, left : left + width] = (soft * part + (1 - soft) * under).astype(np.uint8)
    mask[top : top + height, left : left + width] = ellipse > 0.5
    return picture, mask


def _path(benchmark: Benchmark, key: str) -> Path:
    media = benchmark.items[key].media
    if media is None:
        raise SystemExit(f"{key} has no file")
    return media.path


if __name__ == "__main__":
    main()
