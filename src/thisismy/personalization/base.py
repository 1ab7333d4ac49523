"""What a personalization method is, and the vocabulary it gives back.

Everything here works on arrays and names; nothing knows a library, a file or a video.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import InstanceError, VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, unit
from thisismy.encoders.space import Block, FeatureSpace
from thisismy.personalization.arguments import check_arguments
from thisismy.personalization.scorers import Contributions, CosineScorer, Scorer, Scores

GENERIC_PROMPT = "An image of *"
"""The prompt of generic retrieval (Yeh et al., section 5)."""

Arrays = dict[str, NDArray[Any]]
"""Arrays by name, as they are saved."""

Learned = tuple[list[Arrays], Arrays]
"""The arrays of each instance, and shared arrays to add to the vocabulary's."""


@dataclass(frozen=True)
class NamedInstance:
    """A named thing to learn.

    Attributes:
        name: as a person says it, "my dog Biscuit".
        category: the common noun, "dog".
        examples: ``(n_examples, embed_dim)`` unit rows, one per shot or photo.
        example_ids: one id per row, kept in the vocabulary so that a concept can be traced to its examples.
    """

    name: str
    category: str
    examples: Features
    example_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concept:
    """What a method learned for one instance.

    Attributes:
        category: the common noun, "dog".
        arrays: everything needed to score, by name.
        example_ids: what it was learned from.
    """

    category: str
    arrays: Arrays = field(default_factory=dict)
    example_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """Concepts learned by one method on one encoder. Each method has its own subclass.

    Attributes:
        encoder: the encoder everything was learned on.
        concepts: instance name -> concept, in the order learned.
        shared: arrays that all concepts use: category features, background statistics.
        arguments: the method's arguments as plain JSON values.
        seed: seed of the run.
    """

    method: ClassVar[str] = ""

    encoder: Encoder
    concepts: dict[str, Concept] = field(default_factory=dict)
    shared: Arrays = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def categories(self) -> dict[str, str]:
        """Instance name -> category, in the order learned."""
        return {name: concept.category for name, concept in self.concepts.items()}

    @property
    def example_ids(self) -> dict[str, tuple[str, ...]]:
        """Instance name -> ids of its examples."""
        return {name: concept.example_ids for name, concept in self.concepts.items()}

    def concept(self, name: str) -> Concept:
        """The concept of an instance.

        Raises:
            InstanceError: no such instance was learned.
        """
        try:
            return self.concepts[name]
        except KeyError:
            known = ", ".join(self.concepts) or "none"
            raise InstanceError(f"no concept called {name!r} was learned; learned: {known}") from None

    @property
    def space(self) -> FeatureSpace:
        """The space of everything learned, whose rows it can score."""
        return self.encoder.space

    def compile(self, prompt: str, name: str) -> Scorer:
        """A query made ready to score any number of rows; no text is encoded after this.

        Here: by the cosine to `query_vectors`. A method that scores in another way overrides this.

        Args:
            prompt: the query, with ``*`` for the instance.
            name: of the instance.

        Raises:
            InstanceError: no such instance was learned.
        """
        query, generic = self.query_vectors((prompt, GENERIC_PROMPT), name)
        return CosineScorer(
            space=self.space,
            probes=query[None],
            threshold=self.threshold(name),
            generic=None if np.array_equal(query, generic) else generic,
        )

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """``(n_prompts, embed_dim)`` unit vectors of prompts with the instance in place of ``*``.

        A method that scores by a cosine gives these; one that does not overrides `compile` instead.
        """
        raise NotImplementedError

    def threshold(self, name: str) -> float:
        """The `Scorer.threshold` of an instance: here one that was learned by the name "threshold"."""
        cut = self.concept(name).arrays.get("threshold")
        return -np.inf if cut is None else float(cut.item())

    def explain(self, prompt: str, name: str, rows: Features | Block) -> Contributions:
        """What the instance and the context bring to each row: `compile` and `Scorer.score` in one.

        Args:
            prompt: the query, with ``*`` for the instance.
            name: of the instance.
            rows: ``(n, embed_dim)`` unit rows of whole frames, or these with their other regions.

        Raises:
            InstanceError: no such instance was learned.
            VocabularyError: the rows have another width, or a number is not finite.
        """
        return self.compile(prompt, name).score(check_block(rows, self.encoder))

    def score(self, prompt: str, name: str, rows: Features | Block) -> Scores:
        """The total of `explain`, ``(n,)``; higher is better."""
        return self.explain(prompt, name, rows).total

    def without(self, name: str) -> Self:
        """The same vocabulary with one concept forgotten; the others stay as they are."""
        self.concept(name)
        return replace(self, concepts={k: v for k, v in self.concepts.items() if k != name})


