"""Which files a browser plays, and the pieces and sprites of those it does not."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import BLUE, RED, write_video

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media import colour
from thisismy.media.playback import SEGMENT_SECONDS, plays_in_browsers, segments_of, write_segment
from thisismy.media.sprites import MOST, draw_sheet, plan_sprites


@given(st.floats(0, 50_000, allow_nan=False))
def test_pieces_tile_a_video(duration: float) -> None:
    spans = segments_of(duration)
    assert spans[0].start == 0
    assert all(a.end == b.start for a, b in itertools.pairwise(spans))
    assert spans[-1].end == max(duration, 0.04)
    assert all(span.start == number * SEGMENT_SECONDS for number, span in enumerate(spans))
    assert all(span.duration >= 0.04 for span in spans)
    assert all(span.duration <= SEGMENT_SECONDS + 0.5 for span in spans)
    assert len(spans) == 1 or spans[-1].duration >= 0.499


@pytest.mark.parametrize(
    ("name", "video", "audio", "plays"),
    [
        ("a.webm", "vp9", "opus", True),
        ("a.WEBM", "libdav1d", None, True),
        ("a.mp4", "av1", "aac", True),
        ("a.mp4", "hevc", "aac", False),
        ("a.mp4", "vp9", "ac3", False),
        ("a.avi", "mpeg4", "mp3float", False),
        ("a.mkv", "vp9", "opus", False),
        ("a.gif", "gif", None, False),
    ],
)
def test_what_plays(name: str, video: str, audio: str | None, plays: bool) -> None:
    assert plays_in_browsers(Path(name), video, audio) is plays


def test_h264_plays_only_with_8_bits_in_420(tmp_path: Path) -> None:
    plain = write_video(tmp_path / "plain.mp4", ((RED, 0.2),))
    fine = write_video(tmp_path / "fine.mp4", ((RED, 0.2),), pixel_format="yuv444p")
    assert plays_in_browsers(plain, "h264", None)
    assert not plays_in_browsers(fine, "h264", None)
    assert not plays_in_browsers(tmp_path / "none.mp4", "h264", None)


def test_a_piece_begins_with_what_was_on_screen(tmp_path: Path) -> None:
    source = write_video(
        tmp_path / "slow.mkv", ((RED, 2.0), (BLUE, 2.0)), rate=2, size=(161, 91), codec="ffv1"
    )
    write_segment(source, Span(1.25, 3.25), tmp_path / "out.mp4", side=60)
    with av.open(str(tmp_path / "out.mp4")) as made:
        frames = list(made.decode(video=0))
    assert [round(frame.time, 2) for frame in frames] == [0.0, 0.25, 0.75, 1.25, 1.75]
    assert (frames[0].width % 2, frames[0].height) == (0, 60)
    colours = [frame.to_ndarray(format="rgb24")[40, 80] for frame in frames]
    assert [int(pixel.argmax()) for pixel in colours] == [0, 0, 2, 2, 2]


def test_60_frames_a_second_are_halved_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    source = write_video(tmp_path / "fast.avi", ((RED, 1.0),), rate=60, codec="mpeg4")
    write_segment(source, Span(0, 1), tmp_path / "out" / "0.mp4")
    with av.open(str(tmp_path / "out" / "0.mp4")) as made:
        assert len(list(made.decode(video=0))) == 30
    with pytest.raises(MediaError):
        write_segment(tmp_path / "none.avi", Span(0, 1), tmp_path / "out" / "1.mp4")
    (tmp_path / "text.avi").write_text("no video")
    with pytest.raises(MediaError):
        write_segment(tmp_path / "text.avi", Span(0, 1), tmp_path / "out" / "1.mp4")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0.mp4"]


def test_sprites_of_a_long_film_are_few(tmp_path: Path) -> None:
    plan = plan_sprites(4 * 3600, 1920, 1080)
    assert (plan.count, plan.sheets, plan.height) == (MOST, 6, 90)
    assert plan.interval == pytest.approx(24)
    assert plan_sprites(0.2, 100, 100).count == 1
    source = write_video(tmp_path / "a.mp4", ((RED, 1.0),))
    with pytest.raises(ValueError, match="sheet 1 of 1"):
        draw_sheet(source, plan_sprites(1, 160, 90), 1)


@pytest.mark.parametrize("transfer", [colour.PQ, colour.HLG])
def test_rough_tone_mapping_is_close_and_fast(transfer: int) -> None:
    ramp = np.linspace(0, 65535, 400)
    coded = np.stack([*np.meshgrid(ramp, ramp), np.full((400, 400), 9000.0)], axis=-1).astype(np.uint16)
    colour.roughly_tone_mapped(coded, transfer)
    times, pictures = [], []
    for tone_mapped in (colour.tone_mapped, colour.roughly_tone_mapped):
        began = time.perf_counter()
        pictures.append(tone_mapped(coded, transfer).astype(int))
        times.append(time.perf_counter() - began)
    wrong = np.abs(pictures[0] - pictures[1])
    assert wrong.mean() < 1
    assert np.percentile(wrong, 98) <= 6
    assert times[1] < times[0]
