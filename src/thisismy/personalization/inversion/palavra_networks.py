"""The two networks of PALAVRA: the set encoder that predicts words, and the alignment of texts.

Niv Cohen, Rinon Gal, Eli A. Meirom, Gal Chechik, Yuval Atzmon: "This is my unicorn, Fluffy", ECCV 2022
(arXiv 2204.01694), section 4 and appendix A. The set encoder is a deep set (Zaheer et al., 2017).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class SetLayer(nn.Module):
    """``gamma(x) - lambda(mean of the set)``: linear, and the same for every order of the set."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.own = nn.Linear(inner, outer)
        self.common = nn.Linear(inner, outer, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(b, k, inner) -> (b, k, outer)``."""
        y: torch.Tensor = self.own(x) - self.common(x.mean(dim=1, keepdim=True))
        return y


class SetEncoder(nn.Module):
    """Features of a set of pictures to the words that name what they show.

    Three `SetLayer` with ELU, the mean over the set, then dropout, a linear layer, ELU, dropout and a last
    linear layer (the paper: width 4096, dropout 0.25).

    Args:
        embed_dim: of the features.
        token_dim: of a word.
        width: of all hidden layers.
        tokens: words that are predicted.
        dropout: share of numbers left out while training.
        generator: of the first weights.
    """

    def __init__(
        self,
        embed_dim: int,
        token_dim: int,
        width: int,
        tokens: int,
        dropout: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList([SetLayer(embed_dim, width), *(SetLayer(width, width) for _ in range(2))])
        self.middle = nn.Linear(width, width)
        self.last = nn.Linear(width, token_dim * tokens)
        self.tokens, self.dropout = tokens, dropout
        draw_weights(self, generator)

    def forward(self, pictures: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """``(b, k, embed_dim)`` unit rows to ``(b, tokens, token_dim)``; with a ``generator``, dropout."""
        x = pictures
        for layer in self.layers:
            x = functional.elu(layer(x))
        x = _drop(x.mean(dim=1), self.dropout, generator)
        x = _drop(functional.elu(self.middle(x)), self.dropout, generator)
        words: torch.Tensor = self.last(x)
        return words.reshape(len(words), self.tokens, -1)


class Alignment(nn.Module):
    """Text vectors to where their pictures lie: ``u + W u + b``, at first the identity."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.step = nn.Linear(embed_dim, embed_dim)
        nn.init.zeros_(self.step.weight)
        nn.init.zeros_(self.step.bias)

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Unit rows ``(n, embed_dim)`` to unit rows."""
        return functional.normalize(texts + self.step(texts), dim=-1)


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Fresh weights of all linear layers from a source of chance of one's own, uniform as is usual."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter.copy_((2 * torch.rand(parameter.shape, generator=generator) - 1) * bound)


def _drop(x: torch.Tensor, share: float, generator: torch.Generator | None) -> torch.Tensor:
    if generator is None or share == 0:
        return x
    kept = torch.rand(x.shape, generator=generator) >= share
    return x * kept / (1 - share)
