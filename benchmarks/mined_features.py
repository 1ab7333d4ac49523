"""Category features from what is mined in the narrated videos of the development data.

    python benchmarks/mined_features.py DATA OUT.safetensors [--library FOLDER]

The way a person would go: index the videos, mine, accept all that mining kept, learn from the library's
things. The videos show photos that are test photos of `photos-dev`; shots of those are left out, so that
nothing is learned from its test data. The things themselves are the same.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from thisismy.core.paths import content_hash
from thisismy.library import Library
from thisismy.personalization import NamedInstance
from thisismy.personalization.meta.category_features import MetaArguments, meta_train

AT_A_CUT = 0.2
"""Seconds by which a found shot may reach into its neighbour."""


def main() -> None:
    """Index, mine, accept, leave out, learn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with vlogs-dev and photos-dev")
    parser.add_argument("out", type=Path, help="the file of category features")
    parser.add_argument("--library", type=Path, help="keep the library here; thrown away when not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = mined_library(given.data / "vlogs-dev", given.library or Path(scratch) / "library")
        hidden = test_shots(given.data)
        corpus = [without(thing, hidden) for thing in library.learning.corpus()]
        kept = [thing for thing in corpus if len(thing.examples)]
        source = {"kind": "mined", "videos": "vlogs-dev", "examples": sum(len(t.examples) for t in kept)}
        none = np.zeros((0, library.encoder.embed_dim), np.float32)
        found = meta_train(kept, none, library.encoder, MetaArguments(), checkpoint=given.out, source=source)
    print(f"{found.provenance['instances']}, {source['examples']} examples: {given.out}")


def mined_library(videos: Path, folder: Path) -> Library:
    """A library of the videos in which everything that mining kept is accepted."""
    library = Library.create(folder)
    library.files.add([videos], encoder="embedded")
    for mention in library.mentions.mine():
        if mention.verdict == "kept" and mention.decision is None:
            library.mentions.accept(mention)
    return library


def test_shots(data: Path) -> dict[str, list[tuple[float, float]]]:
    """Content hash of a video -> spans that show test photos of photos-dev."""
    benchmark = json.loads((data / "photos-dev/benchmark.json").read_text())
    tests = {
        (instance["id"], Path(photo).name)
        for instance in benchmark["instances"]
        for photo in instance["test"]
    }
    found = {}
    for path in sorted((data / "vlogs-dev").glob("*.mp4")):
        shots = json.loads(path.with_suffix(".json").read_text())["shots"]
        found[content_hash(path)] = [
            (shot["start"], shot["end"])
            for shot in shots
            if (shot["instance"], Path(str(shot["source"])).name) in tests
        ]
    return found


def without(thing: NamedInstance, hidden: dict[str, list[tuple[float, float]]]) -> NamedInstance:
    """The thing without examples that share time with a hidden span, but for a frame or two at a cut."""

    def apart(example_id: str) -> bool:
        video, _, span = example_id.partition("@")
        start, end = map(float, span.split("-"))
        return all(min(end, last) - max(start, first) < AT_A_CUT for first, last in hidden[video])

    kept = [n for n, example_id in enumerate(thing.example_ids) if apart(example_id)]
    return replace(
        thing, examples=thing.examples[kept], example_ids=tuple(thing.example_ids[n] for n in kept)
    )


if __name__ == "__main__":
    main()
