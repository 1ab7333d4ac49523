"""Every threshold of mining, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from thisismy.mining.patterns import GRAMMAR_SETS, PATTERN_SETS


@dataclass(frozen=True)
class MiningSettings:
    """How mentions become instances. `MiningSettings.paper` gives the published rule.

    Attributes:
        patterns: pattern set, see `thisismy.mining.spotting.spot_mentions`.
        max_words: most words after the pattern that may belong to the name (4 in appendix A).
        pause_s: silence in seconds that ends a sentence without punctuation.
        keep_others: also keep what belongs to somebody else ("her dog"), as the paper does.
        language_rules: refuse negations, questions and what belongs to somebody else, end a name with its
            noun phrase, and keep capitalised names. Without these rules, as in the paper, up to
            ``max_words`` words after a pattern are the name, and only the picture trims it.
        prior_threshold: a mention whose words alone are less likely visible than this is dropped before any
            picture is looked at; 0 looks at the pictures of all.
        shots_around: shots before and after the mention that may show the thing (1 in section 3.1).
        seconds_around: a shot further away than this many seconds does not count.
        score: ``"cosine"`` compares text and shot by their cosine, as the paper does; ``"calibrated"`` by how
            far that cosine stands above what the phrase reaches on unrelated pictures, in standard
            deviations, so that one threshold serves all phrases and encoders.
        visual_threshold: least fit of the reference shot: its score, less what ``distance_penalty`` takes
            off. Raising it keeps fewer, surer mentions.
        prompts: texts for the filter; ``{}`` is replaced by the phrase, and the best text counts.
        subtypes: also compare with kinds of the thing ("dog": "poodle", "beagle", ...), which helps encoders
            that know the kinds but not the word.
        score_cap: a score above this counts as this much; among such shots the nearest in time wins.
        distance_penalty: what a second between mention and shot takes off, in the units of ``score``;
            raising it trusts the shot on screen more.
        trim_threshold: least score of a prefix that may still be the name, in the units of ``score``.
        trim_tolerance: how far below the best prefix's score a longer prefix may fall.
        example_threshold: least cosine of a further example to the reference (0.9 in section 3.1); None takes
            the calibration's.
        neighbour_bonus: how much less, in cosine, is asked of shots right next to the reference.
    """

    patterns: str = "paper"
    max_words: int = 4
    pause_s: float = 1.2
    keep_others: bool = False
    language_rules: bool = True
    prior_threshold: float = 0.2
    shots_around: int = 1
    seconds_around: float = 6.0
    score: Literal["calibrated", "cosine"] = "calibrated"
    visual_threshold: float = 1.2
    prompts: tuple[str, ...] = ("a photo of a {}", "{}")
    subtypes: bool = True
    score_cap: float = 3.5
    distance_penalty: float = 0.5
    trim_threshold: float = 0.5
    trim_tolerance: float = 2.0
    example_threshold: float | None = None
    neighbour_bonus: float = 0.2

    @classmethod
    def paper(cls) -> MiningSettings:
        """Section 3.1 as printed; its cosines belong to CLIP ViT-B/16.

        The trimming threshold is not printed; the filter's is taken. Nor is it said which text chooses the
        reference, since the name is trimmed by the reference: it is the best beginning of the words here.
        """
        return cls(
            keep_others=True,
            language_rules=False,
            prior_threshold=0.0,
            seconds_around=float("inf"),
            score="cosine",
            visual_threshold=0.3,
            prompts=("{}",),
            subtypes=False,
            score_cap=float("inf"),
            distance_penalty=0.0,
            trim_threshold=0.3,
            trim_tolerance=float("inf"),
            example_threshold=0.9,
            neighbour_bonus=0.0,
        )

    def changed(self, assignments: Iterable[str]) -> MiningSettings:
        """These settings with some changed, as a command line has them.

        Args:
            assignments: texts such as ``"visual_threshold=0.8"``. Booleans are ``yes`` or ``no``, several
                prompts are separated by ``|``, and ``none`` leaves ``example_threshold`` to the calibration.

        Raises:
            ValueError: there is no such setting, or it cannot have that value.
        """
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        values: dict[str, Any] = {}
        for assignment in assignments:
            name, equals, text = (part.strip() for part in assignment.partition("="))
            if name not in known or not equals:
                raise ValueError(f"{assignment!r} is not SETTING=VALUE; the settings are {', '.join(known)}")
            try:
                values[name] = _value(name, known[name], text)
            except ValueError as error:
                raise ValueError(f"{name} cannot be {text!r}: {error}") from error
        return replace(self, **values)


def _value(name: str, before: Any, text: str) -> Any:
    """A setting's value out of text, of the kind it had before."""
    choices = {"score": ("calibrated", "cosine"), "patterns": (*PATTERN_SETS, *GRAMMAR_SETS)}
    if name in choices:
        if text not in choices[name]:
            raise ValueError(f"choose one of {', '.join(choices[name])}")
        return text
    if name == "example_threshold":
        return None if text.lower() == "none" else float(text)
    if isinstance(before, bool):
        if text.lower() not in ("yes", "no"):
            raise ValueError("write yes or no")
        return text.lower() == "yes"
    if isinstance(before, tuple):
        return tuple(text.split("|"))
    return type(before)(text)
