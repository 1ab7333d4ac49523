"""What the rest of the package asks of a frozen image-text model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.space import Block

if TYPE_CHECKING:
    import torch

    from thisismy.core.box import Box
    from thisismy.encoders.space import FeatureSpace

Features = NDArray[np.float32]
"""Unit rows, shape ``(n, embed_dim)``."""

Picture = NDArray[np.uint8]
"""An RGB picture, shape ``(height, width, 3)``."""

PLACEHOLDER = "*"
"""Stands in a prompt where the learned tokens of an instance go."""


@runtime_checkable
class Encoder(Protocol):
    """A frozen image-text model with one space for pictures and texts.

    Any number of threads may call all methods of one encoder at once, learning and searching among them: each
    answer is what a single thread would get.

    Attributes:
        token_dim: dimension of one input word vector of the text tower; None when it cannot take any.
        image_size: pixels of the shorter side that the image tower really looks at; larger pictures
            only cost time.
        logit_scale: what a cosine is multiplied by before a softmax over texts (1 / temperature).
    """

    token_dim: int | None
    image_size: int
    logit_scale: float

    @property
    def space(self) -> FeatureSpace:
        """What its vectors may be compared with."""
        ...

    @property
    def id(self) -> str:
        """The id of the space. Vectors with different ids are never compared."""
        ...

    @property
    def embed_dim(self) -> int:
        """The dimension of the space."""
        ...

    def encode_images(self, images: Sequence[Picture]) -> Features:
        """Unit vectors of pictures of any sizes; ``(0, embed_dim)`` for none."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Features:
        """Unit vectors of texts; over-long texts are cut at the model's limit."""
        ...

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        """Input vectors of a text's words, ``(n_words, token_dim)``, without start and end marks.

        Raises:
            EncoderError: ``token_dim`` is None.
        """
        ...

    def encode_prompts(self, prompts: Sequence[str], tokens: torch.Tensor) -> torch.Tensor:
        """Unit vectors of prompts in which each ``*`` is replaced by learned tokens.

        Args:
            prompts: n texts, each with at least one ``*``.
            tokens: ``(n, n_w, token_dim)``; prompt i reads the n_w vectors of row i at each of its ``*``.

        Returns:
            ``(n, embed_dim)``, differentiable with respect to ``tokens`` and to nothing else.

        Raises:
            EncoderError: ``token_dim`` is None, a prompt has no ``*``, or the shapes do not fit.
        """
        ...


@runtime_checkable
class RegionEncoder(Protocol):
    """What an encoder has that encodes parts of a picture.

    Where there is no better way it is one line: ``self.encode_images(crops(picture, boxes))``, with
    `thisismy.encoders.regions.crops`.
    """

    def encode_regions(self, picture: Picture, boxes: Sequence[Box]) -> Features:
        """Unit vectors of the parts of one picture, ``(n, embed_dim)``; ``(0, embed_dim)`` for no boxes.

        Raises:
            MediaError: a box lies outside of the picture, or is empty.
        """
        ...


@runtime_checkable
class SeesRim(Protocol):
    """What an encoder has that describes the rim of a picture apart from the thing in its middle.

    Both are vectors of its one space, so a text may be compared with either.
    """

    def encode_with_rim(self, images: Sequence[Picture]) -> Block:
        """Unit vectors of pictures of any sizes and of their rims, in one pass of the network.

        The frames are what `Encoder.encode_images` gives.
        """
        ...


def encode_block(encoder: Encoder, images: Sequence[Picture]) -> Block:
    """Unit vectors of pictures, with those of their rims where the encoder tells them apart."""
    if isinstance(encoder, SeesRim):
        return encoder.encode_with_rim(images)
    return Block(encoder.encode_images(images))


def unit(rows: NDArray[Any]) -> Features:
    """Rows scaled to length 1 as float32; a row of zeros stays zero."""
    rows = np.asarray(rows, dtype=np.float32)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Features = rows / np.maximum(length, np.finfo(np.float32).tiny)
    return scaled
