"""The ways people name a thing: regular expressions over lower-cased speech, in named sets."""

from __future__ import annotations

import re
from dataclasses import dataclass

HESITATIONS = frozenset("um umm uhm uh uhh er erm eh ah ahh oh ooh hmm mm mhm huh".split())
"""Sounds that may stand anywhere, also inside a name."""

FILLERS = HESITATIONS | frozenset(
    "like well so okay ok yeah yep alright right actually basically literally obviously honestly".split()
)
"""Words that mean nothing before a name; after one they begin something new."""

OTHERS = ("his", "her", "their")

_FILLER = (
    r"(?:u+h*m+|u+h+|e+r+m*|eh|a+h+|o+h+|h*m{2,}|mhm|huh|like|well|so|okay|ok|yeah|yep|alright|right|actually|basically"
    r"|literally|obviously|honestly|of course|you know|i mean|you see)"
)
GAP = rf"(?:[\s,;:\-–—\"“”‘’'…*_>♪]|\.{{2,}}|\[[^\]\n]{{0,40}}\]|\([^)\n]{{0,40}}\)|\b{_FILLER}\b)*"
"""What may stand between two words of a pattern; a sentence end may not."""

_OWNER = rf"\b(?P<owner>my|our|his|her|their)\b(?:{GAP}\b(?P<again>my|our|his|her|their)\b)*"
_IS = rf"(?:['’]s\b|{GAP}\bis\b(?:{GAP}\bis\b)?)"
_ARE = rf"(?:['’]re\b|{GAP}\bare\b(?:{GAP}\bare\b)?)"
_ADVERB = (
    rf"(?:{GAP}\b(?:also|now|still|just|really|finally|again|here|in fact|currently|maybe|perhaps|probably"
    r"|once more)\b)+"
)
_VERB = (
    r"(?:is|was|has|had|loves|loved|likes|liked|wants|wanted|came|comes|goes|went|got|gets|does|did|can|will|would|always"
    r"|never|just|sits|sat|sleeps|slept|lives|lived|looks|looked|needs|eats|ate|runs|ran|plays|played|turned|turns)"
)


@dataclass(frozen=True)
class Pattern:
    """One way of naming.

    Attributes:
        name: what reports call it.
        expression: finds it in lower-cased text; the group ``owner`` is the possessive, and the name begins
            where the match ends. A group ``called`` holds a name said before the thing.
        negated: it says that a thing is not one's own.
        cased: only where the words around the name are capitalised as names are.
    """

    name: str
    expression: re.Pattern[str]
    negated: bool = False
    cased: bool = False


def _compile(body: str) -> re.Pattern[str]:
    return re.compile(body)


_THIS = rf"th(?<![\w'’]th)(?:is{_IS}|ese{_ARE})"
# A literal first letter lets the engine skip to candidates; the look-behind then stands after it.
_THIS_IS = _compile(
    rf"th(?<![\w'’]th)(?:is\b(?:{GAP}\bthis\b)?{_IS}|ese\b(?:{GAP}\bthese\b)?{_ARE}){GAP}{_OWNER}"
)
_NOT_MINE = _compile(
    rf"n(?:(?<!\wn)o(?:t|\s+longer)|['’]t|t(?<=isnt|rent|asnt|aint))\b{GAP}"
    rf"(?:(?:really|even|in fact)\b{GAP})?"
    r"\b(?P<owner>my|our)\b(?P<again>(?!))?"
)

PAPER = (Pattern("this is / these are + possessive", _THIS_IS),)
"""The ten of the paper: this is and these are, each with my, our, his, her, their."""

NEGATIONS = (Pattern("not + possessive", _NOT_MINE, negated=True),)
"""Not in the paper: these never propose an instance, they say what something is not."""

WIDE = (
    *PAPER,
    Pattern(
        "this is + adverb + possessive",
        _compile(rf"{_THIS}{_ADVERB}{GAP}{_OWNER}"),
    ),
    Pattern(
        "this one is + possessive",
        _compile(rf"th(?<![\w'’]th)(?:is|ese|at|ose)(?:\s+[a-z]+){{1,3}}?{GAP}\b(?:is|are)\b{GAP}{_OWNER}"),
    ),
    Pattern(
        "that is / those are + possessive", _compile(rf"th(?<![\w'’]th)(?:at{_IS}|ose{_ARE}){GAP}{_OWNER}")
    ),
    Pattern(
        "here is / there is + possessive",
        _compile(rf"here(?<![\w'’]here)(?<!\wthere)(?:{_IS}|{_ARE}|{GAP}\bcomes?\b){GAP}{_OWNER}"),
    ),
    Pattern("there is + possessive", _compile(rf"there(?<![\w'’]there)(?:{_IS}|{_ARE}){GAP}{_OWNER}")),
    Pattern(
        "meet + possessive",
        _compile(
            rf"(?:\bmeet|\bsay{GAP}\b(?:hi|hello|hey){GAP}\bto|\bintroduc(?:e|ing)(?:{GAP}\byou)?(?:{GAP}\bto)?"
            rf"|\bshow{GAP}\byou|\bcheck out|\blook at){GAP}{_OWNER}"
        ),
    ),
    Pattern(
        "this is NAME, + possessive",
        _compile(
            rf"th(?<![\w'’]th)is{_IS}{GAP}\b(?P<called>[a-z][a-z'’]+),?\s+(?P<owner>my|our)\b(?P<again>(?!))?"
        ),
    ),
    Pattern(
        "possessive + NOUN NAME + verb",
        _compile(
            rf"\b(?P<owner>my|our)\b(?P<again>(?!))?(?=\s+[a-z]+(?:\s+[a-z]+)?,?\s+(?P<name>[a-z][a-z'’]+),?\s+{_VERB}\b)"
        ),
        cased=True,
    ),
)
"""The ten, and other ways people talk; find more, and more that is nothing."""

PATTERN_SETS: dict[str, tuple[Pattern, ...]] = {"paper": PAPER, "wide": WIDE}
"""Pattern sets by name; `thisismy.mining.grammar` holds the alternatives that need a grammar."""

GRAMMAR_SETS = ("pos-nouns", "ner", "paper+ner")
"""Appendix D's alternatives, which need the extra ``language``."""
