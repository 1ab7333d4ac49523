"""An encoder that embeds every text once: mining, queries and studies ask for the same ones again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Encoder, Features, Picture, SeesSurroundings

if TYPE_CHECKING:
    import torch


class CachingEncoder:
    """Another encoder, with its last texts remembered.

    A feature takes 4 bytes times ``embed_dim``: a thousand texts are about 3 MB.

    Args:
        encoder: asked for everything else, and for texts that are new.
        most: texts remembered; beyond it the oldest are forgotten.
    """

    def __init__(self, encoder: Encoder, most: int = 20_000) -> None:
        self.id = encoder.id
        self.embed_dim = encoder.embed_dim
        self.token_dim = encoder.token_dim
        self.image_size = encoder.image_size
        self.logit_scale = encoder.logit_scale
        if isinstance(encoder, SeesSurroundings):
            self.surroundings = encoder.surroundings
        self._encoder, self._most = encoder, most
        self._texts: dict[str, Features] = {}

    def encode_images(self, images: Sequence[Picture]) -> Features:
        """See `Encoder.encode_images`; pictures are not remembered."""
        return self._encoder.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """See `Encoder.encode_texts`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if new:
            self._texts.update(zip(new, self._encoder.encode_texts(new), strict=True))
        rows = [self._texts[text] for text in texts]
        for text in list(self._texts)[: max(0, len(self._texts) - self._most)]:
            del self._texts[text]
        return np.stack(rows) if rows else np.zeros((0, self.embed_dim), np.float32)

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        """See `Encoder.word_vectors`."""
        return self._encoder.word_vectors(text)

    def encode_prompts(self, prompts: Sequence[str], tokens: torch.Tensor) -> torch.Tensor:
        """See `Encoder.encode_prompts`; prompts depend on their tokens and are not remembered."""
        return self._encoder.encode_prompts(prompts, tokens)
