"""Transcripts as rows: what goes in comes out, and phrases are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, event, insert

from thisismy.core.span import Span
from thisismy.store import schema
from thisismy.store.folder import Store
from thisismy.store.transcripts import find_phrase, get_transcript, put_transcript
from thisismy.transcripts.base import Segment, Transcript, Word

TALK = Transcript(
    segments=(
        Segment(
            Span(0, 2),
            "Look, this is",
            (Word("Look,", Span(0, 0.5), 0.9), Word("this", Span(0.6, 0.8)), Word("is", Span(0.8, 1))),
        ),
        Segment(Span(2, 4), "my dog Biscuit\u2019s ball!", speaker="Anna"),
    ),
    language="en",
    source="srt",
    repairs=("line 3: a missing blank line was added",),
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    store = Store.create(tmp_path)
    with store.write() as connection:
        media = {
            "kind": "video",
            "duration": 9,
            "width": 1,
            "height": 1,
            "rotation": 0,
            "hdr": False,
            "notes": [],
        }
        for number in (1, 2):
            connection.execute(insert(schema.media).values(id=number, content_hash=str(number), **media))
        yield connection


def test_a_transcript_survives(connection: Connection) -> None:
    put_transcript(connection, 1, TALK, "srt talk.srt")
    assert get_transcript(connection, 1) == Transcript(TALK.segments, "en", "srt talk.srt", TALK.repairs)
    assert get_transcript(connection, 2) is None
    put_transcript(connection, 1, Transcript(()), "speech:base")
    assert get_transcript(connection, 1) == Transcript((), None, "speech:base")


@pytest.mark.parametrize(
    "phrase",
    ['"', 'dog" OR "my', "dog*", "NEAR(my dog)", "words:dog", "my AND dog", "-dog", "dog\x00", "'", "_"],
)
def test_a_phrase_is_words_and_nothing_else(connection: Connection, phrase: str) -> None:
    put_transcript(connection, 1, TALK, "srt")
    found = [place.span for place in find_phrase(connection, phrase)]
    assert found == ([Span(2, 4)] if phrase in ("dog*", "-dog", "dog\x00") else [])


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ("Straße nach Köln", "STRASSE NACH köln"),
        ("это моя собака", "МОЯ собака"),
        ("これは 私の犬 です", "私の犬"),
        ("मेरा कुत्ता", "मेरा कुत्ता"),
        ("snake_case o'clock 3rd", "snake_case O\u2019Clock 3RD"),
    ],
)
def test_words_of_any_script(connection: Connection, said: str, phrase: str) -> None:
    put_transcript(connection, 1, Transcript((Segment(Span(0, 1), said),)), "srt")
    assert [place.media_id for place in find_phrase(connection, phrase)] == [1]


def test_what_is_said_no_more_is_not_found(connection: Connection) -> None:
    put_transcript(connection, 1, TALK, "srt")
    put_transcript(connection, 2, TALK, "srt")
    put_transcript(connection, 1, Transcript((Segment(Span(0, 1), "my cat"),)), "srt")
    connection.execute(delete(schema.media).where(schema.media.c.id == 2))
    assert list(find_phrase(connection, "my dog")) == []
    assert [place.media_id for place in find_phrase(connection, "my cat")] == [1]


def test_only_media_in_which_it_is_said_are_read(connection: Connection) -> None:
    for number in (1, 2):
        put_transcript(connection, number, TALK, "srt")
    put_transcript(connection, 2, Transcript((Segment(Span(0, 1), "dog my"),)), "srt")
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM segments" in statement:
            asked.append(str(parameters))

    event.listen(connection, "before_cursor_execute", note)
    assert len(list(find_phrase(connection, "my dog"))) == 1
    assert asked == ["(1,)"]


@pytest.mark.parametrize(
    ("phrase", "span"),
    [
        ("this is", Span(0.6, 1)),
        ("THIS is, my Dog", Span(0.6, 4)),
        ("biscuit's ball", Span(2, 4)),
        ("is this", None),
        ("dog biscuit", None),
        ("...", None),
    ],
)
def test_phrases(connection: Connection, phrase: str, span: Span | None) -> None:
    put_transcript(connection, 1, TALK, "srt")
    put_transcript(connection, 2, Transcript((Segment(Span(0, 1), "my"),)), "srt")
    found = list(find_phrase(connection, phrase))
    assert [place.span for place in found] == ([span] if span else [])
    assert all(place.media_id == 1 and place.text for place in found)
