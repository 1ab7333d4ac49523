"""Learning what is named, kept with the library as one vocabulary."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.errors import EncoderMismatchError, InstanceError, VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.services.context import LibraryContext
from thisismy.services.example_features import ExampleFeatures
from thisismy.services.example_ids import example_id, place_of
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import CONFIRMED, PROPOSED, REJECTED, USER, Example, Instance

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder, Features
    from thisismy.personalization.base import Method, NamedInstance, Vocabulary
    from thisismy.personalization.quality import LeftOut

NEGATIVES = 512
"""Shots of the library that stand for everything else (the number of section 5 of the paper)."""

CLEARLY_OTHER = 0.35
"""On a scale from what is usual in the library (0) to a copy (1): shots below surely show something else."""

NEVER, STALE, CURRENT = "never", "stale", "current"
"""Whether what was learned of an instance still fits its examples."""


@dataclass(frozen=True)
class LearnedInstance:
    """One instance that was learned.

    Attributes:
        name, category: of the instance; the category is the noun the method was given.
        examples: how many it was learned from.
        tried: examples left out in turn to judge it; 0 when there is only one.
        found: share of them ranked above everything that is something else; None when none was tried.
        mean_rank: mean rank among everything else, 1 at best; None when none was tried.
    """

    name: str
    category: str
    examples: int
    tried: int = 0
    found: float | None = None
    mean_rank: float | None = None


@dataclass
class LearnReport:
    """What a run of learning did.

    Attributes:
        method: name of the method.
        learned: instances learned now.
        unchanged: names whose concept was up to date.
        skipped: names that cannot be learned, with the reason.
        look_alikes: pairs that can hardly be told apart, one sentence each.
        seconds: how long learning took, without the judging.
        notes: what could not be used of what was given, one sentence each.
    """

    method: str
    learned: list[LearnedInstance] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    look_alikes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


class LearningService:
    """What a library has learned of its instances."""

    def __init__(self, context: LibraryContext, features: ExampleFeatures) -> None:
        self._context = context
        self._features = features
        self._lock = RLock()

    def learn(
        self,
        names: Sequence[str] | None = None,
        *,
        method: str = "default",
        arguments: Mapping[str, Any] | None = None,
        seed: int = 0,
        judge: bool = True,
        progress: Progress = silent,
    ) -> LearnReport:
        """Learn a concept for every instance whose examples have changed, and keep it with the library.

        The others do not move. Another method, other arguments or another seed learns all anew.

        Args:
            names: learn just these, anew; None learns what is new or has changed. What was learned in another
                way is learned anew as well.
            method: see `thisismy.personalization.METHODS`.
            arguments: of the method, where they differ from its defaults.
            seed: same seed, same concepts.
            judge: also say how well, by leaving examples out.
            progress: told how far it is.

        Raises:
            InstanceError: no instance of a name.
            VocabularyError: the method is unknown, or what it is given makes no sense.
        """
        from thisismy.personalization import make_method

        made = make_method(method, _with_whole_paths(arguments or {}))
        with self._lock:
            return self._learn(names, made, method, seed, judge, progress)

    def _learn(
        self,
        names: Sequence[str] | None,
        made: Method,
        method: str,
        seed: int,
        judge: bool,
        progress: Progress,
    ) -> LearnReport:
        from thisismy.personalization.quality import leave_one_out, look_alikes
        from thisismy.personalization.vocabulary_file import save_vocabulary

        known = self._current(made, method, seed)
        report = LearnReport(method)
        wanted = self._wanted(names, known)
        material = {item.name: self._material(item, made.boxes, report.notes) for item in self._all()}
        ready = {name: item for name, item in material.items() if len(item.examples)}
        todo = []
        for instance in wanted:
            item = material[instance.name]
            if not len(item.examples):
                report.skipped[instance.name] = "no confirmed example that can be seen"
            elif names is None and known is not None and _same(known, item):
                report.unchanged.append(instance.name)
            else:
                todo.append(item)
        negatives = (
            self._negatives(list(ready.values()), made.boxes) if todo else np.zeros((0, 1), np.float32)
        )
        start = time.perf_counter()
        vocabulary = known or made.fit([], negatives, self._context.encoder, seed=seed)
        for name in [name for name in vocabulary.concepts if name not in ready]:
            vocabulary = vocabulary.without(name)
        if todo:
            vocabulary = made.extend(vocabulary, todo, negatives, progress=progress)
        report.seconds = time.perf_counter() - start
        save_vocabulary(vocabulary, self.path)
        judged = {}
        if judge and todo:
            results = leave_one_out(made, list(ready.values()), negatives, self._context.encoder, seed=seed)
            judged = {result.name: result for result in results}
            report.look_alikes = [
                str(pair) for pair in look_alikes(list(ready.values()), self._context.encoder)
            ]
        report.learned = [_described(item, judged.get(item.name)) for item in todo]
        return report

    def _all(self) -> list[Instance]:
        with self._context.store.read() as connection:
            return rows.list_instances(connection)

    def _get(self, name: str) -> Instance:
        with self._context.store.read() as connection:
            return rows.find_instance(connection, name)

    def _wanted(self, names: Sequence[str] | None, known: Vocabulary | None) -> list[Instance]:
        """The instances to look at; those asked for first.

        Raises:
            InstanceError: no instance of a name.
        """
        asked = [self._get(name) for name in names or ()]
        if not asked:
            return self._all()
        if known is not None:
            return asked
        # A vocabulary is learned in one way: what another way has learned would be gone.
        named = {instance.name for instance in asked}
        before = set(self._learned_before()) - named
        return asked + [item for item in self._all() if item.name in before]

    @property
    def encoder(self) -> Encoder:
        """The encoder of the library; see `LibraryContext.encoder`."""
        return self._context.encoder

    def corpus(self) -> list[NamedInstance]:
        """Every instance with its confirmed and its proposed examples, as `meta_train` takes them."""
        from thisismy.personalization.base import NamedInstance

        found = []
        for instance in self._all():
            sure = self._material(instance, "crop")
            likely = self._features.of(instance, PROPOSED, "crop")
            parts = [rows for rows in (sure.examples, likely.features) if len(rows)]
            ids = (*sure.example_ids, *likely.ids)
            if parts:
                found.append(NamedInstance(sure.name, sure.category, np.concatenate(parts), ids))
        return found

    def vocabulary(self) -> Vocabulary:
        """What was learned last.

        Raises:
            VocabularyError: nothing was learned yet.
            EncoderMismatchError: it was learned on another encoder.
        """
        from thisismy.personalization.vocabulary_file import load_vocabulary

        if not self.path.is_file():
            raise VocabularyError("nothing was learned yet: run `thisismy learn`")
        return load_vocabulary(self.path, self._context.encoder)

    def forget(self, name: str) -> None:
        """Drop what was learned of an instance that is deleted."""
        from thisismy.personalization.vocabulary_file import save_vocabulary

        with self._lock:
            try:
                vocabulary = self.vocabulary()
            except (VocabularyError, EncoderMismatchError):
                # Nothing was learned, or on an encoder that is gone: the next learning drops it.
                return
            if name in vocabulary.concepts:
                save_vocabulary(vocabulary.without(name), self.path)

    def learned(self, names: Sequence[str]) -> Vocabulary:
        """A vocabulary that knows these instances as they are now; what is missing is learned first.

        Raises:
            InstanceError: one has no confirmed example that can be seen.
        """
        vocabulary = None
        if self.path.is_file():
            try:
                vocabulary = self.vocabulary()
            except (EncoderMismatchError, VocabularyError):
                vocabulary = None
        boxes = _boxes_of(vocabulary)
        stale = [
            name
            for name in names
            if vocabulary is None or not _same(vocabulary, self._material(self._get(name), boxes))
        ]
        if stale and vocabulary is not None:
            report = self.learn(
                stale,
                method=vocabulary.method,
                arguments=vocabulary.arguments,
                seed=vocabulary.seed,
                judge=False,
            )
        elif stale:
            report = self.learn(judge=False)
        else:
            return vocabulary  # type: ignore[return-value] # nothing is stale, so it was loaded
        for name in names:
            if name in report.skipped:
                raise InstanceError(
                    f"{name!r} has {report.skipped[name]}: `thisismy instances show` lists them, "
                    f'and `thisismy name "{name}" VIDEO@1:23` adds one'
                )
        return self.vocabulary()

    def states(self) -> dict[str, str]:
        """For every instance whether it is learned: "current", "stale" (its examples changed) or "never".

        Only rows are compared, so this is quick and needs no encoder.
        """
        about = {item["name"]: item["example_ids"] for item in (self.description() or {}).get("concepts", ())}
        states = {}
        with self._context.store.read() as connection:
            for instance in rows.list_instances(connection):
                if instance.name not in about:
                    states[instance.name] = NEVER
                    continue
                confirmed = rows.examples_of(connection, instance, CONFIRMED)
                # What can be seen nowhere any more was not learned from either.
                seen = catalog.known_contents(connection, {example.content_hash for example in confirmed})
                known = set(about[instance.name])
                # A box whose file is gone was noted as unseen; whether it still is, learning finds out.
                own = {_known_id(example, known) for example in confirmed if example.content_hash in seen}
                states[instance.name] = CURRENT if known == own else STALE
        return states

    def description(self) -> dict[str, Any] | None:
        """What the vocabulary kept says of itself, read without the encoder; None when there is none."""
        import json

        path = self.path.with_name(f"{self.path.name}.json")
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return about if about.get("encoder") == self._context.store.search_encoder.id else None

    def about(self) -> dict[str, dict[str, Any]]:
        """Method, category and number of examples of every concept learned, by name of the instance."""
        about = self.description() or {"concepts": []}
        return {
            item["name"]: {
                "method": about["method"],
                "category": item["category"],
                "examples": len(item["example_ids"]),
            }
            for item in about["concepts"]
        }

    def vocabulary_of(self, name: str) -> Vocabulary:
        """What was learned last, which knows this instance.

        Raises:
            VocabularyError: the instance was not learned, or on another encoder.
        """
        try:
            vocabulary = self.vocabulary()
        except EncoderMismatchError as error:
            raise VocabularyError(str(error)) from error
        if name not in vocabulary.concepts:
            raise VocabularyError(f"{name!r} was not learned yet: learn it first")
        return vocabulary

    @property
    def path(self) -> Path:
        """The file of the vocabulary."""
        return self._context.store.folder / "vocabulary" / "concepts.safetensors"

    def _current(self, made: Method, method: str, seed: int) -> Vocabulary | None:
        """The vocabulary kept, when it was learned just so on this encoder."""
        try:
            known = self.vocabulary()
        except (VocabularyError, EncoderMismatchError):
            return None
        same = (known.method, known.arguments, known.seed) == (method, asdict(made), seed)
        return known if same else None

    def _learned_before(self) -> list[str]:
        """Names of what was learned last, in whatever way; none where it cannot be used."""
        try:
            return list(self.vocabulary().concepts)
        except (VocabularyError, EncoderMismatchError):
            return []

    def _material(self, instance: Instance, boxes: str, notes: list[str] | None = None) -> NamedInstance:
        """What an instance is learned from.

        Args:
            instance: which.
            boxes: what is made of boxes, a word of `boxes.BOX_VIEWS`.
            notes: told why a box cannot be used.
        """
        from thisismy.mining.naming import visible_noun
        from thisismy.personalization.base import NamedInstance

        seen = self._features.of(instance, CONFIRMED, boxes, notes)
        # The noun a person uses says more than the nearest COCO class: "sneaker", not "sports ball".
        noun = None if instance.category_by == USER else visible_noun(instance.name.split())
        category = noun or instance.category or "thing"
        return NamedInstance(instance.name, category, seen.features, seen.ids)

    def _negatives(self, material: Sequence[NamedInstance], boxes: str) -> Features:
        """Shots that show none of the instances as far as can be told, and what people said they are not."""
        gallery = self._context.prepared().gallery
        if not len(gallery):
            return np.zeros((0, self._context.encoder.embed_dim), np.float32)
        vectors = np.asarray(gallery.vectors)
        free = np.arange(len(vectors))
        for item in material:
            alike = (vectors @ item.examples.T).max(axis=1)
            usual = float(alike.mean())
            # Shots that look like an instance may well show it, and nobody has confirmed them yet.
            free = free[alike[free] < usual + CLEARLY_OTHER * (1 - usual)]
        if len(free) > NEGATIVES:
            free = np.sort(np.random.default_rng(0).choice(free, NEGATIVES, replace=False))
        confirmed = {place_of(own) for item in material for own in item.example_ids}
        refused = [vectors[free]]
        for instance in self._all():
            seen = self._features.of(instance, REJECTED, boxes)
            keep = [place_of(own) not in confirmed for own in seen.ids]
            if any(keep):
                refused.append(seen.features[keep])
        return np.concatenate(refused)


def _described(item: NamedInstance, left: LeftOut | None) -> LearnedInstance:
    """What was learned, and how it was judged, if it was."""
    tried = left.tried if left else 0
    return LearnedInstance(
        name=item.name,
        category=item.category,
        examples=len(item.examples),
        tried=tried,
        found=left.found if left and tried else None,
        mean_rank=left.mean_rank if left and tried else None,
    )


def _with_whole_paths(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Files among a method's arguments by their whole path, since a search may learn again from elsewhere."""
    from thisismy.personalization.array_file import FILE_ARGUMENTS

    return {k: str(Path(v).resolve()) if k in FILE_ARGUMENTS and v else v for k, v in arguments.items()}


def _boxes_of(vocabulary: Vocabulary | None) -> str:
    """What the method that learned a vocabulary makes of boxes."""
    from thisismy.personalization import make_method

    try:
        return make_method(vocabulary.method, vocabulary.arguments).boxes if vocabulary else "ignore"
    except VocabularyError:
        # Of another version; it is learned anew when the examples have changed.
        return "ignore"


def _same(vocabulary: Vocabulary, item: NamedInstance) -> bool:
    """Whether a concept was learned from just these examples."""
    concept = vocabulary.concepts.get(item.name)
    return concept is not None and (concept.category, concept.example_ids) == (
        item.category,
        item.example_ids,
    )


def _known_id(example: Example, known: set[str]) -> str:
    unseen = example_id(example, box_seen=False)
    return unseen if unseen in known else example_id(example)
