"""PerVL-DeepFashion2, the clothing benchmark of PALAVRA (Cohen et al., 2022).

Annotations: github.com/NVlabs/PerVLBenchmark, ``annotations/deep_fashion``. 50 garments per split; each is
learned from 5 random photos of its list, and its captioned photos are to be found among those of all
garments (221 in the test split). Every caption calls the person who wears the garment "person"; that word
stands for the garment and becomes ``*``. ``test_captions.csv`` fixes the photos and their order; the short
captions of the same photos are in a file of their own, and they are what the published numbers use.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from thisismy.core.errors import BenchmarkError

from .base import Benchmark, Instance, Item, Media, Query, generic_query, read_csv, require_folder

EXAMPLES = 5
"""Photos a garment is learned from (Cohen et al., appendix A)."""

SOURCE = (
    "the annotations are at https://github.com/NVlabs/PerVLBenchmark (annotations/deep_fashion), the photos "
    "in the train part of https://github.com/switchablenorms/DeepFashion2, as IMAGES/train/image/NNNNNN.jpg"
)


def read(
    folder: Path,
    images: Path | None = None,
    *,
    split: Literal["validation", "test"] = "test",
    captions: Literal["short", "detailed"] = "short",
) -> Benchmark:
    """Read one split.

    Args:
        folder: the PerVL repository or its ``annotations/deep_fashion``.
        images: the folder that holds ``train/image``; None takes ``folder``.
        split: the two splits share no garment.
        captions: about 8 or about 12 words long.

    Raises:
        BenchmarkError: an annotation file is missing or a photo is used for two things.
    """
    annotations = find_annotations(folder, "deep_fashion")
    files = (f"{split}_captions.csv", f"{split}_fsl_train.txt", "train_coarse_grained_names.csv")
    require_folder(annotations, (*files, "shortened_deepfashion2_captions.csv"), SOURCE)
    rows = read_csv(annotations / files[0], ("image_name", "pair_id", "caption"))
    texts = {row["image_name"]: row["caption"] for row in rows}
    if captions == "short":
        short = read_csv(annotations / "shortened_deepfashion2_captions.csv", ("image_name", "caption"))
        texts |= {row["image_name"]: row["caption"] for row in short if row["image_name"] in texts}
    categories = {
        row["unique_pair_ids"]: row["pair_id_categories"]
        for row in read_csv(annotations / files[2], ("unique_pair_ids", "pair_id_categories"))
    }
    examples = _training_lists(annotations / files[1])
    relevant: dict[str, list[str]] = {pair: [] for pair in examples}
    queries = []
    for n, row in enumerate(rows):
        pair, image = row["pair_id"], row["image_name"]
        if pair not in examples or pair not in categories:
            raise BenchmarkError(
                f"{annotations / files[0]} names the garment {pair}, which has no photos or type"
            )
        relevant[pair].append(image)
        prompt = re.sub(r"\bperson\b", "*", texts[image], flags=re.IGNORECASE)
        queries.append(Query(f"contextual/{n:03d}/{pair}", pair, prompt, (image,), "contextual"))
    instances = tuple(
        # A name of its own per garment: type and number, as Cohen et al. name concepts for COLLIE.
        Instance(pair, f"{categories[pair]} {pair}", categories[pair], tuple(examples[pair]))
        for pair in examples
    )
    gallery = tuple(row["image_name"] for row in rows)
    used = dict.fromkeys([*gallery, *(image for found in examples.values() for image in found)])
    root = images or folder
    return Benchmark(
        name=f"deepfashion2-{split}-{captions}",
        items={image: Item(image, Media(root / image)) for image in used},
        gallery=gallery,
        instances=instances,
        queries=(*(generic_query(p, relevant[p]) for p in relevant if relevant[p]), *queries),
        source=SOURCE,
        facts={"gallery": len(gallery), "instances": len(instances), "examples per instance": EXAMPLES},
    )


def find_annotations(folder: Path, part: str) -> Path:
    """Where the files of one part of PerVL are: in the folder itself, or below it."""
    below = (folder / part, folder / "annotations" / part)
    return next((path for path in below if path.is_dir()), folder)


def _training_lists(path: Path) -> dict[str, list[str]]:
    """Garment -> photos, from blocks of one heading ``codes_infer/GARMENT:`` and one file name per line."""
    lists: dict[str, list[str]] = {}
    pair = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"codes_infer/(\S+):", line.strip())
        if heading:
            pair = heading[1]
            lists[pair] = []
        elif line.strip():
            if not pair:
                raise BenchmarkError(f"{path} names the photo {line.strip()} before any garment")
            lists[pair].append(f"train/image/{line.strip()}")
    return lists
