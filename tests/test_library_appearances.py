"""Appearances: found again by jobs, decided by people."""

from __future__ import annotations

from pathlib import Path

import pytest

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store.appearances import (
    CONFIRMED,
    FOUND,
    REJECTED,
    Appearance,
    decide_appearances,
    list_appearances,
    replace_found,
)
from thisismy.store.folder import Store
from thisismy.store.instances import create_instance, delete_instance, find_instance, merge_instances


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Store:
    store = Store.create(tmp_path)
    with store.write() as connection:
        assert create_instance(connection, "Biscuit", "dog") == 1
    return store


def at(start: float, end: float, content: str = "a") -> Appearance:
    evidence = ({"space": "faces", "log_odds": 2.5, "time": start, "box": [0, 0, 0.5, 0.5]},)
    return Appearance(1, content, Span(start, end), evidence)


def shown(store: Store, content: str = "a") -> list[tuple[Span, str]]:
    return [(item.span, item.state) for item in list_appearances(store, content_hash=content)]


def test_a_job_changes_nothing_that_a_person_decided(store: Store) -> None:
    replace_found(store, 1, "a", [at(0, 2), at(4, 6), at(8, 9)])
    first, second, _ = list_appearances(store, instance_id=1)
    assert first.evidence == at(0, 2).evidence
    decide_appearances(store, [first.id], CONFIRMED)
    decide_appearances(store, [second.id], REJECTED)
    replace_found(store, 1, "a", [at(0.2, 2.2), at(4, 6), at(20, 21)])
    replace_found(store, 1, "b", [at(1, 2, "b")])
    assert shown(store) == [(Span(0, 2), CONFIRMED), (Span(4, 6), REJECTED), (Span(20, 21), FOUND)]
    assert shown(store, "b") == [(Span(1, 2), FOUND)]


def test_deciding_is_all_or_nothing(store: Store) -> None:
    replace_found(store, 1, "a", [at(0, 2)])
    (only,) = list_appearances(store)
    with pytest.raises(InstanceError, match="no appearance number 99"):
        decide_appearances(store, [only.id, 99], CONFIRMED)
    with pytest.raises(InstanceError, match="not 'maybe'"):
        decide_appearances(store, [only.id], "maybe")
    assert shown(store) == [(Span(0, 2), FOUND)]


def test_merging_instances_keeps_what_was_decided(store: Store) -> None:
    with store.write() as connection:
        assert create_instance(connection, "Biskit", "dog") == 2
    replace_found(store, 1, "a", [at(0, 2), at(4, 6)])
    replace_found(store, 2, "a", [at(0.1, 2), at(4, 6), at(8, 9)])
    mine, theirs = list_appearances(store, instance_id=1), list_appearances(store, instance_id=2)
    decide_appearances(store, [mine[0].id, theirs[1].id], REJECTED)
    with store.write() as connection:
        kept, other = (find_instance(connection, name) for name in ("Biscuit", "Biskit"))
        merge_instances(connection, kept, other)
    assert shown(store) == [(Span(0, 2), REJECTED), (Span(4, 6), REJECTED), (Span(8, 9), FOUND)]
    assert {item.instance_id for item in list_appearances(store)} == {1}


def test_they_go_with_their_instance(store: Store) -> None:
    replace_found(store, 1, "a", [at(0, 2)])
    with store.write() as connection:
        delete_instance(connection, find_instance(connection, "Biscuit"))
    assert list_appearances(store) == []
