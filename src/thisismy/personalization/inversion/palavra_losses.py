"""The losses of PALAVRA (Cohen et al., ECCV 2022, section 4); all take and compare unit rows."""

from __future__ import annotations

import torch
from torch.nn import functional


def pair_loss(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """NT-Xent: row i of one side comes near row i of the other, away from all other rows of both sides.

    Args:
        first: ``(c, embed_dim)``.
        second: ``(c, embed_dim)``.
        temperature: smaller makes the nearest wrong rows count more; the paper's is 0.25.
    """
    rows = torch.cat([first, second])
    count = len(first)
    logits = rows @ rows.T / temperature
    itself = torch.eye(2 * count, dtype=torch.bool)
    partner = (torch.arange(2 * count) + count) % (2 * count)
    return functional.cross_entropy(logits.masked_fill(itself, -torch.inf), partner)


def word_loss(words: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """``1 - cos`` of predicted words and those of the type, averaged.

    The published formula is the negative cosine with weight 512; as the squared difference of unit vectors
    averaged over their 512 numbers, which is what is known of the practice, it comes to weight 2.

    Args:
        words: ``(c, tokens, token_dim)``.
        known: ``(c, token_dim)``, the type's word.
    """
    return 1 - functional.cosine_similarity(words, known[:, None, :], dim=-1).mean()


def alignment_loss(texts: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of aligned texts and their pictures, over rows and numbers.

    Args:
        texts: ``(n, embed_dim)`` unit rows that came through the alignment.
        pictures: ``(n, embed_dim)`` unit rows.
    """
    return functional.mse_loss(texts, pictures)


def tuning_loss(
    texts: torch.Tensor, pictures: torch.Tensor, types: torch.Tensor | None, temperature: float
) -> torch.Tensor:
    """A word's text comes near the mean picture and away from the type (equation 2), summed over instances.

    For each instance it is the loss of two pairs: (mean picture, text) and (type, type). Instances do not
    meet, so each learns as if it were alone.

    Args:
        texts: ``(n, embed_dim)``, with the word.
        pictures: ``(n, embed_dim)``, mean picture of each instance.
        types: ``(n, embed_dim)``, the aligned text of each one's type; None only brings the pair together.
        temperature: the paper's is 0.25.
    """
    together = (texts * pictures).sum(-1) / temperature
    if types is None:
        return -together.sum()
    text_type = (texts * types).sum(-1) / temperature
    picture_type = (pictures * types).sum(-1) / temperature
    # A type is its own partner, so it stands twice among the others of every row of the first pair.
    of_text = torch.stack([together, text_type, text_type]).logsumexp(0) - together
    of_picture = torch.stack([together, picture_type, picture_type]).logsumexp(0) - together
    itself = torch.full_like(together, 1 / temperature)
    of_type = torch.stack([itself, text_type, picture_type]).logsumexp(0) - itself
    return ((of_text + of_picture + 2 * of_type) / 4).sum()
