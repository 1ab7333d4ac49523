from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import BLUE, GREEN, GREY, RED, is_upright, mean_colour, truncate, write_sound, write_video

from thisismy.core.errors import MediaError
from thisismy.media import colour
from thisismy.media.frames import VideoStream, frames_at
from thisismy.media.pictures import Orientation, fitted, is_black, is_empty


def test_times_are_exact_and_the_end_is_known(tmp_path: Path) -> None:
    with VideoStream(write_video(tmp_path / "a.mp4", [(RED, 1.0)])) as stream:
        times = [frame.time for frame in stream]
    assert times == pytest.approx([k / 25 for k in range(25)])
    assert stream.end == pytest.approx(1.0)
    assert stream.notes == ()
    assert not stream.truncated


def test_frames_are_freed_at_once_not_by_the_garbage_collector(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 2.0)], rotation=90)
    gc.collect()
    gc.disable()
    try:
        with VideoStream(path) as stream:
            for frame in stream:
                frame.small(48, 27)
                frame.rgb(45)
        waiting = gc.collect()
    finally:
        gc.enable()
    assert waiting < 50


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    wanted = [k * 0.04 if k < 25 else 1 + (k - 25) * 0.2 for k in range(50)]
    with VideoStream(write_video(tmp_path / "a.mkv", [(RED, 2.0)], times=wanted.__getitem__)) as stream:
        assert [frame.time for frame in stream] == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_both_kinds_of_picture_are_upright_and_of_the_right_colour(
    tmp_path: Path, rotation: int, pixel_format: str
) -> None:
    path = write_video(tmp_path / "a.mp4", [(GREY, 0.2)], rotation=rotation, pixel_format=pixel_format)
    turned = {0: 0, 90: 1, 180: 2, -90: 3}[rotation]
    with VideoStream(path) as stream:
        frame = next(iter(stream))
        rgb, small = frame.rgb(), frame.small(64, 36)
    assert rgb.shape == ((90, 160, 3) if rotation in (0, 180) else (160, 90, 3))
    assert small.shape == (36, 64, 3)
    for image in (rgb, small):
        assert is_upright(np.rot90(image, -turned))
    flat = mean_colour(np.rot90(rgb, -turned))
    assert flat == pytest.approx([128, 128, 128], abs=6)


@pytest.mark.parametrize("shown", [RED, GREEN, BLUE, GREY])
@pytest.mark.parametrize(
    ("pixel_format", "size"), [("yuv420p", (160, 90)), ("yuvj420p", (160, 90)), ("yuv420p", (1280, 720))]
)
def test_rough_pictures_have_the_colours_of_true_ones(
    tmp_path: Path, shown: tuple[int, int, int], pixel_format: str, size: tuple[int, int]
) -> None:
    with VideoStream(
        write_video(tmp_path / "a.mp4", [(shown, 0.08)], pixel_format=pixel_format, size=size)
    ) as stream:
        frame = next(iter(stream))
        true, rough = mean_colour(frame.rgb(90)), mean_colour(frame.small(64, 36))
    assert rough == pytest.approx(true, abs=5)


def test_range_and_matrix_tags_are_obeyed(tmp_path: Path) -> None:
    def bt709(stream: object) -> None:
        stream.codec_context.colorspace = 1
        stream.codec_context.color_range = 2

    path = write_video(tmp_path / "a.mp4", [(GREY, 0.08)], pixel_format="yuv420p", setup=bt709)
    with VideoStream(path) as stream:
        frame = next(iter(stream))
        # Written as limited range, tagged as full: what is shown is the code itself.
        assert mean_colour(frame.rgb())[0] == pytest.approx(16 + 128 * 219 / 255, abs=3)
        assert mean_colour(frame.small(64, 36))[0] == pytest.approx(16 + 128 * 219 / 255, abs=3)


def test_wide_pixels_are_shown_wide_and_nothing_is_enlarged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 0.08)], sample_aspect=Fraction(3, 2))
    with VideoStream(path) as stream:
        frame = next(iter(stream))
        assert frame.rgb().shape == (90, 240, 3)
        assert frame.rgb(45).shape == (45, 120, 3)
        assert frame.rgb(500).shape == (90, 240, 3)


def test_frames_at_gives_what_is_on_screen_in_the_order_asked(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", keyframe_every=20)
    frames = frames_at(path, [5.5, 0.0, 3.999, 4.0, 99.0, -1.0, 3.999], 45)
    assert [f.time for f in frames] == pytest.approx([5.48, 0.0, 3.96, 4.0, 5.96, 0.0, 3.96])
    assert [int(np.argmax(mean_colour(f.image))) for f in frames] == [2, 0, 1, 2, 2, 0, 1]
    assert frames[0].image.shape == (45, 80, 3)
    assert frames_at(path, []) == []


def test_frames_at_far_instants_seeks_and_agrees_with_one_pass(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 14), (GREEN, 14), (BLUE, 14)], rate=5, keyframe_every=40)
    with VideoStream(path) as stream:
        every = {round(f.time, 3): f.small(32, 18) for f in stream}
    wanted = [0.2, 13.8, 14.0, 27.8, 28.0, 41.6]
    for time, frame in zip(wanted, frames_at(path, wanted, 18), strict=True):
        assert frame.time == pytest.approx(time)
        assert mean_colour(frame.image) == pytest.approx(mean_colour(every[round(time, 3)]), abs=8)


