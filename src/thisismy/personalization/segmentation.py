"""Where a named thing is in a picture, to the pixel: the second task of PALAVRA.

Each window of a grid is encoded like a picture of its own and scored against the personalized query; the
scores of all windows over a pixel give a map; its peaks and valleys are the seeds of GrabCut (Rother,
Kolmogorov and Blake, 2004), which finds the border by colour. PALAVRA rests on the segmentation of Zabari and
Hoshen, whose code is not public; this stands in for it and works with any encoder and any method.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import MediaError
from thisismy.encoders.base import Encoder, Picture, encode_block
from thisismy.encoders.space import Block
from thisismy.personalization.base import GENERIC_PROMPT, Vocabulary
from thisismy.personalization.scorers import Scores

Mask = NDArray[np.bool_]
"""``(height, width)``, True where the thing is."""

Map = NDArray[np.float32]
"""``(height, width)``, higher where the thing is likelier."""


@dataclass(frozen=True)
class SegmentationSettings:
    """How a thing is segmented.

    Attributes:
        parts: sides of windows as parts of the picture's sides; smaller ones find smaller things.
        step: distance of windows as a part of their sides.
        working: longer side of the picture in pixels while its border is sought.
        sure: part of the map's range above which pixels are surely the thing.
        unsure: part of the map's range below which pixels are surely something else.
        rounds: of GrabCut; 0 cuts the map half-way between the two.
    """

    parts: tuple[float, ...] = (0.4, 0.25, 0.16)
    step: float = 0.5
    working: int = 256
    sure: float = 0.8
    unsure: float = 0.45
    rounds: int = 4


@dataclass(frozen=True)
class Patches:
    """Windows of a picture and their features, whatever they are asked for.

    Attributes:
        size: height and width of the picture.
        windows: top, bottom, left and right of each.
        rows: of each, as a frame of its own.
    """

    size: tuple[int, int]
    windows: tuple[tuple[int, int, int, int], ...]
    rows: Block

    def map(self, scores: Scores) -> Map:
        """The mean score of the windows over each pixel, weighted to their middles.

        Args:
            scores: ``(n,)``, one per window.
        """
        total = np.zeros(self.size, np.float32)
        weight = np.full(self.size, 1e-6, np.float32)
        for (top, bottom, left, right), score in zip(self.windows, scores, strict=True):
            bump = np.outer(_bump(bottom - top), _bump(right - left))
            total[top:bottom, left:right] += score * bump
            weight[top:bottom, left:right] += bump
        return total / weight


def patches(picture: Picture, encoder: Encoder, settings: SegmentationSettings | None = None) -> Patches:
    """Encode the windows of a picture, once for everything that is looked for in it.

    Raises:
        MediaError: the picture has no area.
    """
    settings = settings or SegmentationSettings()
    height, width = picture.shape[:2]
    if height < 2 or width < 2:
        raise MediaError(f"a picture of {width} x {height} pixels has no parts to look at")
    windows = tuple(_windows(height, width, settings))
    crops = [picture[top:bottom, left:right] for top, bottom, left, right in windows]
    return Patches((height, width), windows, encode_block(encoder, crops))


def patch_scores(
    picture: Picture,
    vocabulary: Vocabulary,
    name: str,
    *,
    prompt: str = GENERIC_PROMPT,
    settings: SegmentationSettings | None = None,
) -> Map:
    """How much the thing is around each pixel: the mean score of windows over it.

    Args:
        picture: RGB.
        vocabulary: knows the name.
        name: of the instance.
        prompt: the query with ``*``.
        settings: see there.

    Raises:
        InstanceError: no such instance.
        MediaError: the picture has no area.
    """
    vocabulary.concept(name)
    found = patches(picture, vocabulary.encoder, settings)
    return found.map(vocabulary.score(prompt, name, found.rows))


def segment(
    picture: Picture,
    vocabulary: Vocabulary,
    name: str,
    *,
    prompt: str = GENERIC_PROMPT,
    settings: SegmentationSettings | None = None,
) -> Mask:
    """The pixels of the named thing.

    Args:
        picture: RGB.
        vocabulary: knows the name.
        name: of the instance.
        prompt: the query with ``*``.
        settings: see there.

    Raises:
        InstanceError: no such instance.
        MediaError: the picture has no area.
    """
    settings = settings or SegmentationSettings()
    map_ = patch_scores(picture, vocabulary, name, prompt=prompt, settings=settings)
    return mask_of(picture, map_, settings)


def mask_of(picture: Picture, map_: Map, settings: SegmentationSettings | None = None) -> Mask:
    """A mask from a map: its surest and least sure pixels as seeds, the border by colour."""
    settings = settings or SegmentationSettings()
    height, width = map_.shape
    scale = min(1.0, settings.working / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    spread = cv2.resize(map_, size, interpolation=cv2.INTER_AREA)
    spread = (spread - spread.min()) / max(float(np.ptp(spread)), 1e-12)
    cut = (settings.sure + settings.unsure) / 2
    found = (spread >= cut).astype(np.uint8)
    sure, other = spread >= settings.sure, spread < settings.unsure
    if settings.rounds and sure.any() and other.any():
        seeds = np.where(found == 1, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        seeds[sure], seeds[other] = cv2.GC_FGD, cv2.GC_BGD
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(small, seeds, None, *models, settings.rounds, cv2.GC_INIT_WITH_MASK)
        found = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask: Mask = cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) == 1
    return mask


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union, 0 to 1; 1 for two empty masks.

    Raises:
        MediaError: the masks have different sizes.
    """
    if first.shape != second.shape:
        raise MediaError(f"masks of {first.shape} and {second.shape} pixels cannot be compared")
    union = int((first | second).sum())
    return 1.0 if union == 0 else int((first & second).sum()) / union


def _windows(height: int, width: int, settings: SegmentationSettings) -> list[tuple[int, int, int, int]]:
    """Top, bottom, left and right of all windows; together they cover the picture."""
    found = []
    for part in settings.parts:
        rows = _starts(height, part, settings.step)
        columns = _starts(width, part, settings.step)
        tall, wide = _side(height, part), _side(width, part)
        found += [(top, top + tall, left, left + wide) for top in rows for left in columns]
    return found


def _side(length: int, part: float) -> int:
    return min(length, max(2, round(length * part)))


def _starts(length: int, part: float, step: float) -> list[int]:
    last = length - _side(length, part)
    count = 1 + int(np.ceil(last / max(1.0, step * _side(length, part))))
    return sorted({round(float(x)) for x in np.linspace(0, last, count)})


def _bump(length: int) -> NDArray[np.float32]:
    """Weights that fall from the middle to the ends."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length).astype(np.float32)
