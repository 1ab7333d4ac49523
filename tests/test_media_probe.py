from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media_files import RED, truncate, write_photo, write_sound, write_video
from PIL import Image

from thisismy.core.errors import MediaError
from thisismy.media.info import is_media, parse_date
from thisismy.media.opening import display_name
from thisismy.media.probe import probe


def test_what_a_plain_video_is(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mp4", sound=True))
    assert (info.kind, info.width, info.height, info.rotation) == ("video", 160, 90, 0)
    assert info.duration == pytest.approx(6.0, abs=0.1)
    assert info.frame_rate == Fraction(25)
    assert (info.video_codec, info.audio_codec, info.has_audio) == ("h264", "aac", True)
    assert (info.pixel_format, info.hdr, info.created, info.notes) == ("yuv420p", False, None, ())


@pytest.mark.parametrize(("turn", "clockwise"), [(90, 270), (180, 180), (-90, 90)])
def test_rotation_turns_the_displayed_size(tmp_path: Path, turn: int, clockwise: int) -> None:
    info = probe(write_video(tmp_path / "a.mp4", [(RED, 0.2)], rotation=turn))
    assert info.rotation == clockwise
    assert (info.width, info.height) == ((160, 90) if turn == 180 else (90, 160))


def test_wide_pixels_widen_the_picture(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mp4", [(RED, 0.2)], sample_aspect=Fraction(3, 2)))
    assert (info.width, info.height) == (240, 90)


def test_one_frame_odd_size_ten_bits_and_no_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(RED, 0.04)], size=(101, 57), pixel_format="yuv444p10le")
    info = probe(path)
    assert (info.width, info.height, info.pixel_format) == (101, 57, "yuv444p10le")
    assert info.duration == pytest.approx(0.04)
    assert not info.has_audio
    assert info.audio_codec is None


def test_an_animated_gif_is_a_video_and_a_sound_file_is_audio(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), c) for c in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    gif = probe(tmp_path / "a.gif")
    assert (gif.kind, gif.width, gif.height) == ("video", 40, 30)
    assert gif.duration == pytest.approx(0.3)
    sound = probe(write_sound(tmp_path / "a.m4a"))
    assert (sound.kind, sound.width, sound.frame_rate, sound.video_codec) == ("audio", 0, None, None)


def test_a_photo_is_probed_upright(tmp_path: Path) -> None:
    info = probe(write_photo(tmp_path / "a.jpg", orientation=6, date="2021:05:06 07:08:09"))
    assert (info.kind, info.width, info.height, info.rotation) == ("photo", 80, 60, 90)
    assert (info.duration, info.created) == (0.0, datetime(2021, 5, 6, 7, 8, 9))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("2020-05-16T22:31:32.000000Z", datetime(2020, 5, 16, 22, 31, 32, tzinfo=UTC)),
        ("1904-01-01T00:00:00.000000Z", None),
    ],
)
def test_creation_time_comes_with_its_zone(tmp_path: Path, tag: str, expected: datetime | None) -> None:
    assert (
        probe(write_video(tmp_path / "a.mp4", [(RED, 0.2)], metadata={"creation_time": tag})).created
        == expected
    )


def test_a_quicktime_date_with_a_local_zone_wins(tmp_path: Path) -> None:
    tags = {
        "creation_time": "2020-05-16T20:00:00Z",
        "com.apple.quicktime.creationdate": "2020-05-16T22:00:00+0200",
    }
    path = write_video(
        tmp_path / "a.mov", [(RED, 0.2)], metadata=tags, options={"movflags": "use_metadata_tags"}
    )
    created = probe(path).created
    assert created == datetime(2020, 5, 16, 22, tzinfo=timezone(timedelta(hours=2)))
    assert created.utcoffset() == timedelta(hours=2)


def test_duration_missing_in_the_header_is_found_and_said(tmp_path: Path) -> None:
    class Unseekable:
        def __init__(self, path: Path) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

    import av

    source = write_video(tmp_path / "a.mkv", [(RED, 1.0)])
    target = Unseekable(tmp_path / "b.mkv")
    with av.open(str(source)) as given, av.open(target, "w", format="matroska", options={"live": "1"}) as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    target.file.close()
    info = probe(tmp_path / "b.mkv")
    assert info.duration == pytest.approx(1.0, abs=0.05)
    assert any("duration not in the header" in note for note in info.notes)


