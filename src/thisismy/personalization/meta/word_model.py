"""How a learned word is made: ``w = C_l z`` (Yeh et al., equation 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import Encoder
from thisismy.personalization.prompts import check_takes_tokens

ANY = "*"
"""The key of a matrix that serves every category."""

INIT_STD = 0.1
"""Standard deviation of fresh matrices and codes; the paper's N(0, 0.1) read so (with variance 0.1 a word
would be a hundred times longer than a trained one)."""

CATEGORY_INIT_STD = 0.02
"""Standard deviation where the category's own words are the start, small so that they are heard."""


@dataclass
class WordModel:
    """Category matrices and codes, and the words they make.

    Attributes:
        matrices: key -> ``(token_dim, q)``, shared by the instances of a category.
        codes: per instance ``(q, tokens)``, its own.
        keys: per instance the key of its matrix.
    """

    matrices: dict[str, torch.Tensor]
    codes: list[torch.Tensor]
    keys: Sequence[str]

    def tokens(self, labels: torch.Tensor) -> torch.Tensor:
        """``(n, tokens, token_dim)`` words of instances by number."""
        return torch.stack([(self.matrices[self.keys[i]] @ self.codes[i]).T for i in labels.tolist()])


def draw_matrix(
    encoder: Encoder, q: int, words: NDArray[np.float32] | None, seed: int
) -> NDArray[np.float32]:
    """``(token_dim, q)`` fresh matrix; given ``words`` (at most ``q``), they are its first columns."""
    rng = np.random.default_rng(seed)
    shape = (check_takes_tokens(encoder), q)
    if words is None:
        return rng.normal(0, INIT_STD, shape).astype(np.float32)
    matrix = rng.normal(0, CATEGORY_INIT_STD, shape).astype(np.float32)
    matrix[:, : len(words)] = words.T
    return matrix


def draw_code(q: int, tokens: int, words: range, seed: int) -> torch.Tensor:
    """``(q, tokens)`` fresh code; where columns hold ``words``, token k begins as the k-th, in a ring."""
    rng = np.random.default_rng(seed)
    std = CATEGORY_INIT_STD if words else INIT_STD
    code = rng.normal(0, std, (q, tokens)).astype(np.float32)
    for token in range(tokens if words else 0):
        code[words[token % len(words)], token] = 1.0
    return torch.from_numpy(code)


def draw_word(width: int, tokens: int, words: NDArray[np.float32] | None, seed: int) -> torch.Tensor:
    """``(token_dim, tokens)`` fresh words themselves, random or around the category's, in a ring."""
    rng = np.random.default_rng(seed)
    if words is None:
        return torch.from_numpy(rng.normal(0, INIT_STD, (width, tokens)).astype(np.float32))
    start = words[np.arange(tokens) % len(words)].T
    return torch.from_numpy((start + rng.normal(0, CATEGORY_INIT_STD, start.shape)).astype(np.float32))


@dataclass(frozen=True)
class Start:
    """The words a matrix begins with.

    Attributes:
        words: ``(n, token_dim)``, for its first columns; None for a random start.
        columns: category -> the columns with its words, none for one that found no room.
    """

    words: NDArray[np.float32] | None
    columns: dict[str, range]

    def of(self, category: str) -> range:
        """The columns of a category; empty for one the matrix did not begin with."""
        return self.columns.get(category, range(0))


def start_matrix(encoder: Encoder, categories: Sequence[str], init: str, q: int) -> Start:
    """The own words of the categories that share a matrix, side by side, at most ``q``.

    Raises:
        VocabularyError: ``init`` is neither "random" nor "category".
    """
    found: list[NDArray[np.float32]] = []
    columns: dict[str, range] = {}
    first = 0
    for category in dict.fromkeys(categories):
        words = start_words(encoder, category, init, q - first)
        if words is not None:
            found.append(words)
            columns[category] = range(first, first + len(words))
            first += len(words)
    return Start(np.concatenate(found) if found else None, columns)


def start_words(encoder: Encoder, category: str, init: str, q: int) -> NDArray[np.float32] | None:
    """The category's own word vectors where learning starts from them, at most ``q``.

    Raises:
        VocabularyError: ``init`` is neither "random" nor "category".
    """
    if init == "random":
        return None
    if init == "category":
        return encoder.word_vectors(category)[:q]
    raise VocabularyError(f"init {init!r} is unknown: it is 'random' or 'category'")
