"""The losses of pi-map (Korbar and Zisserman, section on training); all compare unit rows.

As printed, the temperature stands inside and outside of the exponential and cancels; it is read as the usual
``exp(cos / temperature)``. The printed denominators leave the positive out, so that a loss may fall below
zero; both readings can be chosen.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def symmetric_loss(texts: torch.Tensor, pictures: torch.Tensor, temperature: float) -> torch.Tensor:
    """CLIP's: each text finds its picture and each picture its text within the batch.

    Args:
        texts: ``(b, embed_dim)``.
        pictures: ``(b, embed_dim)``, row i belongs to text i.
        temperature: smaller makes the nearest wrong rows count more.
    """
    logits = texts @ pictures.T / temperature
    right = torch.arange(len(texts))
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def picture_loss(
    words: torch.Tensor,
    pictures: torch.Tensor,
    things: torch.Tensor,
    temperature: float,
    *,
    with_positive: bool = True,
) -> torch.Tensor:
    """The regularisation: a word stays near its own picture's feature, away from those of other things.

    Args:
        words: ``(b, dim)`` unit rows.
        pictures: ``(b, dim)`` unit rows of the whole pictures.
        things: ``(b,)``, the thing each row shows; pictures of the same thing are not held against it.
        temperature: as above.
        with_positive: whether the denominator holds the positive (the usual form) or not (as printed).

    Returns:
        A scalar; zero without the positive where there is but one thing.
    """
    logits = words @ pictures.T / temperature
    return _decided(logits.diagonal(), logits, things[:, None] == things[None, :], with_positive)


def text_loss(
    texts: torch.Tensor,
    specific: torch.Tensor,
    generic: torch.Tensor,
    things: torch.Tensor,
    temperature: float,
    *,
    with_positive: bool = True,
) -> torch.Tensor:
    """A prompt with the word comes near its specific caption, away from other things' and all generic ones.

    Args:
        texts: ``(b, embed_dim)``, prompt with the word of each row.
        specific: ``(b, embed_dim)``, specific caption of each row.
        generic: ``(m, embed_dim)``, generic captions of the batch.
        things: ``(b,)``, the thing of each row.
        temperature: as above.
        with_positive: as in `picture_loss`.
    """
    own = texts @ specific.T / temperature
    logits = torch.cat([own, texts @ generic.T / temperature], dim=1)
    same = torch.cat(
        [things[:, None] == things[None, :], torch.zeros(len(texts), len(generic), dtype=torch.bool)], dim=1
    )
    return _decided(own.diagonal(), logits, same, with_positive)


def _decided(
    positive: torch.Tensor, logits: torch.Tensor, left_out: torch.Tensor, with_positive: bool
) -> torch.Tensor:
    """``-positive + log sum exp`` of the logits that count, averaged; a row with none counts as zero."""
    others = logits.masked_fill(left_out, -torch.inf)
    if with_positive:
        others = torch.cat([others, positive[:, None]], dim=1)
    some = ~torch.isinf(others).all(dim=1)
    if not some.any():
        return positive.sum() * 0
    return (others[some].logsumexp(dim=1) - positive[some]).sum() / len(positive)
