"""Prompts in which ``*`` stands for the instance.

The paper names the first three (Yeh et al., appendix C); the rest of its list was never given and is ours.
"""

from __future__ import annotations

from thisismy.encoders.base import Encoder, Features, unit
from thisismy.personalization.texts import with_category

TEMPLATES: tuple[str, ...] = (
    "An image of *",
    "* can be seen in this photo",
    "There is * in this image",
    "A photo of *",
    "A picture of *",
    "A close-up photo of *",
    "A photo of * in a video",
    "This is *",
)
"""One is drawn at random for each training sample."""

CATEGORY_PROMPT = "An image of a *"
"""The prompt of a category's anchor (Yeh et al., section 3.2)."""


def category_anchors(encoder: Encoder, categories: list[str]) -> Features:
    """``(n_categories, embed_dim)`` unit text vectors that the category loss pulls to."""
    return unit(encoder.encode_texts([with_category(CATEGORY_PROMPT, c) for c in categories]))
