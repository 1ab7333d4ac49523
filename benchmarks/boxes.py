"""What a box around a small thing is worth: things pasted small into other photos, so that the box is known.

    python benchmarks/boxes.py PHOTOS_DEV --out benchmarks/results/boxes.json

The salient part of each photo (what `localise` proposes) is cut out as an ellipse with soft edges, shrunk,
and pasted into a distractor of its own. Learned from the pasted training photos, in every way of using the
box; looked for among pasted test photos ("small") and the original ones ("large"). The last part uses the
salient box of the original training photos: what a box around a thing that fills the picture does.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from saliency import salient_box

from thisismy.core.box import Box
from thisismy.encoders import load_encoder
from thisismy.encoders.base import Encoder, Features, Picture, encode_block, unit
from thisismy.encoders.regions import crop
from thisismy.encoders.space import Block, join_blocks
from thisismy.evaluation.datasets.base import Benchmark
from thisismy.evaluation.datasets.photos import read
from thisismy.evaluation.metrics.ranking import metric, rank
from thisismy.evaluation.protocols.provenance import commit
from thisismy.media.photos import read_photo
from thisismy.personalization import NamedInstance, make_method
from thisismy.personalization.base import GENERIC_PROMPT
from thisismy.personalization.boxes import encircled

NEGATIVES = 142
"""Distractors that neither hold a pasted thing nor are ranked: what a method is told is something else."""

SIDE = 520
"""Shorter side photos are read at: twice what the embedded encoder looks at."""

LOOSE = 0.15
"""How far off a side of a loosely drawn box is, at most, in sides of the box."""

METHODS = ("prototype-context", "clip-visual", "pi-map")


@dataclass(frozen=True)
class Pasted:
    """A picture and where its thing is."""

    picture: Picture
    box: Box


def grown(picture: Picture, box: Box, margin: float) -> Box:
    """A box with a share of its sides added all around, within the picture."""
    height, width = picture.shape[:2]
    across, down = margin * (box.right - box.left), margin * (box.bottom - box.top)
    return Box(
        max(box.left - across, 0),
        max(box.top - down, 0),
        min(box.right + across, width),
        min(box.bottom + down, height),
    )


def loose(box: Box, error: float) -> Box:
    """A box as a hand draws it: each side is off by up to a share of the box's size, the same each time."""
    random = np.random.default_rng(round(1000 * (box.left + box.top)))
    off = random.uniform(-error, error, 4)
    width, height = box.right - box.left, box.bottom - box.top
    return Box(
        box.left + off[0] * width,
        box.top + off[1] * height,
        box.right + off[2] * width,
        box.bottom + off[3] * height,
    )


Way = Callable[[Encoder, Sequence[Pasted]], Features]


def seen(draw: Callable[[Pasted], Picture]) -> Way:
    """The features of what is drawn."""
    return lambda encoder, items: encoder.encode_images([draw(item) for item in items])


def both(first: Way, second: Way) -> Way:
    """Unit sums of two ways."""
    return lambda encoder, items: unit(first(encoder, items) + second(encoder, items))


WHOLE = seen(lambda item: item.picture)
ELLIPSE = seen(lambda item: encircled(item.picture, item.box))
CROP = seen(lambda item: crop(item.picture, item.box))


def crop_with_margin(margin: float) -> Way:
    """The part inside the box with a margin."""
    return seen(lambda item: crop(item.picture, grown(item.picture, item.box, margin)))


WAYS: dict[str, Way] = {
    "whole": WHOLE,
    "ellipse": ELLIPSE,
    "crop": CROP,
    "crop of a loose box": seen(lambda item: crop(item.picture, loose(item.box, LOOSE))),
    "crop with a margin of 1/4": crop_with_margin(0.25),
    "crop with a margin of 1/2": crop_with_margin(0.5),
    "whole and crop": both(WHOLE, CROP),
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="a folder of the format thisismy-photos/1")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--seeds", type=int, default=5, help="of places and backgrounds")
    parser.add_argument("--methods", nargs="*", default=METHODS)
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument(
        "--share",
        type=float,
        nargs="*",
        default=[0.2, 0.35],
        help="longer side of a pasted thing, in shorter sides of the picture",
    )
    parser.add_argument("--out", type=Path, help="JSON file")
    given = parser.parse_args()
    encoder, benchmark = load_encoder(given.encoder), read(given.photos)
    world = World(encoder, benchmark, given.methods, given.ways)
    results: dict[str, Any] = {
        "encoder": encoder.id,
        "commit": commit(),
        "cores": os.cpu_count(),
        "seeds": given.seeds,
    }
    for share in given.share:
        runs = [world.pasted(share, seed) for seed in range(given.seeds)]
        results[f"small things, {share:g} of a side"] = averaged(runs)
    results["boxes around large things"] = averaged([world.large()])
    for name, table in results.items():
        if isinstance(table, dict):
            print_table(name, table)
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + "\n")


