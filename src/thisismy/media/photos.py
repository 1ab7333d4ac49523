"""Photos: upright pictures, their dates, and the HEIC extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import RLock

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from thisismy.core.errors import MediaError, MissingExtraError
from thisismy.media.info import MediaInfo, parse_date
from thisismy.media.opening import check_file, display_name
from thisismy.media.pictures import Picture, fitted

MAX_PIXELS = 250_000_000
"""Photos above this are refused: a small file can claim any size and fill the memory."""

_HEIC_SUFFIXES = (".heic", ".heif")
_ORIENTATION, _EXIF_FOLDER = 0x0112, 0x8769
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010))
"""EXIF tags of a date and of its zone: original, digitized, changed."""
_LIMIT = RLock()
_TURNS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}


def read_photo(path: str | Path, shorter_side: int | None = None) -> Picture:
    """A photo, upright, in RGB; transparent parts are white, and of a truncated file the rest is grey.

    Args:
        path: a JPEG, PNG, WebP or (with the extra "heic") HEIC file.
        shorter_side: pixels to scale down to; None keeps the full size. Photos are never enlarged.

    Raises:
        MediaError: the file is not a photo, is too damaged, or larger than :data:`MAX_PIXELS`.
        MissingExtraError: a HEIC photo without the extra.
    """
    with _opened(Path(path)) as image:
        return _decoded(Path(path), image, shorter_side)[0]


def probe_photo(path: Path) -> MediaInfo:
    """What :func:`thisismy.media.probe.probe` says of a photo; it is decoded once, to know that it can be.

    Raises:
        MediaError: the file is not a photo, is too damaged, or larger than :data:`MAX_PIXELS`.
        MissingExtraError: a HEIC photo without the extra.
    """
    with _opened(path) as image:
        orientation = _orientation_of(image)
        width, height = image.size
        mode, kind, date = image.mode, image.format or "", _date_of(image)
        frames = getattr(image, "n_frames", 1)
        _, truncated = _decoded(path, image, 64)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    notes = ("truncated: the rest of the picture is grey",) if truncated else ()
    if frames > 1:
        notes = (*notes, f"{frames} pictures in one file: the first is used")
    return MediaInfo(
        path=path,
        kind="photo",
        duration=0.0,
        width=width,
        height=height,
        frame_rate=None,
        rotation=_TURNS.get(orientation, 0),
        video_codec=kind.lower(),
        audio_codec=None,
        pixel_format=mode,
        hdr=False,
        has_audio=False,
        created=date,
        notes=notes,
    )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    check_file(path)
    name = display_name(path)
    if path.suffix.lower() in _HEIC_SUFFIXES:
        _register_heic()
    try:
        image = _open_unlimited(path)
    except UnidentifiedImageError:
        raise MediaError(f"{name}: is not a photo that can be read") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise MediaError(f"{name}: is not a photo that can be read: {error}") from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise MediaError(
                f"{name}: claims {image.width} x {image.height} pixels, "
                f"more than {MAX_PIXELS // 10**6} megapixels, and is refused"
            )
        yield image


def _open_unlimited(path: Path) -> Image.Image:
    """Read a photo's header without Pillow's own limit, which real 200-megapixel phones exceed."""
    with _LIMIT:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _decoded(path: Path, image: Image.Image, shorter_side: int | None) -> tuple[Picture, bool]:
    """The upright picture and whether the file was truncated."""
    try:
        _load(image, shorter_side)
        truncated = False
    except (OSError, ValueError, SyntaxError, MemoryError):
        image, truncated = _load_what_is_there(path, shorter_side), True
    flat = _on_white(ImageOps.exif_transpose(image))
    size = fitted(*flat.size, shorter_side)
    if size != flat.size:
        flat = flat.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(flat, np.uint8), truncated


def _load(image: Image.Image, shorter_side: int | None) -> None:
    if shorter_side is not None:
        # JPEG decodes to an eighth, a quarter or a half for a fraction of the time.
        image.draft("RGB", fitted(*image.size, 2 * shorter_side))
    image.load()


def _load_what_is_there(path: Path, shorter_side: int | None) -> Image.Image:
    """A photo of which the end is missing."""
    with _LIMIT:
        strict = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image = _open_unlimited(path)
            _load(image, shorter_side)
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            raise MediaError(f"{display_name(path)}: the photo is damaged: {error}") from error
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = strict
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return Image.fromarray((np.asarray(image, np.int32) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        canvas = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(canvas, rgba).convert("RGB")
    return image.convert("RGB")


def _orientation_of(image: Image.Image) -> int:
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _date_of(image: Image.Image) -> datetime | None:
    exif = image.getexif()
    folder = exif.get_ifd(_EXIF_FOLDER)
    for date_tag, zone_tag in _DATES:
        text = folder.get(date_tag) or exif.get(date_tag)
        if not isinstance(text, str):
            continue
        zone = folder.get(zone_tag)
        zoned = parse_date(text.strip() + zone.strip()) if isinstance(zone, str) and zone.strip() else None
        date = zoned or parse_date(text)
        if date is not None:
            return date
    return None


@lru_cache(maxsize=1)
def _register_heic() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise MissingExtraError("HEIC photos", "heic") from error
    register_heif_opener()
