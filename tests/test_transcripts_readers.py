from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.core.errors import TranscriptError
from thisismy.core.span import Span
from thisismy.transcripts import (
    Segment,
    Transcript,
    Word,
    read_transcript,
    render_transcript,
    with_word_times,
)
from thisismy.transcripts.formats.cues import decode, parse_clock
from thisismy.transcripts.formats.sbv import parse_sbv
from thisismy.transcripts.formats.srt import parse_srt
from thisismy.transcripts.formats.structured import parse_json
from thisismy.transcripts.formats.vtt import parse_vtt

REFUSED = {
    "webvttpy_empty.vtt": 1,
    "webvttpy_invalid_format.sbv": 1,
    "webvttpy_invalid_format1.srt": 1,
    "webvttpy_invalid_format2.srt": 1,
    "webvttpy_invalid_format3.srt": 1,
}


def said(transcript: Transcript) -> list[tuple[float, float, str]]:
    return [(s.span.start, s.span.end, s.text) for s in transcript.segments]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:01:02,500", 62.5),
        ("00:01:02.5", 62.5),
        ("01:02.500", 62.5),
        ("0:00:07,5", 7.5),
        ("1:00:00", 3600.0),
        ("00:00:01:500", 1.5),
        ("123:00:00.001", 442800.001),
        ("00:00:1d.890", None),
        ("00:61:00,000", None),
        ("00:00:75,000", None),
        ("7", None),
        ("", None),
    ],
)
def test_clocks_in_their_many_spellings(text: str, seconds: float | None) -> None:
    assert parse_clock(text) == (None if seconds is None else pytest.approx(seconds))


def test_srt_mends_what_people_send() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nThis is\n"
        "2\n00:00:02.000 --> 00:00:03.000\n<i>my</i> dog &amp; cat\n\n"
        "00:04,0-->00:05,0\nno hours, no number\n\n9\n00:00:08,000 --> 00:00:06,000\n{\\an8}swapped\n\n"
        "7\n00:00:05,500 --> 00:00:07,500\nout of order\n"
    )
    transcript = parse_srt(text, "x.srt")
    assert said(transcript) == [
        (1.0, 2.0, "This is"),
        (2.0, 3.0, "my dog & cat"),
        (4.0, 5.0, "no hours, no number"),
        (5.5, 6.0, "out of order"),
        (6.0, 8.0, "swapped"),
    ]
    assert any("blank line" in repair for repair in transcript.repairs)
    assert any("swapped" in repair for repair in transcript.repairs)
    assert any("sorted" in repair for repair in transcript.repairs)


def test_srt_keeps_the_text_of_a_cue_that_lost_its_times() -> None:
    transcript = parse_srt(
        "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\ntwo\n\n3\n00:00:05,000 --> 00:00:06,000\nthree", "x"
    )
    assert said(transcript) == [(1.0, 2.0, "one two"), (5.0, 6.0, "three")]
    assert transcript.repairs == ("line 6: no timing line; the text joins the cue of line 2",)


def test_a_number_that_is_speech_stays() -> None:
    transcript = parse_srt(
        "1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n7\n", "x.srt"
    )
    assert [s.text for s in transcript.segments] == ["42", "7"]


def test_unreadable_clocks_take_their_neighbours_or_are_refused_with_the_line() -> None:
    transcript = parse_srt(
        "1\n00:00:01,000 --> 00:00:0x,000\none\n\n2\n00:00:0y,000 --> 00:00:04,000\ntwo\n", "x.srt"
    )
    assert said(transcript) == [(1.0, 3.0, "one"), (3.0, 4.0, "two")]
    with pytest.raises(TranscriptError, match=r"bad\.srt, line 4: neither time"):
        parse_srt("1\n\n\n00:aa:01,000 --> 00:bb:02,000\none\n", "bad.srt")


def test_sbv() -> None:
    transcript = parse_sbv(
        "0:00:00.378,0:00:11.378\nLine one\nline two\n\n0:00:12.000,0:00:13.000\n\n", "x.sbv"
    )
    assert said(transcript) == [(0.378, 11.378, "Line one line two")]


