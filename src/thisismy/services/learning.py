"""Learning what is named, kept with the library as one vocabulary."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.atomic_files import PREFIX
from thisismy.core.errors import EncoderMismatchError, InstanceError, VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.personalization.arguments import current_names
from thisismy.personalization.array_file import FILE_ARGUMENTS, read_description
from thisismy.personalization.registry import ALIASES, DEFAULT, make_method, method_id
from thisismy.services.context import LibraryContext
from thisismy.services.example_features import ExampleFeatures
from thisismy.services.example_ids import example_id, place_of
from thisismy.services.judging import find_rivals
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.instances import CONFIRMED, PROPOSED, REJECTED, USER, Example, Instance
from thisismy.store.settings import LearningChoice

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
        found: share of them ranked above every other shot; None when none was tried.
        mean_rank: mean rank among the other shots, 1 at best; None when none was tried.
        others: how many other shots they were ranked among: those of files without a confirmed example.
    """

    name: str
    category: str
    examples: int
    tried: int = 0
    found: float | None = None
    mean_rank: float | None = None
    others: int = 0


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

    @property
    def choice(self) -> LearningChoice:
        """How this library learns: as chosen last, else as its vocabulary was learned, else the default."""
        chosen = self._context.store.learning_choice
        if chosen is None:
            about = read_description(self.path) or {}
            chosen = LearningChoice(
                about.get("method", DEFAULT), about.get("arguments", {}), about.get("seed", 0)
            )
        method = ALIASES.get(chosen.method, chosen.method)
        return LearningChoice(method, current_names(chosen.arguments), chosen.seed)

    def learn(
        self,
        names: Sequence[str] | None = None,
        *,
        method: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        seed: int | None = None,
        judge: bool = True,
        progress: Progress = silent,
    ) -> LearnReport:
        """Learn a concept for every instance whose examples have changed, and keep it with the library.

        The others do not move. Another method, other arguments or another seed learns all of them again. The
        library remembers how it learned as its choice, which later runs and searches follow.

        Args:
            names: learn just these, even if they are up to date; None learns what is new or has changed. What
                was learned in another way is learned again as well.
            method: see `thisismy.personalization.METHODS`; None takes the library's choice.
            arguments: of the method, where they differ from its defaults; without a method they are added to
                those chosen before.
            seed: same seed, same concepts; None takes the library's choice.
            judge: also say how well, by leaving examples out.
            progress: told how far it is.

        Raises:
            InstanceError: no instance of a name.
            VocabularyError: the method is unknown, or what it is given makes no sense.
        """
        choice = self._wanted_choice(method, arguments, seed)
        made = make_method(choice.method, choice.arguments)
        with self._learning():
            return self._learn(names, made, choice, judge, progress)[0]

    def _wanted_choice(
        self, method: str | None, arguments: Mapping[str, Any] | None, seed: int | None
    ) -> LearningChoice:
        """What was asked for, filled up from what was chosen before."""
        before = self.choice
        given = current_names(_with_whole_paths(arguments or {}))
        return LearningChoice(
            before.method if method is None else method_id(method),
            {**before.arguments, **given} if method is None else given,
            before.seed if seed is None else seed,
        )

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Hold the lock that one learner of the library at a time holds; a killed process lets go of it."""
        from filelock import FileLock

        with FileLock(self._context.store.folder / "learning.lock"):
            for left in self.path.parent.glob(f"{PREFIX}*"):
                # Only who holds the lock writes here, so this was left by a process that was killed.
                left.unlink(missing_ok=True)
            yield

    def _learn(
        self,
        names: Sequence[str] | None,
        made: Method,
        choice: LearningChoice,
        judge: bool,
        progress: Progress,
    ) -> tuple[LearnReport, Vocabulary]:
        from thisismy.personalization.quality import leave_one_out, look_alikes
        from thisismy.personalization.vocabulary_file import save_vocabulary

        known = self._current(made, choice)
        report = LearnReport(choice.method)
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
        vocabulary = known or made.fit([], negatives, self._context.encoder, seed=choice.seed)
        for name in [name for name in vocabulary.concepts if name not in ready]:
            vocabulary = vocabulary.without(name)
        if todo:
            vocabulary = made.extend(vocabulary, todo, negatives, progress=progress)
        report.seconds = time.perf_counter() - start
        # The choice first: if this is killed before the file is replaced, the next run follows the choice.
        self._context.store.learning_choice = choice
        save_vocabulary(vocabulary, self.path)
        judged: dict[str, LeftOut] = {}
        if judge and todo:
            everything = list(ready.values())
            rivals = self._rivals(ready, report.notes)
            results = leave_one_out(
                made, everything, negatives, self._context.encoder, seed=choice.seed, rivals=rivals
            )
            judged = {result.name: result for result in results}
            report.look_alikes = [str(pair) for pair in look_alikes(everything, self._context.encoder)]
        report.learned = [_described(item, judged.get(item.name)) for item in todo]
        return report, vocabulary

    def _rivals(self, ready: Mapping[str, NamedInstance], notes: list[str]) -> dict[str, Features]:
        """What the examples of each instance are ranked among; says in ``notes`` what is not counted."""
        judged = [item for item in self._all() if item.name in ready and len(ready[item.name].examples) > 1]
        found = {item.name: find_rivals(self._context, item, ready[item.name].examples) for item in judged}
        alike = sum(one.near_duplicates for one in found.values())
        if alike:
            shots = "1 shot is" if alike == 1 else f"{alike} shots are"
            notes.append(f"{shots} nearly the same as an example and not counted against it")
        return {name: one.rows for name, one in found.items()}

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
            VocabularyError: nothing was learned yet, or what was learned cannot be read.
            EncoderMismatchError: it was learned on another encoder.
        """
        from thisismy.personalization.vocabulary_file import load_vocabulary

        if not self.path.is_file():
            raise VocabularyError("nothing was learned yet: run `thisismy learn`")
        return load_vocabulary(self.path, self._context.encoder)

    def forget(self, name: str) -> None:
        """Drop what was learned of an instance that is deleted."""
        from thisismy.personalization.vocabulary_file import save_vocabulary

        with self._learning():
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
            VocabularyError: the library's method is not installed, or cannot learn.
        """
        choice = self.choice
        made = make_method(choice.method, choice.arguments)
        known = self._current(made, choice)
        if known is not None and not self._stale(known, names, made):
            return known
        with self._learning():
            # Another thread or process may have learned it meanwhile.
            known = self._current(made, choice)
            stale = names if known is None else self._stale(known, names, made)
            if known is not None and not stale:
                return known
            report, vocabulary = self._learn(None if known is None else stale, made, choice, False, silent)
        for name in names:
            if name in report.skipped:
                raise InstanceError(
                    f"{name!r} has {report.skipped[name]}: `thisismy instances show` lists them, "
                    f'and `thisismy name "{name}" VIDEO@1:23` adds one'
                )
        return vocabulary

    def _stale(self, known: Vocabulary, names: Sequence[str], made: Method) -> list[str]:
        """The names whose concept does not fit their examples."""
        return [name for name in names if not _same(known, self._material(self._get(name), made.boxes))]

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
        about = read_description(self.path)
        if about is None:
            return None
        about["method"] = ALIASES.get(about["method"], about["method"])
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

    def _current(self, made: Method, choice: LearningChoice) -> Vocabulary | None:
        """The vocabulary kept, when it was learned just so on this encoder."""
        try:
            known = self.vocabulary()
        except (VocabularyError, EncoderMismatchError):
            return None
        same = (known.method, known.arguments, known.seed) == (choice.method, asdict(made), choice.seed)
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
        others=left.others if left and tried else 0,
    )


def _with_whole_paths(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Files among a method's arguments by their whole path, since a search may learn again from elsewhere."""
    return {k: str(Path(v).resolve()) if k in FILE_ARGUMENTS and v else v for k, v in arguments.items()}


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
