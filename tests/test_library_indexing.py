"""The jobs: what is done, what is done again, what is kept when things go wrong."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image
from sqlalchemy import func, select

from thisismy.core.errors import LibraryError
from thisismy.jobs.indexing import Indexer, IndexReport
from thisismy.library import Library
from thisismy.store import schema
from thisismy.store.folder import Store
from thisismy.store.settings import IndexSettings
from thisismy.store.vector_index.gallery import build_gallery, load_gallery


def photo(path: Path, colour: tuple[int, int, int], size: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), colour).save(path, format="PNG")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "library")


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


def index(store: Store, with_encoder: FakeEncoder, *paths: Path, **settings: object) -> IndexReport:
    indexer = Indexer(
        store, lambda: with_encoder, settings=IndexSettings(**{**store.index_settings.__dict__, **settings})
    )
    report = indexer.run(paths)
    store.index_settings = indexer.settings
    return report


def count(store: Store, table: str) -> int:
    with store.read() as connection:
        return connection.execute(
            select(func.count()).select_from(schema.metadata.tables[table])
        ).scalar_one()


def test_a_second_run_does_nothing_again(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    photo(tmp_path / "in/red.png", (255, 0, 0))
    photo(tmp_path / "in/deep/blue.png", (0, 0, 255))
    assert index(store, encoder, tmp_path / "in").added == 2
    seen = encoder.images_seen
    report = index(store, encoder, tmp_path / "in")
    assert (report.unchanged, report.added, encoder.images_seen) == (2, 0, seen)


def test_features_are_those_of_the_pictures(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    photo(tmp_path / "in/blue.png", (0, 0, 255))
    photo(tmp_path / "in/red.png", (255, 0, 0))
    index(store, encoder, tmp_path / "in")
    gallery = load_gallery(store, encoder.id)
    assert np.allclose(
        gallery.vectors[0], np.array([0, 0, 1, 0.1]) / np.linalg.norm([0, 0, 1, 0.1]), atol=1e-3
    )
    assert np.allclose(
        gallery.vectors[1], np.array([1, 0, 0, 0.1]) / np.linalg.norm([1, 0, 0, 0.1]), atol=1e-3
    )
    cached = load_gallery(store, encoder.id)
    assert np.array_equal(cached.vectors, build_gallery(store, encoder.id).vectors)


def test_one_broken_file_among_many_is_reported_and_kept_out(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    for number in range(99):
        photo(tmp_path / f"in/{number:03d}.png", (number, 0, 0))
    (tmp_path / "in/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    report = index(store, encoder, tmp_path / "in")
    assert report.added == 99
    assert [Path(failure.path).name for failure in report.failed] == ["broken.png"]
    assert len(load_gallery(store, encoder.id)) == 99
    again = index(store, encoder, tmp_path / "in")
    assert (again.unchanged, len(again.failed)) == (99, 1)


def test_a_file_that_is_mended_is_added(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    path = tmp_path / "in/a.png"
    path.parent.mkdir()
    path.write_text("no picture")
    assert index(store, encoder, tmp_path / "in").failed
    photo(path, (9, 9, 9))
    report = index(store, encoder, tmp_path / "in")
    assert (report.added, report.failed) == (1, [])


def test_a_good_file_that_breaks_is_not_found_any_more(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    path = photo(tmp_path / "in/a.png", (9, 9, 9))
    index(store, encoder, tmp_path / "in")
    path.write_text("overwritten by accident")
    assert len(index(store, encoder, tmp_path / "in").failed) == 1
    assert len(load_gallery(store, encoder.id)) == 0


def test_renamed_moved_copied(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    path = photo(tmp_path / "in/a.png", (1, 2, 3))
    index(store, encoder, tmp_path / "in")
    seen = encoder.images_seen
    path.rename(tmp_path / "in/b.png")
    report = index(store, encoder, tmp_path / "in")
    assert (report.renamed, report.missing, report.added) == (1, [], 0)
    (tmp_path / "in/c.png").write_bytes((tmp_path / "in/b.png").read_bytes())
    report = index(store, encoder, tmp_path / "in")
    assert (report.added, report.unchanged) == (1, 1)
    assert encoder.images_seen == seen
    assert len(load_gallery(store, encoder.id)) == 1


def test_two_files_that_swap_their_contents(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    first, second = photo(tmp_path / "in/1.png", (255, 0, 0)), photo(tmp_path / "in/2.png", (0, 255, 0), 17)
    index(store, encoder, tmp_path / "in")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    seen = encoder.images_seen
    report = index(store, encoder, tmp_path / "in")
    assert (report.changed, encoder.images_seen) == (2, seen)
    assert len(load_gallery(store, encoder.id)) == 2


def test_changed_content_replaces_the_old(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    path = photo(tmp_path / "in/a.png", (255, 0, 0))
    index(store, encoder, tmp_path / "in")
    photo(path, (0, 255, 0), size=20)
    assert index(store, encoder, tmp_path / "in").changed == 1
    gallery = load_gallery(store, encoder.id)
    assert len(gallery) == 1
    assert gallery.vectors[0].argmax() == 1


def test_a_deleted_file_is_hidden_and_comes_back_for_free(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    path = photo(tmp_path / "in/a.png", (255, 0, 0))
    photo(tmp_path / "in/b.png", (0, 255, 0))
    index(store, encoder, tmp_path / "in")
    content = path.read_bytes()
    path.unlink()
    assert index(store, encoder, tmp_path / "in").missing == [str(path)]
    assert len(load_gallery(store, encoder.id)) == 1
    path.write_bytes(content)
    seen = encoder.images_seen
    assert index(store, encoder, tmp_path / "in").failed == []
    assert (len(load_gallery(store, encoder.id)), encoder.images_seen) == (2, seen)


def test_a_folder_that_vanishes_takes_nothing_with_it(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    photo(tmp_path / "drive/a.png", (255, 0, 0))
    index(store, encoder, tmp_path / "drive")
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    report = index(store, encoder, tmp_path / "drive")
    assert len(report.failed) == 1
    assert "cannot be read" in report.failed[0].error
    assert count(store, "vectors") == 1


def test_another_encoder_encodes_the_same_frames_again(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    photo(tmp_path / "in/a.png", (255, 0, 0))
    index(store, encoder, tmp_path / "in")
    other = FakeEncoder()
    other.id = "fake-other"
    report = index(store, other, tmp_path / "in", encoder="other", encoder_id=None)
    assert (report.updated, other.images_seen) == (1, 1)
    assert (count(store, "shots"), count(store, "vectors")) == (1, 2)
    assert len(load_gallery(store, "fake-other")) == len(load_gallery(store, encoder.id)) == 1


def test_other_sampling_scans_again_and_leaves_one_set(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    photo(tmp_path / "in/a.png", (255, 0, 0))
    index(store, encoder, tmp_path / "in")
    assert index(store, encoder, tmp_path / "in", rate=2.0).updated == 1
    assert (count(store, "shots"), count(store, "regions"), count(store, "vectors")) == (1, 1, 1)


def test_a_folder_loop_ends(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    photo(tmp_path / "in/a/b.png", (1, 1, 1))
    (tmp_path / "in/a/back").symlink_to(tmp_path / "in", target_is_directory=True)
    assert index(store, encoder, tmp_path / "in").added == 1


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="the file system insists on UTF-8 names")
def test_a_name_that_is_not_utf8(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    photo(Path(name), (1, 1, 1))
    report = index(store, encoder, tmp_path, tmp_path)
    assert (report.added, report.failed) == (1, [])
    assert index(store, encoder, tmp_path).unchanged == 1


def test_a_dangling_link_is_reported(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    report = index(store, encoder, tmp_path / "in")
    assert [failure.stage for failure in report.failed] == ["look"]


def test_what_is_no_media_is_skipped_and_said(store: Store, encoder: FakeEncoder, tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png", (1, 1, 1))
    (tmp_path / "in/notes.txt").write_text("hello")
    (tmp_path / "in/.hidden.png").write_text("a shadow that another program left")
    report = index(store, encoder, tmp_path / "in")
    assert [Path(note.path).name for note in report.skipped] == ["notes.txt"]
    assert report.failed == []


def test_an_unexpected_failure_costs_one_file(store: Store, tmp_path: Path) -> None:
    class Moody(FakeEncoder):
        def encode_images(self, images):  # type: ignore[no-untyped-def]
            if images[0][0, 0, 0] == 13:
                raise ZeroDivisionError("thirteen")
            return super().encode_images(images)

    for red in (12, 13, 14):
        photo(tmp_path / f"in/{red}.png", (red, 0, 0))
    report = index(store, Moody(), tmp_path / "in")
    assert report.added == 2
    assert [failure.error for failure in report.failed] == ["ZeroDivisionError: thirteen"]


def test_a_full_disk_is_one_clear_error_and_loses_nothing(
    store: Store, encoder: FakeEncoder, tmp_path: Path
) -> None:
    photo(tmp_path / "first/a.png", (1, 1, 1))
    index(store, encoder, tmp_path / "first")
    for number in range(300):
        photo(tmp_path / f"more/{number}.png", (number % 256, number // 256, 7))
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limited = Store.open(store.folder)

    def limit(dbapi_connection, _record):  # type: ignore[no-untyped-def]
        dbapi_connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    from sqlalchemy import event

    event.listen(limited.engine, "connect", limit)
    limited.engine.dispose()
    with pytest.raises(LibraryError, match="is full"):
        index(limited, encoder, tmp_path / "more")
    limited.close()
    assert index(store, encoder, tmp_path / "first").unchanged == 1
    report = index(store, encoder, tmp_path / "more")
    assert report.added + report.updated + report.unchanged == 300
    assert len(load_gallery(store, encoder.id)) == 301


def colours(monkeypatch: pytest.MonkeyPatch, encoder: FakeEncoder, folder: Path) -> Library:
    """A library whose encoder, whatever its name, is the transparent one."""
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_given, **_more: encoder)
    return Library.create(folder)


def states(library: Library) -> dict[str, str]:
    return {Path(entry.path).name: entry.state for entry in library.files.all()}


def test_a_file_replaced_while_it_is_indexed_is_not_stored_as_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Replacing(FakeEncoder):
        replaced = False

        def encode_images(self, images):  # type: ignore[no-untyped-def]
            if not self.replaced:
                self.replaced = True
                photo(tmp_path / "in/a.png", (0, 0, 255), size=20)
            return super().encode_images(images)

    library = colours(monkeypatch, Replacing(), tmp_path / "library")
    photo(tmp_path / "in/a.png", (255, 0, 0))
    report = library.files.add([tmp_path / "in"], encoder="fake")
    assert [failure.error for failure in report.failed] == [
        "was changed while it was being read: run the same command again"
    ]
    assert [count(library.store, table) for table in ("shots", "vectors", "stages")] == [0, 0, 0]
    report = library.files.add([tmp_path / "in"])
    assert (report.failed, states(library)) == ([], {"a.png": "indexed"})
    assert load_gallery(library.store, FakeEncoder.id).vectors.argmax(axis=1).tolist() == [2]


def test_a_second_run_with_the_embedded_encoder_does_not_load_it(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png", (1, 1, 1))
    library = Library.create(tmp_path / "library")
    assert library.files.add([tmp_path / "in"], encoder="embedded").added == 1
    library.close()
    code = f"""
