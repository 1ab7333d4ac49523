"""Named things and their examples as rows. What a person decided, no job ever changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.encoders.base import PLACEHOLDER
from thisismy.store import schema
from thisismy.store.appearances import move_appearances
from thisismy.store.dialects import dialect_of

POSSESSIVES = ("my", "our", "his", "her", "their", "your")
"""Words that begin a name, which people may leave out."""

instances, names, examples = schema.instances, schema.names, schema.examples

CONFIRMED, PROPOSED, REJECTED = "confirmed", "proposed", "rejected"
USER, JOB = "user", "job"
THING, PERSON = "thing", "person"


class NameTakenError(InstanceError):
    """A name already means another instance."""


@dataclass(frozen=True)
class Instance:
    """A named thing.

    Attributes:
        id: its row.
        name: as a person says it, "my dog Biscuit".
        aliases: other names, in alphabetical order.
        category: a common noun, "dog"; empty when nobody knows.
        category_by: "user" or "job".
        confirmed, proposed, rejected: examples in each state.
        kind: "thing" or "person".
    """

    id: int
    name: str
    aliases: tuple[str, ...]
    category: str
    category_by: str
    confirmed: int
    proposed: int
    rejected: int
    kind: str = THING


@dataclass(frozen=True)
class Example:
    """Where an instance can be seen, or (rejected) cannot.

    Attributes:
        id: its row; 0 before it is stored.
        content_hash: the media, or a photo kept with the library.
        span: seconds; ``Span(0, 0)`` for a photo.
        state: "confirmed", "proposed" or "rejected".
        decided_by: "user" or "job".
        origin: where it came from: "mined", "similar", "taught", "imported", ...
        score: how sure the job was; None when a person said so.
        box: the thing in the picture, as shares of its sides: left, top, right, bottom; None for all of it.
        box_time: the frame the box was drawn on, in seconds; None without a box.
    """

    content_hash: str
    span: Span
    state: str = CONFIRMED
    decided_by: str = USER
    origin: str = "taught"
    score: float | None = None
    box: tuple[float, float, float, float] | None = None
    id: int = 0
    box_time: float | None = None


def name_key(name: str) -> str:
    """What two names are compared by: case and spaces do not count."""
    return " ".join(name.casefold().split())


def create_instance(
    connection: Connection, name: str, category: str = "", category_by: str = USER, kind: str = THING
) -> int:
    """Make an instance and give its row.

    Raises:
        InstanceError: the name is empty or taken, or there is no such kind.
    """
    name = " ".join(name.split())
    _check_kind(kind)
    values = {"name": name, "category": category, "category_by": category_by, "kind": kind}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _check_free(connection, name)
    row = insert(instances).values(created_at=now, **values).returning(instances.c.id)
    instance_id = int(connection.execute(row).scalar_one())
    connection.execute(insert(names).values(key=name_key(name), name=name, instance_id=instance_id))
    return instance_id


def spellings(known: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every way to write a name (as a `name_key`) -> the instance it means.

    A leading "my", "our", ... may be left out when what remains is no common word, that is, when it still has
    two words or a capital letter. A proper name at the end stands alone: "my dog Biscuit" is "dog Biscuit"
    and "Biscuit", but "my dog Biscuit's bowl" is no "Biscuit's bowl". A short form of two instances means
    neither.

    Args:
        known: (name or alias, name of the instance) of every instance.
    """
    known = list(known)
    table = {name_key(name): instance for name, instance in known}
    short: dict[str, set[str]] = {}
    for name, instance in known:
        first, *rest = name.split()
        if first.casefold() in POSSESSIVES and (len(rest) > 1 or any(map(str.isupper, "".join(rest)))):
            short.setdefault(name_key(" ".join(rest)), set()).add(instance)
        capital = next((at for at, word in enumerate(rest) if word[0].isupper()), None)
        if capital is not None and not re.search(r"['\u2019]", " ".join(rest)):
            short.setdefault(name_key(" ".join(rest[capital:])), set()).add(instance)
    return {key: means.pop() for key, means in short.items() if len(means) == 1} | table


