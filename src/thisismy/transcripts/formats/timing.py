"""Times of single words where a source gives none, or only some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thisismy.core.span import Span
from thisismy.transcripts.base import Segment, Transcript, Word

LONGEST_WORD_S = 1.5
"""No single word is said to last longer; what is left over is a pause."""

_PAUSE = {",": 2.0, ";": 3.0, ":": 3.0, ".": 5.0, "!": 5.0, "?": 5.0}


def with_word_times(transcript: Transcript) -> Transcript:
    """The transcript with words for every segment, estimated where the source gives none."""
    return replace(transcript, segments=tuple(with_words(segment) for segment in transcript.segments))


def with_words(segment: Segment) -> Segment:
    """The segment with words; a segment that has some is returned as it is."""
    if segment.words or not segment.text:
        return segment
    texts = segment.text.split()
    return replace(segment, words=tuple(spread(texts, [None] * len(texts), segment.span)))


def spread(
    texts: Sequence[str],
    starts: Sequence[float | None],
    span: Span,
    ends: Sequence[float | None] | None = None,
    probabilities: Sequence[float | None] | None = None,
) -> list[Word]:
    """Words with times: known starts are kept, the others share the time between their neighbours.

    Time is shared by the number of letters, with a pause after punctuation; known times are first put
    into the span and into order.

    Args:
        texts: n words.
        starts: n start times in seconds, None where unknown.
        span: the segment's time.
        ends: n end times, None where unknown; an unknown end is the next word's start.
        probabilities: n values for ``Word.probability``.
    """
    if not texts:
        return []
    known = _ordered(starts, span)
    known[0] = span.start if known[0] is None else known[0]
    weights = [_weight(text) for text in texts]
    times = [0.0] * len(texts)
    anchors = [i for i, time in enumerate(known) if time is not None]
    for left, right in zip(anchors, [*anchors[1:], len(texts)], strict=True):
        begin = known[left] or 0.0
        until = span.end if right == len(texts) else (known[right] or 0.0)
        share = max(0.0, until - begin) / sum(weights[left:right])
        for i in range(left, right):
            times[i] = begin + share * sum(weights[left:i])
    words = []
    for i, text in enumerate(texts):
        following = times[i + 1] if i + 1 < len(texts) else max(span.end, times[i])
        given = ends[i] if ends is not None else None
        end = min(following, times[i] + LONGEST_WORD_S) if given is None else max(times[i], given)
        words.append(Word(text, Span(times[i], end), probabilities[i] if probabilities is not None else None))
    return words


def _ordered(starts: Sequence[float | None], span: Span) -> list[float | None]:
    """Start times clipped to the span, none before the one that precedes it."""
    ordered: list[float | None] = []
    latest = span.start
    for start in starts:
        if start is not None:
            latest = max(latest, min(start, span.end))
        ordered.append(None if start is None else latest)
    return ordered


def _weight(text: str) -> float:
    """Relative time a word takes: its letters, a constant, and the pause its punctuation marks."""
    letters = sum(character.isalnum() for character in text)
    return 1.5 + letters + _PAUSE.get(text[-1:], 0.0)
