"""What a personalization method is, and the vocabulary it gives back.

Everything here works on arrays and names; nothing knows a library, a file or a video.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import PLACEHOLDER, Encoder, Features
from thisismy.errors import InstanceError

GENERIC_PROMPT = "An image of *"
"""The prompt of generic retrieval (Yeh et al., section 5)."""


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
class Contributions:
    """What a score is made of, per gallery row: the instance's part, the context's part, and the score."""

    instance: NDArray[np.float32]
    context: NDArray[np.float32]
    score: NDArray[np.float32]


@dataclass
class Vocabulary:
    """Concepts learned together. Methods subclass it, keeping what they learned in ``arrays``.

    Attributes:
        encoder: the encoder everything was learned on.
        categories: instance name -> category, in the order learned.
        arguments: the method's arguments as plain JSON values.
        seed: seed of the run.
        example_ids: instance name -> ids of its examples.
        arrays: what was learned, by name; all that is needed to score, saved as safetensors.
    """

    method: ClassVar[str] = ""

    encoder: Encoder
    categories: dict[str, str]
    arguments: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    example_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """Position of an instance in the vocabulary.

        Raises:
            InstanceError: no such instance.
        """
        try:
            return list(self.categories).index(name)
        except ValueError:
            known = ", ".join(self.categories) or "none"
            raise InstanceError(f"no concept called {name!r} was learned; learned: {known}") from None

    def embed(self, prompt: str, name: str) -> Features:
        """``(embed_dim,)`` unit vector of a prompt with the instance in place of ``*``."""
        raise NotImplementedError

    def score(self, prompt: str, name: str, gallery: Features) -> NDArray[np.float32]:
        """Scores of ``(n, embed_dim)`` gallery rows, ``(n,)``; higher is better."""
        result: NDArray[np.float32] = gallery @ self.embed(prompt, name)
        return result


class Personalizer(Protocol):
    """One published method, ready to run with its arguments."""

    def fit(
        self,
        instances: Sequence[NamedInstance],
        negatives: Features,
        encoder: Encoder,
        *,
        seed: int = 0,
    ) -> Vocabulary:
        """Learn one concept per instance.

        Args:
            instances: what to learn; names are unique.
            negatives: ``(n, embed_dim)`` unit rows that show none of the instances; may be empty.
            encoder: frozen, stays as it is.
            seed: same seed, same vocabulary.
        """
        ...


def with_category(prompt: str, category: str) -> str:
    """The prompt with a plain word in place of ``*``: "* on a bed", "dog" -> "dog on a bed"."""
    return prompt.replace(PLACEHOLDER, category)


def is_generic(prompt: str) -> bool:
    """Whether a prompt asks for the instance alone, with no context around it."""
    return prompt.strip().rstrip(".") in {PLACEHOLDER, GENERIC_PROMPT}


Registry = Mapping[str, type[Any]]
