"""Spotting by pattern: the possessives of section 3.1, the wider set, and what they deny."""

from __future__ import annotations

import re
from collections.abc import Iterable

from thisismy.core.span import Span
from thisismy.mining.lexicon import lexicon
from thisismy.mining.mention import Kind, Mention
from thisismy.mining.patterns import (
    FILLERS,
    HESITATIONS,
    NEGATIONS,
    OTHERS,
    PATTERN_SETS,
    Pattern,
)
from thisismy.mining.stream import Stream, bare
from thisismy.transcripts.base import Transcript, Word

_CALLED_WORDS = 14

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


def spot_by_patterns(
    transcript: Transcript, patterns: str, *, max_words: int, pause_s: float
) -> list[Mention]:
    """Every match of a pattern set, and every denial, in order of time.

    Args:
        transcript: with or without word times.
        patterns: a key of `thisismy.mining.patterns.PATTERN_SETS`.
        max_words: most words after the pattern that may belong to the name.
        pause_s: silence in seconds that ends a sentence.
    """
    stream = Stream(transcript, pause_s)
    found: dict[int, Mention] = {}
    for pattern in (*PATTERN_SETS[patterns], *NEGATIONS):
        for match in pattern.expression.finditer(stream.lower):
            mention = _mention(stream, pattern, match, max_words)
            if mention is not None and match.end() not in found:
                found[match.end()] = mention
    return sorted(found.values(), key=lambda mention: (mention.span.start, mention.span.end))


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
