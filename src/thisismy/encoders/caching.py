"""An encoder that encodes every text once: mining, queries and studies ask for the same ones again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.core.box import Box
from thisismy.encoders.base import Encoder, Features, Picture, RegionEncoder, SeesRim
from thisismy.encoders.regions import crops

if TYPE_CHECKING:
    import torch


class CachingEncoder:
    """Another encoder, with the vectors of its last texts kept.

    A vector takes 4 bytes times ``embed_dim``: a thousand texts are about 3 MB. Any number of threads may use
    one; two that ask for the same new text at once may both encode it.

    Args:
        encoder: asked for everything else, and for texts that are new.
        capacity: texts kept; beyond it the oldest are dropped.
    """

    def __init__(self, encoder: Encoder, capacity: int = 20_000) -> None:
        self.space = encoder.space
        self.id = encoder.id
        self.embed_dim = encoder.embed_dim
        self.token_dim = encoder.token_dim
        self.image_size = encoder.image_size
        self.logit_scale = encoder.logit_scale
        if isinstance(encoder, SeesRim):
            self.encode_with_rim = encoder.encode_with_rim
        self._encoder, self._capacity = encoder, capacity
        self._lock = threading.Lock()
        self._texts: dict[str, Features] = {}

    def encode_images(self, images: Sequence[Picture]) -> Features:
        """See `Encoder.encode_images`; pictures are not kept."""
        return self._encoder.encode_images(images)

    def encode_regions(self, picture: Picture, boxes: Sequence[Box]) -> Features:
        """See `RegionEncoder.encode_regions`; an encoder without it is given crops."""
        if isinstance(self._encoder, RegionEncoder):
            return self._encoder.encode_regions(picture, boxes)
        return self._encoder.encode_images(crops(picture, boxes))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """See `Encoder.encode_texts`."""
        if not texts:
            return np.zeros((0, self.embed_dim), np.float32)
        with self._lock:
            rows = {text: self._texts[text] for text in texts if text in self._texts}
        new = [text for text in dict.fromkeys(texts) if text not in rows]
        if new:
            # Not under the lock: who only needs texts that are here must not wait for the text tower.
            encoded = dict(zip(new, self._encoder.encode_texts(new), strict=True))
            rows |= encoded
            with self._lock:
                self._texts |= encoded
                for text in list(self._texts)[: max(0, len(self._texts) - self._capacity)]:
                    del self._texts[text]
        return np.stack([rows[text] for text in texts])

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        """See `Encoder.word_vectors`."""
        return self._encoder.word_vectors(text)

    def encode_prompts(self, prompts: Sequence[str], tokens: torch.Tensor) -> torch.Tensor:
        """See `Encoder.encode_prompts`; prompts depend on their tokens and are not kept."""
        return self._encoder.encode_prompts(prompts, tokens)
