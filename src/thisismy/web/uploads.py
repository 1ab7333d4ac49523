"""Files that a person drops onto the page: limited in size and type, decoded, never stored as they came."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.photos import read_photo
from thisismy.store.examples import KEPT_SIDE, MediaSpan, jpeg_of
from thisismy.web.error_handlers import BadTypeError, TooLargeError

if TYPE_CHECKING:
    from fastapi import UploadFile

    from thisismy.media.pictures import Picture
    from thisismy.web.state import AppState

PHOTO_BYTES = 20_000_000
"""Largest photo."""

PHOTOS = 20
"""Most photos at once."""

FILE_BYTES = 50_000_000
"""Largest file of instances."""


async def read_upload(upload: UploadFile, most: int) -> bytes:
    """The content of an upload.

    Raises:
        TooLargeError: it is larger than ``most`` bytes.
        BadTypeError: it is empty.
    """
    body = await upload.read(most + 1)
    if len(body) > most:
        raise TooLargeError(f"{upload.filename!r} is larger than {most // 1_000_000} MB")
    if not body:
        raise BadTypeError(f"{upload.filename!r} is empty")
    return body


async def picture_of_upload(app: AppState, upload: UploadFile) -> Picture:
    """An uploaded photo as a picture.

    Raises:
        BadTypeError: it is not a JPEG, PNG, WebP or HEIC file.
        TooLargeError: it is too large.
        MediaError: it cannot be decoded.
    """
    body = await read_upload(upload, PHOTO_BYTES)
    return await app.make(lambda: _decode(upload.filename or "photo", body))


async def place_of_upload(app: AppState, upload: UploadFile) -> MediaSpan:
    """An uploaded photo as a place that can be taught; what is kept is a reduced copy without its metadata.

    Raises:
        BadTypeError, TooLargeError, MediaError: as for `picture_of_upload`.
    """
    body = await read_upload(upload, PHOTO_BYTES)
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()

    def decode() -> bytes:
        return jpeg_of(_decode(upload.filename or "photo", body, KEPT_SIDE))

    return MediaSpan(digest, Span(0, 0), await app.make(decode))


def _decode(name: str, body: bytes, side: int | None = None) -> Picture:
    suffix = _suffix_of(body)
    if suffix is None:
        raise BadTypeError(f"{name!r} is not a JPEG, PNG, WebP or HEIC photo")
    with tempfile.TemporaryDirectory(prefix="thisismy-") as folder:
        # A name of our own: what the browser calls the file never becomes a path.
        path = Path(folder) / f"photo{suffix}"
        path.write_bytes(body)
        try:
            return read_photo(path, side)
        except MediaError as error:
            raise MediaError(str(error).replace(str(path), name)) from error


def _suffix_of(body: bytes) -> str | None:
    """The suffix that fits the first bytes; the type that the browser names is not trusted."""
    if body.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return ".webp"
    if body[4:8] == b"ftyp" and body[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis", b"hevc"}:
        return ".heic"
    return None
