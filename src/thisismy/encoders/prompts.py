"""Where in a tokenised prompt the learned tokens go.

A prompt is tokenised with a plain word in the place of each ``*``, and the tokens of that word are then replaced by
placeholders. Everything around it is so tokenised exactly as it is around a real word ("*'s bowl", "*, asleep"), and
the end mark stays where it belongs whatever the number of placeholders is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import PLACEHOLDER
from thisismy.errors import EncoderError

if TYPE_CHECKING:
    import torch

STAND_IN = "dog"
"""Written in the place of ``*`` while tokenising; one token in every vocabulary met so far."""

CONTEXT = -1
"""Slot of a token that is an ordinary word."""

Tokens = Sequence[tuple[int, tuple[int, int]]]
"""Ids without start and end marks, each with the ``[start, end)`` characters of the text it stands for."""


@dataclass(frozen=True)
class Template:
    """A prompt ready for injection.

    Attributes:
        ids: ``(length,)`` token ids without start and end marks; placeholders hold the stand-in's id.
        slots: ``(length,)``, which of the ``n_w`` learned vectors is read at each position, ``CONTEXT`` for none.
    """

    ids: NDArray[np.int64]
    slots: NDArray[np.int64]


def place_tokens(prompt: str, n_w: int, tokenize: Callable[[str], Tokens], limit: int) -> Template:
    """Tokenise a prompt with ``n_w`` placeholders at each ``*``.

    Args:
        prompt: text with at least one ``*``.
        n_w: learned vectors per instance, at least 1.
        tokenize: text -> ids with character offsets.
        limit: most tokens the text tower takes, start and end marks not counted. A longer prompt is cut at its end.

    Raises:
        EncoderError: no ``*`` in the prompt, or no room for the placeholders within the limit.
    """
    if PLACEHOLDER not in prompt:
        raise EncoderError(f"the prompt {prompt!r} has no {PLACEHOLDER!r}: write one where the name goes")
    text, spans = _with_stand_in(prompt)
    ids: list[int] = []
    slots: list[int] = []
    placed = -1
    for token, (start, end) in tokenize(text):
        inside = next((i for i, span in enumerate(spans) if start < span[1] and end > span[0]), None)
        if inside is None:
            ids.append(token)
            slots.append(CONTEXT)
        elif inside != placed:
            placed = inside
            ids += [token] * n_w
            slots += range(n_w)
    if not 0 <= slots.index(0) <= limit - n_w if 0 in slots else True:
        raise EncoderError(
            f"the first {PLACEHOLDER!r} of the prompt {prompt[:60]!r} with {n_w} learned tokens lies beyond the "
            f"text tower's {limit} tokens: shorten the prompt"
        )
    return Template(np.array(ids[:limit], np.int64), np.array(slots[:limit], np.int64))


def _with_stand_in(prompt: str) -> tuple[str, list[tuple[int, int]]]:
    """The prompt with the stand-in for each ``*``, and the characters each stand-in takes.

    A letter or digit that touches a ``*`` would merge with the stand-in into one word, so a space parts them.
    """
    pieces = prompt.split(PLACEHOLDER)
    text, spans = pieces[0], []
    for piece in pieces[1:]:
        if text and text[-1].isalnum():
            text += " "
        spans.append((len(text), len(text) + len(STAND_IN)))
        text += STAND_IN
        if piece[:1].isalnum():
            text += " "
        text += piece
    return text, spans


def check_tokens(prompts: Sequence[str], tokens: torch.Tensor, token_dim: int) -> int:
    """The number of learned vectors per prompt.

    Raises:
        EncoderError: ``tokens`` is not ``(len(prompts), n_w >= 1, token_dim)``.
    """
    shape = tuple(tokens.shape)
    if len(shape) != 3 or shape[0] != len(prompts) or shape[1] < 1 or shape[2] != token_dim:
        raise EncoderError(
            f"tokens of shape {shape} do not fit {len(prompts)} prompts: ({len(prompts)}, n_w, {token_dim}) is needed"
        )
    return int(shape[1])


def inject(embedded: torch.Tensor, slots: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Learned vectors put in the place of placeholder embeddings.

    Args:
        embedded: ``(n, length, token_dim)`` input embeddings of the prompts.
        slots: ``(n, length)`` as in :class:`Template`.
        tokens: ``(n, n_w, token_dim)``.

    Returns:
        ``(n, length, token_dim)``, differentiable with respect to ``tokens``.
    """
    import torch

    index = slots.clamp(min=0).unsqueeze(-1).expand(-1, -1, tokens.shape[-1])
    chosen = torch.gather(tokens.to(embedded.dtype), 1, index)
    return torch.where((slots >= 0).unsqueeze(-1), chosen, embedded)