def test_a_truncated_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", [(RED, 4.0)], options={"movflags": "faststart"}, size=(320, 180))
    with VideoStream(truncate(whole, tmp_path / "b.mp4", 0.6)) as stream:
        count = sum(1 for _ in stream)
    assert 20 < count < 90
    assert stream.truncated
    assert any("of 4.0 s announced" in note for note in stream.notes)
    last = frames_at(tmp_path / "b.mp4", [0.5, 3.9], 32)[1]
    assert last.time < stream.end


def test_damaged_packets_cost_little_and_are_counted(tmp_path: Path) -> None:
    import av

    path = write_video(tmp_path / "a.mkv", [(RED, 4.0)], keyframe_every=10, size=(320, 180))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.pos]
    for packet in packets[30:33]:
        start = data.find(bytes(packet))
        data[start + 4 : start + packet.size] = bytes(packet.size - 4)
    (tmp_path / "b.mkv").write_bytes(data)
    with VideoStream(tmp_path / "b.mkv") as stream:
        count = sum(1 for _ in stream)
    assert count >= 85
    assert stream.damaged_packets >= 1
    assert any("damaged packet" in note for note in stream.notes)


def test_a_sound_file_has_no_frames(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no picture stream"), VideoStream(write_sound(tmp_path / "a.m4a")):
        pass


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 2000))
def test_fitted_never_enlarges_and_keeps_the_shape(width: int, height: int, side: int) -> None:
    w, h = fitted(width, height, side)
    assert 1 <= w <= width
    assert 1 <= h <= height
    assert min(w, h) == min(side, width, height)
    assert abs(w / width - h / height) <= 1 / min(width, height)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2], [3, 4]]),
        ((-1, 0, 0, 1), [[2, 1], [4, 3]]),
        ((1, 0, 0, -1), [[3, 4], [1, 2]]),
        ((0, 1, -1, 0), [[3, 1], [4, 2]]),
        ((0, -1, 1, 0), [[2, 4], [1, 3]]),
        ((0, 1, 1, 0), [[1, 3], [2, 4]]),
        ((0, 0, 0, 0), [[1, 2], [3, 4]]),
    ],
)
def test_display_matrices_by_hand(matrix: tuple[int, int, int, int], expected: list[list[int]]) -> None:
    stored = np.array([[1, 2], [3, 4]])
    assert Orientation.from_matrix(*matrix).apply(stored).tolist() == expected


def hlg_code(scene: np.ndarray) -> np.ndarray:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def pq_code(nits: np.ndarray) -> np.ndarray:
    y = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


@pytest.mark.parametrize("transfer", [colour.HLG, colour.PQ])
def test_tone_mapping_keeps_order_greys_and_a_bright_white(transfer: int) -> None:
    nits = np.array([0.0, 1, 10, 26, 60, 100, 203, 400, 1000])
    code = pq_code(nits) if transfer == colour.PQ else hlg_code((nits / 1000) ** (1 / 1.2))
    coded = np.repeat(np.round(code * 65535).astype(np.uint16)[None, :, None], 3, axis=2)
    shown = colour.tone_mapped(coded, transfer)[0].astype(int)
    assert np.all(np.diff(shown[:, 0]) > 0)
    assert np.ptp(shown, axis=1).max() <= 2
    white = dict(zip(nits.tolist(), shown[:, 0].tolist(), strict=True))
    assert white[0.0] == 0
    assert 80 <= white[26] <= 125
    assert 220 <= white[203] <= 245
    assert white[1000] >= (254 if transfer == colour.HLG else 245)


def test_hdr_video_is_tone_mapped(tmp_path: Path) -> None:
    def hlg(stream: object) -> None:
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = 18, 9, 9

    path = write_video(tmp_path / "a.mp4", [(GREY, 0.2)], pixel_format="yuv420p10le", setup=hlg)
    frame = frames_at(path, [0.0])[0]
    # Half of the HLG signal is 8.3 % of the scene's light: 50 cd/m2, a quarter of white.
    assert mean_colour(frame.image) == pytest.approx([135, 135, 135], abs=15)
    assert is_upright(frame.image)


def test_black_and_empty_pictures() -> None:
    night = np.zeros((90, 160, 3), np.uint8)
    assert is_black(night)
    assert is_empty(night)
    night[10:20, 10:30] = 250
    assert not is_black(night)
    assert not is_empty(night)
    assert is_empty(np.full((90, 160, 3), 200, np.uint8))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-2, 8), max_size=6))
def test_frames_at_never_shows_the_future(times: list[float]) -> None:
    frames = frames_at(VIDEO, times, 16)
    assert len(frames) == len(times)
    for time, frame in zip(times, frames, strict=True):
        assert frame.time <= max(time, 0.0) + 1e-6
        assert frame.time == pytest.approx(min(max(np.floor((time + 1e-6) * 25) / 25, 0), 5.96), abs=1e-6)


VIDEO: Path


@pytest.fixture(scope="module", autouse=True)
def _video(tmp_path_factory: pytest.TempPathFactory) -> None:
    global VIDEO
    VIDEO = write_video(tmp_path_factory.mktemp("video") / "v.mp4", keyframe_every=25)
