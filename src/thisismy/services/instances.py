"""Named things: taught, listed, changed, and their examples decided about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.media.discovery import path_bytes, path_text
from thisismy.services.context import LibraryContext
from thisismy.services.example_features import ExampleFeatures
from thisismy.services.files import FileService
from thisismy.services.learning import LearningService
from thisismy.store import browsing
from thisismy.store import instances as rows
from thisismy.store.examples import ExampleSource, Place, example_source, locate, path_of
from thisismy.store.instances import CONFIRMED, JOB, PROPOSED, REJECTED, USER, Example, Instance, find_by

if TYPE_CHECKING:
    from thisismy.personalization.localise import Box
    from thisismy.store.browsing import ShotRow
    from thisismy.store.database import Connection
    from thisismy.store.vector_index.gallery import Gallery

REMOVED = "removed"
"""What to decide about an example that is to be forgotten."""


@dataclass(frozen=True)
class ShownExample:
    """An example with the file it is seen in; None for a file that is gone and a photo that is kept."""

    path: str | None
    example: Example


@dataclass(frozen=True)
class Candidates:
    """Shots that may show an instance, best first.

    Attributes:
        shot_ids: their rows, ``(n,)``.
        scores: cosine to the nearest confirmed example, ``(n,)``.
    """

    shot_ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.shot_ids)


class InstanceService:
    """The named things of a library."""

    def __init__(
        self,
        context: LibraryContext,
        files: FileService,
        features: ExampleFeatures,
        learning: LearningService,
    ) -> None:
        self._context = context
        self._files = files
        self._features = features
        self._learning = learning

    def name(
        self,
        name: str,
        places: Sequence[str],
        *,
        category: str = "",
        negative: bool = False,
        box: Box | None = None,
    ) -> Instance:
        """Teach an instance by pointing at it.

        Args:
            name: "my dog Biscuit"; made when it is new.
            places: "VIDEO@1:23" (the shot around that time), "VIDEO@1:20-1:26", or a photo.
            category: a common noun; empty guesses it for a new instance.
            negative: the places do *not* show it.
            box: where in the picture of the one place it is, in pixels of the picture as it is shown.

        Raises:
            InstanceError: a place does not exist, or there is none, or several with a box.
            MediaError: a photo cannot be read, or the box lies outside of the picture.
        """
        found = [locate(self._context.store, place) for place in places]
        if not found:
            raise InstanceError(f"where is {name!r} seen? name a place such as VIDEO@1:23, or a photo")
        if box is not None:
            from thisismy.services.box_features import with_box

            found = with_box(self._context.store, found, places, box)
        return self.teach(name, found, category=category, state=REJECTED if negative else CONFIRMED)

    def teach(
        self, name: str, places: Sequence[Place], *, category: str = "", state: str = CONFIRMED
    ) -> Instance:
        """Teach an instance by places that were already looked up.

        Args:
            name: made when it is new.
            places: where it is seen.
            category: a common noun; empty guesses it for a new instance.
            state: "confirmed", or "rejected" for places that do not show it.

        Raises:
            InstanceError: the name is empty.
        """
        with self._context.store.write() as connection:
            known = {
                rows.name_key(n)
                for item in rows.list_instances(connection)
                for n in (item.name, *item.aliases)
            }
            new = rows.name_key(name) not in known
            if new:
                rows.create_instance(connection, name, category, USER if category else JOB)
            instance = rows.find_instance(connection, name)
            for place in places:
                if place.jpeg is not None:
                    rows.put_photo(connection, place.content_hash, place.jpeg)
                example = Example(
                    place.content_hash, place.span, state, box=place.box, box_time=place.box_time
                )
                rows.put_example(connection, instance, example)
            if category and not new:
                rows.set_category(connection, instance, category)
        if new and not category:
            self._guess_category(instance)
        return self.get(name)

    def all(self) -> list[Instance]:
        """Every instance, in order of name."""
        with self._context.store.read() as connection:
            return rows.list_instances(connection)

    def get(self, name: str | int) -> Instance:
        """The instance with this name, alias or row.

        Raises:
            InstanceError: there is none.
        """
        with self._context.store.read() as connection:
            return find_by(connection, name)

    def examples(self, name: str, state: str | None = None) -> list[ShownExample]:
        """The examples of an instance with their files, oldest first.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.read() as connection:
            instance = rows.find_instance(connection, name)
            shown = []
            for example in rows.examples_of(connection, instance, state):
                path = path_of(connection, example.content_hash)
                shown.append(ShownExample(path_text(path_bytes(path)) if path else None, example))
        return shown

    def rename(self, name: str, new: str) -> None:
        """Give an instance another name.

        Raises:
            InstanceError: no such instance, or the new name is taken.
        """
        with self._context.store.write() as connection:
            rows.rename_instance(connection, rows.find_instance(connection, name), new)

    def alias(self, name: str, alias: str) -> None:
        """Let an instance be called by another name too.

        Raises:
            InstanceError: no such instance, or the alias is taken.
        """
        with self._context.store.write() as connection:
            rows.add_alias(connection, rows.find_instance(connection, name), alias)

    def set_category(self, name: str, category: str) -> None:
        """Say what kind of thing an instance is.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.write() as connection:
            rows.set_category(connection, rows.find_instance(connection, name), category)

    def change(
        self,
        number: int,
        *,
        name: str | None = None,
        category: str | None = None,
        aliases: Sequence[str] | None = None,
    ) -> None:
        """Change what an instance is called and what it is, all of it or nothing.

        Args:
            number: its row.
            name: another name; the old one is forgotten.
            category: a common noun.
            aliases: all the other names there shall be.

        Raises:
            InstanceError: there is no such instance, or a name is empty or taken.
        """
        with self._context.store.write() as connection:
            instance = find_by(connection, number)
            if name is not None and name != instance.name:
                rows.rename_instance(connection, instance, name)
            if category is not None:
                rows.set_category(connection, instance, category)
            if aliases is not None:
                rows.set_aliases(connection, instance.id, aliases)

    def merge(self, keep: str, other: str) -> None:
        """Make two instances one; the names of the other become aliases.

        Raises:
            InstanceError: one does not exist, or they are the same.
        """
        with self._context.store.write() as connection:
            kept, gone = (rows.find_instance(connection, name) for name in (keep, other))
            rows.merge_instances(connection, kept, gone)

    def split(self, name: str, new: str, example_ids: Sequence[int]) -> None:
        """Move examples of an instance to a new one.

        Raises:
            InstanceError: no such instance or example, or the new name is taken.
        """
        with self._context.store.write() as connection:
            rows.split_instance(connection, rows.find_instance(connection, name), new, example_ids)

    def decide(self, name: str, example_ids: Sequence[int], state: str) -> None:
        """Confirm or reject examples; no job changes that again.

        Args:
            name: whose examples.
            example_ids: which.
            state: "confirmed" or "rejected".

        Raises:
            InstanceError: no such instance or example.
        """
        with self._context.store.write() as connection:
            own = {e.id for e in rows.examples_of(connection, rows.find_instance(connection, name))}
            wrong = [str(number) for number in example_ids if number not in own]
            if wrong:
                raise InstanceError(f"{name!r} has no example {', '.join(wrong)}")
            rows.decide_examples(connection, example_ids, state)

    def decide_each(self, name: str | int, states: Mapping[int, str]) -> dict[int, str]:
        """Confirm, reject, propose or ("removed") forget examples by their rows.

        Returns:
            The states before.

        Raises:
            InstanceError: no such instance or example, or another state.
        """
        with self._context.store.write() as connection:
            instance = find_by(connection, name)
            known = {example.id: example for example in rows.examples_of(connection, instance)}
            for number, state in states.items():
                if number not in known:
                    raise InstanceError(f"{instance.name!r} has no example {number}")
                if state == REMOVED:
                    rows.remove_examples(connection, [number])
                elif state in (CONFIRMED, REJECTED, PROPOSED):
                    rows.decide_examples(connection, [number], state, JOB if state == PROPOSED else USER)
                else:
                    raise InstanceError(
                        f"an example is confirmed, rejected, proposed or removed, not {state!r}"
                    )
        return {number: known[number].state for number in states}

    def labels(self, name: str | int, shot_ids: Sequence[int]) -> dict[int, str | None]:
        """What is decided about shots with an instance: "confirmed", "proposed", "rejected" or None.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.read() as connection:
            instance = find_by(connection, name)
            shots = browsing.shots_by_id(connection, shot_ids)
            examples = rows.examples_of(connection, instance)
        return {
            number: next((e.state for e in examples if _shows(e, shots[number])), None)
            for number in shot_ids
            if number in shots
        }

    def label(self, name: str | int, labels: Mapping[int, str | None]) -> dict[int, str | None]:
        """Confirm or reject shots for an instance, or (None) take back what was decided about them.

        Args:
            name: the instance, by name or row.
            labels: state by shot: "confirmed", "rejected", "proposed" or None.

        Returns:
            What was decided before; handing it back undoes this call.

        Raises:
            InstanceError: no such instance or shot, or another state.
        """
        wrong = {state for state in labels.values()} - {CONFIRMED, REJECTED, PROPOSED, None}
        if wrong:
            raise InstanceError(f"a shot is 'confirmed', 'rejected' or not decided, not {wrong.pop()!r}")
        before = self.labels(name, list(labels))
        gone = [str(number) for number in labels if number not in before]
        if gone:
            raise InstanceError(f"there is no shot {', '.join(gone)} any more: look for it again")
        with self._context.store.write() as connection:
            instance = find_by(connection, name)
            shots = browsing.shots_by_id(connection, list(labels))
            known = rows.examples_of(connection, instance)
            for number, state in labels.items():
                there = [example.id for example in known if _shows(example, shots[number])]
                if state is None:
                    rows.remove_examples(connection, there)
                elif there:
                    rows.decide_examples(connection, there, state, JOB if state == PROPOSED else USER)
                else:
                    example = Example(
                        shots[number].content_hash, shots[number].span, state, origin="labelled"
                    )
                    rows.put_example(connection, instance, example)
        return before

    def place_of_shot(
        self,
        shot_id: int,
        box: tuple[float, float, float, float] | None = None,
        box_time: float | None = None,
    ) -> Place:
        """A shot as a place that can be taught.

        Raises:
            InstanceError: there is no such shot.
        """
        found = self._files.shots([shot_id])
        if not found:
            raise InstanceError(f"there is no shot {shot_id} any more: look for it again")
        time = None if box is None else found[0].time if box_time is None else box_time
        return Place(found[0].content_hash, found[0].span, box=box, box_time=time)

    def candidates(self, name: str | int, *, unlabelled: bool = True) -> Candidates:
        """Every shot of the library by likeness to the confirmed examples of an instance, best first.

        Args:
            name: the instance, by name or row.
            unlabelled: leave out what a person decided about.

        Raises:
            InstanceError: no such instance, or none of its examples can be seen.
        """
        with self._context.store.read() as connection:
            instance = find_by(connection, name)
        features = self._features.confirmed(instance)
        if not len(features):
            raise InstanceError(
                f"{instance.name!r} has no confirmed example that can be seen: confirm one first"
            )
        gallery = self._context.prepared().gallery
        scores = (np.asarray(gallery.vectors) @ features.T).max(axis=1)
        order = np.argsort(-scores, kind="stable")
        if unlabelled:
            decided = np.zeros(len(gallery), bool)
            with self._context.store.read() as connection:
                for example in rows.examples_of(connection, instance):
                    if example.decided_by == USER or example.state == CONFIRMED:
                        row = _row_of(connection, gallery, example)
                        if row is not None:
                            decided[row] = True
            order = order[~decided[order]]
        return Candidates(np.asarray(gallery.shot_ids[order]), scores[order])

    def delete(self, name: str) -> None:
        """Delete an instance with everything derived from it.

        Raises:
            InstanceError: no such instance.
        """
        with self._context.store.write() as connection:
            instance = rows.find_instance(connection, name)
            rows.delete_instance(connection, instance)
        self._learning.forget(instance.name)

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

    def propose(self, name: str, limit: int = 20) -> list[ShownExample]:
        """Propose shots of other videos as examples of an instance; nothing is confirmed.

        Args:
            name: whose.
            limit: most new proposals.

        Raises:
            InstanceError: no such instance, or none of its examples can be seen.
        """
        from thisismy.services.mining import library_calibration, propose_examples

        instance = self.get(name)
        features = self._features.confirmed(instance)
        if not len(features):
            raise InstanceError(f"{name!r} has no confirmed example that can be seen: confirm one first")
        gallery = self._context.prepared().gallery
        threshold = library_calibration(self._context.store, gallery).example_threshold
        propose_examples(self._context.store, gallery, instance, features, threshold, limit)
        shown = self.examples(name, rows.PROPOSED)
        return sorted(shown, key=lambda item: -(item.example.score or 0.0))

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

    def _guess_category(self, instance: Instance) -> None:
        from thisismy.mining.categories import zero_shot_category

        guess = zero_shot_category(instance.name, self._features.confirmed(instance), self._context.encoder)
        with self._context.store.write() as connection:
            rows.set_category(connection, instance, guess.name, JOB)


def _shows(example: Example, shot: ShotRow) -> bool:
    """Whether an example is at a shot: it covers, or lies in, more than half of the shorter of the two."""
    return example.content_hash == shot.content_hash and _same_place(example.span, shot.span)


def _same_place(one: Span, other: Span) -> bool:
    shorter = min(one.duration, other.duration)
    return one == other or (shorter > 0 and one.overlap(other) > shorter / 2)


def _row_of(connection: Connection, gallery: Gallery, example: Example) -> int | None:
    """The row of the gallery that shows an example, None when none does."""
    shot_id = browsing.shots_covering(connection, [(example.content_hash, example.span)])[0]
    if shot_id is None:
        return None
    at = np.flatnonzero(gallery.shot_ids == shot_id)
    return int(at[0]) if len(at) else None
