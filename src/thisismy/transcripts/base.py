"""The three nested things a transcript is made of."""

from __future__ import annotations

from dataclasses import dataclass

from thisismy.core.span import Span


@dataclass(frozen=True)
class Word:
    """One spoken word.

    Attributes:
        text: the word with its punctuation, without surrounding space.
        span: when it is said, in seconds.
        probability: how sure the recogniser was, 0 to 1; None when the source does not say.
    """

    text: str
    span: Span
    probability: float | None = None


@dataclass(frozen=True)
class Segment:
    """A subtitle line or a recogniser's phrase.

    Attributes:
        span: when it is said, in seconds.
        text: one line without markup.
        words: its words in order of time; empty when the source gives no word times.
        speaker: who says it, where the source tells.
    """

    span: Span
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None


@dataclass(frozen=True)
class Transcript:
    """Everything said in one video, segments in order of time.

    Attributes:
        segments: in order of start time.
        language: a code such as ``"en"``; None when unknown.
        source: where it came from: a format name (``"srt"``, ``"vtt"``, ``"json"``, ``"sbv"``) or a
            recogniser (``"speech:base"``).
        repairs: what was mended while reading, one sentence with a line number each.
    """

    segments: tuple[Segment, ...]
    language: str | None = None
    source: str = ""
    repairs: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All segments as one string, joined by spaces."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """All words that have times; segments without word times contribute none."""
        return tuple(word for segment in self.segments for word in segment.words)
