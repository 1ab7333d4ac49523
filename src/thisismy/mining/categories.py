"""Which category an instance belongs to, zero-shot, among the COCO classes or a given list (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thisismy.encoders.base import Encoder, Features
from thisismy.mining.lexicon import lexicon
from thisismy.mining.naming import visible_noun

# fmt: off
COCO_CATEGORIES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
    "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear",
    "hair drier", "toothbrush",
)
# fmt: on
"""The 80 class names of COCO, the paper's categories."""

TEXT_WEIGHT = 2.0
"""The name says more than a small picture does: a dog called a dog is a dog."""


@dataclass(frozen=True)
class Category:
    """A category and how sure it is.

    Attributes:
        name: one of the list.
        probability: 0 to 1; 1 when the name's noun is in the list.
        from_name: whether the noun in the name decided.
    """

    name: str
    probability: float
    from_name: bool


def zero_shot_category(
    name: str, shots: Features, encoder: Encoder, categories: Sequence[str] = COCO_CATEGORIES
) -> Category:
    """The category of an instance from its name and its shots.

    A noun of the name that is a category, or is listed as a kind of one ("puppy" is a dog), decides. Else the
    categories are compared with the name's text and with the shots, and the most likely one is taken.

    Args:
        name: "dog Biscuit", with or without the possessive.
        shots: features of its examples, ``(k, embed_dim)``; may be empty.
        encoder: the encoder that made them.
        categories: names to choose from.

    Raises:
        ValueError: ``categories`` is empty.
    """
    if not categories:
        raise ValueError("categories must not be empty")
    stated = stated_category(name, categories)
    if stated is not None:
        return Category(stated, 1.0, True)
    texts = encoder.encode_texts([f"a photo of a {category}" for category in categories])
    said = encoder.encode_texts([f"a photo of a {name}"])
    logits = TEXT_WEIGHT * (texts @ said[0])
    if len(shots):
        logits = logits + texts @ shots.mean(axis=0)
    scaled = encoder.logit_scale * (logits - logits.max())
    probabilities = np.exp(scaled) / np.exp(scaled).sum()
    best = int(np.argmax(probabilities))
    return Category(categories[best], float(probabilities[best]), False)


def stated_category(name: str, categories: Sequence[str] = COCO_CATEGORIES) -> str | None:
    """The category that the noun of a name is, or is a kind of; None when the words do not tell."""
    listed = {category.lower(): category for category in categories}
    words = name.split()
    lower = [word.lower() for word in words]
    for length in (2, 1):
        for i in range(len(words) - length + 1):
            phrase = " ".join(lower[i : i + length])
            if phrase in listed and (length > 1 or i == 0 or not words[i][0].isupper()):
                return listed[phrase] if length > 1 else _last_single(words, listed)
    noun = visible_noun(words)
    kind = lexicon().categories.get(noun) if noun is not None else None
    return listed.get(kind) if kind is not None else None


def _last_single(words: Sequence[str], listed: dict[str, str]) -> str | None:
    """The category named by the noun the phrase is about ("car keys" are not a car)."""
    noun = visible_noun(words)
    if noun is None:
        return None
    kind = noun if noun in listed else lexicon().categories.get(noun, "")
    return listed.get(kind)
