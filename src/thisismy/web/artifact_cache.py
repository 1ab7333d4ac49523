"""Pictures and pieces of videos that are made once, cached in a folder, and served as files."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from thisismy.core.atomic_files import replacing
from thisismy.core.errors import MediaError
from thisismy.core.paths import bytes_under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

MOST_BYTES = 4_000_000_000
"""Most bytes in the cache; beyond that the least recently used files are deleted."""

CHECK_EVERY = 200
"""Files made between two checks of the size of the cache."""

SIZES = (160, 320, 640, 1280, 1920)
"""Pixels of the longer side that pictures come in; few, so that the cache is hit."""


def nearest_size(size: int) -> int:
    """The smallest of ``SIZES`` that is large enough."""
    return next((allowed for allowed in SIZES if allowed >= size), SIZES[-1])


class ArtifactCache:
    """A folder of files that can be made again.

    Attributes:
        folder: where they are.
        makers: threads that decode and encode; few, so that searches always find a free core.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.makers = ThreadPoolExecutor(max(2, (os.cpu_count() or 2) - 1), "thisismy-pictures")
        self._locks: dict[str, tuple[Lock, int]] = {}
        self._guard = Lock()
        self._made = 0

    def path(self, kind: str, suffix: str, *parts: object) -> Path:
        """Where the file of some parts is or will be."""
        name = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).hexdigest()
        return self.folder / kind / name[:2] / f"{name}{suffix}"

    def get(self, path: Path, make: Callable[[Path], None]) -> Path:
        """The file, made first when it is not there; two who want the same one make it once.

        Args:
            path: from `path`.
            make: writes the file, whole or not at all.

        Raises:
            MediaError: it cannot be made.
        """
        if path.is_file():
            with suppress(OSError):
                os.utime(path)
            return path
        with self._only_one(str(path)):
            if not path.is_file():
                make(path)
                self._made += 1
                if self._made % CHECK_EVERY == 0:
                    self.trim()
        return path

    def trim(self, most: int = MOST_BYTES) -> None:
        """Delete the least recently used files until at most ``most`` bytes are left."""
        entries = []
        for file in self.folder.rglob("*"):
            with suppress(OSError):
                status = file.stat()
                if file.is_file():
                    entries.append((status.st_mtime, status.st_size, file))
        total = sum(size for _, size, _ in entries)
        for _, size, file in sorted(entries):
            if total <= most:
                return
            file.unlink(missing_ok=True)
            total -= size

    def clear(self) -> int:
        """Delete every file, and give their size in bytes."""
        freed = bytes_under(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        return freed

    def close(self) -> None:
        """Let go of the threads; what is being made is finished first."""
        self.makers.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _only_one(self, key: str) -> Iterator[None]:
        with self._guard:
            lock, users = self._locks.get(key, (Lock(), 0))
            self._locks[key] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks[key]
                if users == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = (lock, users - 1)


def save_jpeg(image: Image, path: Path, quality: int = 82) -> None:
    """Write a picture, whole or not at all.

    Raises:
        MediaError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            image.save(part, "JPEG", quality=quality)
    except OSError as error:
        raise MediaError(f"{path}: cannot be written: {error.strerror or error}") from error
