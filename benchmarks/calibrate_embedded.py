"""Make the calibration that ships with the embedded encoder, from a folder of unrelated pictures.

    python benchmarks/calibrate_embedded.py PICTURES_DIR src/thisismy/mining/data/calibration.json

Only means and directions of spread are written, nothing of a single picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from thisismy.encoders.embedded.encoder import EmbeddedEncoder
from thisismy.media.photos import read_photo
from thisismy.mining.calibrate import calibrate

BATCH = 16


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="folder with photos, searched recursively")
    parser.add_argument("out", type=Path, help="the JSON file to write")
    arguments = parser.parse_args()
    encoder = EmbeddedEncoder()
    names = sorted(p for p in arguments.pictures.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    parts = []
    for i in range(0, len(names), BATCH):
        parts.append(
            encoder.encode_images([read_photo(name, encoder.image_size) for name in names[i : i + BATCH]])
        )
    calibration = calibrate(np.concatenate(parts), encoder.id)
    calibration.save(arguments.out)
    print(
        f"{calibration.n_pictures} pictures, {encoder.id}, examples from {calibration.example_threshold:.3f}"
    )


if __name__ == "__main__":
    main()
