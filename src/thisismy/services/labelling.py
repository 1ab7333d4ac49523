"""What a person says about examples and shots of an instance, inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from thisismy.core.errors import InstanceError
from thisismy.store import browsing
from thisismy.store import instances as rows
from thisismy.store.instances import CONFIRMED, JOB, PROPOSED, REJECTED, USER, Example, Instance

if TYPE_CHECKING:
    from thisismy.store.browsing import ShotRow
    from thisismy.store.database import Connection

REMOVED = "removed"
"""What to decide about an example that is to be forgotten."""


def decide(connection: Connection, instance: Instance, states: Mapping[int, str]) -> dict[int, str]:
    """Set or ("removed") forget examples by their rows, and give their states before.

    Raises:
        InstanceError: no such example, or another state.
    """
    known = {example.id: example for example in rows.examples_of(connection, instance)}
    wrong = [str(number) for number in states if number not in known]
    if wrong:
        raise InstanceError(f"{instance.name!r} has no example {', '.join(wrong)}")
    for number, state in states.items():
        if state == REMOVED:
            rows.remove_examples(connection, [number])
        elif state in (CONFIRMED, REJECTED, PROPOSED):
            rows.decide_examples(connection, [number], state, JOB if state == PROPOSED else USER)
        else:
            raise InstanceError(f"an example is confirmed, rejected, proposed or removed, not {state!r}")
    return {number: known[number].state for number in states}


def labels(connection: Connection, instance: Instance, shot_ids: Sequence[int]) -> dict[int, str | None]:
    """The state of shots: "confirmed", "proposed", "rejected" or None; shots that are gone are left out."""
    shots = browsing.shots_by_id(connection, shot_ids)
    examples = rows.examples_of(connection, instance)
    return {
        number: next((example.state for example in examples if _shows(example, shots[number])), None)
        for number in shot_ids
        if number in shots
    }


def label(
    connection: Connection, instance: Instance, wanted: Mapping[int, str | None]
) -> dict[int, str | None]:
    """Set the state of shots, or (None) take back what was decided about them, and give what it was before.

    Raises:
        InstanceError: no such shot, or another state.
    """
    wrong = set(wanted.values()) - {CONFIRMED, REJECTED, PROPOSED, None}
    if wrong:
        raise InstanceError(f"a shot is 'confirmed', 'rejected' or not decided, not {wrong.pop()!r}")
    before = labels(connection, instance, list(wanted))
    gone = [str(number) for number in wanted if number not in before]
    if gone:
        raise InstanceError(f"there is no shot {', '.join(gone)} any more: look for it again")
    shots = browsing.shots_by_id(connection, list(wanted))
    known = rows.examples_of(connection, instance)
    for number, state in wanted.items():
        there = [example.id for example in known if _shows(example, shots[number])]
        if state is None:
            rows.remove_examples(connection, there)
        elif there:
            rows.decide_examples(connection, there, state, JOB if state == PROPOSED else USER)
        else:
            shot = shots[number]
            rows.put_example(
                connection, instance, Example(shot.content_hash, shot.span, state, origin="labelled")
            )
    return before


def _shows(example: Example, shot: ShotRow) -> bool:
    return example.content_hash == shot.content_hash and example.span.same_place(shot.span)
