"""Paths as the system knows them and as people read them, and the hash that says what a file holds."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path


def path_bytes(path: Path) -> bytes:
    """A path as the system knows it; names that are not UTF-8 survive."""
    return os.fsencode(path)


def path_text(raw: bytes) -> str:
    """A path to show: undecodable bytes become the replacement character."""
    return raw.decode("utf-8", errors="replace")


def bytes_under(folder: Path) -> int:
    """Size of all files under a folder."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def content_hash(path: Path) -> str:
    """32 hex digits of BLAKE2b over the whole content.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
