"""Transcripts as rows: what goes in comes out, and phrases are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

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
