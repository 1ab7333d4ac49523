"""PerVL-YTVOS, PALAVRA's benchmark on YouTube-VOS 2019 (Cohen et al., 2022).

Annotations: github.com/NVlabs/PerVLBenchmark, ``annotations/ytvos``. An instance is one object of a scene;
it is learned from 5 random frames, cut out by their masks, and to be found in the scene's last frame among
the cut-outs of all others (252 in the test split). The training cut-out is the tight box of the mask, that
of the gallery is widened by half its size on every side.

Examples and gallery come from the same video here: that is how the benchmark is made (its test frame is
chosen so that object and place have changed), so its numbers do not measure retrieval across videos.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Literal

from thisismy.core.errors import BenchmarkError

from .base import Benchmark, Cutout, Instance, Item, Media, Query, generic_query, read_csv, require_folder
from .deepfashion2 import find_annotations

META = "ytvos_personalization_meta.yaml"

EXAMPLES = 5
"""Frames an object is learned from (Cohen et al., appendix A)."""

GALLERY_GROW = 0.5
"""Share of the box's size added on every side of a gallery cut-out."""

SOURCE = (
    "the annotations are at https://github.com/NVlabs/PerVLBenchmark (annotations/ytvos), the frames and "
    "masks are YouTube-VOS 2019 train from https://youtube-vos.org, as IMAGES/JPEGImages/SCENE/FRAME.jpg and "
    "IMAGES/Annotations/SCENE/FRAME.png"
)


def read(
    folder: Path, images: Path | None = None, *, split: Literal["validation", "test"] = "test"
) -> Benchmark:
    """Read one split.

    Args:
        folder: the PerVL repository or its ``annotations/ytvos``.
        images: the folder that holds ``JPEGImages`` and ``Annotations``; None takes ``folder``.
        split: 246 or 252 objects.

    Raises:
        BenchmarkError: an annotation file is missing, or a caption's object has no frames.
    """
    annotations = find_annotations(folder, "ytvos")
    captions = f"cleaned_captions_ytvos_{'val' if split == 'validation' else 'test'}.csv"
    require_folder(annotations, (captions, META), SOURCE)
    rows = read_csv(annotations / captions, ("image_name", "coarse_grained_class", "caption", "class_id"))
    objects = _read_yaml(annotations / META)
    root = images or folder
    items: dict[str, Item] = {}
    instances, queries, gallery = [], [], []
    for n, row in enumerate(rows):
        key = row["class_id"]
        if key not in objects:
            raise BenchmarkError(f"{annotations / captions} names {key!r}, which {META} lacks")
        about = objects[key]
        examples = [_item(root, about, key, frame, grow=0.0) for frame in about["train_frames"]]
        target = _item(root, about, key, about["test_frame"], grow=GALLERY_GROW)
        items |= {item.id: item for item in (*examples, target)}
        gallery.append(target.id)
        # Several objects of a scene can have the same type; the id tells them apart.
        category = row["coarse_grained_class"]
        instances.append(Instance(key, key.replace("_", " "), category, tuple(e.id for e in examples)))
        queries.append(generic_query(key, [target.id]))
        queries.append(Query(f"contextual/{n:03d}/{key}", key, row["caption"], (target.id,), "contextual"))
    return Benchmark(
        name=f"ytvos-{split}",
        items=items,
        gallery=tuple(gallery),
        instances=tuple(instances),
        queries=tuple(queries),
        source=SOURCE,
        shared_videos="the object is looked for in the last frame of the scene it is learned from",
        facts={
            "gallery": len(gallery),
            "instances": len(instances),
            "categories": len(Counter(i.category for i in instances)),
            "examples per instance": EXAMPLES,
        },
    )


def _item(root: Path, about: dict[str, Any], key: str, frame: str, grow: float) -> Item:
    scene = about["scene_id"]
    mask = root / "Annotations" / scene / f"{frame}.png"
    picture = root / "JPEGImages" / scene / f"{frame}.jpg"
    return Item(
        f"{key}/{frame}", Media(picture, cutout=Cutout(mask, int(about["instance_id"]), grow)), video=scene
    )


def _read_yaml(path: Path) -> dict[str, dict[str, Any]]:
    import yaml

    try:
        # The loader in C reads the 10,000 lines in a tenth of the time; every wheel has it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        with path.open(encoding="utf-8") as lines:
            objects: dict[str, dict[str, Any]] = yaml.load(lines, loader)
    except (OSError, yaml.YAMLError) as error:
        raise BenchmarkError(f"cannot read {path}: {error}") from error
    return objects
