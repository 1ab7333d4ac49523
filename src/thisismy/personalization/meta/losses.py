"""The three losses of meta-personalization (Yeh et al., equations 5 to 8).

All take unit rows. They are printed as sums over the batch ``B``; here each is divided by ``|B|``, one common
factor that keeps their balance and makes the size of a step independent of the batch.
``d(a, b) = exp(cos(a, b) / temperature)`` throughout.
"""

from __future__ import annotations

import torch


def language_loss(texts: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """Prompts of one instance come together, prompts of others apart (equation 5).

    Args:
        texts: ``(b, embed_dim)``, prompt i with the tokens of its instance.
        labels: ``(b,)``, which instance a row belongs to.
        temperature: smaller makes the nearest wrong rows count more.

    Returns:
        A scalar; zero when no instance has two rows in the batch.
    """
    logits = texts @ texts.T / temperature
    itself = torch.eye(len(texts), dtype=torch.bool, device=texts.device)
    log_share = logits - logits.masked_fill(itself, -torch.inf).logsumexp(dim=1, keepdim=True)
    positive = (labels[:, None] == labels[None, :]) & ~itself
    return -log_share.masked_fill(~positive, 0).sum() / len(texts)


def vision_language_loss(
    texts: torch.Tensor,
    images: torch.Tensor,
    labels: torch.Tensor,
    negatives: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """A prompt comes near its instance's shots, away from all other shots (equation 6).

    Args:
        texts: ``(b, embed_dim)``.
        images: ``(b, embed_dim)``, the shot of each row.
        labels: ``(b,)``.
        negatives: ``(n, embed_dim)``, shots of no instance; none gives the ablation "N = B".
        temperature: smaller makes the nearest wrong shots count more.
    """
    logits = texts @ images.T / temperature
    everything = torch.cat([logits, texts @ negatives.T / temperature], dim=1)
    log_share = logits - everything.logsumexp(dim=1, keepdim=True)
    positive = labels[:, None] == labels[None, :]
    return -log_share.masked_fill(~positive, 0).sum() / len(texts)


def category_loss(texts: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """A prompt stays near the text of its category (equation 7).

    Args:
        texts: ``(b, embed_dim)``.
        anchors: ``(b, embed_dim)``, the category's text vector of each row.
    """
    return -(texts * anchors).sum() / len(texts)
