"""The verbs of looking around: shots by number, candidates to label, where in time something appears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderMismatchError, InstanceError, VocabularyError
from thisismy.core.span import Span
from thisismy.services.example_ids import example_id
from thisismy.services.searching import SearchingVerbs
from thisismy.store import browsing
from thisismy.store import instances as rows
from thisismy.store.examples import Place
from thisismy.store.instances import CONFIRMED, JOB, PROPOSED, REJECTED, USER, Example, Instance

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from thisismy.personalization.base import Vocabulary
    from thisismy.retrieval.results import Hit
    from thisismy.store.browsing import ShotRow
    from thisismy.store.vector_index.gallery import Gallery

NEVER, STALE, CURRENT = "never", "stale", "current"
"""Whether what was learned of an instance still fits its examples."""

REMOVED = "removed"
"""What to decide about an example that is to be forgotten."""


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


class BrowsingVerbs(SearchingVerbs):
    """Looking around in a library, and labelling what is seen."""

    def shots(self, shot_ids: Sequence[int]) -> list[ShotRow]:
        """Shots by their rows, in the order asked; those that are gone are left out."""
        with self.store.read() as connection:
            found = browsing.shots_by_id(connection, shot_ids)
        return [found[number] for number in shot_ids if number in found]

    def instance_by_id(self, number: int) -> Instance:
        """The instance of a row.

        Raises:
            InstanceError: there is none.
        """
        with self.store.read() as connection:
            return _find(connection, number)

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
        found = self.shots([shot_id])
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
        with self.store.read() as connection:
            instance = _find(connection, name)
        features = self._confirmed_features(instance)
        if not len(features):
            raise InstanceError(
                f"{instance.name!r} has no confirmed example that can be seen: confirm one first"
            )
        gallery = self._prepared().gallery
        scores = (np.asarray(gallery.vectors) @ features.T).max(axis=1)
        order = np.argsort(-scores, kind="stable")
        if unlabelled:
            decided = np.zeros(len(gallery), bool)
            with self.store.read() as connection:
                for example in rows.examples_of(connection, instance):
                    if example.decided_by == USER or example.state == CONFIRMED:
                        row = _row_of(connection, gallery, example)
                        if row is not None:
                            decided[row] = True
            order = order[~decided[order]]
        return Candidates(np.asarray(gallery.shot_ids[order]), scores[order])

    def labels(self, name: str | int, shot_ids: Sequence[int]) -> dict[int, str | None]:
        """What is decided about shots with an instance: "confirmed", "proposed", "rejected" or None.

        Raises:
            InstanceError: no such instance.
        """
        with self.store.read() as connection:
            instance = _find(connection, name)
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
        with self.store.write() as connection:
            instance = _find(connection, name)
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

    def decide_each(self, name: str | int, states: Mapping[int, str]) -> dict[int, str]:
        """Confirm, reject, propose or ("removed") forget examples by their rows.

        Returns:
            The states before.

        Raises:
            InstanceError: no such instance or example, or another state.
        """
        with self.store.write() as connection:
            instance = _find(connection, name)
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

    def learned_states(self) -> dict[str, str]:
        """For every instance whether it is learned: "current", "stale" (its examples changed) or "never".

        Only rows are compared, so this is quick and needs no encoder.
        """
        about = {
            item["name"]: item["example_ids"] for item in (self.vocabulary_about() or {}).get("concepts", ())
        }
        states = {}
        with self.store.read() as connection:
            for instance in rows.list_instances(connection):
                if instance.name not in about:
                    states[instance.name] = NEVER
                    continue
                confirmed = rows.examples_of(connection, instance, CONFIRMED)
                # What can be seen nowhere any more was not learned from either.
                seen = browsing.known_contents(connection, {example.content_hash for example in confirmed})
                known = set(about[instance.name])
                # A box whose file is gone was noted as unseen; whether it still is, learning finds out.
                own = {_known_id(example, known) for example in confirmed if example.content_hash in seen}
                states[instance.name] = CURRENT if known == own else STALE
        return states

    def occurrences(self, name: str | int, k: int = 500) -> list[Hit]:
        """Where an instance is seen, as far as what was learned of it says; nothing is learned for this.

        Raises:
            InstanceError: no such instance.
            VocabularyError: it was not learned.
        """
        from thisismy.retrieval.named import find_named
        from thisismy.retrieval.names import NamedQuery
        from thisismy.retrieval.results import describe_hits
        from thisismy.retrieval.search import SearchOptions

        with self.store.read() as connection:
            instance = _find(connection, name)
        vocabulary = self._vocabulary_of(instance.name)
        gallery = self._prepared().gallery
        read = NamedQuery(instance.name, (instance.name,), "*", ("*",), "")
        allowed = ~self._refused((instance.name,), gallery)
        found = find_named(read, gallery, vocabulary, SearchOptions(k=k, fold=False), None, allowed)
        return describe_hits(self.store, gallery, found, read).hits

    def _vocabulary_of(self, name: str) -> Vocabulary:
        try:
            vocabulary = self.vocabulary()
        except EncoderMismatchError as error:
            raise VocabularyError(str(error)) from error
        if name not in vocabulary.concepts:
            raise VocabularyError(f"{name!r} was not learned yet: learn it first")
        return vocabulary

    def vocabulary_about(self) -> dict[str, Any] | None:
        """What the vocabulary kept says of itself, read without the encoder; None when there is none."""
        import json

        path = self._vocabulary_path.with_name(f"{self._vocabulary_path.name}.json")
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return about if about.get("encoder") == self.store.index_settings.encoder_id else None

    def marks(self) -> dict[str, Any]:
        """A value for each kind of thing that becomes another one whenever something of the kind changes.

        Kinds are "library", "instances", "mentions", "transcripts" and "vocabulary".
        """
        try:
            learned = self._vocabulary_path.stat().st_mtime_ns
        except OSError:
            learned = 0
        with self.store.read() as connection:
            return {**browsing.marks(connection), "vocabulary": learned}

    def learned_about(self) -> dict[str, dict[str, Any]]:
        """Method, category and number of examples of every concept learned, by name of the instance."""
        about = self.vocabulary_about() or {"concepts": []}
        return {
            item["name"]: {
                "method": about["method"],
                "category": item["category"],
                "examples": len(item["example_ids"]),
            }
            for item in about["concepts"]
        }

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
        with self.store.write() as connection:
            instance = _find(connection, number)
            if name is not None and name != instance.name:
                rows.rename_instance(connection, instance, name)
            if category is not None:
                rows.set_category(connection, instance, category)
            if aliases is not None:
                rows.set_aliases(connection, instance.id, aliases)


def _find(connection: Connection, name: str | int) -> Instance:
    """The instance of a name, an alias or a row; a row stays the same when somebody renames it meanwhile.

    Raises:
        InstanceError: there is none.
    """
    if isinstance(name, str):
        return rows.find_instance(connection, name)
    found = next((item for item in rows.list_instances(connection) if item.id == name), None)
    if found is None:
        raise InstanceError(f"there is no instance number {name}")
    return found


def _known_id(example: Example, known: set[str]) -> str:
    unseen = example_id(example, box_seen=False)
    return unseen if unseen in known else example_id(example)


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
