from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from thisismy.core.errors import TranscriptError
from thisismy.core.span import Span
from thisismy.transcripts import (
    Segment,
    Transcript,
    find_sidecar,
    read_transcript,
    render_transcript,
    with_word_times,
    write_transcript,
)
from thisismy.transcripts.formats.timing import spread

SRT = "1\n00:00:01,000 --> 00:00:02,000\nhello\n"
JSON = '{"segments": [{"start": 1, "end": 2, "text": "hello"}]}'
ROLLING = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nhey<00:00:01.500><c> you</c>\n"
TALK = Transcript((Segment(Span(1, 2.5), "this is my dog"),), "en", "test")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        content = JSON if name.endswith(".json") else "WEBVTT\n" if name.endswith(".vtt") else SRT
        (folder / name).write_text(content)
    return folder / "trip.mp4"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["trip.srt", "trip.auto.vtt", "trip.json"], "trip.srt"),
        (["trip.en.srt", "trip.de.srt"], "trip.en.srt"),
        (["trip.de.srt", "trip.auto.vtt"], "trip.de.srt"),
        (["trip.auto.vtt", "trip.json"], "trip.json"),
        (["trip.en-orig.vtt", "trip.en.vtt"], "trip.en.vtt"),
        (["trip.forced.srt", "trip.auto.vtt"], "trip.auto.vtt"),
        (["trip.mp4.srt"], "trip.mp4.srt"),
        (["trip.vtt", "trip.srt"], "trip.srt"),
        (["trip.SRT"], "trip.SRT"),
        (["trip2.srt", "trip.part2.srt", "other.srt"], None),
        ([], None),
    ],
)
def test_sidecars_by_preference(tmp_path: Path, names: list[str], chosen: str | None) -> None:
    found = find_sidecar(touch(tmp_path, *names))
    assert (found.name if found else None) == chosen


def test_a_plain_name_with_inline_word_times_is_automatic(tmp_path: Path) -> None:
    media = touch(tmp_path, "trip.en.srt")
    (tmp_path / "trip.vtt").write_text(ROLLING)
    found = find_sidecar(media)
    assert found is not None
    assert found.name == "trip.en.srt"


def test_json_beside_a_video_that_is_no_transcript_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "trip.json").write_text('{"shots": [], "words": []}')
    assert find_sidecar(tmp_path / "trip.mp4") is None
    (tmp_path / "trip.json").write_text("[1, 2")
    assert find_sidecar(tmp_path / "trip.mp4") is None


def test_a_missing_folder_has_no_sidecar(tmp_path: Path) -> None:
    assert find_sidecar(tmp_path / "gone" / "trip.mp4") is None


def test_development_videos_take_the_persons_subtitles(dev_data: Path) -> None:
    found = find_sidecar(dev_data / "vlogs-dev" / "alex_01.mp4")
    assert found is not None
    assert found.name == "alex_01.srt"


@pytest.mark.parametrize("format", ["srt", "vtt", "json"])
def test_writing_and_reading(tmp_path: Path, format: str) -> None:
    file = tmp_path / f"a.{format}"
    write_transcript(TALK, file)
    assert [(s.span, s.text) for s in read_transcript(file).segments] == [(Span(1, 2.5), "this is my dog")]
    assert list(tmp_path.iterdir()) == [file]


def test_unknown_formats_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="not 'ass'"):
        render_transcript(TALK, "ass")
    with pytest.raises(TranscriptError, match=r"a\.txt: transcripts end in"):
        read_transcript(tmp_path / "a.txt")
    with pytest.raises(TranscriptError, match="cannot be read"):
        read_transcript(tmp_path / "a.srt")
    with pytest.raises(TranscriptError, match="cannot be written"):
        write_transcript(TALK, tmp_path / "gone" / "a.srt")


def test_markup_in_speech_survives_vtt() -> None:
    talk = Transcript((Segment(Span(0, 1), "1 < 2 & --> <b>"),))
    assert "&lt;b&gt;" in render_transcript(talk, "vtt")


def test_interpolated_words_share_the_segment_by_length() -> None:
    words = with_word_times(TALK).words
    assert [w.text for w in words] == ["this", "is", "my", "dog"]
    assert words[0].span.start == 1.0
    assert words[-1].span.end == pytest.approx(2.5)
    assert words[0].span.duration > words[1].span.duration
    assert all(a.span.end <= b.span.start + 1e-9 for a, b in pairwise(words))


def test_known_times_are_kept_and_put_in_order() -> None:
    words = spread(["a", "b", "c", "d"], [None, 2.0, None, 1.0], Span(0, 4))
    assert [w.span.start for w in words] == pytest.approx([0.0, 2.0, 2.0, 2.0])
    assert spread([], [], Span(0, 1)) == []


def test_empty_transcripts_stay_empty() -> None:
    empty = Transcript(())
    assert with_word_times(empty) == empty
    assert empty.text == ""
    assert render_transcript(empty, "srt") == ""
