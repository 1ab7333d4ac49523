"""Marking a thing in a picture and finding its pixels, on pictures whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.box import Box
from thisismy.core.errors import InstanceError, MediaError
from thisismy.encoders.base import unit
from thisismy.encoders.regions import crop
from thisismy.personalization import NamedInstance, Vocabulary, make_method
from thisismy.personalization.boxes import encircled, inside, marked
from thisismy.personalization.segmentation import (
    SegmentationSettings,
    mask_of,
    overlap,
    patch_scores,
    segment,
)


def _scene(left: int = 70, top: int = 30, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A red disc with a little noise on a blue and green ground, and where it is."""
    draw = np.random.default_rng(0)
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[..., 2] = np.linspace(120, 200, 160).astype(np.uint8)
    picture[60:, :, 1] = 90
    rows, columns = np.mgrid[:120, :160]
    middle = (top + side / 2, left + side / 2)
    mask = np.hypot(rows - middle[0], columns - middle[1]) < side / 2
    picture[mask] = (210, 20, 20)
    noisy = np.clip(picture.astype(int) + draw.integers(-8, 9, picture.shape), 0, 255)
    return noisy.astype(np.uint8), mask


@pytest.fixture
def vocabulary() -> Vocabulary:
    red = NamedInstance("my ball", "ball", unit(np.array([[1, 0, 0, 0.1]])))
    return make_method("clip-visual").fit([red], np.zeros((0, 4)), FakeEncoder())


@pytest.mark.parametrize(("left", "top", "side"), [(70, 30, 40), (10, 60, 45), (100, 10, 30)])
def test_a_thing_is_found_to_the_pixel(vocabulary, left, top, side):
    picture, mask = _scene(left, top, side)
    found = segment(picture, vocabulary, "my ball")
    assert found.shape == mask.shape
    assert overlap(found, mask) > 0.7


def test_the_map_is_highest_at_the_thing_and_seeds_alone_are_rougher(vocabulary):
    picture, mask = _scene()
    map_ = patch_scores(picture, vocabulary, "my ball")
    assert map_.shape == mask.shape
    assert mask[np.unravel_index(map_.argmax(), map_.shape)]
    rough = mask_of(picture, map_, SegmentationSettings(rounds=0))
    assert 0.2 < overlap(rough, mask) < overlap(segment(picture, vocabulary, "my ball"), mask)


def test_a_large_picture_keeps_its_size_and_a_tiny_one_works(vocabulary):
    picture, mask = _scene()
    large = picture.repeat(4, axis=0).repeat(4, axis=1)
    assert overlap(segment(large, vocabulary, "my ball"), mask.repeat(4, 0).repeat(4, 1)) > 0.8
    assert segment(picture[:5, :7], vocabulary, "my ball").shape == (5, 7)
    plain = np.full((40, 40, 3), 100, np.uint8)
    assert segment(plain, vocabulary, "my ball").shape == (40, 40)
    with pytest.raises(MediaError, match="no parts"):
        segment(picture[:1], vocabulary, "my ball")
    with pytest.raises(InstanceError, match="my ball"):
        segment(picture, vocabulary, "my cat")


def test_overlap_by_hand():
    first, second = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    assert overlap(first, second) == 1
    first[0, :2], second[0, 1:3] = True, True
    assert overlap(first, second) == pytest.approx(1 / 3)
    with pytest.raises(MediaError, match="cannot be compared"):
        overlap(first, np.zeros((3, 3), bool))


def test_an_ellipse_goes_through_the_middles_of_the_sides():
    picture = np.zeros((100, 200, 3), np.uint8)
    shown = encircled(picture, Box(40, 20, 120, 80))
    for row, column in ((50, 40), (50, 120), (20, 80), (80, 80)):
        around = shown[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3)
        assert (around[:, 0] > 200).any()
        assert around[:, 1:].max() < 60
    assert not shown[50, 80].any()
    assert not shown[22, 42].any()
    assert not picture.any()


def test_a_box_outside_the_picture_is_refused_and_one_over_its_edge_is_cut():
    picture = np.zeros((100, 200, 3), np.uint8)
    for box in (Box(300, 0, 400, 50), Box(10, 10, 10, 50), Box(-50, -50, -1, -1), Box(0, 0, float("nan"), 5)):
        for work in (inside, lambda b, p: encircled(p, b), lambda b, p: crop(p, b)):
            with pytest.raises(MediaError, match="outside of the picture of 200 x 100"):
                work(box, picture)
    assert inside(Box(-5, 50, 900, 300), picture) == Box(0, 50, 200, 100)
    assert crop(picture, Box(10, 20, 30, 60)).shape == (40, 20, 3)


def test_a_picture_is_shown_whole_cut_out_or_encircled():
    picture, _ = _scene()
    box = Box(60, 20, 120, 80)
    np.testing.assert_array_equal(marked(picture, box, "ellipse"), encircled(picture, box))
    np.testing.assert_array_equal(marked(picture, box, "crop"), crop(picture, box))
    np.testing.assert_array_equal(marked(picture, box, "ignore"), picture)