@dataclass(frozen=True)
class Method(ABC):
    """One published method. Its dataclass fields are its arguments; an object is ready to run.

    A subclass gives ``vocabulary`` and ``learn``; ``fit`` and ``extend`` check what comes in.
    """

    vocabulary: ClassVar[type[Vocabulary]]
    needs_examples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_arguments(self.vocabulary.method, self)

    @property
    def boxes(self) -> str:
        """What is shown of an example in which a person drew a box: a word of `boxes.BOX_VIEWS`.

        Whoever makes the features of the examples asks; a method sees no pictures.
        """
        return "crop"

    def fit(
        self,
        instances: Sequence[NamedInstance],
        negatives: Features,
        encoder: Encoder,
        *,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Vocabulary:
        """Learn one concept per instance.

        Args:
            instances: what to learn; names are unique.
            negatives: ``(n, embed_dim)`` unit rows that show none of the instances; may be empty.
            encoder: frozen, stays as it is.
            seed: same seed, same vocabulary.
            progress: told how far it is.

        Raises:
            VocabularyError: a name comes twice, an instance has no example, or rows that do not fit.
        """
        empty = self.vocabulary(encoder, arguments=asdict(self), seed=seed)
        return self.extend(empty, instances, negatives, progress=progress)

    def extend(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        *,
        progress: Progress = silent,
    ) -> Vocabulary:
        """A vocabulary with more concepts, in which the ones already learned have not moved.

        Args:
            vocabulary: learned by this method; it is not changed.
            instances: what to add. One whose name is already known is learned again.
            negatives: as in `fit`.
            progress: told how far it is.

        Raises:
            VocabularyError: as in `fit`.
        """
        checked = check_instances(instances, vocabulary.encoder, self.needs_examples)
        known = {i.name for i in checked}
        kept = {name: c for name, c in vocabulary.concepts.items() if name not in known}
        start = replace(vocabulary, concepts=kept)
        rows = check_rows(negatives, vocabulary.encoder, "the negatives")
        concepts, shared = self.learn(start, checked, rows, progress)
        named = {
            i.name: Concept(i.category, arrays, tuple(i.example_ids))
            for i, arrays in zip(checked, concepts, strict=True)
        }
        return replace(start, concepts=kept | named, shared=vocabulary.shared | shared)

    @abstractmethod
    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """The arrays of each instance, and shared arrays to add to the vocabulary's.

        Args:
            vocabulary: what is known already: its encoder, its seed, concepts that must not move.
            instances: checked, with unit rows.
            negatives: checked, with unit rows; maybe none.
            progress: told how far it is.
        """


def check_rows(rows: Features, encoder: Encoder, what: str) -> Features:
    """Rows as unit float32.

    Raises:
        VocabularyError: they are not ``(n, embed_dim)``, or a number is not finite.
    """
    return unit(_finite_rows(rows, encoder, what))


def check_block(rows: Features | Block, encoder: Encoder) -> Block:
    """Rows to be scored as a block of float32, not scaled.

    Raises:
        VocabularyError: they are not ``(n, embed_dim)``, or a number is not finite.
    """
    if not isinstance(rows, Block):
        return Block(_finite_rows(rows, encoder, "the rows to be scored"))
    frame = _finite_rows(rows.frame, encoder, "the rows to be scored")
    if rows.rim is None:
        return Block(frame)
    rim = _finite_rows(rows.rim, encoder, "the rims of the rows to be scored")
    if len(rim) != len(frame):
        raise VocabularyError(f"{len(frame)} rows to be scored come with {len(rim)} rims: give one per row")
    return Block(frame, rim)


def _finite_rows(rows: Features, encoder: Encoder, what: str) -> Features:
    rows = np.asarray(rows, np.float32)
    if rows.size == 0:
        return np.zeros((0, encoder.embed_dim), np.float32)
    if rows.ndim != 2 or rows.shape[1] != encoder.embed_dim:
        raise VocabularyError(
            f"{what} have shape {rows.shape}, the encoder {encoder.id!r} gives (n, {encoder.embed_dim}): "
            "encode them again with it"
        )
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise VocabularyError(
            f"{what} have a number that is not finite in row {broken[0]}: encode that row again"
        )
    return rows


def check_instances(
    instances: Sequence[NamedInstance], encoder: Encoder, needs_examples: bool
) -> list[NamedInstance]:
    """Instances with unit rows, ready to learn from.

    Raises:
        VocabularyError: a name comes twice, an instance has no category or example, or its rows are broken.
    """
    checked: dict[str, NamedInstance] = {}
    for instance in instances:
        name = instance.name
        if not name.strip() or PLACEHOLDER in name:
            raise VocabularyError(
                f"{name!r} cannot be the name of an instance: give it words without {PLACEHOLDER!r}"
            )
        if name in checked:
            raise VocabularyError(f"two instances are called {name!r}: rename one or merge them")
        if not instance.category.strip():
            raise VocabularyError(f"{name!r} has no category: give it a common noun such as 'dog'")
        rows = check_rows(instance.examples, encoder, f"the examples of {name!r}")
        if needs_examples and not rows.any(axis=1).any():
            raise VocabularyError(f"{name!r} has no example: confirm one shot or photo that shows it")
        if instance.example_ids and len(instance.example_ids) != len(rows):
            raise VocabularyError(
                f"{name!r} has {len(rows)} examples but {len(instance.example_ids)} ids: give one per example"
            )
        checked[name] = replace(instance, examples=rows)
    return list(checked.values())


def instance_seed(seed: int, name: str) -> int:
    """A seed of an instance's own, so that what is drawn for it depends on no other instance or order."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


def is_generic(prompt: str) -> bool:
    """Whether a prompt asks for the instance alone, with no context around it."""
    return prompt.strip().rstrip(".") in {PLACEHOLDER, GENERIC_PROMPT}
