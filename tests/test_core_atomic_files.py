"""Files that appear whole or not at all, under threads, with the permissions of any other file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from thisismy.core.atomic_files import new_folder, remove_folder, replacing, write_bytes, write_text


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_text_is_written_as_given_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "first\n")
    write_text(path, "zwei\r\nÄ\n", durable=True)
    assert path.read_bytes() == "zwei\r\nÄ\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with suppress(ZeroDivisionError), replacing(path) as part:
        part.write_bytes(b"half")
        assert part.suffix == ".bin"
        assert path.read_bytes() == b"old"
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("mask", ["022", "077"])
def test_permissions_are_those_of_open(tmp_path: Path, mask: str) -> None:
    code = "from pathlib import Path; from thisismy.core.atomic_files import write_text\n"
    code += "write_text(Path('ours'), ''); open('theirs', 'w').close()"
    subprocess.run(
        ["sh", "-c", f'umask {mask}; "$0" -c "$1"', sys.executable, code], cwd=tmp_path, check=True
    )
    assert permissions(tmp_path / "ours") == permissions(tmp_path / "theirs")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_permissions_and_links_survive_a_replacement(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "new")
    assert (path.read_text(), permissions(path), link.is_symlink()) == ("new", 0o640, True)


def test_writers_in_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    texts = [bytes([number]) * 100_000 for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_bytes(path, text), texts))
    assert path.read_bytes() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "nowhere/a.txt", "")
    assert caught.value.filename == str(tmp_path / "nowhere/a.txt")
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
def test_what_is_not_a_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "a.txt"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        write_text(pipe, "")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_of_two_equal_folders_the_first_stays(tmp_path: Path) -> None:
    wanted = tmp_path / "model-1.5"
    with new_folder(wanted) as part:
        (part / "weights").write_text("first")
        assert not wanted.exists()
    with new_folder(wanted) as part:
        (part / "weights").write_text("second")
    assert (wanted / "weights").read_text() == "first"
    assert list(tmp_path.iterdir()) == [wanted]
    remove_folder(wanted)
    with suppress(ZeroDivisionError), new_folder(wanted) as part:
        (part / "weights").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
