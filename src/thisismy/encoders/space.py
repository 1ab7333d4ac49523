"""Feature spaces, and rows of vectors that carry theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGE_TEXT, FACE, VOICE = "image-text", "face", "voice"
"""Modalities."""

FRAME, RIM = "frame", "rim"
"""Kinds of regions: the whole frame, and what surrounds the thing in its middle."""


@dataclass(frozen=True)
class FeatureSpace:
    """What vectors may be compared.

    Attributes:
        id: names weights, revision and preprocessing, such as ``"embedded-4-f3f29a0b"``.
        dim: length of a vector.
        modality: "image-text", "face" or "voice".
    """

    id: str
    dim: int
    modality: str = IMAGE_TEXT


@dataclass(frozen=True)
class Block:
    """Rows to be scored: one row per shot, frame or photo, with a vector for each kind of region it has.

    Attributes:
        frame: ``(n, dim)`` unit rows of whole frames.
        rim: ``(n, dim)`` unit rows of what surrounds the middle of each frame; None when the encoder does not
            tell it apart.
    """

    frame: NDArray[np.float32]
    rim: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Any) -> Block:
        """The same rows of every kind of region; ``rows`` is anything NumPy takes as an index of rows."""
        return Block(self.frame[rows], None if self.rim is None else self.rim[rows])


def join_blocks(blocks: Sequence[Block]) -> Block:
    """The rows of one or more blocks one after another; with rims where all of them have rims."""
    rims = [block.rim for block in blocks if block.rim is not None]
    return Block(
        np.concatenate([block.frame for block in blocks]),
        np.concatenate(rims) if len(rims) == len(blocks) else None,
    )