def bad_files(folder: Path) -> dict[str, Path]:
    good = write_video(folder / "good.mp4", [(RED, 1.0)])
    text = folder / "text.mp4"
    text.write_text("a shopping list\n" * 100)
    playlist = folder / "playlist.mp4"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{good}\n#EXT-X-ENDLIST\n"
    )
    empty = folder / "empty.mp4"
    empty.touch()
    noise = folder / "noise.mkv"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    photo = folder / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff" + bytes(500))
    pipe = folder / "pipe.mp4"
    os.mkfifo(pipe)
    return {
        "text file": text,
        "playlist": playlist,
        "empty": empty,
        "index (moov) is missing": truncate(good, folder / "cut.mp4", 0.5),
        "not a video": noise,
        "not a photo": photo,
        "is a folder": folder,
        "no such file": folder / "missing.mp4",
        "not a regular file": pipe,
    }


@pytest.mark.parametrize(
    "reason",
    [
        "text file", "empty", "index (moov) is missing", "not a video", "not a photo", "is a folder",
        "no such file", "not a regular file",
    ],
)  # fmt: skip
def test_each_bad_file_is_one_clear_line(tmp_path: Path, reason: str) -> None:
    path = bad_files(tmp_path)[reason]
    with pytest.raises(MediaError) as caught:
        probe(path)
    message = str(caught.value)
    assert reason in message
    assert str(path) in message
    assert "\n" not in message


def test_a_playlist_named_mp4_opens_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        probe(bad_files(tmp_path)["playlist"])


def test_names_that_are_no_utf8_can_be_read_and_printed(tmp_path: Path) -> None:
    plain = write_video(tmp_path / "a.mp4", [(RED, 0.2)])
    odd = os.fsencode(tmp_path) + b"/caf\xe9\n.mp4"
    os.rename(plain, odd)
    path = Path(os.fsdecode(odd))
    assert probe(path).width == 160
    assert display_name(path).encode("utf-8").endswith("caf\ufffd\ufffd.mp4".encode())


@pytest.mark.parametrize("name", ["-dash.mp4", "sp ace & ünïcode #1.mp4", "a:b.mp4", "%03d.mp4"])
def test_awkward_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_video(tmp_path / "a.mp4", [(RED, 0.2)]).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(name).kind == "video"


def test_is_media_goes_by_suffix_and_knows_typescript(tmp_path: Path) -> None:
    assert is_media("A.MP4")
    assert is_media(Path("b.heic"))
    assert not is_media("c.txt")
    script = tmp_path / "d.ts"
    script.write_text("Great = 1;\n" * 50)
    assert not is_media(script)
    assert is_media(write_video(tmp_path / "e.ts", [(RED, 0.2)]))
    assert not is_media(tmp_path / "missing.ts")


def test_cover_art_does_not_make_a_song_a_video(tmp_path: Path) -> None:
    import av

    write_sound(tmp_path / "a.m4a", 1.0)
    Image.new("RGB", (64, 64), "red").save(tmp_path / "c.png")
    with (
        av.open(str(tmp_path / "a.m4a")) as sound,
        av.open(str(tmp_path / "c.png")) as cover,
        av.open(str(tmp_path / "b.m4a"), "w", format="mp4") as out,
    ):
        voice = out.add_stream_from_template(sound.streams.audio[0])
        art = out.add_stream_from_template(cover.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        for source, copy in ((cover, art), (sound, voice)):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    assert probe(tmp_path / "b.m4a").kind == "audio"


@pytest.mark.parametrize(
    "text", ["", "2020", "0000:00:00 00:00:00", "yesterday at noon", "1970-01-01T00:00:00Z"]
)
def test_dates_that_say_nothing(text: str) -> None:
    assert parse_date(text) is None


def test_every_development_file_is_probed_or_refused(dev_data: Path) -> None:
    refused = set()
    for folder in ("robust", "real/robust", "real/clips", "real/faces"):
        for path in sorted((dev_data / folder).iterdir()):
            if path.suffix == ".json":
                continue
            try:
                info = probe(path)
            except MediaError:
                refused.add(path.name)
                continue
            assert info.kind in ("video", "photo", "audio")
            assert info.kind == "photo" or info.duration > 0
    assert refused == {"empty.mp4", "not_a_video.mp4", "truncated_no_moov.mp4"}
