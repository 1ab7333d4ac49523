"""More views of a thing: other shots that look like its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thisismy.encoders.base import Features


@dataclass(frozen=True)
class Proposal:
    """A shot that may show the thing.

    Attributes:
        shot: its number in the features that were searched.
        similarity: cosine to the reference, or to the mean of the confirmed examples.
    """

    shot: int
    similarity: float


def same_video_examples(
    reference: int, features: Features, threshold: float, neighbour_bonus: float = 0.0
) -> list[Proposal]:
    """Every other shot of the video as similar to the reference as asked, most similar first.

    Args:
        reference: number of the reference shot.
        features: all shots of the video, ``(n, embed_dim)``.
        threshold: least cosine (0.9 in section 3.1, for CLIP ViT-B/16).
        neighbour_bonus: how much less is asked of the shots right before and after the reference: whoever
            says "this is my dog" usually keeps showing it.
    """
    cosines = features @ features[reference]
    needed = np.full(len(features), threshold)
    needed[max(0, reference - 1) : reference + 2] -= neighbour_bonus
    found = [
        Proposal(i, float(cosines[i])) for i in np.flatnonzero(cosines > needed).tolist() if i != reference
    ]
    return sorted(found, key=lambda proposal: (-proposal.similarity, proposal.shot))


def propose_elsewhere(
    examples: Features, gallery: Features, threshold: float, limit: int = 20
) -> list[Proposal]:
    """Ranked shots of other videos that may show the thing; a person confirms them.

    Args:
        examples: the known examples, ``(k, embed_dim)``.
        gallery: shots of other videos about which nothing is decided, ``(n, embed_dim)``.
        threshold: least cosine to the nearest example.
        limit: most proposals.
    """
    if not len(examples) or not len(gallery):
        return []
    nearest = (gallery @ examples.T).max(axis=1)
    order = np.argsort(-nearest, kind="stable").tolist()
    found = [Proposal(i, float(nearest[i])) for i in order if nearest[i] > threshold]
    return found[:limit]
