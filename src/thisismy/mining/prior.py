"""What the words alone tell: can the thing that is named be seen at all?

"This is my opinion" needs no picture to be dismissed. The prior is cheap and comes before any picture. The
phrase is compared with known nouns, visible and abstract, in the space of the encoder's text tower; where
its head is itself in the word lists of `thisismy.mining.lexicon`, that counts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thisismy.encoders.base import Encoder, Features
from thisismy.mining.lexicon import OPENING_ADJECTIVES, lexicon
from thisismy.mining.mention import Mention

EVIDENCE = {"visible": 2.0, "abstract": -1.5, "mixed": 0.0, "nothing": -4.0, "unknown": 0.0}
"""What the word lists add to the log odds of being visible, by the head of the phrase."""

BASE_LOG_ODDS = {"visible": 2.0, "abstract": -3.5, "mixed": -0.6, "nothing": -3.5, "unknown": -0.8}
"""Log odds by the word lists alone, when no encoder is at hand."""

_CANS = frozenset(
    "soda beer coke cola tin trash garbage watering spray paint gas old new favourite favorite".split()
)
_PLURAL_VERBS = frozenset({"are", "were"})
_NEIGHBOURS = 5
_CHUNK = 128
_SAME = 0.999


def noun_phrase(words: Sequence[str]) -> list[str]:
    """The words up to the first that cannot belong to a name; empty when the first one cannot."""
    kept: list[str] = []
    for i, word in enumerate(words):
        lower = word.lower().replace("’", "'")
        if lower == "can" and (i == 0 or kept[-1].lower() in _CANS):
            kept.append(word)
        elif lower in lexicon().stop_words and not (i == 0 and lower in OPENING_ADJECTIVES):
            # "my final answer toys are ...": without punctuation, a plural before "are" begins a new clause.
            return kept[:-1] if lower in _PLURAL_VERBS and len(kept) > 1 else kept
        else:
            kept.append(word)
    return kept


def word_evidence(words: Sequence[str]) -> str:
    """What the word lists say about a phrase, a key of `EVIDENCE`.

    Its head decides: ``"visible"`` or ``"abstract"``; ``"mixed"`` when a visible noun stands before an
    abstract one ("car insurance", or a dog called Hope); ``"nothing"`` when it has no noun ("my new one");
    ``"unknown"`` when the lists know no word of it.

    Args:
        words: the words after the pattern, as spotted; "dog Biscuit he is".
    """
    phrase = noun_phrase(words)
    if not phrase:
        return "nothing"
    common = [word for i, word in enumerate(phrase) if i == 0 or not word[:1].isupper() or word.isupper()]
    nouns = [noun for _, noun in lexicon().nouns(common)]
    if not nouns:
        only_modifiers = all(lexicon().base(word) in lexicon().modifiers for word in phrase)
        return "nothing" if only_modifiers else "unknown"
    seen = [noun in lexicon().visible for noun in nouns]
    if seen[-1]:
        return "visible"
    return "mixed" if any(seen) else "abstract"


def visible_priors(mentions: Sequence[Mention], encoder: Encoder | None = None) -> NDArray[np.float64]:
    """How likely the thing of each mention can be seen, from its words alone, ``(n,)``, 0 to 1.

    Args:
        mentions: where things are named.
        encoder: also compares the phrases with known nouns; None leaves it to the word lists.
    """
    words = [[word.text for word in mention.words] for mention in mentions]
    evidence = [word_evidence(said) for said in words]
    if encoder is None:
        return _sigmoid(np.array([BASE_LOG_ODDS[kind] for kind in evidence]))
    phrases = [" ".join(noun_phrase(said)) or said[0] for said in words]
    return _sigmoid(similarity_log_odds(phrases, encoder) + np.array([EVIDENCE[kind] for kind in evidence]))


def similarity_log_odds(phrases: Sequence[str], encoder: Encoder) -> NDArray[np.float64]:
    """Log odds of phrases to be visible by their nearest nouns in the encoder's text space, ``(n,)``."""
    if not phrases:
        return np.zeros(0)
    known = _known_nouns(encoder)
    texts = encoder.encode_texts([f"my {phrase}" for phrase in phrases])
    return known.slope * (_nearest(texts, known.visible) - _nearest(texts, known.abstract) - known.middle)


def _sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    odds: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-log_odds))
    return odds


def _nearest(texts: Features, nouns: Features) -> NDArray[np.float64]:
    """Mean cosine of each text to its nearest nouns; a noun is not compared with itself."""
    cosines = texts @ nouns.T
    cosines[cosines > _SAME] = -1.0
    mean: NDArray[np.float64] = np.sort(cosines, axis=1)[:, -_NEIGHBOURS:].mean(axis=1).astype(np.float64)
    return mean


@dataclass(frozen=True, eq=False)
class _KnownNouns:
    """Features of the known nouns, and the line between the two kinds in this encoder's space."""

    visible: Features
    abstract: Features
    middle: float
    slope: float


_KNOWN: dict[str, _KnownNouns] = {}


def _known_nouns(encoder: Encoder) -> _KnownNouns:
    """The known nouns in an encoder's space, embedded once per process."""
    if encoder.id not in _KNOWN:
        _KNOWN[encoder.id] = _embed_nouns(encoder)
    return _KNOWN[encoder.id]


def _embed_nouns(encoder: Encoder) -> _KnownNouns:
    groups = []
    for nouns in (lexicon().visible, lexicon().abstract):
        texts = [f"my {noun.replace('-', ' ')}" for noun in sorted(nouns)]
        parts = [encoder.encode_texts(texts[i : i + _CHUNK]) for i in range(0, len(texts), _CHUNK)]
        groups.append(np.concatenate(parts))
    visible, abstract = groups
    # Two normal distributions of equal width: the log odds are a line in the difference of the cosines.
    sides = [_nearest(group, visible) - _nearest(group, abstract) for group in groups]
    means = [float(side.mean()) for side in sides]
    variance = float(np.mean([side.var() for side in sides])) + 1e-9
    return _KnownNouns(visible, abstract, sum(means) / 2, max(0.0, means[0] - means[1]) / variance)
