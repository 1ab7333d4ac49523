"""Vectors of two halves become two regions without anything being encoded again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from thisismy.core.span import Span
from thisismy.encoders.base import unit
from thisismy.encoders.embedded.encoder import EmbeddedEncoder
from thisismy.encoders.space import Block
from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions
from thisismy.shots import Shot
from thisismy.store import catalog, schema
from thisismy.store.features import EncodedShot, encoder_row, list_spaces, replace_shots
from thisismy.store.folder import DATABASE, Store
from thisismy.store.rims import split_rims
from thisismy.store.settings import IndexSettings
from thisismy.store.vector_index.gallery import load_gallery

DATA = Path(__file__).parent / "data"
OLD, NEW = "embedded-3-0123abcd", "embedded-4-0123abcd"


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "library")
    store.index_settings = IndexSettings(encoder="embedded", encoder_id=OLD)
    return store


def index(store: Store, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    frames, rims = unit(rng.standard_normal((n, 384))), unit(rng.standard_normal((n, 384)))
    joined = np.concatenate([frames * 0.99**0.5, rims * 0.01**0.5], axis=1)
    about = {"kind": "video", "duration": n, "width": 1, "height": 1, "rotation": 0}
    file = {"path": b"/a", "media_id": 1, "size": 1, "mtime_ns": 1, "missing": False}
    with store.write() as connection:
        connection.execute(insert(schema.media).values(id=1, content_hash="a", hdr=False, notes=[], **about))
        connection.execute(insert(schema.files).values(file))
        shots = [EncodedShot(Shot(i, Span(i, i + 1)), (i + 0.5,), Block(joined[i : i + 1])) for i in range(n)]
        replace_shots(connection, 1, shots, encoder_row(connection, OLD, 768))
        catalog.finish(connection, 1, catalog.FEATURES, OLD)
    return frames, rims


def test_every_vector_becomes_a_frame_and_a_rim(store: Store) -> None:
    frames, rims = index(store, 2100)
    before, generation = load_gallery(store, OLD), store.generation
    with store.write() as connection:
        assert split_rims(connection) == 2100
    with store.read() as connection:
        assert [(space.id, space.dim) for space in list_spaces(connection)] == [(NEW, 384)]
        assert catalog.is_finished(connection, 1, catalog.FEATURES, NEW)
        assert not catalog.is_finished(connection, 1, catalog.FEATURES, OLD)
    assert store.index_settings == IndexSettings(encoder="embedded", encoder_id=NEW)
    assert store.search_encoder.id == NEW
    assert store.generation > generation
    for kind, expected, tolerance in (("frame", frames, 1e-3), ("rim", rims, 3e-3)):
        gallery = load_gallery(store, NEW, kind)
        np.testing.assert_allclose(gallery.frame_vectors, expected, atol=tolerance)
        np.testing.assert_array_equal(gallery.shot_ids, before.shot_ids)
        np.testing.assert_array_equal(gallery.frame_times, before.frame_times)
    assert len(load_gallery(store, OLD)) == 0


def test_a_library_that_has_none_stays_as_it_is(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "library")
    store.index_settings = IndexSettings(encoder="owner/model", encoder_id="clip-1")
    generation = store.generation
    with store.write() as connection:
        assert split_rims(connection) == 0
    assert store.generation == generation
    assert store.index_settings.encoder_id == "clip-1"


def test_what_was_encoded_with_both_versions_keeps_the_newer(store: Store) -> None:
    index(store, 3)
    with store.write() as connection:
        encoder_row(connection, NEW, 384)
        assert split_rims(connection) == 0
        assert [space.id for space in list_spaces(connection)] == [NEW]


def test_a_library_of_the_third_version_finds_what_it_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "library").mkdir()
    with sqlite3.connect(tmp_path / "library" / DATABASE) as connection:
        connection.executescript((DATA / "embedded-3.sql").read_text())
    connection.close()

    def fail(*_args: object) -> None:
        raise AssertionError("a picture was encoded again")

    monkeypatch.setattr(EmbeddedEncoder, "encode_with_rim", fail)
    library = Library.open(tmp_path / "library")
    assert library.store.search_encoder.id == library.encoder.id
    assert [entry.state for entry in library.files.all()] == ["indexed"] * 10
    library.learning.learn(judge=False)
    options = SearchOptions(k=4, cutoff=0.0, fold=False)
    for query, before in json.loads((DATA / "embedded-3.json").read_text()).items():
        hits = library.search.find(query, options=options).hits
        assert [Path(hit.path).name for hit in hits] == [name for name, _ in before], query
        # The rim was a hundredth of a cosine.
        np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in before], atol=0.01)
