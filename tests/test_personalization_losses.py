"""The losses of meta-personalization against loops written from the printed equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.encoders.base import unit
from thisismy.personalization.meta.losses import category_loss, language_loss, vision_language_loss


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(float(x) ** 2 for x in a) * sum(float(y) ** 2 for y in b))


def d(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    return math.exp(cosine(a, b) / temperature)


def slow_language(texts: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    total = 0.0
    for i in range(len(texts)):
        for j in range(len(texts)):
            if j != i and labels[i] == labels[j]:
                below = sum(d(texts[i], texts[k], temperature) for k in range(len(texts)) if k != i)
                total -= math.log(d(texts[i], texts[j], temperature) / below)
    return total / len(texts)


def slow_vision_language(
    texts: np.ndarray, images: np.ndarray, labels: np.ndarray, negatives: np.ndarray, temperature: float
) -> float:
    total = 0.0
    for i in range(len(texts)):
        for j in range(len(texts)):
            if labels[i] == labels[j]:
                below = sum(d(texts[i], picture, temperature) for picture in [*images, *negatives])
                total -= math.log(d(texts[i], images[j], temperature) / below)
    return total / len(texts)


def slow_category(texts: np.ndarray, anchors: np.ndarray) -> float:
    return -sum(cosine(text, anchor) for text, anchor in zip(texts, anchors, strict=True)) / len(texts)


def rows(draw: np.random.Generator, count: int) -> np.ndarray:
    return unit(draw.normal(size=(count, 6))).astype(np.float64)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(0, 5), st.sampled_from([0.05, 0.1, 0.2, 1.0])
)
def test_losses_agree_with_the_loops(seed: int, count: int, others: int, temperature: float) -> None:
    draw = np.random.default_rng(seed)
    texts, images, anchors = rows(draw, count), rows(draw, count), rows(draw, count)
    negatives = rows(draw, others).reshape(others, 6)
    labels = draw.integers(3, size=count)
    fast = [torch.from_numpy(x) for x in (texts, images, anchors, negatives, labels)]
    # Unit rows were rounded to float32; the loops divide by their lengths once more.
    close = pytest.approx
    assert float(language_loss(fast[0], fast[4], temperature)) == close(
        slow_language(texts, labels, temperature), rel=1e-5, abs=1e-6
    )
    assert float(vision_language_loss(fast[0], fast[1], fast[4], fast[3], temperature)) == close(
        slow_vision_language(texts, images, labels, negatives, temperature), rel=1e-5, abs=1e-6
    )
    assert float(category_loss(fast[0], fast[2])) == close(slow_category(texts, anchors), rel=1e-5, abs=1e-6)


def test_exact_unit_rows_agree_to_a_millionth() -> None:
    draw = np.random.default_rng(1)

    def exact(count: int) -> np.ndarray:
        values = draw.normal(size=(count, 5))
        return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))

    texts, images, anchors, negatives = exact(8), exact(8), exact(8), exact(3)
    labels = np.array([0, 0, 1, 1, 1, 2, 3, 3])
    a, b, c, n = (torch.from_numpy(x) for x in (texts, images, anchors, negatives))
    y = torch.from_numpy(labels)
    assert abs(float(language_loss(a, y, 0.1)) - slow_language(texts, labels, 0.1)) < 1e-6
    slow = slow_vision_language(texts, images, labels, negatives, 0.1)
    assert abs(float(vision_language_loss(a, b, y, n, 0.1)) - slow) < 1e-6
    assert abs(float(category_loss(a, c)) - slow_category(texts, anchors)) < 1e-6


def test_hand_worked() -> None:
    """Two rows of one instance that are equal, and one of another at a right angle; temperature 1."""
    e = math.e
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    labels = torch.tensor([0, 0, 1])
    assert float(language_loss(texts, labels, 1.0)) == pytest.approx(2 * -math.log(e / (e + 1)) / 3)
    one = torch.tensor([[1.0, 0.0]])
    negative = torch.tensor([[0.0, 1.0]])
    loss = vision_language_loss(one, one, torch.tensor([0]), negative, 1.0)
    assert float(loss) == pytest.approx(-math.log(e / (e + 1)))
    assert float(vision_language_loss(one, one, torch.tensor([0]), negative[:0], 1.0)) == 0
    assert float(language_loss(one, torch.tensor([0]), 1.0)) == 0
    assert float(category_loss(texts, texts)) == pytest.approx(-1)
