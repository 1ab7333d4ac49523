"""Named things and people: named, listed, changed, shared and deleted, and their examples decided about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thisismy.core.errors import InstanceError
from thisismy.core.paths import path_bytes, path_text
from thisismy.services import labelling
from thisismy.services.context import LibraryContext
from thisismy.services.example_features import ExampleFeatures
from thisismy.services.learning import LearningService
from thisismy.services.places import place_in_media, place_of_shot
from thisismy.store import instances as rows
from thisismy.store.examples import ExampleSource, MediaSpan, example_source, locate, path_of
from thisismy.store.instances import (
    CONFIRMED,
    JOB,
    PERSON,
    REJECTED,
    USER,
    Example,
    Instance,
    find_by,
    name_key,
)
from thisismy.store.mentions import reject_mentions_of

if TYPE_CHECKING:
    from thisismy.core.box import Box
    from thisismy.services.candidates import Candidates
    from thisismy.services.places import Shares
    from thisismy.store.database import Connection


@dataclass(frozen=True)
class LocatedExample:
    """An example with the file it is in; None for a file that is gone and a photo kept with the library."""

    path: str | None
    example: Example


@dataclass(frozen=True)
class NamingResult:
    """What naming did.

    Attributes:
        instance: the instance the places were added to, as it is now.
        created: whether it is new.
        examples: its examples at those places.
    """

    instance: Instance
    created: bool
    examples: list[Example]


class InstanceService:
    """The instances of a library; every method takes an instance by name, alias or row."""

    def __init__(self, context: LibraryContext, features: ExampleFeatures, learning: LearningService) -> None:
        self._context = context
        self._features = features
        self._learning = learning

    def name(
        self,
        name: str | int,
        places: Sequence[str | MediaSpan],
        *,
        category: str = "",
        kind: str | None = None,
        negative: bool = False,
        box: Box | None = None,
    ) -> NamingResult:
        """Say where an instance is seen.

        Args:
            name: "my dog Biscuit", or a short form as in a search; a name that means no instance makes one.
            places: "VIDEO@1:23" (the shot around that time), "VIDEO@1:20-1:26", a photo, or places that were
                looked up already.
            category: a common noun; empty guesses it for a new instance.
            kind: "thing" or "person"; None leaves it, and makes a new instance a thing.
            negative: the places do *not* show it.
            box: where in the picture of the one place it is, in pixels of the picture as it is shown; the
                place is then a text.

        Raises:
            InstanceError: the name is empty, the kind unknown, a place does not exist, or there is none, or
                several with a box.
            MediaError: a photo cannot be read, or the box lies outside of the picture.
        """
        store = self._context.store
        found = [locate(store, place) if isinstance(place, str) else place for place in places]
        if not found:
            raise InstanceError(f"where is {name!r} seen? name a place such as VIDEO@1:23, or a photo")
        if box is not None:
            from thisismy.services.box_features import with_box

            found = with_box(store, found, [str(place) for place in places], box)
        with store.write() as connection:
            known = _meant(connection, name)
            number = rows.create_instance(connection, str(name), "", JOB) if known is None else known.id
            instance = find_by(connection, number)
            if kind is not None:
                rows.set_kind(connection, instance, kind)
            if category:
                rows.set_category(connection, instance, category)
            for place in found:
                _put_place(connection, instance, place, REJECTED if negative else CONFIRMED)
        if known is None and not category:
            self._guess_category(number)
        wanted = {(place.content_hash, place.span) for place in found}
        with store.read() as connection:
            instance = find_by(connection, number)
            examples = rows.examples_of(connection, instance)
        there = [example for example in examples if (example.content_hash, example.span) in wanted]
        return NamingResult(instance, known is None, there)

    def place_of_shot(
        self, shot_id: int, *, time: float | None = None, box: Shares | None = None
    ) -> MediaSpan:
        """A shot as a place for `name`; see `thisismy.services.places.place_of_shot`."""
        return place_of_shot(self._context.store, shot_id, time=time, box=box)

    def place_in_media(
        self,
        media_id: int,
        *,
        time: float | None = None,
        span: tuple[float, float] | None = None,
        box: Shares | None = None,
    ) -> MediaSpan:
        """A stretch, an instant or a photo as a place for `name`; see `thisismy.services.places`."""
        return place_in_media(self._context.store, media_id, time=time, span=span, box=box)

    def all(self) -> list[Instance]:
        """Every instance, in order of name."""
        with self._context.store.read() as connection:
            return rows.list_instances(connection)

    def get(self, instance: str | int) -> Instance:
        """The instance.

        Raises:
            InstanceError: there is none.
        """
        with self._context.store.read() as connection:
            return find_by(connection, instance)

    def complete(self, typed: str, limit: int = 8) -> list[tuple[Instance, str]]:
        """Instances with a name or alias that matches what was typed, each with that name.

        The beginning of a name counts more than that of a word in it, and that more than its inside; among
        equals, those with more confirmed examples come first.
        """
        found = []
        for instance in self.all():
            fit, name = max((_fit(name, typed), name) for name in (instance.name, *instance.aliases))
            if fit:
                found.append((fit, name, instance))
        found.sort(key=lambda item: (-item[0], -item[2].confirmed, item[2].name))
        return [(instance, name) for _, name, instance in found[:limit]]

    def decided(self, instance: str | int) -> Counter[str]:
        """How many examples a person decided about, by state.

        Raises:
            InstanceError: there is no such instance.
        """
        examples = (located.example for located in self.examples(instance))
        return Counter(example.state for example in examples if example.decided_by == USER)

    def created_at(self, instance: str | int) -> str:
        """When an instance was made, ISO 8601.

        Raises:
            InstanceError: there is none.
        """
        with self._context.store.read() as connection:
            return rows.created_at(connection, find_by(connection, instance).id)

    def change(
        self,
        instance: str | int,
        *,
        name: str | None = None,
        category: str | None = None,
        kind: str | None = None,
        aliases: Sequence[str] | None = None,
        add_aliases: Sequence[str] = (),
    ) -> Instance:
        """Change what an instance is called and what it is, all of it or nothing; gives it as it is then.

        Args:
            instance: which.
            name: another name; the old one is forgotten.
            category: a common noun.
            kind: "thing" or "person".
            aliases: all the other names there shall be; None leaves them.
            add_aliases: names it shall have as well.

        Raises:
            InstanceError: there is no such instance or kind, or a name is empty or taken.
        """
        with self._context.store.write() as connection:
            known = find_by(connection, instance)
            if name is not None and name != known.name:
                rows.rename_instance(connection, known, name)
            if category is not None:
                rows.set_category(connection, known, category)
            if kind is not None:
                rows.set_kind(connection, known, kind)
            if aliases is not None:
                rows.set_aliases(connection, known.id, aliases)
            for alias in add_aliases:
                rows.add_alias(connection, known, alias)
            return find_by(connection, known.id)

    def merge(self, keep: str | int, other: str | int) -> Instance:
        """Make two instances one; the names of the other become aliases.

        Raises:
            InstanceError: one does not exist, or they are the same.
        """
        with self._context.store.write() as connection:
            kept = find_by(connection, keep)
            rows.merge_instances(connection, kept, find_by(connection, other))
            return find_by(connection, kept.id)

    def split(self, instance: str | int, new: str, example_ids: Sequence[int]) -> Instance:
        """Move examples of an instance to a new one, and give that.

        Raises:
            InstanceError: no such instance or example, or the new name is taken.
        """
        with self._context.store.write() as connection:
            made = rows.split_instance(connection, find_by(connection, instance), new, example_ids)
            return find_by(connection, made)

    def delete(self, instance: str | int) -> Instance:
        """Delete an instance with everything derived from it, and give what it was.

        The mentions it was accepted from count as rejected from then on.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.write() as connection:
            known = find_by(connection, instance)
            reject_mentions_of(connection, known.id)
            rows.delete_instance(connection, known)
        self._learning.forget(known.name)
        return known

    def examples(self, instance: str | int, state: str | None = None) -> list[LocatedExample]:
        """The examples of an instance with their files: proposed ones best first, others oldest first.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.read() as connection:
            found = rows.examples_of(connection, find_by(connection, instance), state)
            paths = {digest: path_of(connection, digest) for digest in {item.content_hash for item in found}}
        if state == rows.PROPOSED:
            found.sort(key=lambda example: -(example.score or 0.0))
        return [
            LocatedExample(path_text(path_bytes(path)) if path else None, example)
            for example in found
            for path in [paths[example.content_hash]]
        ]

    def decide(self, instance: str | int, states: Mapping[int, str]) -> dict[int, str]:
        """Confirm, reject, propose or ("removed") forget examples; no job changes that again.

        Args:
            instance: whose examples.
            states: "confirmed", "rejected", "proposed" or "removed" by row of an example.

        Returns:
            The states before; handing them back undoes this call, except forgetting.

        Raises:
            InstanceError: no such instance or example, or another state.
        """
        with self._context.store.write() as connection:
            return labelling.decide(connection, find_by(connection, instance), states)

    def labels(self, instance: str | int, shot_ids: Sequence[int]) -> dict[int, str | None]:
        """What is decided about shots with an instance: "confirmed", "proposed", "rejected" or None.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.read() as connection:
            return labelling.labels(connection, find_by(connection, instance), shot_ids)

    def label(self, instance: str | int, labels: Mapping[int, str | None]) -> dict[int, str | None]:
        """Confirm or reject shots for an instance, or (None) take back what was decided about them.

        Args:
            instance: which.
            labels: "confirmed", "rejected", "proposed" or None by row of a shot.

        Returns:
            What was decided before; handing it back undoes this call.

        Raises:
            InstanceError: no such instance or shot, or another state.
        """
        with self._context.store.write() as connection:
            return labelling.label(connection, find_by(connection, instance), labels)

    def candidates(self, instance: str | int, *, unlabelled: bool = True) -> Candidates:
        """Every shot of the library by likeness to the confirmed examples of an instance, best first.

        Args:
            instance: which.
            unlabelled: leave out what is decided.

        Raises:
            InstanceError: no such instance, or none of its confirmed examples can be seen.
        """
        from thisismy.services.candidates import rank_candidates

        return rank_candidates(self._context, self._features, self.get(instance), unlabelled=unlabelled)

    def propose(self, instance: str | int, limit: int = 20) -> list[LocatedExample]:
        """Propose shots of other videos as examples of an instance; nothing is confirmed.

        Args:
            instance: which.
            limit: most proposals; what is decided does not count.

        Returns:
            Every proposal that waits for a decision, best first.

        Raises:
            InstanceError: no such instance, or none of its confirmed examples can be seen.
        """
        from thisismy.services.candidates import propose_examples

        known = self.get(instance)
        propose_examples(self._context, self._features, known, limit)
        return self.examples(known.id, rows.PROPOSED)

    def export_file(self, path: Path, names: Sequence[str] | None = None) -> int:
        """Write instances with pictures of their examples to one file; gives their number, None writes all.

        Raises:
            InstanceError: no such instance, or the file cannot be written.
        """
        from thisismy.services.sharing import export_instances

        return export_instances(self._context.store, path, names)

    def import_file(self, path: Path) -> list[str]:
        """Read instances from a file, and give their names; those of the same name are joined.

        Raises:
            InstanceError: the file cannot be read or holds none.
        """
        from thisismy.services.sharing import import_instances

        return import_instances(self._context.store, path)

    def count(self) -> int:
        """How many instances there are."""
        with self._context.store.read() as connection:
            return rows.count_instances(connection)

    def representatives(self, instances: Iterable[Instance]) -> dict[int, Example]:
        """The example that stands for each instance in a list, by row; those that have one."""
        with self._context.store.read() as connection:
            found = {item.id: rows.representative_example(connection, item) for item in instances}
        return {number: example for number, example in found.items() if example is not None}

    def in_content(self, content_hash: str) -> list[tuple[Instance, Example]]:
        """What was named in a media, in order of time."""
        with self._context.store.read() as connection:
            return rows.examples_in(connection, content_hash)

    def example_source(self, example_id: int) -> ExampleSource | None:
        """An example with where its picture comes from, None when there is no such example."""
        with self._context.store.read() as connection:
            return example_source(connection, example_id)

    def _guess_category(self, number: int) -> None:
        from thisismy.mining.categories import zero_shot_category

        instance = self.get(number)
        if instance.kind == PERSON:
            guess = PERSON
        else:
            examples = self._features.confirmed(instance)
            guess = zero_shot_category(instance.name, examples, self._context.encoder).name
        with self._context.store.write() as connection:
            rows.set_category(connection, instance, guess, JOB)


def _meant(connection: Connection, name: str | int) -> Instance | None:
    """The instance a name means in a search, or of a row; None when a name means none."""
    return rows.instance_called(connection, name) if isinstance(name, str) else find_by(connection, name)


def _fit(name: str, typed: str) -> int:
    """How well a name matches what was typed: 3 at its start, 2 at the start of a word, 1 inside, 0 not."""
    key, wanted = name_key(name), name_key(typed)
    if key.startswith(wanted):
        return 3
    if f" {wanted}" in key:
        return 2
    return int(wanted in key)


def _put_place(connection: Connection, instance: Instance, place: MediaSpan, state: str) -> None:
    if place.jpeg is not None:
        rows.put_photo(connection, place.content_hash, place.jpeg)
    example = Example(place.content_hash, place.span, state, box=place.box, box_time=place.box_time)
    rows.put_example(connection, instance, example)