def instance_called(connection: Connection, name: str) -> Instance | None:
    """The instance that a name means when something is searched; None when it means none.

    That is the one with this name or alias, or with a short form of it that means no other; see `spellings`.
    """
    found = list_instances(connection)
    meant = _spellings_of(found).get(name_key(name))
    return next((item for item in found if item.name == meant), None)


def find_instance(connection: Connection, name: str) -> Instance:
    """As `instance_called`, for a name that must mean an instance.

    Raises:
        InstanceError: it means none; names that are close are mentioned.
    """
    instance = instance_called(connection, name)
    if instance is None:
        import difflib

        table = _spellings_of(list_instances(connection))
        close = difflib.get_close_matches(name_key(name), table, n=1, cutoff=0.5)
        hint = f"; did you mean {table[close[0]]!r}?" if close else ""
        raise InstanceError(f"no instance is called {name!r}{hint}")
    return instance


def find_by(connection: Connection, name: str | int) -> Instance:
    """The instance of a name, an alias or a row; a row stays the same when somebody renames it meanwhile.

    Raises:
        InstanceError: there is none.
    """
    if isinstance(name, str):
        return find_instance(connection, name)
    found = next((item for item in list_instances(connection) if item.id == name), None)
    if found is None:
        raise InstanceError(f"there is no instance number {name}")
    return found


def _spellings_of(found: Iterable[Instance]) -> dict[str, str]:
    return spellings((known, item.name) for item in found for known in (item.name, *item.aliases))


def created_at(connection: Connection, instance_id: int) -> str:
    """When an instance was made, ISO 8601."""
    row = select(instances.c.created_at).where(instances.c.id == instance_id)
    return str(connection.execute(row).scalar_one())


def count_instances(connection: Connection) -> int:
    """How many instances there are."""
    return int(connection.execute(select(func.count()).select_from(instances)).scalar_one())


def list_instances(connection: Connection) -> list[Instance]:
    """Every instance, in order of name."""
    counts: dict[tuple[int, str], int] = {}
    grouped = select(examples.c.instance_id, examples.c.state, func.count())
    for instance_id, state, count in connection.execute(
        grouped.group_by(examples.c.instance_id, examples.c.state)
    ):
        counts[instance_id, state] = count
    aliases: dict[int, list[str]] = {}
    for instance_id, alias in connection.execute(select(names.c.instance_id, names.c.name)):
        aliases.setdefault(instance_id, []).append(alias)
    found = [
        Instance(
            id=row.id,
            name=row.name,
            aliases=tuple(sorted(a for a in aliases.get(row.id, []) if name_key(a) != name_key(row.name))),
            category=row.category,
            category_by=row.category_by,
            kind=row.kind,
            **{state: counts.get((row.id, state), 0) for state in (CONFIRMED, PROPOSED, REJECTED)},
        )
        for row in connection.execute(select(instances))
    ]
    return sorted(found, key=lambda item: name_key(item.name))


def rename_instance(connection: Connection, instance: Instance, name: str) -> None:
    """Give an instance another name; the old one is forgotten.

    Raises:
        InstanceError: the name is empty or another instance's.
    """
    name = " ".join(name.split())
    _check_free(connection, name, but=instance.id)
    connection.execute(delete(names).where(names.c.key.in_([name_key(instance.name), name_key(name)])))
    connection.execute(insert(names).values(key=name_key(name), name=name, instance_id=instance.id))
    connection.execute(update(instances).where(instances.c.id == instance.id).values(name=name))


def add_alias(connection: Connection, instance: Instance, alias: str) -> None:
    """Let an instance be called by another name too.

    Raises:
        InstanceError: the alias is empty or another instance's.
    """
    alias = " ".join(alias.split())
    _check_free(connection, alias, but=instance.id)
    row = {"key": name_key(alias), "name": alias, "instance_id": instance.id}
    dialect_of(connection).add_row(connection, names, row)


