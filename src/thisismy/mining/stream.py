"""The words of a transcript as one text: pauses, sentences, and the way back to segments and times."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from thisismy.transcripts.base import Segment, Transcript, Word
from thisismy.transcripts.formats.timing import with_words

PAUSE_S = 1.2
"""A silence this long ends a sentence that has no punctuation."""

_CONTEXT_CHARS = 320

_TOKEN = re.compile(r"\S+")
_NOTE = re.compile(r"\[[^\]\n]{0,60}\]|\([^)\n]{0,60}\)|♪|>>")
_END = re.compile(r"(?<!\.)[.!?]+[\"'”’)\]]*$")
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|prof|vs|no|jr|sr|[a-z])\.$", re.IGNORECASE)
_EDGE = re.compile(r"^\W+|(?<!s)\W+$|(?<=s)(?!['’]$)\W+$")


class Stream:
    """The words of a transcript as one text, and the way back from a place in it to segment and time."""

    def __init__(self, transcript: Transcript, pause_s: float = PAUSE_S) -> None:
        self.segments = transcript.segments
        self.pause_s = pause_s
        self.text = " ".join(segment.text for segment in self.segments)
        lower = self.text.lower()
        # Lower-casing lengthens a few letters (İ); places must stay the same.
        self.lower = lower if len(lower) == len(self.text) else "".join(c.lower()[:1] or c for c in self.text)
        lengths = (len(segment.text) + 1 for segment in self.segments)
        self._starts = list(accumulate(lengths, initial=0))[:-1]
        self._timed: dict[int, tuple[list[int], list[Word]]] = {}

    @cached_property
    def is_cased(self) -> bool:
        """Whether the text uses capitals, so that they can mark names."""
        sample = self.text[:20_000]
        capitals = sum(c.isupper() for c in sample)
        return capitals > 0.005 * len(sample) and capitals < 0.5 * sum(c.isalpha() for c in sample)

    def word_at(self, place: int) -> Word:
        """The timed word that covers a place of the text."""
        number = self._number(place)
        timed = self._timed.get(number)
        if timed is None:
            timed = self._timed[number] = _placed_words(with_words(self.segments[number]))
        places, words = timed
        return words[max(0, bisect_right(places, place - self._starts[number]) - 1)]

    def _number(self, place: int) -> int:
        """Index of the segment that covers a place."""
        return max(0, bisect_right(self._starts, place) - 1)

    def pause_after(self, place: int, following: int) -> float:
        """Silence in seconds between the words at two places; estimated word times show none."""
        here, there = self._number(place), self._number(following)
        if here != there and not self.segments[here].words:
            return self.segments[there].span.start - self.segments[here].span.end
        if not self.segments[here].words:
            return 0.0
        return self.word_at(following).span.start - self.word_at(place).span.end

    def tokens(self, place: int) -> Iterator[tuple[int, str]]:
        """Words from a place on, each with its place; notes such as [Music] are left out."""
        end = min(len(self.text), place + _CONTEXT_CHARS)
        window = _NOTE.sub(lambda note: " " * len(note.group()), self.text[place:end])
        for match in _TOKEN.finditer(window):
            yield place + match.start(), match.group()

    def ends_sentence(self, place: int, token: str) -> bool:
        """Whether a sentence ends with this word: by punctuation, or by the pause after it."""
        if _END.search(token) and not _ABBREVIATION.search(token):
            return True
        following = place + len(token) + 1
        if following >= len(self.text):
            return True
        return self.pause_after(place, following) > self.pause_s

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Places where the sentence around ``start`` to ``end`` begins and ends."""
        left = max(0, start - _CONTEXT_CHARS)
        begin = left
        for match in _TOKEN.finditer(self.text, left, start):
            if self.ends_sentence(match.start(), match.group()):
                begin = match.end()
        stop = end
        for place, token in self.tokens(end):
            stop = place + len(token)
            if self.ends_sentence(place, token):
                break
        return begin, stop


def bare(token: str) -> str:
    """A token without punctuation at its ends; the mark of a plural genitive stays ("friends'")."""
    return _EDGE.sub("", token)


def _placed_words(segment: Segment) -> tuple[list[int], list[Word]]:
    """Places of a segment's words in its text, and the words."""
    places: list[int] = []
    cursor = 0
    for word in segment.words:
        at = segment.text.find(word.text, cursor)
        places.append(at if at >= 0 else cursor)
        cursor = at + len(word.text) if at >= 0 else cursor
    return (places, list(segment.words)) if places else ([0], [Word(segment.text, segment.span)])