def test_vtt_header_notes_styles_regions_names_and_voices() -> None:
    text = (
        "WEBVTT - a title\nKind: captions\nLanguage: de\n\nSTYLE\n::cue { color: red }\n\n"
        "NOTE\nnot said\n\nREGION\nid:fred\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start position:0%\n"
        "<v.loud Anna Lee>Hallo &lt;du&gt;</v> <b>da</b>\n\n"
        "00:02.000 --> 00:03.000\n5 < 6 > 4\n"
    )
    transcript = parse_vtt(text, "x.vtt")
    assert transcript.language == "de"
    assert [(s.text, s.speaker) for s in transcript.segments] == [
        ("Hallo <du> da", "Anna Lee"),
        ("5 < 6 > 4", None),
    ]


def test_vtt_rolling_captions_give_each_word_once() -> None:
    text = (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000 align:start\n \n"
        "hey<00:00:00.600><c> you</c><00:00:01.000><c> there</c>\n\n"
        "00:00:02.000 --> 00:00:02.010 align:start\nhey you there\n \n\n"
        "00:00:02.010 --> 00:00:03.000 align:start\nhey you there\nno\n\n"
        "00:00:03.000 --> 00:00:03.010\nno\n \n\n"
        "00:00:03.010 --> 00:00:04.000\nno\nno<00:00:03.500><c> way</c>\n"
    )
    words = with_word_times(parse_vtt(text, "x.vtt")).words
    assert [(w.text, round(w.span.start, 2)) for w in words] == [
        ("hey", 0.0),
        ("you", 0.6),
        ("there", 1.0),
        ("no", 2.01),
        ("no", 3.01),
        ("way", 3.5),
    ]


def test_a_persons_repeated_lines_are_kept() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nNo.\n\n00:02.000 --> 00:03.000\nNo.\n"
    assert [s.text for s in parse_vtt(text, "x").segments] == ["No.", "No."]


def test_inline_times_inside_a_word_do_not_split_it() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:03.000\nWhen the moon <00:02.000>hits big-<00:02.500>a eye\n"
    words = parse_vtt(text, "x").words
    assert [w.text for w in words] == ["When", "the", "moon", "hits", "big-a", "eye"]
    assert words[3].span.start == 2.0


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffna\u00efve".encode(), "na\u00efve"),
        ("na\u00efve \u201cquote\u201d".encode("cp1252"), "na\u00efve \u201cquote\u201d"),
        ("na\u00efve".encode("utf-16"), "na\u00efve"),
        (b"caf\x81\xe9", "caf\ufffd\u00e9"),
    ],
)
def test_bytes_of_any_origin(data: bytes, text: str) -> None:
    assert decode(data, "x") == text


def test_binary_files_are_refused() -> None:
    with pytest.raises(TranscriptError, match="line 2: zero bytes: this is not a subtitle file"):
        decode(b"MZ\n\0\0", "x.srt")


def test_json_of_whisper_and_its_relatives() -> None:
    whisper = {
        "language": "en",
        "segments": [
            {
                "start": 0,
                "end": 2,
                "text": " Hi there",
                "words": [
                    {"word": " Hi", "start": 0.0, "end": 0.4, "probability": 0.5},
                    {"word": " there", "start": 0.5, "end": 1.0},
                ],
            }
        ],
    }
    first = parse_json(json.dumps(whisper), "x.json")
    assert first.language == "en"
    assert first.words == (Word("Hi", Span(0.0, 0.4), 0.5), Word("there", Span(0.5, 1.0)))
    cpp = {
        "result": {"language": "fr"},
        "transcription": [{"offsets": {"from": 500, "to": 1500}, "text": " Oui"}],
    }
    assert said(parse_json(json.dumps(cpp), "x")) == [(0.5, 1.5, "Oui")]
    events = {
        "events": [
            {"tStartMs": 1000, "dDurationMs": 2000, "segs": [{"utf8": "a"}, {"utf8": " b", "tOffsetMs": 900}]}
        ]
    }
    assert [(w.text, w.span.start) for w in parse_json(json.dumps(events), "x").words] == [
        ("a", 1.0),
        ("b", 1.9),
    ]
    loose = {
        "segments": [{"start": 0, "end": 2, "text": "a b"}],
        "words": [{"word": "a", "start": 0, "end": 1}],
    }
    assert [w.text for w in parse_json(json.dumps(loose), "x").words] == ["a"]


