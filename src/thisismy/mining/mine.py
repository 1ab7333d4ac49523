"""Mining one video: from what is said and what is seen to proposed instances (section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from thisismy.core.span import Span
from thisismy.encoders.base import Encoder, Features
from thisismy.mining.calibrate import Calibration
from thisismy.mining.categories import COCO_CATEGORIES, Category, zero_shot_category
from thisismy.mining.examples import Proposal, same_video_examples
from thisismy.mining.mention import Mention
from thisismy.mining.naming import trim_name
from thisismy.mining.patterns import NEGATIONS
from thisismy.mining.prior import noun_phrase, visible_priors
from thisismy.mining.settings import MiningSettings
from thisismy.mining.spotting import spot_mentions
from thisismy.mining.visual import Reference, find_reference
from thisismy.transcripts.base import Transcript

Verdict = Literal["kept", "not visual", "abstract", "no shot", "negated", "question", "someone else's"]
"""What became of a mention: kept as an instance, or why not."""

PAPER_EXAMPLE_THRESHOLD = 0.9


@dataclass(frozen=True)
class MinedMention:
    """A mention and what was made of it.

    Attributes:
        mention: what was said.
        verdict: ``"kept"`` or the reason in a word.
        reason: the reason in a sentence, with the numbers.
        name: "my dog Biscuit"; of mentions that were not kept, what was said, untrimmed.
        category: of kept mentions.
        prior: how likely the words alone are about something visible, 0 to 1.
        reference: the best shot, also when it did not pass; None when none was looked at.
        examples: further shots of the video, most similar first; the reference is not among them.
        threshold: least score of a reference.
        example_threshold: least cosine of an example.
        score_kind: ``"calibrated"`` or ``"cosine"``.
        encoder_id: whose scores these are.
    """

    mention: Mention
    verdict: Verdict
    reason: str
    name: str
    category: Category | None
    prior: float
    reference: Reference | None
    examples: tuple[Proposal, ...]
    threshold: float
    example_threshold: float
    score_kind: str
    encoder_id: str


def mine_video(
    transcript: Transcript,
    shots: Sequence[Span],
    shot_features: Features,
    encoder: Encoder,
    settings: MiningSettings | None = None,
    calibration: Calibration | None = None,
    *,
    categories: Sequence[str] = COCO_CATEGORIES,
    known_names: Iterable[str] = (),
) -> list[MinedMention]:
    """Every mention of a video with its verdict, in order of time.

    Args:
        transcript: what is said.
        shots: n spans in order of time.
        shot_features: one feature per shot, ``(n, embed_dim)``, made by ``encoder``.
        encoder: embeds names and categories.
        settings: see `MiningSettings`; None takes the defaults.
        calibration: of this encoder; needed for calibrated scores.
        categories: names to choose the category from.
        known_names: proper names known already, as single words (see
            `thisismy.mining.naming.proper_names`), to keep them and restore their capitals.

    Raises:
        ValueError: shots and features do not go together, or calibrated scores are asked for without a
            calibration.
        EncoderMismatchError: the calibration belongs to another encoder.
    """
    settings = settings or MiningSettings()
    if len(shots) != len(shot_features):
        raise ValueError(f"{len(shots)} shots do not go with {len(shot_features)} features")
    used = _usable(calibration, encoder, settings)
    mentions = spot_mentions(
        transcript, settings.patterns, max_words=settings.max_words, pause_s=settings.pause_s
    )
    if not settings.language_rules:
        denials = {pattern.name for pattern in NEGATIONS}
        mentions = [mention for mention in mentions if mention.pattern not in denials]
    if not mentions:
        return []
    miner = _Miner(
        shots, shot_features, encoder, settings, used, calibration, tuple(categories), tuple(known_names)
    )
    priors = visible_priors(mentions, encoder)
    return [miner.judge(mention, float(prior)) for mention, prior in zip(mentions, priors, strict=True)]


def _usable(
    calibration: Calibration | None, encoder: Encoder, settings: MiningSettings
) -> Calibration | None:
    """The calibration that scores are counted with; None for plain cosines."""
    if calibration is not None:
        calibration.check(encoder.id)
    if settings.score == "cosine":
        return None
    if calibration is None:
        raise ValueError(f"calibrated scores need a calibration of the encoder {encoder.id}")
    return calibration


def spoken_name(mention: Mention) -> str:
    """The possessive and the noun phrase as they were said: "my favourite time"."""
    words = [word.text for word in mention.words]
    return f"{mention.owner} {' '.join(noun_phrase(words) or words[:1])}".strip()


@dataclass(frozen=True)
class _Miner:
    """Everything about one video that every mention is judged with."""

    shots: Sequence[Span]
    features: Features
    encoder: Encoder
    settings: MiningSettings
    scorer: Calibration | None
    calibration: Calibration | None
    categories: tuple[str, ...]
    known_names: tuple[str, ...]

    @property
    def example_threshold(self) -> float:
        if self.settings.example_threshold is not None:
            return self.settings.example_threshold
        return PAPER_EXAMPLE_THRESHOLD if self.calibration is None else self.calibration.example_threshold

    def judge(self, mention: Mention, prior: float) -> MinedMention:
        """The verdict on one mention: whose it is, what its words say, then what the shots show."""
        refusal = self._refusal(mention, prior)
        if refusal is not None:
            return self._result(mention, *refusal, prior)
        reference = find_reference(
            mention, self.shots, self.features, self.encoder, self.settings, self.scorer
        )
        if reference is None:
            return self._result(
                mention, "no shot", "there is no shot near the mention, or no word can be a name", prior
            )
        compared = f"the best of {len(reference.candidates)} shots fits {reference.fit:.2f}"
        if reference.fit < self.settings.visual_threshold:
            reason = f"{compared}, below {self.settings.visual_threshold:g}"
            return self._result(mention, "not visual", reason, prior, reference)
        reason = f"{compared}, at least {self.settings.visual_threshold:g}"
        return self._result(mention, "kept", reason, prior, reference)

    def _refusal(self, mention: Mention, prior: float) -> tuple[Verdict, str] | None:
        """Verdict and reason of a mention that is refused before any picture is looked at."""
        rules = self.settings.language_rules
        if rules and mention.kind == "negated":
            return "negated", "the sentence says that it is not"
        if rules and mention.kind == "question":
            return "question", "the sentence asks or supposes"
        if rules and mention.kind == "others" and not self.settings.keep_others:
            return "someone else's", "it belongs to somebody else"
        if prior < self.settings.prior_threshold:
            return (
                "abstract",
                f"the words name nothing visible ({prior:.2f} below {self.settings.prior_threshold:g})",
            )
        return None

    def _result(
        self,
        mention: Mention,
        verdict: Verdict,
        reason: str,
        prior: float,
        reference: Reference | None = None,
    ) -> MinedMention:
        name = spoken_name(mention)
        category: Category | None = None
        examples: tuple[Proposal, ...] = ()
        if reference is not None and verdict == "kept":
            trimmed = trim_name(
                mention,
                self.features[reference.shot],
                self.encoder,
                self.settings,
                self.scorer,
                self.known_names,
            )
            name = f"{mention.owner} {trimmed}".strip()
            examples = tuple(
                same_video_examples(
                    reference.shot, self.features, self.example_threshold, self.settings.neighbour_bonus
                )
            )
            seen = [reference.shot, *(example.shot for example in examples)]
            category = zero_shot_category(trimmed, self.features[seen], self.encoder, self.categories)
        return MinedMention(
            mention=mention,
            verdict=verdict,
            reason=reason,
            name=name,
            category=category,
            prior=prior,
            reference=reference,
            examples=examples,
            threshold=self.settings.visual_threshold,
            example_threshold=self.example_threshold,
            score_kind=self.settings.score,
            encoder_id=self.encoder.id,
        )