class World:
    """The photos, read and encoded once."""

    def __init__(
        self, encoder: Encoder, benchmark: Benchmark, methods: Sequence[str], ways: Sequence[str]
    ) -> None:
        self.encoder, self.benchmark, self.methods, self.ways = encoder, benchmark, methods, ways
        photos = {key: _photo(item.media.path) for key, item in benchmark.items.items() if item.media}
        self.photos = photos
        self.tests = [key for i in benchmark.instances for key in _tests(benchmark, i.id)]
        self.trains = [key for i in benchmark.instances for key in i.examples]
        own = {*self.tests, *self.trains}
        self.others = [key for key in photos if key not in own]
        self.block = encode_block(encoder, list(photos.values()))
        self.numbers = {key: number for number, key in enumerate(photos)}
        self.boxes = {key: salient_box(photos[key]) or _all(photos[key]) for key in own}

    def rows(self, keys: Sequence[str]) -> Block:
        """The rows of some photos."""
        return self.block.take([self.numbers[key] for key in keys])

    def pasted(self, share: float, seed: int) -> dict[str, dict[str, float]]:
        """Learned from small things, looked for among small and large ones."""
        random = np.random.default_rng(seed)
        order = [self.others[i] for i in random.permutation(len(self.others))]
        own = [*self.trains, *self.tests]
        backgrounds, rest = order[: len(own)], order[len(own) :]
        small = {
            key: paste(crop(self.photos[key], self.boxes[key]), self.photos[back], share, random)
            for key, back in zip(own, backgrounds, strict=True)
        }
        negatives, ranked = self.rows(rest[:NEGATIVES]).frame, self.rows(rest[NEGATIVES:])
        tests = encode_block(self.encoder, [small[key].picture for key in self.tests])
        galleries = {
            "small": join_blocks([tests, ranked]),
            "large": join_blocks([self.rows(self.tests), ranked]),
        }
        return self._measure(small, negatives, galleries)

    def large(self) -> dict[str, dict[str, float]]:
        """Learned from the original photos with the boxes that were found in them."""
        order = [self.others[i] for i in np.random.default_rng(0).permutation(len(self.others))]
        whole = {key: Pasted(self.photos[key], self.boxes[key]) for key in self.trains}
        negatives = self.rows(order[:NEGATIVES]).frame
        ranked = self.rows([*self.tests, *order[NEGATIVES:]])
        return self._measure(whole, negatives, {"large": ranked})

    def _measure(
        self, examples: dict[str, Pasted], negatives: Features, galleries: dict[str, Block]
    ) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for way in self.ways:
            rows = WAYS[way](self.encoder, [examples[key] for key in self.trains])
            known = dict(zip(self.trains, rows, strict=True))
            things = [
                NamedInstance(i.name, i.category, np.stack([known[key] for key in i.examples]))
                for i in self.benchmark.instances
            ]
            for method in self.methods:
                vocabulary = make_method(method).fit(things, negatives, self.encoder)
                values = found.setdefault(f"{method} | {way}", {})
                for name, gallery in galleries.items():
                    values |= self._ask(vocabulary, gallery, name)
        return found

    def _ask(self, vocabulary: Any, gallery: Block, name: str) -> dict[str, float]:
        names = {i.id: i.name for i in self.benchmark.instances}
        generic, contextual = [], []
        for query in self.benchmark.queries:
            relevant = np.zeros(len(gallery), bool)
            relevant[[self.tests.index(key) for key in query.relevant]] = True
            scores = vocabulary.score(query.prompt, names[query.instance], gallery)
            if query.prompt == GENERIC_PROMPT:
                generic.append(metric("map")(rank(scores, relevant)))
            else:
                contextual.append(metric("mrr")(rank(scores, relevant)))
        values = {f"{name} generic mAP": 100 * float(np.mean(generic))}
        # A pasted thing is in another picture than its caption says.
        return values if name == "small" else values | {"contextual MRR": 100 * float(np.mean(contextual))}


def paste(part: Picture, background: Picture, share: float, random: np.random.Generator) -> Pasted:
    """A part pasted into a picture at a place drawn at random, as an ellipse with soft edges."""
    side = share * min(background.shape[:2])
    scale = side / max(part.shape[:2])
    height, width = (max(8, round(n * scale)) for n in part.shape[:2])
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    mask = np.zeros((height, width), np.float32)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.02 * side))[..., None]
    top = int(random.integers(0, background.shape[0] - height + 1))
    left = int(random.integers(0, background.shape[1] - width + 1))
    picture = background.copy()
    under = picture[top : top + height, left : left + width]
    picture[top : top + height, left : left + width] = np.round(mask * small + (1 - mask) * under).astype(
        np.uint8
    )
    return Pasted(picture, Box(left, top, left + width, top + height))


def averaged(runs: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, list[float]]]:
    """Mean and standard error over runs of each value."""
    root = max(1, len(runs)) ** 0.5
    return {
        row: {
            key: [
                round(float(np.mean(v)), 1),
                round(float(np.std(v, ddof=1)) / root if len(v) > 1 else 0.0, 1),
            ]
            for key in runs[0][row]
            for v in [[run[row][key] for run in runs]]
        }
        for row in runs[0]
    }


def print_table(name: str, rows: dict[str, dict[str, list[float]]]) -> None:
    """The means, one line a row."""
    print(f"\n{name}")
    for row, values in rows.items():
        print(
            f"{row:36}",
            "  ".join(f"{key} {mean:5.1f} ± {error:.1f}" for key, (mean, error) in values.items()),
        )


def _photo(path: Path) -> Picture:
    return read_photo(path, SIDE)


def _tests(benchmark: Benchmark, instance: str) -> tuple[str, ...]:
    return next(
        q.relevant for q in benchmark.queries if q.instance == instance and q.prompt == GENERIC_PROMPT
    )


def _all(picture: Picture) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


if __name__ == "__main__":
    main()