def set_aliases(connection: Connection, instance_id: int, aliases: Iterable[str]) -> None:
    """Give an instance exactly these other names.

    Raises:
        InstanceError: one is empty or another instance's.
    """
    instance = next(item for item in list_instances(connection) if item.id == instance_id)
    keep = {name_key(alias) for alias in (*aliases, instance.name)}
    connection.execute(
        delete(names).where(names.c.instance_id == instance_id, names.c.key.not_in(sorted(keep)))
    )
    for alias in aliases:
        add_alias(connection, instance, alias)


def set_category(connection: Connection, instance: Instance, category: str, by: str = USER) -> None:
    """Set the category of an instance; a job does not change what a person said."""
    row = update(instances).where(instances.c.id == instance.id)
    if by == JOB:
        row = row.where(instances.c.category_by == JOB)
    connection.execute(row.values(category=category.strip(), category_by=by))


def set_kind(connection: Connection, instance: Instance, kind: str) -> None:
    """Say whether an instance is a thing or a person.

    Raises:
        InstanceError: there is no such kind.
    """
    _check_kind(kind)
    connection.execute(update(instances).where(instances.c.id == instance.id).values(kind=kind))


def delete_instance(connection: Connection, instance: Instance) -> None:
    """Delete an instance with its names and examples, and photos nothing else uses."""
    connection.execute(delete(instances).where(instances.c.id == instance.id))
    _drop_unused_photos(connection)


def merge_instances(connection: Connection, keep: Instance, other: Instance) -> None:
    """Move everything of one instance to another; its names become aliases.

    Where both have an example at the same place, a person's decision wins over a job's, then the kept one's.

    Raises:
        InstanceError: they are the same.
    """
    if keep.id == other.id:
        raise InstanceError(f"{keep.name!r} and {other.name!r} are the same instance")
    for example in examples_of(connection, other):
        put_example(connection, keep, example, overwrite=False)
    connection.execute(update(names).where(names.c.instance_id == other.id).values(instance_id=keep.id))
    moved = update(schema.mentions).where(schema.mentions.c.instance_id == other.id)
    connection.execute(moved.values(instance_id=keep.id))
    move_appearances(connection, other.id, keep.id)
    connection.execute(delete(instances).where(instances.c.id == other.id))


def split_instance(connection: Connection, instance: Instance, name: str, example_ids: Sequence[int]) -> int:
    """Move some examples of an instance to a new one of the same category, and give its row.

    Raises:
        InstanceError: the name is taken, no example was named, or one is not the instance's.
    """
    own = {example.id for example in examples_of(connection, instance)}
    wrong = [str(number) for number in example_ids if number not in own]
    if wrong or not example_ids:
        raise InstanceError(f"{instance.name!r} has no example {', '.join(wrong) or '(none was named)'}")
    new = create_instance(connection, name, instance.category, instance.category_by, instance.kind)
    connection.execute(update(examples).where(examples.c.id.in_(example_ids)).values(instance_id=new))
    return new


def put_example(
    connection: Connection, instance: Instance, example: Example, *, overwrite: bool = True
) -> None:
    """Store an example, or change the one at the same place.

    A job never changes what a person decided, and never proposes again what a person rejected: a job's
    example that overlaps a decided one by more than half is dropped.

    Args:
        connection: inside a writing transaction.
        instance: whose it is.
        example: what to store; its ``id`` is not looked at.
        overwrite: whether it changes one at the same place that was decided by the same kind of decider.
    """
    for known in examples_of(connection, instance):
        same = known.content_hash == example.content_hash and known.span.same_place(example.span)
        if not same:
            continue
        decided = known.decided_by == USER
        if decided and (example.decided_by == JOB or not overwrite):
            return
        if not decided and example.decided_by == JOB and not overwrite:
            return
        connection.execute(delete(examples).where(examples.c.id == known.id))
    values = {
        "content_hash": example.content_hash,
        "start": example.span.start,
        "end": example.span.end,
        "state": example.state,
        "decided_by": example.decided_by,
        "origin": example.origin,
        "score": example.score,
        "box": list(example.box) if example.box else None,
        "box_time": example.box_time if example.box else None,
    }
    connection.execute(insert(examples).values(instance_id=instance.id, **values))