import sys
from pathlib import Path
from thisismy.library import Library
library = Library.open(Path({str(tmp_path / "library")!r}))
assert library.files.add().unchanged == 1
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_out_of_reach_costs_that_folder(
    encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = colours(monkeypatch, encoder, tmp_path / "library")
    photo(tmp_path / "in/a.png", (1, 1, 1))
    photo(tmp_path / "in/z.png", (2, 2, 2))
    try:
        handle = os.open(tmp_path / "in", os.O_RDONLY)
        length = len(os.fsencode(tmp_path / "in"))
        while length < 4200:  # Linux takes no path of more than 4,096 bytes
            os.mkdir("d" * 250, dir_fd=handle)
            inner = os.open("d" * 250, os.O_RDONLY, dir_fd=handle)
            os.close(handle)
            handle, length = inner, length + 251
        os.close(handle)
        report = library.files.add([tmp_path / "in"], encoder="fake")
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "in"], check=True)
    assert report.added == 2
    assert [failure.error for failure in report.failed] == ["cannot be read: File name too long"]


def test_a_folder_that_may_not_be_listed_keeps_its_files_until_it_may(
    encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = colours(monkeypatch, encoder, tmp_path / "library")
    photo(tmp_path / "in/a.png", (1, 1, 1))
    photo(tmp_path / "in/private/b.png", (2, 2, 2))
    assert library.files.add([tmp_path / "in"], encoder="fake").added == 2
    photo(tmp_path / "in/c.png", (3, 3, 3))

    private = os.fsencode(tmp_path / "in/private")
    scandir, lstat = os.scandir, os.lstat

    def refused(path: bytes) -> PermissionError:
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    def list_folder(path):  # type: ignore[no-untyped-def]
        if not isinstance(path, int) and os.fsencode(path) == private:
            raise refused(path)
        return scandir(path)

    def look(path, **more):  # type: ignore[no-untyped-def]
        if not isinstance(path, int) and os.fsencode(path).startswith(private + b"/"):
            raise refused(path)
        return lstat(path, **more)

    with monkeypatch.context() as patch:  # root may list everything
        patch.setattr(os, "scandir", list_folder)
        patch.setattr(os, "lstat", look)
        report = library.files.add([tmp_path / "in"])
    assert (report.added, report.missing) == (1, [])
    assert [(Path(f.path).name, f.error) for f in report.failed] == [
        ("private", "cannot be listed: Permission denied")
    ]
    assert states(library) == {
        "a.png": "indexed",
        "b.png": "indexed",
        "c.png": "indexed",
        "private": "failed",
    }

    report = library.files.add([tmp_path / "in"])
    assert (report.unchanged, report.failed) == (3, [])
    assert states(library) == {"a.png": "indexed", "b.png": "indexed", "c.png": "indexed"}


def test_pipes_and_sockets_called_like_videos_are_skipped(
    encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = colours(monkeypatch, encoder, tmp_path / "library")
    photo(tmp_path / "in/a.png", (1, 1, 1))
    os.mkfifo(tmp_path / "in/pipe.mp4")
    os.mkfifo(tmp_path / "in/pipe.ts")
    monkeypatch.chdir(tmp_path / "in")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mp4")
        report = library.files.add([tmp_path / "in", tmp_path / "in/pipe.mp4"], encoder="fake")
    assert (report.added, report.failed) == (1, [])
    assert [(Path(note.path).name, note.note) for note in report.skipped] == [
        ("pipe.mp4", "not a regular file"),
        ("pipe.ts", "not a regular file"),
        ("socket.mp4", "not a regular file"),
    ]


class Shaky(FakeEncoder):
    """Fails for as long as it is told to."""

    broken = True

    def encode_images(self, images):  # type: ignore[no-untyped-def]
        if self.broken:
            raise ZeroDivisionError("for now")
        return super().encode_images(images)


def test_a_copy_of_a_failed_file_is_not_failed_once_the_content_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Shaky()
    library = colours(monkeypatch, encoder, tmp_path / "library")
    photo(tmp_path / "in/first.png", (9, 9, 9))
    photo(tmp_path / "in/second.png", (9, 9, 9))
    assert len(library.files.add([tmp_path / "in"], encoder="fake").failed) == 2
    encoder.broken = False
    report = library.files.add([tmp_path / "in"])
    assert (report.failed, states(library)) == ([], {"first.png": "indexed", "second.png": "indexed"})


def test_a_copy_that_was_not_looked_at_again_is_cleared_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Shaky()
    library = colours(monkeypatch, encoder, tmp_path / "library")
    first = photo(tmp_path / "in/first.png", (9, 9, 9))
    photo(tmp_path / "in/second.png", (9, 9, 9))
    library.files.add([tmp_path / "in"], encoder="fake")
    encoder.broken = False
    library.files.add([first])
    assert states(library) == {"first.png": "indexed", "second.png": "failed"}
    report = library.files.add([tmp_path / "in"])
    assert (report.unchanged, report.failed) == (2, [])
    assert states(library) == {"first.png": "indexed", "second.png": "indexed"}


def test_a_known_file_that_was_out_of_reach_for_a_while_is_not_failed(
    encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = colours(monkeypatch, encoder, tmp_path / "library")
    real = photo(tmp_path / "elsewhere/a.png", (9, 9, 9))
    link = tmp_path / "in/a.png"
    link.parent.mkdir()
    link.symlink_to(real)
    library.files.add([link.parent], encoder="fake")
    real.rename(tmp_path / "b.png")
    assert len(library.files.add([link.parent]).failed) == 1
    (tmp_path / "b.png").rename(real)
    assert library.files.add([link.parent]).failed == []
    assert states(library) == {"a.png": "indexed"}
