from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from media_files import RED, tone, write_sound, write_video

from thisismy.core.errors import MediaError
from thisismy.core.span import Span
from thisismy.media.audio import SAMPLE_RATE, audio_blocks, read_audio, sound_pieces


def clicks(sound: np.ndarray) -> list[float]:
    """When the clicks of the test tone begin, in seconds."""
    loud = np.flatnonzero(np.abs(sound) > 0.3)
    starts = loud[np.insert(np.diff(loud) > 2000, 0, True)] if len(loud) else loud
    return [start / SAMPLE_RATE for start in starts]


def test_sound_is_mono_16_khz_on_the_clock_of_the_file(tmp_path: Path) -> None:
    sound = read_audio(write_video(tmp_path / "a.mp4", [(RED, 3.0)], sound=True))
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(3 * SAMPLE_RATE, abs=1200)
    assert np.abs(sound).max() <= 1
    assert clicks(sound) == pytest.approx([0, 1, 2], abs=0.01)


def test_a_span_is_the_same_stretch_of_the_whole(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.m4a", 8.0)
    whole, part = read_audio(path), read_audio(path, Span(4.5, 6.25))
    assert len(part) == round(1.75 * SAMPLE_RATE)
    assert clicks(part) == pytest.approx([0.5, 1.5], abs=0.01)
    assert part[400:] == pytest.approx(whole[72_400:100_000], abs=0.02)
    assert len(read_audio(path, Span(7.0, 20.0))) < 1.2 * SAMPLE_RATE
    assert len(read_audio(path, Span(50.0, 60.0))) == 0


def test_blocks_are_the_whole(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.m4a", 5.3)
    blocks = list(audio_blocks(path, 2.0))
    assert [len(b) for b in blocks[:-1]] == [2 * SAMPLE_RATE] * (len(blocks) - 1)
    assert np.array_equal(np.concatenate(blocks), read_audio(path))
    with pytest.raises(ValueError, match="longer than 0"):
        next(audio_blocks(path, 0))


def test_no_sound_is_empty(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 0.2)])
    assert read_audio(path).shape == (0,)
    assert read_audio(path, Span(0, 0.1)).shape == (0,)
    assert list(audio_blocks(path)) == []


def write_shifted(source: Path, target: Path, shift: dict[str, float], drop: range = range(0)) -> Path:
    """A copy whose streams start later, and whose sound lacks some packets."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        copies = {s.index: out.add_stream_from_template(s) for s in given.streams}
        numbers: dict[int, int] = {}
        for packet in given.demux():
            if packet.dts is None:
                continue
            kind, index = packet.stream.type, packet.stream.index
            number = numbers[index] = numbers.get(index, -1) + 1
            if kind == "audio" and number in drop:
                continue
            later = round(shift.get(kind, 0.0) / packet.time_base)
            packet.pts, packet.dts = packet.pts + later, packet.dts + later
            packet.stream = copies[index]
            out.mux(packet)
    return target


def test_a_late_stream_is_padded_and_lost_packets_are_silence(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", [(RED, 5.0)], sound=True)
    late = write_shifted(source, tmp_path / "late.mkv", {"audio": 0.7})
    assert clicks(read_audio(late)) == pytest.approx([0.7, 1.7, 2.7, 3.7, 4.7], abs=0.02)
    holed = write_shifted(source, tmp_path / "holed.mkv", {}, drop=range(20, 28))
    assert clicks(read_audio(holed)) == pytest.approx([0, 1, 2, 3, 4], abs=0.02)


def test_sound_and_pictures_share_the_clock_when_pictures_come_late(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", [(RED, 2.0)], sound=True)
    late = write_shifted(source, tmp_path / "late.mkv", {"video": 1.5})
    assert clicks(read_audio(late)) == pytest.approx([0, 1], abs=0.02)
    from thisismy.media.frames import VideoStream

    with VideoStream(late) as stream:
        assert next(iter(stream)).time == pytest.approx(1.5, abs=0.01)


def test_stereo_at_another_rate(tmp_path: Path) -> None:
    pieces = list(sound_pieces(write_sound(tmp_path / "a.m4a", 1.0), rate=48_000, layout="stereo"))
    sound = np.concatenate(pieces)
    assert sound.shape[1] == 2
    assert len(sound) == pytest.approx(48_000, abs=4000)


def test_a_flac_is_read_exactly(tmp_path: Path) -> None:
    samples = tone(1.0)
    with av.open(str(tmp_path / "a.flac"), "w") as out:
        stream = out.add_stream("flac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = 16000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert read_audio(tmp_path / "a.flac") == pytest.approx(samples, abs=1e-3)


def test_bad_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("words")
    with pytest.raises(MediaError):
        read_audio(tmp_path / "a.mp4")


def test_development_files_keep_sound_on_the_clock(dev_data: Path) -> None:
    base = read_audio(dev_data / "robust/base_12s.mp4")
    assert np.array_equal(base, read_audio(dev_data / "robust/video_starts_late_2500ms.mp4"))
    assert not np.abs(read_audio(dev_data / "robust/silent_audio.mp4")).max() > 1e-3
    part = read_audio(dev_data / "robust/truncated_faststart.mp4")
    assert 4 * SAMPLE_RATE < len(part) < 12 * SAMPLE_RATE
