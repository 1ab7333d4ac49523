"""Vocabularies on disk: safetensors for what was learned, JSON for what it is."""

from __future__ import annotations

from pathlib import Path

from thisismy.core.errors import EncoderMismatchError, VocabularyError
from thisismy.encoders.base import Encoder
from thisismy.personalization.arguments import current_names
from thisismy.personalization.array_file import read_arrays, versions, write_arrays
from thisismy.personalization.base import Arrays, Concept, Vocabulary
from thisismy.personalization.registry import ALIASES, METHODS

FORMAT = "thisismy-vocabulary/1"


def save_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write ``path`` (safetensors).

    Raises:
        VocabularyError: they cannot be written.
    """
    arrays: Arrays = {f"shared/{key}": array for key, array in vocabulary.shared.items()}
    concepts = []
    for number, (name, concept) in enumerate(vocabulary.concepts.items()):
        arrays |= {f"{number}/{key}": array for key, array in concept.arrays.items()}
        concepts.append(
            {"name": name, "category": concept.category, "example_ids": list(concept.example_ids)}
        )
    description = {
        "format": FORMAT,
        "method": vocabulary.method,
        "arguments": vocabulary.arguments,
        "encoder": vocabulary.encoder.id,
        "seed": vocabulary.seed,
        "concepts": concepts,
        **versions(),
    }
    write_arrays(path, arrays, description)


def load_vocabulary(path: Path, encoder: Encoder) -> Vocabulary:
    """Read what `save_vocabulary` wrote.

    Args:
        path: the safetensors file.
        encoder: must be the one it was learned on.

    Raises:
        VocabularyError: the file is missing or broken, or its method is unknown here.
        EncoderMismatchError: it was learned on another encoder; the message names both.
    """
    arrays, description = read_arrays(path, FORMAT)
    if description["encoder"] != encoder.id:
        raise EncoderMismatchError(
            f"{path} was learned on {description['encoder']!r}, the encoder is {encoder.id!r}: "
            "learn it again or use that encoder"
        )
    method = ALIASES.get(description["method"], description["method"])
    if method not in METHODS:
        raise VocabularyError(
            f"{path} was learned by the method {method!r}, which is not installed: install the package "
            "that brings it, or learn again with another method"
        )
    concepts = {}
    for number, about in enumerate(description["concepts"]):
        own = _below(arrays, f"{number}/")
        concepts[about["name"]] = Concept(about["category"], own, tuple(about["example_ids"]))
    return METHODS[method].vocabulary(
        encoder,
        concepts=concepts,
        shared=_below(arrays, "shared/"),
        arguments=current_names(description["arguments"]),
        seed=description["seed"],
    )


def _below(arrays: Arrays, prefix: str) -> Arrays:
    """The arrays whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
