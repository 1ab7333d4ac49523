from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.media.frames import VideoStream
from thisismy.shots import Adaptive, CutScore, Gradual, ShotError, score_cuts
from thisismy.shots.detectors.blend import fit_blend
from thisismy.shots.detectors.frame_buffer import FrameBuffer
from thisismy.shots.detectors.gradual import GradualFinder

RATE = 25


def scene(seed: int, size: tuple[int, int] = (96, 160)) -> np.ndarray:
    """A picture of soft blobs and edges, larger than what is shown of it, ``(height, width, 3)``."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(20, 235, (size[0] // 8, size[1] // 8, 3))
    fine = np.kron(coarse, np.ones((8, 8, 1)))
    for axis in (0, 1):
        fine = sum(np.roll(fine, shift, axis) for shift in range(-3, 4)) / 7
    return fine


def view(image: np.ndarray, x: float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """27 x 48 pixels of a scene, ``x`` pixels to the right and ``zoom`` times as large."""
    rows = np.clip(48 + (np.arange(27) - 13) / zoom, 0, image.shape[0] - 1).astype(int)
    columns = np.clip(60 + x + (np.arange(48) - 24) / zoom, 0, image.shape[1] - 1).astype(int)
    return image[rows][:, columns]


def still(seed: int, seconds: float) -> list[np.ndarray]:
    return [view(scene(seed))] * round(seconds * RATE)


def blend(before: np.ndarray, after: np.ndarray, seconds: float) -> list[np.ndarray]:
    count = round(seconds * RATE)
    return [before + (after - before) * (k + 0.5) / count for k in range(count)]


def cuts(frames: list[np.ndarray], detector: Adaptive | None = None, rate: float = RATE) -> list[float]:
    """What a detector finds, fed one noisy frame at a time; checks the promises of a finder on the way."""
    noise = np.random.default_rng(0)
    run = (detector or Adaptive()).start()
    found: list[float] = []
    settled = -np.inf
    for number, frame in enumerate(frames):
        noisy = np.clip(frame + noise.normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
        new = list(run.feed(number / rate, noisy))
        assert all(settled < cut <= run.settled for cut in new)
        assert run.settled >= settled
        settled = run.settled
        found += new
    last = list(run.finish(len(frames) / rate))
    assert all(cut > settled for cut in last)
    assert found + last == sorted(found + last)
    return found + last


@pytest.mark.parametrize("seconds", [0.4, 0.6, 1.0, 1.6])
def test_a_dissolve_is_a_cut_in_its_middle(seconds: float) -> None:
    frames = still(1, 3) + blend(view(scene(1)), view(scene(2)), seconds) + still(2, 3)
    assert cuts(frames) == pytest.approx([3 + seconds / 2], abs=0.06)
    assert cuts(frames, Adaptive(gradual=None)) == []


@pytest.mark.parametrize("level", [0, 255, 90])
@pytest.mark.parametrize("held", [0.0, 0.4])
def test_a_fade_is_a_cut_where_the_colour_is_purest(level: int, held: float) -> None:
    plain = np.full((27, 48, 3), float(level))
    frames = still(1, 3) + blend(view(scene(1)), plain, 0.4) + [plain] * round(held * RATE)
    frames += blend(plain, view(scene(2)), 0.4) + still(2, 3)
    assert cuts(frames) == pytest.approx([3.4 + held / 2], abs=0.1)


def test_both_kinds_and_hard_cuts_in_one_video() -> None:
    frames = still(1, 2) + still(2, 2) + blend(view(scene(2)), view(scene(3)), 0.6) + still(3, 2)
    frames += still(4, 2) + blend(view(scene(4)), view(scene(5)), 1.0) + still(5, 2)
    assert cuts(frames) == pytest.approx([2.0, 4.3, 6.6, 9.1], abs=0.08)


SUDDEN = pytest.mark.xfail(reason="a sudden pan over one smooth texture looks like a blend", strict=True)


@pytest.mark.parametrize("speed", [4.0, pytest.param(12.0, marks=SUDDEN), 30.0])
def test_a_pan_is_no_transition(speed: float) -> None:
    wide = scene(3, (96, 480))
    frames = [view(wide, 0)] * 50 + [view(wide, speed * k / RATE) for k in range(150)]
    assert cuts(frames + [frames[-1]] * 50) == []


@pytest.mark.parametrize("speed", [0.2, 0.6, -0.2])
def test_a_zoom_is_no_transition(speed: float) -> None:
    frames = [view(scene(4), zoom=max(0.6, 1 + speed * k / RATE)) for k in range(150)]
    assert cuts([frames[0]] * 50 + frames + [frames[-1]] * 50) == []


def test_a_shaking_hand_is_no_transition() -> None:
    time = np.arange(250) / RATE
    place = 2.5 * np.sin(5 * time) + 1.5 * np.sin(13 * time + 1)
    assert cuts([view(scene(5), x) for x in place]) == []


@SUDDEN
def test_a_hand_that_wanders_off_is_no_transition() -> None:
    place = np.cumsum(np.random.default_rng(5).normal(0, 0.4, 250))
    assert cuts([view(scene(5), x) for x in place]) == []


@pytest.mark.parametrize("seconds", [0.2, 0.6, 2.0])
def test_a_change_of_light_is_no_gradual_transition(seconds: float) -> None:
    lit = view(scene(6))
    frames = [lit] * 75 + blend(lit, lit * 0.4, seconds) + [lit * 0.4] * 75
    gradual = GradualFinder(Gradual())
    found = [t for n, f in enumerate(frames) for t in gradual.feed(n / RATE, f.astype(np.uint8))]
    assert [*found, *gradual.finish()] == []


@pytest.mark.parametrize("frames_long", [1, 3, 6])
def test_a_flash_is_no_cut(frames_long: int) -> None:
    lit = view(scene(7))
    flash = [lit * 0.2 + 204] * frames_long
    assert cuts([lit] * 75 + flash + [lit] * 75) == []
    assert len(cuts([lit] * 75 + flash + [lit] * 75, Adaptive(gradual=None))) >= 1


def test_a_blink_of_black_is_no_cut() -> None:
    lit = view(scene(7))
    frames = [lit] * 75 + blend(lit, lit * 0, 0.4) + blend(lit * 0, lit, 0.4) + [lit] * 75
    assert cuts(frames) == []


def test_an_object_that_passes_is_no_transition() -> None:
    frames = []
    for k in range(150):
        frame = view(scene(8)).copy()
        left = k - 40
        frame[6:, max(0, left) : max(0, left + 20)] = (240, 20, 20)
        frames.append(frame)
    assert cuts(frames) == []


@pytest.mark.parametrize("rate", [10, 25, 60, 120])
def test_the_frame_rate_does_not_matter(rate: int) -> None:
    a, b = view(scene(1)), view(scene(2))
    share = np.clip((np.arange(7 * rate) / rate - 3) / 1.0, 0, 1)
    assert cuts([a + (b - a) * s for s in share], rate=rate) == pytest.approx([3.5], abs=0.08)


def test_memory_is_flat_and_few_frames_are_harmless() -> None:
    finder = GradualFinder(Gradual())
    picture = view(scene(1)).astype(np.uint8)
    for number in range(20_000):
        finder.feed(number / 240, picture)
        assert len(finder.buffer.times) <= 256
    for count in (0, 1, 2, 5):
        assert cuts([view(scene(1))] * count) == []


def test_settings_are_part_of_the_id_and_senseless_ones_are_refused() -> None:
    assert Adaptive().id != Adaptive(gradual=None).id
    assert Adaptive(gradual=Gradual(max_residual=0.2)).id != Adaptive().id
    for wrong in (
        {"max_similarity": 1.0},
        {"max_residual": 0.0},
        {"max_outside_change": 0.0},
        {"min_sightings": 0},
    ):
        with pytest.raises(ShotError, match="gradual transitions need"):
            Gradual(**wrong)


def test_a_blend_by_hand() -> None:
    first, last = np.array([1, -1, 0, 0]), np.array([0, 0, 1, -1])
    rows = np.stack([first, 0.75 * first + 0.25 * last, 0.25 * first + 0.75 * last, last]).astype(np.float32)
    blend = fit_blend(np.arange(4.0), rows)
    assert blend is not None
    assert blend.before.tolist() == [1, 0.75, 0.25, 0]
    assert blend.after.tolist() == [0, 0.25, 0.75, 1]
    assert blend.residual == pytest.approx(0)
    assert blend.middle == pytest.approx(1.5)
    assert blend.span == (0.0, 3.0)
    assert blend.largest_step == pytest.approx(0.5)
    assert blend.largest_relapse <= 0
    assert fit_blend(np.arange(3.0), np.stack([first, first, 2 * first]).astype(np.float32)) is None
    assert fit_blend(np.arange(3.0), np.zeros((3, 4), np.float32)) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 9))
def test_a_blend_is_what_least_squares_gives(seed: int, count: int) -> None:
    rows = np.random.default_rng(seed).normal(0, 10, (count, 12)).astype(np.float32)
    blend = fit_blend(np.arange(float(count)), rows)
    assert blend is not None
    ends = rows[[0, -1]].astype(float).T
    left = []
    for number, row in enumerate(rows[1:-1].astype(float), start=1):
        weights, *_ = np.linalg.lstsq(ends, row, rcond=None)
        assert [blend.before[number], blend.after[number]] == pytest.approx(weights, abs=1e-3)
        left.append(float(((row - ends @ weights) ** 2).sum()))
    weaker = min((rows[0] ** 2).sum(), (rows[-1] ** 2).sum())
    assert blend.residual == pytest.approx(max(left) / weaker, rel=1e-3, abs=1e-3)


def test_buffer_pictures_tell_what_is_shown_from_how_light_it_is() -> None:
    buffer = FrameBuffer(10)
    lit = view(scene(9))
    for number, picture in enumerate([lit, lit * 0.5, view(scene(10)), lit]):
        assert buffer.add(float(number), picture.astype(np.uint8))
    assert not buffer.add(3.01, lit.astype(np.uint8))
    assert buffer.similarity([0, 0, 0], [1, 2, 3]) == pytest.approx([1, 0, 1], abs=0.35)
    assert buffer.same(0, [1, 2, 3]).tolist() == [False, False, True]
    assert [buffer.index(t) for t in (-1.0, 0.5, 3.0, 99.0)] == [0, 1, 3, 3]


def test_development_videos_keep_their_score(dev_data: Path) -> None:
    import json

    score = CutScore(0, 0, 0)
    for name in ("sam_01", "nora_02"):
        truth = json.loads((dev_data / f"vlogs-dev/{name}.json").read_text())
        run = Adaptive().start()
        found: list[float] = []
        with VideoStream(dev_data / f"vlogs-dev/{name}.mp4") as stream:
            for frame in stream:
                found += run.feed(frame.time, frame.small(48, 27))
            found += run.finish(stream.end)
        score += score_cuts(found, [shot["start"] for shot in truth["shots"][1:]], 0.5)
    assert score.f1 >= 0.97
