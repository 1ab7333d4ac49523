"""Files and folders that appear whole or not at all, whatever happens while they are written.

Everything is written under a hidden name of its own in the same folder and then renamed, so a reader sees the
old file or the new one, and writers do not disturb each other, be they threads or processes.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".part-"
"""Begins the name of what is not finished; a killed process leaves such a file behind."""


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """An empty file to write that takes the place of ``path`` when the block ends well.

    It ends like ``path``, for libraries that choose the format by the ending. Permissions are those that
    ``open`` would give: of the file that is replaced, else as the process makes new files.

    Args:
        path: where the file goes; its folder must exist. A symbolic link is followed.
        durable: wait until the disk has it, for what nobody could make again.

    Raises:
        OSError: it cannot be written, or ``path`` is something else than a file; the error names ``path``.
    """
    target = Path(os.path.realpath(path))
    mode = _mode_of(target)
    part = _beside(target, target.suffix)
    try:
        # As open() does it, so that the process's mask applies without being asked for.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        if mode is not None:
            part.chmod(mode)
        yield part
        if durable:
            _sync(part)
        part.replace(target)
        if durable:
            _sync_folder(target.parent)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) == os.fspath(part):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file; see `replacing`.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, durable=durable) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file as UTF-8 with the line ends as given; see `replacing`.

    Raises:
        OSError: it cannot be written.
    """
    write_bytes(path, text.encode("utf-8"), durable=durable)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill that becomes ``path`` when the block ends well.

    Where somebody else makes the same folder at the same time, the first one stays and this one is dropped.

    Args:
        path: where the folder goes; the folder around it must exist.

    Raises:
        OSError: it cannot be written, or there is a file of that name.
    """
    part = _beside(path, "")
    part.mkdir()
    try:
        yield part
        try:
            part.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Delete a folder so that nobody finds half of it.

    Raises:
        OSError: it cannot be moved out of the way.
    """
    part = _beside(path, "")
    path.rename(part)
    shutil.rmtree(part, ignore_errors=True)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{PREFIX}{secrets.token_hex(8)}{suffix}")


def _mode_of(path: Path) -> int | None:
    """The permissions of a file that is there; None where there is none."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return stat.S_IMODE(mode)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Keep the new name, too; systems on which a folder cannot be opened do so themselves."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
