"""The index of vectors in memory, and its cache on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert
from vector_index_suite import SPACE, VectorIndexSuite

from thisismy.core.span import Span
from thisismy.encoders.base import Features, unit
from thisismy.encoders.space import Block
from thisismy.shots import Shot
from thisismy.store import schema
from thisismy.store.features import (
    EncodedShot,
    FrameRow,
    encoder_row,
    frames_of,
    put_features,
    replace_shots,
)
from thisismy.store.folder import Store
from thisismy.store.settings import changed
from thisismy.store.vector_index.gallery import load_gallery
from thisismy.store.vector_index.memory import MemoryIndex


def fill(store: Store) -> dict[int, tuple[int, Features]]:
    """Two media of four shots, each of two frames; what an index of them holds."""
    rng = np.random.default_rng(0)
    about = {"kind": "video", "duration": 9, "width": 1, "height": 1, "rotation": 0}
    about |= {"hdr": False, "notes": []}
    expected: dict[int, tuple[int, Features]] = {}
    with store.write() as connection:
        space = encoder_row(connection, SPACE.id, SPACE.dim)
        for media_id in (1, 2):
            connection.execute(insert(schema.media).values(id=media_id, content_hash=str(media_id), **about))
            file = {"path": b"/%d" % media_id, "media_id": media_id, "size": 1, "mtime_ns": 1}
            connection.execute(insert(schema.files).values(missing=False, **file))
            frames = [unit(rng.standard_normal((2, 4))) for _ in range(4)]
            shots = [
                EncodedShot(Shot(n, Span(n, n + 1)), (n + 0.2, n + 0.7), Block(rows))
                for n, rows in enumerate(frames)
            ]
            replace_shots(connection, media_id, shots, space)
            ids = connection.execute(schema.shots.select().where(schema.shots.c.media_id == media_id)).all()
            for row, rows in zip(ids, frames, strict=True):
                expected[row.id] = (media_id, unit(rows.mean(axis=0)))
    return expected


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Iterator[Store]:
    store = Store.create(tmp_path / "library")
    yield store
    store.close()


class TestMemoryIndex(VectorIndexSuite):
    @pytest.fixture
    def expected(self, store: Store) -> dict[int, tuple[int, Features]]:
        return fill(store)

    @pytest.fixture
    def index(self, store: Store, expected: dict[int, tuple[int, Features]]) -> MemoryIndex:
        return MemoryIndex.open(store, SPACE.id)

    def test_its_version_moves_with_the_rows(self, store: Store, index: MemoryIndex) -> None:
        assert MemoryIndex.open(store, SPACE.id).version == index.version
        with store.write() as connection:
            replace_shots(connection, 1, [], encoder_row(connection, SPACE.id, SPACE.dim))
        changed = MemoryIndex.open(store, SPACE.id)
        assert changed.version != index.version
        assert len(changed) == len(index) - 4

    def test_an_index_of_another_kind_of_region_is_empty(self, store: Store, index: MemoryIndex) -> None:
        assert len(MemoryIndex.open(store, SPACE.id, "rim")) == 0


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "other", "about"])
def test_a_damaged_cache_heals_itself(store: Store, damage: str) -> None:
    fill(store)
    before = np.array(load_gallery(store, SPACE.id).vectors)
    (kept,) = store.cache.glob("gallery-*")
    victim = kept / ("about.json" if damage == "about" else "vectors.npy")
    if damage == "gone":
        victim.unlink()
    elif damage == "other":
        np.save(victim, np.zeros((3, 4), np.float32))
    else:
        raw = victim.read_bytes()
        victim.write_bytes({"cut": raw[: len(raw) // 2], "empty": b"", "about": b"{"}[damage])
    for _ in range(2):
        gallery = load_gallery(store, SPACE.id)
        np.testing.assert_array_equal(gallery.vectors, before)
    assert isinstance(gallery.vectors, np.memmap)


def test_a_library_made_again_in_the_same_folder_finds_nothing_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    old = Store.create(folder)
    fill(old)
    assert len(load_gallery(old, SPACE.id)) == 8
    generation = old.generation
    (old.cache / "page").mkdir()
    old.close()
    for path in folder.glob("library.db*"):
        path.unlink()
    new = Store.create(folder)
    while new.generation < generation:
        with new.write() as connection:
            replace_shots(connection, 1, [], encoder_row(connection, SPACE.id, SPACE.dim))
    assert len(load_gallery(new, SPACE.id)) == 0
    assert new.cache != old.cache
    assert not old.cache.exists()


def test_frames_come_with_their_rims(store: Store) -> None:
    expected, rng = fill(store), np.random.default_rng(1)
    rims: dict[int, Features] = {}
    with store.write() as connection:
        space = encoder_row(connection, SPACE.id, SPACE.dim)
        for media_id in (1, 2):
            rows = frames_of(connection, media_id)
            block = Block(unit(rng.standard_normal((8, 4))), unit(rng.standard_normal((8, 4))))
            put_features(connection, media_id, rows, block, space)
            put_features(connection, media_id, rows, block, space)
            rims |= {shot: unit(block.rim[2 * n : 2 * n + 2]) for n, shot in enumerate(_shots(rows))}
    index = MemoryIndex.open(store, SPACE.id)
    found = np.concatenate([rows.block.rim for rows in index.blocks()])
    np.testing.assert_allclose(found, [unit(rims[n].sum(axis=0)) for n in expected], atol=2e-3)
    np.testing.assert_allclose(
        index.gallery.frame_rims, np.concatenate([rims[n] for n in expected]), atol=2e-3
    )
    (some,) = index.blocks({2})
    np.testing.assert_allclose(some.rims, found[4:])
    assert isinstance(MemoryIndex.open(store, SPACE.id).gallery.frame_rims, np.memmap)
    assert len(MemoryIndex.open(store, SPACE.id, "rim")) == len(index)
    with store.write() as connection:
        connection.execute(schema.regions.delete().where(schema.regions.c.id == 17))
        changed(connection)
    # Scores with and without a rim cannot be compared.
    assert MemoryIndex.open(store, SPACE.id).gallery.rims is None


def _shots(rows: list[FrameRow]) -> list[int]:
    return list(dict.fromkeys(row.shot_id for row in rows))
