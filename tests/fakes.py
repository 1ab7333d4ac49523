"""A transparent encoder: what it says can be worked out by eye, and it counts its calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import EncoderError
from thisismy.encoders.base import PLACEHOLDER, Features, Picture, unit
from thisismy.encoders.space import FeatureSpace

if TYPE_CHECKING:
    import torch

COLOURS = {"red": 0, "green": 1, "blue": 2}


class FakeEncoder:
    """A picture is its mean colour; a text is the sum of its colour words.

    The space has four dimensions: red, green, blue and "something else" (0.1, so that nothing is ever zero).
    A word's input vector is its direction in that space, so learned tokens live in it too.
    """

    id = "fake-colours"
    embed_dim = 4
    token_dim: int | None = 4
    image_size = 8
    logit_scale = 10.0

    def __init__(self) -> None:
        self.image_calls = 0
        self.images_seen = 0
        self.text_calls = 0

    @property
    def space(self) -> FeatureSpace:
        return FeatureSpace(self.id, self.embed_dim)

    def encode_images(self, images: Sequence[Picture]) -> Features:
        self.image_calls += 1
        self.images_seen += len(images)
        rows = np.zeros((len(images), 4), np.float32)
        for i, image in enumerate(images):
            rows[i, :3] = np.asarray(image, np.float32).reshape(-1, 3).mean(0) / 255
            rows[i, 3] = 0.1
        return unit(rows)

    def encode_texts(self, texts: Sequence[str]) -> Features:
        self.text_calls += 1
        return unit(np.stack([self._sum(t) for t in texts]) if texts else np.zeros((0, 4), np.float32))

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        words = re.findall(r"\w+", text.lower())
        return np.stack([self._word(w) for w in words]) if words else np.zeros((0, 4), np.float32)

    def encode_prompts(self, prompts: Sequence[str], tokens: torch.Tensor) -> torch.Tensor:
        import torch

        self.text_calls += 1
        if tokens.ndim != 3 or len(prompts) != len(tokens) or tokens.shape[-1] != 4:
            raise EncoderError(
                f"tokens of shape {tuple(tokens.shape)} do not fit {len(prompts)} prompts of width 4"
            )
        rows = []
        for prompt, row in zip(prompts, tokens, strict=True):
            if PLACEHOLDER not in prompt:
                raise EncoderError(f"the prompt {prompt!r} has no {PLACEHOLDER!r}")
            context = torch.from_numpy(self._sum(prompt)).to(row.dtype)
            rows.append(context + prompt.count(PLACEHOLDER) * row.sum(0))
        return torch.nn.functional.normalize(torch.stack(rows), dim=-1)

    def _sum(self, text: str) -> NDArray[np.float32]:
        base = np.array([0, 0, 0, 0.1], np.float32)
        return base + sum((self._word(w) for w in re.findall(r"\w+", text.lower())), np.zeros(4, np.float32))

    @staticmethod
    def _word(word: str) -> NDArray[np.float32]:
        vector = np.zeros(4, np.float32)
        if word in COLOURS:
            vector[COLOURS[word]] = 1.0
        return vector
