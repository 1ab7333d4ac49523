"""Boxes around things: what is inside is decoded, cut out or encircled, and encoded once."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thisismy.core.atomic_files import replacing
from thisismy.core.box import Box
from thisismy.core.errors import InstanceError, MediaError, MissingExtraError
from thisismy.personalization.boxes import IGNORE, box_of_shares, marked, shares_of
from thisismy.services.context import Tell, quiet
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.examples import path_of, picture_of

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder, Features, Picture
    from thisismy.store.examples import MediaSpan
    from thisismy.store.folder import Store
    from thisismy.store.instances import Example

FOLDER = "boxes-1"
"""In the cache; renamed when the same box would be drawn another way."""


def boxed_features(
    store: Store,
    encoder_id: str,
    encoder: Callable[[], Encoder],
    examples: Sequence[Example],
    boxes: str,
    tell: Tell = quiet,
) -> list[Features | None]:
    """The ``(embed_dim,)`` unit vector of what a person drew a box around, one for each example.

    Kept in the library's cache, so that a box is decoded and encoded once. None for an example without a box,
    and for one that cannot be seen any more.

    Args:
        store: the library.
        encoder_id: of the library.
        encoder: asked for only where something has to be encoded.
        examples: any.
        boxes: one of `thisismy.personalization.boxes.BOX_VIEWS`; "ignore" gives None for all.
        tell: told once of each file whose boxes cannot be used, and why.
    """
    found: list[Features | None] = [None] * len(examples)
    lost: Counter[str] = Counter()
    for at, example in enumerate(examples):
        if example.box is None or boxes == IGNORE:
            continue
        kept = _place(store, encoder_id, example, boxes)
        row = _read(kept)
        if row is None:
            try:
                row = encoder().encode_images([_picture(store, example, example.box, boxes)])[0]
            except (MediaError, MissingExtraError, ValueError) as error:
                lost[str(error)] += 1
                continue
            _write(kept, row)
        found[at] = row
    for reason, count in lost.items():
        one = "1 box on it is not used, the whole shot is"
        what = one if count == 1 else f"{count} boxes on it are not used, the whole shots are"
        tell(f"{reason}: {what}")
    return found


def with_box(store: Store, places: Sequence[MediaSpan], texts: Sequence[str], box: Box) -> list[MediaSpan]:
    """The one place with a box in it.

    Args:
        store: the library.
        places: from `thisismy.store.examples.locate`.
        texts: what it was asked for.
        box: in pixels of the picture as it is shown.

    Raises:
        InstanceError: there are several places.
        MediaError: no part of the box is in the picture.
    """
    from thisismy.media.photos import read_photo

    if len(places) != 1:
        raise InstanceError(
            f"a box belongs to one picture, and {len(places)} places are named: name them one by one"
        )
    place = places[0]
    with store.read() as connection:
        known = catalog.media_with_content(connection, place.content_hash)
    if known is not None:
        width, height = known.width, known.height
    else:
        height, width = read_photo(Path(texts[0]).expanduser()).shape[:2]
    try:
        shares = shares_of(box, width, height)
    except MediaError as error:
        raise MediaError(f"{texts[0]}: {error}") from error
    return [replace(place, box=shares)]


def _picture(store: Store, example: Example, box: tuple[float, float, float, float], boxes: str) -> Picture:
    """The picture with its thing marked.

    Raises:
        MediaError: its file is gone or cannot be decoded.
        ValueError: the photo kept of it is broken.
    """
    from thisismy.media.frames import frames_at
    from thisismy.media.photos import read_photo

    with store.read() as connection:
        jpeg = rows.get_photo(connection, example.content_hash)
        path = path_of(connection, example.content_hash)
        known = catalog.last_known_path(connection, example.content_hash)
    if path is not None and path.is_file():
        time = example.span.middle if example.box_time is None else example.box_time
        picture = frames_at(path, [time])[0].image if example.span.duration else read_photo(path)
    elif jpeg is not None:
        picture = picture_of(jpeg)
    else:
        name = known.name if known else "a file"
        raise MediaError(f"{name} is gone from disk")
    return marked(picture, box_of_shares(box, picture), boxes)


def _place(store: Store, encoder_id: str, example: Example, boxes: str) -> Path:
    """Where the vector of a box is or will be kept."""
    what = (encoder_id, boxes, example.content_hash, example.span.middle, example.box_time, example.box)
    name = hashlib.blake2b(repr(what).encode(), digest_size=16).hexdigest()
    return store.cache / FOLDER / f"{name}.npy"


def _read(path: Path) -> Features | None:
    """A vector that is kept, None when there is none that can be read."""
    try:
        return np.asarray(np.load(io.BytesIO(path.read_bytes()), allow_pickle=False), np.float32)
    except (OSError, ValueError, EOFError):
        return None


def _write(path: Path, row: Features) -> None:
    """Keep a vector, whole or not at all; where nothing can be written it is made again next time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            np.save(part, row)
