"""Spotting: where a transcript names something ("this is my ..."), after section 3.1 and appendix A."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal

from thisismy.core.span import Span
from thisismy.mining.lexicon import lexicon
from thisismy.mining.patterns import (
    FILLERS,
    GRAMMAR_SETS,
    HESITATIONS,
    NEGATIONS,
    OTHERS,
    PATTERN_SETS,
    Pattern,
)
from thisismy.transcripts.base import Segment, Transcript, Word
from thisismy.transcripts.formats.timing import with_words

Kind = Literal["own", "others", "negated", "question"]
"""Whose thing is named: the speaker's, somebody else's, denied, or asked or supposed."""

NAME_WORDS = 4
"""Words after a pattern that may belong to the name (appendix A)."""

PAUSE_S = 1.2
"""A silence this long ends a sentence that has no punctuation."""

_CALLED_WORDS = 14
_CONTEXT_CHARS = 320

_TOKEN = re.compile(r"\S+")
_NOTE = re.compile(r"\[[^\]\n]{0,60}\]|\([^)\n]{0,60}\)|♪|>>")
_END = re.compile(r"(?<!\.)[.!?]+[\"'”’)\]]*$")
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|prof|vs|no|jr|sr|[a-z])\.$", re.IGNORECASE)
_EDGE = re.compile(r"^\W+|(?<!s)\W+$|(?<=s)(?!['’]$)\W+$")
_CALLED = re.compile(
    r"\b(?:called|named|(?:his|her|its|their|the) names?(?:['’]s|\s+is|\s+are)"
    r"|(?:we|i|they) call (?:him|her|it|them)"
    r"|goes by(?: the name(?: of)?)?)\s+(?P<name>[^\W\d_][\w'’-]*(?:\s+(?-i:[A-Z])[\w'’-]*)?)",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"(?:\bnot|n['’]t|\bnever)\s+(?:\w+\s+)?(?:think|believe|say|saying|sure|know|mean|claim)"
    r"(?:\s+(?:that|if|whether))?\s*$"
)
_SUPPOSED_BEFORE = re.compile(
    r"\b(?:if|whether|imagine|pretend|wish|as though|suppose|what if)(?:\s+that)?\s*$"
)
_ASKING = re.compile(
    r"^(?:do|does|did|is|are|was|were|can|could|would|should|who|what|where|why|how|which|when)\b"
)


@dataclass(frozen=True)
class Mention:
    """A place in a transcript that names something.

    Attributes:
        span: from the first word of the pattern to the last word of ``words``.
        pattern: name of the pattern that found it.
        owner: the possessive, lower case; ``""`` for patterns without one.
        words: up to four words that may be the name, fillers left out, with times.
        called: a name said elsewhere in the sentence or the next one ("this is my dog, he is called Bo").
        phrase: what was said, pattern and words.
        sentence: the sentence around it, at most about 30 words either side.
        kind: whose thing it is.
    """

    span: Span
    pattern: str
    owner: str
    words: tuple[Word, ...]
    called: str | None
    phrase: str
    sentence: str
    kind: Kind

    @property
    def candidate(self) -> str:
        """The words as one string, punctuation stripped: the untrimmed name."""
        return " ".join(word.text for word in self.words)


def spot_mentions(
    transcript: Transcript,
    patterns: str = "paper",
    *,
    max_words: int = NAME_WORDS,
    pause_s: float = PAUSE_S,
) -> list[Mention]:
    """Every place where a transcript names something, in order of time.

    Matching runs over the whole speech, so a phrase may be split over lines; case, punctuation, fillers
    ("this is, um, my dog") and repeated words do not matter. A sentence end, a comma not followed by a
    capitalised name, or a long pause ends the name. Negations ("not my dog") are found by every set and
    marked as such.

    Args:
        transcript: with or without word times; missing ones are estimated.
        patterns: ``"paper"`` (the ten of the paper), ``"wide"``, or, with the extra ``language``,
            ``"pos-nouns"``, ``"ner"`` or ``"paper+ner"``.
        max_words: most words after the pattern that may belong to the name.
        pause_s: silence in seconds that ends a sentence; raising it lets names run over longer pauses.

    Raises:
        ValueError: there is no such pattern set.
        MissingExtraError: the set needs spaCy, which is not installed.
    """
    if patterns in GRAMMAR_SETS:
        from thisismy.mining.grammar import spot_by_grammar

        return spot_by_grammar(transcript, patterns, max_words=max_words, pause_s=pause_s)
    if patterns not in PATTERN_SETS:
        known = ", ".join([*PATTERN_SETS, *GRAMMAR_SETS])
        raise ValueError(f"there is no pattern set {patterns!r}; there are {known}")
    stream = Stream(transcript, pause_s)
    found: dict[int, Mention] = {}
    for pattern in (*PATTERN_SETS[patterns], *NEGATIONS):
        for match in pattern.expression.finditer(stream.lower):
            mention = _mention(stream, pattern, match, max_words)
            if mention is not None and match.end() not in found:
                found[match.end()] = mention
    return sorted(found.values(), key=lambda mention: (mention.span.start, mention.span.end))


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


def _mention(stream: Stream, pattern: Pattern, match: re.Match[str], max_words: int) -> Mention | None:
    """The mention of a match; None when nothing that could be a name follows."""
    start, end = match.start(), match.end()
    groups = match.groupdict()
    owner = groups.get("again") or groups["owner"]
    if pattern.cased and not _is_named(stream, match):
        return None
    if groups.get("called") and not _may_be_called(stream, match):
        return None
    words = name_words(stream, end, max_words)
    if not words:
        return None
    begin, stop = stream.sentence(start, end)
    first = stream.word_at(start).span.start
    last = words[-1].span.end
    return Mention(
        span=Span(first, max(first, last)),
        pattern=pattern.name,
        owner=owner,
        words=tuple(words),
        called=_called(stream, match, end, stop),
        phrase=f"{_collapse(stream.text[start:end])} {' '.join(word.text for word in words)}",
        sentence=_collapse(stream.text[begin:stop]),
        kind=_kind(stream, pattern, owner, start, (begin, stop), words),
    )


def name_words(stream: Stream, place: int, max_words: int) -> list[Word]:
    """Up to ``max_words`` words from a place on that may be a name: until the sentence or clause ends."""
    words: list[Word] = []
    tokens = list(stream.tokens(place))
    for i, (at, token) in enumerate(tokens):
        text = bare(token)
        if not text and token.strip("-–—\"'“”‘’…,.") == "" and token[:1] in ",;–—" and words:
            break
        if words and text.lower() in FILLERS - HESITATIONS:
            break
        if text and text.lower() not in FILLERS:
            words.append(Word(text, stream.word_at(at).span, stream.word_at(at).probability))
        if len(words) == max_words or (words and stream.ends_sentence(at, token)):
            break
        if words and token[-1] in ",;:–—" and not _name_follows(stream, tokens[i + 1 :]):
            break
    return words


def _name_follows(stream: Stream, tokens: list[tuple[int, str]]) -> bool:
    """Whether the next word that is not a filler looks like a name: capitalised, and not the pronoun I."""
    for _, token in tokens:
        text = bare(token)
        if text and text.lower() not in FILLERS:
            return stream.is_cased and text[0].isupper() and text.split("'")[0] != "I"
    return False


def _is_named(stream: Stream, match: re.Match[str]) -> bool:
    """Whether the name of a "my NOUN NAME is" match is capitalised as a name, and its noun is not."""
    if not stream.is_cased:
        return False
    name = stream.text[slice(*match.span("name"))]
    between = stream.text[match.end() : match.start("name")]
    return name[0].isupper() and not name.isupper() and between.strip(" ,").islower()


def _may_be_called(stream: Stream, match: re.Match[str]) -> bool:
    """Whether a name stands before the possessive: "this is Bo, my dog", but not "this is in our house"."""
    called = stream.text[slice(*match.span("called"))]
    return called.lower() not in lexicon().stop_words and (called[0].isupper() or not stream.is_cased)


def _called(stream: Stream, match: re.Match[str], end: int, stop: int) -> str | None:
    """A proper name given before or after the thing: "this is Bo, my dog", "my dog, his name is Bo"."""
    if match.groupdict().get("called"):
        return stream.text[slice(*match.span("called"))]
    window = [token for _, token in list(stream.tokens(end))[:_CALLED_WORDS]]
    found = _CALLED.search(" ".join(window))
    if found is None:
        return None
    name = bare(found.group("name"))
    return name if name.lower() not in FILLERS | {"after", "it", "the", "a", "my", "not", "that"} else None


def _kind(
    stream: Stream, pattern: Pattern, owner: str, start: int, sentence: tuple[int, int], words: Iterable[Word]
) -> Kind:
    before = stream.lower[sentence[0] : start].strip()
    if pattern.negated:
        return "negated"
    if _DENIED_BEFORE.search(before):
        return "negated"
    if _SUPPOSED_BEFORE.search(before):
        return "question"
    said = stream.lower[start : sentence[1]].rstrip("\"'”’) ")
    if said.endswith("?") and "," not in said and (len(said.split()) <= 8 or _ASKING.match(before)):
        return "question"
    if owner in OTHERS or _belongs_to_somebody(words):
        return "others"
    return "own"


def _belongs_to_somebody(words: Iterable[Word]) -> bool:
    """Whether a person stands before the thing in the genitive: "my neighbour's dog"."""
    people = lexicon().people
    texts = [word.text.lower().replace("’", "'") for word in words]
    for text in texts[:-1]:
        if text.endswith("'s") and text[:-2] in people:
            return True
        if text.endswith("s'") and (text[:-1] in people or text[:-2] in people):
            return True
    return False


def _collapse(text: str) -> str:
    return " ".join(text.split())
