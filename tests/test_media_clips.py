from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_files import BLUE, GREEN, RED, is_upright, mean_colour, write_video
from PIL import Image

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.audio import read_audio
from thisismy.media.clips import cut_clip
from thisismy.media.frames import VideoStream, frames_at
from thisismy.media.probe import probe


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "v.mp4", keyframe_every=25, sound=True)


def test_a_copy_starts_at_the_key_frame_and_loses_nothing(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.mp4"
    cut = cut_clip(video, Span(2.4, 3.5), out)
    assert cut.start == pytest.approx(2.0)
    assert cut.end >= 3.5
    assert probe(out).duration == pytest.approx(cut.duration, abs=0.1)
    for time in (0.0, 0.5, 1.0):
        copied, source = frames_at(out, [time])[0], frames_at(video, [cut.start + time])[0]
        assert np.array_equal(copied.image, source.image)
    assert list(tmp_path.iterdir()) == [out]


def test_an_exact_clip_has_exactly_the_frames_of_the_span(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.mp4"
    cut = cut_clip(video, Span(1.88, 4.12), out, exact=True)
    assert (cut.start, cut.end) == pytest.approx((1.88, 4.12))
    with VideoStream(out) as stream:
        times = [f.time for f in stream]
    assert times == pytest.approx([k / 25 for k in range(56)], abs=1e-3)
    colours = [int(np.argmax(mean_colour(f.image))) for f in frames_at(out, [0.08, 0.12, 2.08, 2.12])]
    assert colours == [0, 1, 1, 2]
    sound = read_audio(out)
    assert np.flatnonzero(np.abs(sound) > 0.3)[0] / 16000 == pytest.approx(0.12, abs=0.02)


def test_an_exact_clip_between_two_frames_shows_the_one_on_screen(tmp_path: Path) -> None:
    slow = write_video(tmp_path / "v.mp4", [(RED, 2.0), (BLUE, 2.0)], rate=1)
    cut = cut_clip(slow, Span(1.2, 1.7), tmp_path / "c.mp4", exact=True)
    assert (cut.start, cut.end) == pytest.approx((1.2, 1.7))
    assert int(np.argmax(mean_colour(frames_at(tmp_path / "c.mp4", [0.0])[0].image))) == 0


@pytest.mark.parametrize("exact", [False, True])
def test_rotation_survives(tmp_path: Path, exact: bool) -> None:
    source = write_video(tmp_path / "v.mp4", [(GREEN, 1.0)], rotation=90)
    cut_clip(source, Span(0, 1), tmp_path / "c.mp4", exact=exact)
    info = probe(tmp_path / "c.mp4")
    assert (info.width, info.height) == (90, 160)
    assert info.rotation == (0 if exact else 270)
    assert is_upright(np.rot90(frames_at(tmp_path / "c.mp4", [0.5])[0].image, -1))


def test_what_cannot_be_copied_is_encoded(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((31, 41, 3), 40 * k, np.uint8)) for k in range(5)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=200)
    cut = cut_clip(tmp_path / "a.gif", Span(0.2, 0.8), tmp_path / "c.mp4")
    info = probe(tmp_path / "c.mp4")
    assert (info.video_codec, info.width, info.height) == ("h264", 40, 30)
    assert cut.start == pytest.approx(0.2)


def test_the_source_is_never_overwritten(video: Path, tmp_path: Path) -> None:
    copy = tmp_path / "v.mp4"
    copy.write_bytes(video.read_bytes())
    (tmp_path / "link.mp4").symlink_to(copy)
    for out in (copy, tmp_path / "link.mp4"):
        with pytest.raises(MediaError, match="is the video itself"):
            cut_clip(copy, Span(0, 1), out)
    assert copy.read_bytes() == video.read_bytes()


def test_a_failed_clip_leaves_nothing_and_keeps_what_was_there(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.mp4"
    out.write_text("the clip of yesterday")
    with pytest.raises(MediaError, match="shows no frame"):
        cut_clip(video, Span(100, 101), out, exact=True)
    (tmp_path / "bad.mp4").write_text("words")
    with pytest.raises(MediaError, match="text file"):
        cut_clip(tmp_path / "bad.mp4", Span(0, 1), out)
    assert out.read_text() == "the clip of yesterday"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.mp4", "c.mp4"]


@pytest.mark.parametrize(
    ("span", "name", "reason"),
    [
        (Span(1, 1), "c.mp4", "would be empty"),
        (Span(0, 1), "missing/c.mp4", "cannot be written"),
        (Span(0, 1), "clip", "needs a suffix"),
        (Span(0, 1), "c.docx", "cannot be"),
    ],
)
def test_impossible_clips_are_one_clear_line(
    video: Path, tmp_path: Path, span: Span, name: str, reason: str
) -> None:
    with pytest.raises(MediaError, match=reason) as caught:
        cut_clip(video, span, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_line(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("thisismy.core.atomic_files.os.open", full)
    with pytest.raises(MediaError, match="No space left on device"):
        cut_clip(video, Span(0, 1), tmp_path / "c.mp4")


@pytest.mark.parametrize("exact", [False, True])
def test_clips_of_development_files(dev_data: Path, tmp_path: Path, exact: bool) -> None:
    for name in (
        "h264.mkv",
        "vp9_opus.webm",
        "fragmented.mp4",
        "vfr.mp4",
        "mpeg4_mp3.avi",
        "hevc_10bit_hlg.mp4",
    ):
        source = dev_data / "robust" / name
        cut = cut_clip(source, Span(3.1, 4.3), tmp_path / "c.mp4", exact=exact)
        clip, there = frames_at(tmp_path / "c.mp4", [0.5], 64)[0], frames_at(source, [cut.start + 0.5], 64)[0]
        assert np.abs(clip.image.astype(int) - there.image).mean() < (8 if exact else 2)
