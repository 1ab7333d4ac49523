"""Walking folders for videos and photos."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thisismy.core.paths import path_bytes
from thisismy.media.info import is_media

_LEADS_NOWHERE = (errno.ENOENT, errno.ELOOP)


@dataclass(frozen=True)
class DiscoveredFile:
    """A path found on disk.

    Attributes:
        path: absolute.
        size: bytes.
        mtime_ns: when it was last changed.
        error: why it cannot be read, or listed if it is a folder; None for a file that can.
        skipped: why it is not for the library; None for a file that is.
    """

    path: Path
    size: int = 0
    mtime_ns: int = 0
    error: str | None = None
    skipped: str | None = None


def find_media(paths: Sequence[Path]) -> Iterator[DiscoveredFile]:
    """Every file at or under the given paths, each once, in a stable order; what is not media says so.

    Folders are walked by suffix; hidden files and folders are passed over, symbolic links to folders are
    followed and a loop ends at the folder already seen. A path named directly is taken whatever its suffix.
    What cannot be read is given with the error, and the rest is found all the same.
    """
    seen_folders: set[tuple[int, int]] = set()
    seen_files: set[bytes] = set()
    for path in paths:
        for item in _walk(path.expanduser().absolute(), seen_folders):
            key = path_bytes(item.path)
            if key not in seen_files:
                seen_files.add(key)
                yield item


def _walk(start: Path, seen: set[tuple[int, int]]) -> Iterator[DiscoveredFile]:
    waiting = [start]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            # A symbolic link that leads nowhere could have been anything; what is out of reach, a folder.
            if path != start and not is_media(path) and getattr(error, "errno", None) in _LEADS_NOWHERE:
                yield _skipped(path)
            else:
                yield DiscoveredFile(path, error=f"cannot be read: {_reason(error)}")
            continue
        if not stat.S_ISDIR(status.st_mode):
            yield _file(path, status, named=path == start)
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        try:
            with os.scandir(os.fsencode(path)) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            yield DiscoveredFile(path, error=f"cannot be listed: {_reason(error)}")
            continue
        waiting += [path / os.fsdecode(name) for name in reversed(names) if not name.startswith(b".")]


def _file(path: Path, status: os.stat_result, *, named: bool) -> DiscoveredFile:
    # First, because to open a named pipe would wait for a writer.
    if not stat.S_ISREG(status.st_mode):
        return DiscoveredFile(path, skipped="not a regular file")
    if not named and not is_media(path):
        return _skipped(path)
    return DiscoveredFile(path, status.st_size, status.st_mtime_ns)


def _skipped(path: Path) -> DiscoveredFile:
    return DiscoveredFile(path, skipped=f"{path.suffix or 'no suffix'} is not a video or photo")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