def decide_examples(connection: Connection, example_ids: Iterable[int], state: str, by: str = USER) -> None:
    """Set the state of examples, as a person's decision unless it is taken back."""
    row = update(examples).where(examples.c.id.in_(list(example_ids)))
    connection.execute(row.values(state=state, decided_by=by))


def remove_examples(connection: Connection, example_ids: Iterable[int]) -> None:
    """Forget examples, and photos that nothing else uses."""
    connection.execute(delete(examples).where(examples.c.id.in_(list(example_ids))))
    _drop_unused_photos(connection)


def examples_of(connection: Connection, instance: Instance, state: str | None = None) -> list[Example]:
    """The examples of an instance, or those in one state, oldest first."""
    statement = select(examples).where(examples.c.instance_id == instance.id).order_by(examples.c.id)
    if state is not None:
        statement = statement.where(examples.c.state == state)
    return [_example(row) for row in connection.execute(statement)]


def examples_in(connection: Connection, content_hash: str) -> list[tuple[Instance, Example]]:
    """Every example at a content with its instance, in order of time."""
    known = {item.id: item for item in list_instances(connection)}
    statement = select(examples).where(examples.c.content_hash == content_hash)
    rows = connection.execute(statement.order_by(examples.c.start, examples.c.id)).all()
    return [(known[row.instance_id], _example(row)) for row in rows]


def representative_example(connection: Connection, instance: Instance) -> Example | None:
    """The example that stands for an instance in a list, None when none is confirmed.

    What a person chose comes before what a job added.
    """
    confirmed = examples_of(connection, instance, CONFIRMED)
    return next((item for item in confirmed if item.decided_by == USER), next(iter(confirmed), None))


def find_example(connection: Connection, example_id: int) -> Example | None:
    """The example of a row, None when there is none."""
    row = connection.execute(select(examples).where(examples.c.id == example_id)).first()
    return _example(row) if row is not None else None


def put_photo(connection: Connection, content_hash: str, jpeg: bytes) -> None:
    """Keep a photo that is an example but no file of the library."""
    row = {"content_hash": content_hash, "jpeg": jpeg}
    dialect_of(connection).add_row(connection, schema.example_photos, row)


def get_photo(connection: Connection, content_hash: str) -> bytes | None:
    """A kept photo as JPEG, None when there is none with this content."""
    table = schema.example_photos
    return connection.execute(select(table.c.jpeg).where(table.c.content_hash == content_hash)).scalar()


def _drop_unused_photos(connection: Connection) -> None:
    used = select(examples.c.content_hash)
    connection.execute(delete(schema.example_photos).where(schema.example_photos.c.content_hash.not_in(used)))


def _check_kind(kind: str) -> None:
    if kind not in (THING, PERSON):
        raise InstanceError(f"an instance is a 'thing' or a 'person', not {kind!r}")


def _check_free(connection: Connection, name: str, but: int | None = None) -> None:
    if not name_key(name):
        raise InstanceError("a name cannot be empty")
    if PLACEHOLDER in name:
        raise InstanceError(f"{name!r} cannot be a name: {PLACEHOLDER!r} stands for names in queries")
    owner = connection.execute(select(names.c.instance_id).where(names.c.key == name_key(name))).scalar()
    if owner is not None and owner != but:
        raise NameTakenError(f"{name!r} is taken: choose another name, or merge the two instances")


def _example(row: Row[Any]) -> Example:
    return Example(
        id=row.id,
        content_hash=row.content_hash,
        span=Span(row.start, row.end),
        state=row.state,
        decided_by=row.decided_by,
        origin=row.origin,
        score=row.score,
        box=tuple(row.box) if row.box else None,
        box_time=row.box_time,
    )
