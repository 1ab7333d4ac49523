"""Transcripts as rows: stored with their words, and searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from thisismy.core.span import Span
from thisismy.store import catalog, schema
from thisismy.store.dialects import dialect_of
from thisismy.store.folder import Store
from thisismy.store.spoken_words import plain_words, spoken_words
from thisismy.transcripts.base import Segment, Transcript, Word

transcripts, segments = schema.transcripts, schema.segments


@dataclass(frozen=True)
class PhraseMatch:
    """A place where something was said: the media, when, and the sentence around it."""

    media_id: int
    span: Span
    text: str


@dataclass(frozen=True)
class VideoOnDisk:
    """A video whose transcript may be wanted.

    Attributes:
        media_id: its row.
        path: where it is.
        duration: seconds.
        has_sound: whether there is anything to hear.
        source: what its transcript was made from, None when it has none.
    """

    media_id: int
    path: Path
    duration: float
    has_sound: bool
    source: str | None


def list_videos(store: Store) -> list[VideoOnDisk]:
    """Every video on disk with the source of its transcript."""
    media = schema.media
    statement = (
        select(media.c.id, media.c.duration, media.c.audio_codec, transcripts.c.source)
        .join(transcripts, transcripts.c.media_id == media.c.id, isouter=True)
        .where(media.c.kind == "video")
        .order_by(media.c.id)
    )
    with store.read() as connection:
        rows = connection.execute(statement).all()
        found = [(row, catalog.first_path(connection, row.id)) for row in rows]
    return [
        VideoOnDisk(row.id, path, row.duration, row.audio_codec is not None, row.source)
        for row, path in found
        if path is not None
    ]


def has_transcript(connection: Connection, media_id: int) -> bool:
    """Whether a media has a transcript, be it an empty one."""
    return connection.execute(select(exists().where(transcripts.c.media_id == media_id))).scalar() is True


def put_transcript(connection: Connection, media_id: int, transcript: Transcript, source: str) -> None:
    """Store a transcript in place of the one a media had.

    Args:
        connection: inside a writing transaction.
        media_id: whose it is.
        transcript: may be empty: then it is known that nothing is said.
        source: what it was made from; the same source need not be read again.
    """
    connection.execute(delete(segments).where(segments.c.media_id == media_id))
    values = {"source": source, "language": transcript.language, "notes": list(transcript.repairs)}
    dialect = dialect_of(connection)
    dialect.put_row(connection, transcripts, {"media_id": media_id}, values)
    rows = [_row(media_id, position, segment) for position, segment in enumerate(transcript.segments)]
    if rows:
        connection.execute(insert(segments), rows)
    words = [word for segment in rows for word in spoken_words(segment["text"], segment["words"])]
    dialect.put_words(connection, media_id, words)


def get_transcript(connection: Connection, media_id: int) -> Transcript | None:
    """The transcript of a media, None when it has none yet; ``source`` is as it was stored."""
    about = connection.execute(select(transcripts).where(transcripts.c.media_id == media_id)).first()
    if about is None:
        return None
    rows = connection.execute(
        select(segments).where(segments.c.media_id == media_id).order_by(segments.c.position)
    )
    return Transcript(
        segments=tuple(
            Segment(
                span=Span(row.start, row.end),
                text=row.text,
                words=tuple(Word(text, Span(start, end), sure) for text, start, end, sure in row.words),
                speaker=row.speaker,
            )
            for row in rows
        ),
        language=about.language,
        source=about.source,
        repairs=tuple(about.notes),
    )


def find_phrase(connection: Connection, phrase: str) -> Iterator[PhraseMatch]:
    """Places where the words of a phrase are said one after the other, whatever case and punctuation.

    A phrase may run over the end of a segment; the span then does too. Places come by media and time.
    """
    wanted = plain_words(phrase)
    if not wanted:
        return
    for media_id in dialect_of(connection).media_with_phrase(connection, wanted):
        statement = select(segments).where(segments.c.media_id == media_id).order_by(segments.c.position)
        rows = connection.execute(statement).all()
        heard = [word for row in rows for word in _heard(row.text, row.start, row.end, row.words)]
        lines = [(row.start, row.end, row.text) for row in rows]
        yield from _places(media_id, heard, lines, wanted)


def _row(media_id: int, position: int, segment: Segment) -> dict[str, Any]:
    words = [[word.text, word.span.start, word.span.end, word.probability] for word in segment.words]
    return {
        "media_id": media_id,
        "position": position,
        "start": segment.span.start,
        "end": segment.span.end,
        "text": segment.text,
        "speaker": segment.speaker,
        "words": words,
    }


def _heard(
    text: str, start: float, end: float, words: list[tuple[str, float, float, float | None]]
) -> list[tuple[str, float, float]]:
    """Plain words with times; a line without word times gives its own span to each."""
    if words:
        return [(plain, begin, stop) for word, begin, stop, _ in words for plain in plain_words(word)]
    return [(plain, start, end) for plain in plain_words(text)]


def _places(
    media_id: int,
    heard: list[tuple[str, float, float]],
    lines: list[tuple[float, float, str]],
    wanted: list[str],
) -> Iterator[PhraseMatch]:
    words = [word for word, _, _ in heard]
    for at in range(len(words) - len(wanted) + 1):
        if words[at : at + len(wanted)] == wanted:
            span = Span(heard[at][1], max(heard[at][1], heard[at + len(wanted) - 1][2]))
            around = [text for start, end, text in lines if start <= span.end and end >= span.start]
            yield PhraseMatch(media_id, span, " ".join(around))
