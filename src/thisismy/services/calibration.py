"""The calibration of a library's encoder: shipped, or made from the library's own shots and kept with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.store.folder import Store
from thisismy.store.vector_index.gallery import Gallery


def library_calibration(store: Store, gallery: Gallery) -> Calibration:
    """The calibration of a gallery's encoder: shipped, kept with the library, or made from its shots now.

    Raises:
        LibraryError: there is none, and the library has too few shots to make one.
    """
    shipped = shipped_calibration(gallery.encoder_id)
    if shipped is not None:
        return shipped
    path = calibration_path(store, gallery.encoder_id)
    return Calibration.load(path) if path.is_file() else calibrate_library(store, gallery)


def calibrate_library(store: Store, gallery: Gallery) -> Calibration:
    """Make a calibration from the library's own shots, none of them labelled, and keep it with the library.

    Raises:
        LibraryError: there are too few shots.
    """
    made = calibrate(np.asarray(gallery.vectors), gallery.encoder_id, np.asarray(gallery.media_ids))
    path = calibration_path(store, gallery.encoder_id)
    path.parent.mkdir(exist_ok=True)
    made.save(path)
    return made


def calibration_path(store: Store, encoder_id: str) -> Path:
    """Where the calibration of an encoder is kept."""
    name = hashlib.blake2b(encoder_id.encode(), digest_size=6).hexdigest()
    return store.folder / "calibrations" / f"{name}.json"