def test_json_words_without_times_get_estimated_ones() -> None:
    row = {
        "start": 0,
        "end": 4,
        "text": "in 2014 we",
        "words": [
            {"word": "in", "start": 0, "end": 1},
            {"word": "2014"},
            {"word": "we", "start": 3, "end": 4},
        ],
    }
    words = parse_json(json.dumps([row]), "x").words
    assert [w.span.start for w in words] == sorted(w.span.start for w in words)
    assert 0 < words[1].span.start < 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"segments": [,]}', "line 2: it is not JSON"),
        ('{"shots": []}', "it is JSON but no transcript"),
        (
            '{"segments": [{"start": "soon", "end": 2, "text": "x"}]}',
            "segment 1: 'start' and 'end' must be seconds",
        ),
        ('{"segments": [{"start": NaN, "end": 2, "text": "x"}]}', "segment 1"),
    ],
)
def test_json_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(TranscriptError, match=message):
        parse_json(text, "x.json")


words_of_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=8
)


@st.composite
def timed_transcripts(draw: st.DrawFn) -> Transcript:
    segments = []
    ms = 0
    for _ in range(draw(st.integers(1, 5))):
        ms += draw(st.integers(1, 4000))
        texts = draw(
            st.lists(
                st.from_regex(r"[A-Za-z<>&'é,.!?-]*[A-Za-zé][A-Za-z,.!?é]*", fullmatch=True),
                min_size=1,
                max_size=5,
            )
        )
        words, start = [], ms
        for text in texts:
            end = ms + draw(st.integers(1, 900))
            words.append(Word(text, Span(ms / 1000, end / 1000)))
            ms = end
        segments.append(Segment(Span(start / 1000, ms / 1000), " ".join(texts), tuple(words)))
    return Transcript(tuple(segments), "en", "test")


@settings(max_examples=60, deadline=None)
@given(timed_transcripts())
def test_what_is_written_is_read_again(transcript: Transcript) -> None:
    for name, parse in (("json", parse_json), ("vtt", parse_vtt)):
        again = parse(render_transcript(transcript, name), "x")
        assert [w.text for w in again.words] == [w.text for w in transcript.words]
        assert [w.span.start for w in again.words] == pytest.approx(
            [w.span.start for w in transcript.words], abs=1e-3
        )
        assert said(again) == [
            (pytest.approx(a, abs=1e-3), pytest.approx(b, abs=1e-3), t) for a, b, t in said(transcript)
        ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.just("00:00:01,000 --> 00:00:02,000"),
            st.just("WEBVTT"),
            st.just("NOTE x"),
            st.just(""),
            st.text(max_size=12),
        ),
        max_size=14,
    )
)
def test_any_text_is_read_or_refused_with_a_line(lines: list[str]) -> None:
    for parse in (parse_srt, parse_vtt, parse_sbv, parse_json):
        refusal, segments = "", ()
        try:
            segments = parse("\n".join(lines), "x").segments
        except TranscriptError as error:
            refusal = str(error)
        assert not refusal or re.match(r"x, (line|segment) \d+: ", refusal)
        assert all(s.text == " ".join(s.text.split()) and s.text for s in segments)


def test_every_real_caption_file_is_read_or_refused_with_a_line(dev_data: Path) -> None:
    for file in sorted((dev_data / "real/transcripts/vtt").iterdir()):
        if file.name in REFUSED:
            with pytest.raises(TranscriptError, match=f"{re.escape(file.name)}, line {REFUSED[file.name]}: "):
                read_transcript(file)
        else:
            assert all("-->" not in s.text for s in read_transcript(file).segments)


def test_development_subtitles_give_the_true_words(dev_data: Path) -> None:
    def bare(word: str) -> str:
        return re.sub(r"[^\w']", "", word).lower()

    errors: dict[str, list[float]] = {".srt": [], ".auto.vtt": []}
    for file in sorted((dev_data / "vlogs-dev").glob("*_0?.json")):
        truth = [w for w in json.loads(file.read_text())["words"] if bare(w["word"])]
        for ending, found in errors.items():
            words = with_word_times(read_transcript(file.with_suffix(ending))).words
            words = tuple(w for w in words if bare(w.text))
            assert [bare(w.text) for w in words] == [bare(w["word"]) for w in truth]
            found += [abs(w.span.start - t["start"]) for w, t in zip(words, truth, strict=True)]
    assert max(errors[".auto.vtt"]) < 0.02
    assert np.mean(errors[".srt"]) < 0.15
    assert max(errors[".srt"]) < 0.8
