"""From the words after a pattern to the name: "dog waggy he is" becomes "dog waggy" (appendix A)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from thisismy.encoders.base import Encoder, Features
from thisismy.mining.calibrate import Calibration
from thisismy.mining.lexicon import lexicon
from thisismy.mining.mention import Mention
from thisismy.mining.prior import noun_phrase
from thisismy.mining.settings import MiningSettings

_NAME_PARTS = 2
_POSSESSIVES = frozenset({"my", "our", "your", "his", "her", "their"})
_GENITIVE = re.compile(r"['’]s$")


def prefixes(mention: Mention, settings: MiningSettings) -> list[list[str]]:
    """Every beginning of the name, shortest first; empty when no word can be a name.

    The name is the noun phrase, or without ``settings.language_rules`` all words after the pattern.
    """
    words = [word.text for word in mention.words]
    phrase = noun_phrase(words) if settings.language_rules else words
    return [phrase[: n + 1] for n in range(len(phrase))]


def filter_texts(mention: Mention, settings: MiningSettings) -> list[str]:
    """Texts that describe the thing of a mention; empty when no word can be a name.

    Without ``settings.subtypes`` these are all beginnings of the phrase, as in the paper. Otherwise, when the
    phrase has a noun that is known to be visible, they are the phrase up to it, the noun and its kinds: the
    name that follows ("Biscuit") means nothing to an encoder.
    """
    beginnings = prefixes(mention, settings)
    if not beginnings:
        return []
    noun = visible_noun(beginnings[-1]) if settings.subtypes else None
    phrases = [" ".join(words) for words in beginnings]
    if noun is not None:
        described = next(words for words in beginnings if visible_noun(words) == noun)
        phrases = [" ".join(described), noun.replace("-", " "), *lexicon().kinds(noun, described[:-1])]
    return [prompt.format(phrase) for prompt in settings.prompts for phrase in dict.fromkeys(phrases)]


def visible_noun(words: Sequence[str]) -> str | None:
    """The visible noun a phrase is about: the last one known before a name; None when unknown."""
    common = [word for i, word in enumerate(words) if i == 0 or not word[:1].isupper()]
    nouns = [noun for _, noun in lexicon().nouns(common) if noun in lexicon().visible]
    # In lower-case captions a pet's name follows the noun and may be a noun itself: "my dog pumpkin".
    while len(nouns) > 1 and nouns[-1] in lexicon().pet_names:
        nouns.pop()
    return nouns[-1] if nouns else None


def name_score(
    words: Sequence[str], shot: Features, encoder: Encoder, calibration: Calibration | None
) -> float:
    """How well a phrase itself fits one shot: its cosine, or standard deviations above chance."""
    text = encoder.encode_texts([" ".join(words)])
    if calibration is None:
        return float((text @ shot)[0])
    return float(calibration.scores(text, shot[None])[0])


def trim_name(
    mention: Mention,
    shot: Features,
    encoder: Encoder,
    settings: MiningSettings,
    calibration: Calibration | None,
    known_names: Iterable[str] = (),
) -> str:
    """The longest beginning of the noun phrase that still matches the reference shot.

    Words that cannot belong to a name end it first. Capitalised names and known ones stay whatever
    the picture says, since no encoder knows them; of the other words a prefix is the name when it scores at
    least ``trim_threshold`` and falls no more than ``trim_tolerance`` below the best prefix.

    Args:
        mention: where the thing is named.
        shot: feature of the reference shot, ``(embed_dim,)``.
        encoder: embeds the prefixes.
        settings: see `MiningSettings`.
        calibration: for calibrated scores; None for cosines.
        known_names: proper names as single words, such as "Biscuit" (see `proper_names`); they also restore
            capitals.

    Returns:
        The name without the possessive, such as ``"dog Biscuit"``; ``""`` when no word can be a name.
    """
    candidates = prefixes(mention, settings)
    if not candidates:
        return ""
    if not settings.language_rules:
        return _longest_match(candidates, shot, encoder, settings, calibration)
    known = {name.lower(): name for name in known_names}
    scores = [name_score(words, shot, encoder, calibration) for words in candidates]
    best = max(scores)
    kept = candidates[0]
    for words, score in zip(candidates, scores, strict=True):
        named = len(words) > 1 and (words[-1][:1].isupper() or _is_known_name(words, known))
        if (
            named
            or _needs_more(kept)
            or (score >= settings.trim_threshold and score >= best - settings.trim_tolerance)
            or _follows_noun(words, mention)
        ):
            kept = words
    return with_called(restore_case(kept, known), mention.called)


def _longest_match(
    candidates: Sequence[Sequence[str]],
    shot: Features,
    encoder: Encoder,
    settings: MiningSettings,
    calibration: Calibration | None,
) -> str:
    """The longest beginning that scores more than ``trim_threshold`` (appendix A), or else all words."""
    for words in reversed(candidates):
        if name_score(words, shot, encoder, calibration) > settings.trim_threshold:
            return " ".join(words)
    return " ".join(candidates[-1])


def _needs_more(words: Sequence[str]) -> bool:
    """Whether a prefix ends in a word that only qualifies what follows: "my favourite", "my family's"."""
    return lexicon().base(words[-1]) in lexicon().modifiers or bool(_GENITIVE.search(words[-1]))


def _follows_noun(words: Sequence[str], mention: Mention) -> bool:
    """Whether the last word stands where lower-case captions have a name: right after the thing.

    The phrase must end there too, or a stop word must follow: "dog biscuit he is".
    """
    spotted = [word.text for word in mention.words]
    if len(noun_phrase(spotted)) != len(words):
        return False
    places = [place for place, noun in lexicon().nouns(list(words)) if noun in lexicon().visible]
    if not places or not 0 < len(words) - 1 - places[-1] <= _NAME_PARTS:
        return False
    # "bike green grass" continues with something else; "duck captain quack" is a name.
    return all(lexicon().base(word) not in lexicon().modifiers for word in words[places[-1] + 1 :])


def restore_case(words: Sequence[str], known: dict[str, str]) -> list[str]:
    """Words with the capitals of known names; ``known`` maps lower case to the name as written."""
    return [
        known[word.lower()] if _is_known_name(words[: i + 1], known) else word for i, word in enumerate(words)
    ]


def proper_names(names: Iterable[str]) -> tuple[str, ...]:
    """The words of names of things that are proper names: of "my old dog Biscuit" it is "Biscuit".

    A word counts when it begins with a capital letter and does not only qualify what follows: the "Old" of
    "Old Mary" would give every old thing a capital. Words that open a name may owe their capital to that
    alone, and count only when they are not common nouns either.

    Args:
        names: names and aliases as people write them.
    """
    words = lexicon()
    found: dict[str, None] = {}
    for name in names:
        parts = name.split()
        for i, part in enumerate(parts):
            word = part.strip('.,;:!?"“”()')
            common = words.base(word) in words.modifiers or word.lower() in words.stop_words | _POSSESSIVES
            opening_noun = i == 0 and len(parts) > 1 and bool(words.nouns([word]))
            if word[:1].isupper() and not (common or opening_noun or _GENITIVE.search(word)):
                found[word] = None
    return tuple(found)


def _is_known_name(words: Sequence[str], known: dict[str, str]) -> bool:
    """Whether the last of some words is a known name, and stands where a name can stand.

    A dog may be called Pumpkin: then "my dog pumpkin" names it, and "my big pumpkin" does not.
    """
    *before, last = words
    if not before or last.lower() not in known:
        return False
    nouns, visible = lexicon().nouns(list(words)), lexicon().visible
    common = any(place == len(words) - 1 for place, _ in nouns)
    return not common or any(noun in visible for place, noun in nouns if place < len(words) - 1)


def with_called(words: Sequence[str], called: str | None) -> str:
    """The name with a proper name given elsewhere in the sentence, unless it is there already."""
    text = " ".join(words)
    if called is None or called.lower() in text.lower().split():
        return text
    return f"{text} {called}"
