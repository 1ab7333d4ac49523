"""What the examples of an instance look like to the encoder of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thisismy.services.context import LibraryContext, quiet
from thisismy.services.example_ids import example_id
from thisismy.store import instances as rows
from thisismy.store.examples import example_features
from thisismy.store.instances import CONFIRMED, Example, Instance

if TYPE_CHECKING:
    from thisismy.encoders.base import Features


class ExampleVectors(NamedTuple):
    """Examples that can be seen: their rows, their ``(n, embed_dim)`` features, and their ids."""

    examples: list[Example]
    features: Features
    ids: tuple[str, ...]


class ExampleFeatures:
    """Features of examples, from the store, from kept photos, or from inside a box."""

    def __init__(self, context: LibraryContext) -> None:
        self._context = context

    def confirmed(self, instance: Instance) -> Features:
        """``(n, embed_dim)`` of the confirmed examples that can be seen; of a boxed one the inside."""
        return self.of(instance, CONFIRMED, "crop").features

    def of(
        self, instance: Instance, state: str, boxes: str = "ignore", notes: list[str] | None = None
    ) -> ExampleVectors:
        """The examples of an instance in a state, as far as they can be seen.

        Args:
            instance: whose.
            state: which.
            boxes: what is made of boxes, a word of `thisismy.personalization.boxes.BOX_VIEWS`. Where a box
                cannot be used, the whole shot is.
            notes: told of such boxes.
        """
        with self._context.store.read() as connection:
            examples = rows.examples_of(connection, instance, state)
        encoder_id = self._context.encoder_id
        inside: list[Features | None] = [None] * len(examples)
        if boxes != "ignore" and any(example.box for example in examples):
            from thisismy.services.box_features import boxed_features

            tell = quiet if notes is None else notes.append
            inside = boxed_features(
                self._context.store, encoder_id, lambda: self._context.encoder, examples, boxes, tell
            )
        found = example_features(self._context.store, encoder_id, lambda: self._context.encoder, examples)
        whole = boxes == "ignore"
        seen = [
            (example, example_id(example, box_seen=whole or part is not None), shot if part is None else part)
            for example, part, shot in zip(examples, inside, found, strict=True)
            if part is not None or shot is not None
        ]
        features = (
            np.stack([row for *_, row in seen if row is not None]) if seen else np.zeros((0, 1), np.float32)
        )
        return ExampleVectors([example for example, *_ in seen], features, tuple(own for _, own, _ in seen))
