"""Spotting: where a transcript names something ("this is my ..."), after section 3.1 and appendix A."""

from __future__ import annotations

from thisismy.mining.mention import Mention
from thisismy.mining.pattern_spotting import spot_by_patterns
from thisismy.mining.patterns import GRAMMAR_SETS, PATTERN_SETS
from thisismy.mining.stream import PAUSE_S
from thisismy.transcripts.base import Transcript

NAME_WORDS = 4
"""Words after a pattern that may belong to the name (appendix A)."""


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
    return spot_by_patterns(transcript, patterns, max_words=max_words, pause_s=pause_s)
