"""A folder of photos per instance, without captions: generic retrieval only.

``FOLDER/dog__Biscuit/*.jpg``: the words before a double underscore are the category, those after it the
name ("my dog Biscuit"); without one the folder's name is both ("mug 2" has the category "mug"). A folder
whose name starts with ``_`` (``_distractors``) only fills the gallery. Of every instance the first photos by
name are the examples and the others are to be found.
"""

from __future__ import annotations

import re
from pathlib import Path

from thisismy.core.errors import BenchmarkError

from .base import Benchmark, Instance, Item, Media, generic_query

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif")


def read(folder: Path, *, examples: int = 5) -> Benchmark:
    """Read a folder of photos.

    Args:
        folder: with one folder per instance.
        examples: photos an instance is learned from, at most half of what it has; raising it leaves fewer
            to find.

    Raises:
        BenchmarkError: there is no folder with two photos or more.
    """
    source = "it needs one folder per thing, each with two photos or more, such as dog__Biscuit/1.jpg"
    if not folder.is_dir():
        raise BenchmarkError(f"no folder {folder}; {source}")
    photos = {
        sub.name: sorted(f"{sub.name}/{p.name}" for p in sub.iterdir() if p.suffix.lower() in SUFFIXES)
        for sub in sorted(folder.iterdir())
        if sub.is_dir()
    }
    things = {name: found for name, found in photos.items() if not name.startswith("_")}
    thin = [name for name, found in things.items() if len(found) < 2]
    if not things or thin:
        raise BenchmarkError(f"{folder / thin[0] if thin else folder} has too few photos; {source}")
    instances, gallery, queries = [], [], []
    for name, found in things.items():
        cut = min(max(examples, 1), len(found) // 2)
        said, category = _names(name)
        instances.append(Instance(name, said, category, tuple(found[:cut])))
        gallery += found[cut:]
        queries.append(generic_query(name, found[cut:]))
    gallery += [photo for name, found in photos.items() if name.startswith("_") for photo in found]
    return Benchmark(
        name=folder.resolve().name,
        items={key: Item(key, Media(folder / key)) for found in photos.values() for key in found},
        gallery=tuple(gallery),
        instances=tuple(instances),
        queries=tuple(queries),
        source=source,
        facts={"gallery": len(gallery), "instances": len(instances)},
    )


def _names(folder: str) -> tuple[str, str]:
    category, _, name = (part.replace("_", " ").strip() for part in folder.partition("__"))
    if name:
        return f"my {category} {name}", category
    return f"my {category}", re.sub(r"[\s\d]+$", "", category) or category
