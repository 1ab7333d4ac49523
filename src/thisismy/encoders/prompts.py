"""Where in a tokenised prompt the learned tokens go.

A prompt is tokenised twice, with a different plain word in the place of each ``*``: where the two differ is
where the learned tokens go. Everything around them is so tokenised exactly as it is around a real word ("*'s
bowl", "*, asleep"), with any tokenizer, and the end mark stays where it belongs whatever the number of
learned tokens is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thisismy.core.errors import EncoderError
from thisismy.encoders.base import PLACEHOLDER

if TYPE_CHECKING:
    import torch

STAND_INS = (("dog", "cat"), ("man", "car"), ("red", "blue"), ("x", "z"))
"""Pairs of words written in the place of ``*`` while tokenising; the first pair that is one token each
serves."""

CONTEXT = -1
"""Slot of a token that is an ordinary word."""


@dataclass(frozen=True)
class Template:
    """A prompt ready for injection.

    Attributes:
        ids: token ids without start and end marks; placeholders hold the id of a stand-in word.
        slots: for each id, which of the ``n_w`` learned vectors is read there, ``CONTEXT`` for none.
    """

    ids: tuple[int, ...]
    slots: tuple[int, ...]


def place_tokens(prompt: str, n_w: int, tokenize: Callable[[str], Sequence[int]], limit: int) -> Template:
    """Tokenise a prompt with ``n_w`` placeholders at each ``*``.

    Args:
        prompt: text with at least one ``*``.
        n_w: learned vectors per instance, at least 1.
        tokenize: text -> ids without start and end marks.
        limit: most tokens the text tower takes, start and end marks not counted. A longer prompt is cut at
            its end.

    Raises:
        EncoderError: no ``*`` in the prompt, or no room for the placeholders within the limit.
    """
    if PLACEHOLDER not in prompt:
        raise EncoderError(f"the prompt {prompt!r} has no {PLACEHOLDER!r}: write one where the name goes")
    plain, places = _locate(prompt, tokenize)
    ids: list[int] = []
    slots: list[int] = []
    for place, token in enumerate(plain):
        repeats = n_w if place in places else 1
        ids += [token] * repeats
        slots += range(n_w) if place in places else [CONTEXT]
    if slots.index(0) + n_w > limit:
        raise EncoderError(
            f"the first {PLACEHOLDER!r} of the prompt {prompt[:60]!r} with {n_w} learned tokens lies beyond "
            f"the {limit} tokens that the text tower reads: shorten the prompt"
        )
    return Template(tuple(ids[:limit]), tuple(slots[:limit]))


def _locate(prompt: str, tokenize: Callable[[str], Sequence[int]]) -> tuple[Sequence[int], set[int]]:
    """Ids of the prompt with a stand-in for each ``*``, and the positions of the stand-ins."""
    for first, second in STAND_INS:
        one, other = tokenize(_fill(prompt, first)), tokenize(_fill(prompt, second))
        places = {i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]}
        if len(one) == len(other) and len(places) == prompt.count(PLACEHOLDER):
            return one, places
    raise EncoderError(
        f"the tokenizer gives no single place to {PLACEHOLDER!r} in {prompt!r}: write it as a word"
    )


def _fill(prompt: str, word: str) -> str:
    """The prompt with a word for each ``*``; a space parts it from what it would merge with."""
    parted = re.sub(r"(?<=[\w*])\*", " *", prompt)
    return re.sub(r"\*(?=\w)", "* ", parted).replace(PLACEHOLDER, word)


def check_tokens(prompts: Sequence[str], tokens: torch.Tensor, token_dim: int) -> int:
    """The number of learned vectors per prompt.

    Raises:
        EncoderError: ``tokens`` is not ``(len(prompts), n_w >= 1, token_dim)``.
    """
    shape = tuple(tokens.shape)
    if len(shape) != 3 or shape[0] != len(prompts) or shape[1] < 1 or shape[2] != token_dim:
        raise EncoderError(
            f"tokens of shape {shape} do not fit {len(prompts)} prompts: "
            f"({len(prompts)}, n_w, {token_dim}) is needed"
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
