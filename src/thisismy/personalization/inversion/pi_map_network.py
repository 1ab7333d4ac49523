"""The map of pi-map: a picture's feature to a word.

Bruno Korbar, Andrew Zisserman: "the Return of Fluffy" (CBMI 2025; arXiv 2510.05411), section on the model.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import Features
from thisismy.personalization.inversion.palavra_networks import draw_weights

CONDITIONS = ("zeroed", "raised", "ones")

FRESH = 0.1
"""How small the first weights are beside the usual ones."""


class PictureMap(nn.Module):
    """Three layers with residual connections and two conditioning vectors that scale the first two.

    ``h1 = c1 (x + gelu(W1 x))``, ``h2 = c2 (h1 + gelu(W2 h1))``, ``word = h2 + W3 h2``, all as wide as a
    word. Where a feature is not, a matrix brings it to that width first (the paper has no such case).
    Activation and the last residual are not given in the paper.

    Args:
        embed_dim: of the features.
        token_dim: of a word.
        generator: of the first weights.
    """

    def __init__(self, embed_dim: int, token_dim: int, generator: torch.Generator) -> None:
        super().__init__()
        self.entry = None if embed_dim == token_dim else nn.Linear(embed_dim, token_dim, bias=False)
        self.first = nn.Linear(token_dim, token_dim)
        self.second = nn.Linear(token_dim, token_dim)
        self.last = nn.Linear(token_dim, token_dim)
        self.condition_first = nn.Parameter(torch.ones(token_dim))
        self.condition_second = nn.Parameter(torch.ones(token_dim))
        draw_weights(self, generator)
        # A fresh map should begin near its residual path, which already tells things apart.
        for layer in (self.first, self.second, self.last):
            with torch.no_grad():
                layer.weight.mul_(FRESH)
                layer.bias.mul_(FRESH)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """``(n, embed_dim)`` unit rows to ``(n, token_dim)`` words."""
        x = self._entered(pictures)
        x = self.condition_first * (x + functional.gelu(self.first(x)))
        x = self.condition_second * (x + functional.gelu(self.second(x)))
        words: torch.Tensor = x + self.last(x)
        return words

    def _entered(self, rows: torch.Tensor) -> torch.Tensor:
        if self.entry is None:
            return rows
        entered: torch.Tensor = self.entry(rows)
        return entered

    def condition(self, pictures: Features, texts: Features, how: str) -> None:
        """Begin the conditioning vectors from where pictures and their captions differ.

        The mean absolute difference of each number is put through a softmax, scaled to a mean of 1 (as
        printed, the signal would vanish). "zeroed", as printed, first sets the largest difference to zero
        for the first vector, the second largest for the second. "raised" does what the prose asks for, more
        weight where the two differ most: nothing zeroed in the first, only the largest in the second. "ones"
        leaves both out.

        Args:
            pictures: ``(n, embed_dim)`` unit rows.
            texts: ``(n, embed_dim)``, a caption of each.
            how: see above.

        Raises:
            VocabularyError: ``how`` is none of them.
        """
        if how not in CONDITIONS:
            raise VocabularyError(f"condition is one of {', '.join(map(repr, CONDITIONS))}, not {how!r}")
        if how == "ones":
            return
        with torch.no_grad():
            apart = self._entered(torch.from_numpy(pictures - texts)).abs().mean(dim=0).numpy()
        largest = np.argsort(-apart, kind="stable")
        zeroed = (largest[0], largest[1]) if how == "zeroed" else (None, largest[0])
        for vector, position in zip((self.condition_first, self.condition_second), zeroed, strict=True):
            kept = apart.copy()
            if position is not None:
                kept[position] = 0
            share = torch.softmax(torch.from_numpy(kept), dim=0)
            with torch.no_grad():
                vector.copy_(share * len(kept))
