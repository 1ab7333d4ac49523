"""`thisismy-photos/1`: photos of your own things, described by one JSON file.

The file holds ``format``, ``name``, ``instances`` (``id``, ``name``, ``category``, ``train``, ``test``),
``queries`` (``instance``, ``caption`` with ``*``, ``target``) and ``distractors``; paths are relative to it.
Learn from ``train``; the gallery is every ``test`` photo of every instance and the distractors.

There are no negatives: every photo outside the gallery shows one of the instances. Methods that need
something to tell an instance from use the training photos of the other instances, which they are given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thisismy.core.errors import BenchmarkError

from .base import Benchmark, Instance, Item, Media, Query, generic_query, read_json

FORMAT = "thisismy-photos/1"


def read(path: Path) -> Benchmark:
    """Read a benchmark of photos.

    Args:
        path: the JSON file, or the folder that holds it as ``benchmark.json``.

    Raises:
        BenchmarkError: the file is not of this format or lacks a field.
    """
    path = path / "benchmark.json" if path.is_dir() else path
    data = read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise BenchmarkError(f"{path} has the format {found!r}, not {FORMAT!r}")
    try:
        return _build(data, path.parent, str(data.get("name") or path.parent.name))
    except (KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} is not a whole {FORMAT!r} file: {error!r} in it") from error


def _build(data: dict[str, Any], folder: Path, name: str) -> Benchmark:
    instances = tuple(
        Instance(str(i["id"]), str(i["name"]), str(i["category"]), tuple(i["train"]))
        for i in data["instances"]
    )
    tests = {str(i["id"]): tuple(i["test"]) for i in data["instances"]}
    distractors = tuple(data.get("distractors", ()))
    gallery = (*(photo for photos in tests.values() for photo in photos), *distractors)
    queries = [generic_query(i, tests[i.id]) for i in instances if tests[i.id]]
    for n, query in enumerate(data.get("queries", ())):
        key = str(query["instance"])
        queries.append(
            Query(f"contextual/{n:03d}/{key}", key, query["caption"], (query["target"],), "contextual")
        )
    paths = dict.fromkeys([*gallery, *(photo for i in instances for photo in i.examples)])
    return Benchmark(
        name=name,
        items={photo: Item(photo, Media(folder / photo)) for photo in paths},
        gallery=gallery,
        instances=instances,
        queries=tuple(queries),
        source=f"the photos belong beside the JSON file, in {folder}",
        facts={"gallery": len(gallery), "instances": len(instances), "distractors": len(distractors)},
    )
