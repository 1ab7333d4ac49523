"""Instances and examples: a person's decision outranks every job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store import instances as rows
from thisismy.store.folder import Store
from thisismy.store.instances import CONFIRMED, JOB, PROPOSED, REJECTED, USER, Example, Instance


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    store = Store.create(tmp_path)
    with store.write() as connection:
        yield connection


def biscuit(connection: Connection) -> Instance:
    rows.create_instance(connection, "my dog Biscuit", "dog")
    return rows.find_instance(connection, "my dog Biscuit")


MINED = Example("h1", Span(3, 6), PROPOSED, JOB, "mined", 0.8)


def test_names_are_found_whatever_case_and_spaces(connection: Connection) -> None:
    made = biscuit(connection)
    rows.add_alias(connection, made, "Biscuit")
    assert rows.find_instance(connection, "  MY dog   biscuit ").id == made.id
    assert rows.find_instance(connection, "biscuit").aliases == ("Biscuit",)


def test_an_unknown_name_hints_at_a_close_one(connection: Connection) -> None:
    biscuit(connection)
    with pytest.raises(
        InstanceError, match="no instance is called 'my dog Biskit'; did you mean 'my dog Biscuit'"
    ):
        rows.find_instance(connection, "my dog Biskit")


def test_names_mean_one_thing(connection: Connection) -> None:
    made = biscuit(connection)
    rows.create_instance(connection, "my cat Mia", "cat")
    for wrong in ("MY DOG BISCUIT", "", "   "):
        with pytest.raises(InstanceError):
            rows.create_instance(connection, wrong)
    with pytest.raises(InstanceError, match="taken"):
        rows.rename_instance(connection, made, "my cat mia")
    rows.rename_instance(connection, made, "My Dog Biscuit")
    assert rows.find_instance(connection, "my dog biscuit").name == "My Dog Biscuit"


@pytest.mark.parametrize("state", [CONFIRMED, REJECTED])
def test_a_job_never_changes_what_a_person_decided(connection: Connection, state: str) -> None:
    made = biscuit(connection)
    rows.put_example(connection, made, MINED)
    rows.decide_examples(connection, [rows.examples_of(connection, made)[0].id], state)
    rows.put_example(connection, made, MINED)
    rows.put_example(connection, made, replace(MINED, span=Span(3.2, 6.4)))
    assert [(e.state, e.decided_by) for e in rows.examples_of(connection, made)] == [(state, USER)]


def test_a_person_changes_what_a_job_proposed(connection: Connection) -> None:
    made = biscuit(connection)
    rows.put_example(connection, made, MINED)
    rows.put_example(connection, made, Example("h1", Span(3, 6), REJECTED))
    assert [(e.state, e.origin) for e in rows.examples_of(connection, made)] == [(REJECTED, "taught")]


def test_shots_side_by_side_are_two_examples(connection: Connection) -> None:
    made = biscuit(connection)
    for span in (Span(0, 3), Span(3, 6), Span(0, 0)):
        rows.put_example(connection, made, Example("h1", span))
    assert rows.find_instance(connection, "my dog Biscuit").confirmed == 3


def test_category_of_a_job_does_not_outrank_a_person(connection: Connection) -> None:
    made = biscuit(connection)
    rows.set_category(connection, made, "cat", JOB)
    assert rows.find_instance(connection, made.name).category == "dog"
    rows.set_category(connection, made, "puppy")
    assert rows.find_instance(connection, made.name).category == "puppy"


def test_merge(connection: Connection) -> None:
    made = biscuit(connection)
    rows.create_instance(connection, "Biscuit the dog", "dog")
    other = rows.find_instance(connection, "Biscuit the dog")
    rows.put_example(connection, made, MINED)
    rows.put_example(connection, other, Example("h1", Span(3, 6), REJECTED))
    rows.put_example(connection, other, Example("h2", Span(0, 1)))
    rows.merge_instances(connection, made, other)
    merged = rows.find_instance(connection, "biscuit the dog")
    assert (merged.id, merged.confirmed, merged.proposed, merged.rejected) == (made.id, 1, 0, 1)
    with pytest.raises(InstanceError, match="same instance"):
        rows.merge_instances(connection, merged, merged)


def test_split(connection: Connection) -> None:
    made = biscuit(connection)
    for start in range(4):
        rows.put_example(connection, made, Example("h1", Span(start, start + 1)))
    ids = [example.id for example in rows.examples_of(connection, made)]
    rows.split_instance(connection, made, "my dog Cookie", ids[:2])
    assert rows.find_instance(connection, "my dog Cookie").confirmed == 2
    assert rows.find_instance(connection, "my dog Biscuit").confirmed == 2
    with pytest.raises(InstanceError, match="has no example"):
        rows.split_instance(connection, made, "my dog Crumb", [ids[0]])


def test_delete_takes_everything_with_it(connection: Connection) -> None:
    made = biscuit(connection)
    rows.put_photo(connection, "p1", b"jpeg")
    rows.put_example(connection, made, Example("p1", Span(0, 0)))
    rows.delete_instance(connection, made)
    assert rows.list_instances(connection) == []
    assert rows.get_photo(connection, "p1") is None
    rows.create_instance(connection, "my dog Biscuit")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from([USER, JOB]), st.booleans()),
        max_size=12,
    )
)
def test_decisions_are_never_lost_to_jobs(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    store = Store.create(tmp_path_factory.mktemp("library"))
    with store.write() as connection:
        made = biscuit(connection)
        for start, length, by, good in steps:
            before = {e.id: e for e in rows.examples_of(connection, made) if e.decided_by == USER}
            state = (CONFIRMED if good else REJECTED) if by == USER else PROPOSED
            rows.put_example(connection, made, Example("h", Span(start, start + length), state, by))
            after = {e.id: e for e in rows.examples_of(connection, made)}
            if by == JOB:
                assert before.items() <= after.items()
    store.close()
