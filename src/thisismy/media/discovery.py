"""Files on disk: names as bytes, walking folders, and the hash that says what a file is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thisismy.media.probe import is_media


@dataclass(frozen=True)
class Found:
    """A path that was come upon.

    Attributes:
        path: absolute.
        size: bytes.
        mtime_ns: when it was last changed.
        error: why it cannot be read; None for a file that can.
        skipped: why it is none of the library's business; None for a file that is.
    """

    path: Path
    size: int = 0
    mtime_ns: int = 0
    error: str | None = None
    skipped: str | None = None


def path_bytes(path: Path) -> bytes:
    """A path as the system knows it; names that are not UTF-8 survive."""
    return os.fsencode(path)


def path_text(raw: bytes) -> str:
    """A path to show: undecodable bytes become the replacement character."""
    return raw.decode("utf-8", errors="replace")


def content_hash(path: Path) -> str:
    """32 hex digits of BLAKE2b over the whole content.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def find_media(paths: Sequence[Path]) -> Iterator[Found]:
    """Every file at or under the given paths, each once, in a stable order; what is no media says so.

    Folders are walked by suffix; hidden files and folders are passed over, symbolic links to folders are
    followed and a loop ends at the folder already seen. A path named directly is taken whatever its suffix.
    """
    seen_folders: set[tuple[int, int]] = set()
    seen_files: set[bytes] = set()
    for path in paths:
        path = path.expanduser().absolute()
        found = _walk(path, seen_folders) if path.is_dir() else iter([_look(path)])
        for item in found:
            key = path_bytes(item.path)
            if key not in seen_files:
                seen_files.add(key)
                yield item


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Found]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(os.fsencode(folder)), key=lambda entry: entry.name)
    except OSError as error:
        yield Found(folder, error=f"cannot be listed: {error.strerror}")
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        path = Path(os.fsdecode(entry.path))
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, seen)
        elif is_media(path):
            yield _look(path)
        else:
            yield Found(path, skipped=f"{path.suffix or 'no suffix'} is no video or photo")


def _look(path: Path) -> Found:
    try:
        status = path.stat()
    except OSError as error:
        return Found(path, error=f"cannot be read: {error.strerror}")
    return Found(path, status.st_size, status.st_mtime_ns)
