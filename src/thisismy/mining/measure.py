"""How good mining is on videos whose truth is known; reading the truth is the caller's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from thisismy.core.span import Span
from thisismy.mining.mine import MinedMention


@dataclass(frozen=True)
class TrueMention:
    """A planted mention.

    Attributes:
        span: when it is said.
        visible: whether the thing is the speaker's and is shown near the mention.
        negated: whether it says what something is not.
        shots: numbers of all shots of the video that show the thing.
    """

    span: Span
    visible: bool
    negated: bool
    shots: frozenset[int]


@dataclass
class Counts:
    """Right, wrong and missed, summed over videos."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """Share of what was found that is right; None when nothing was found."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of what there is that was found; None when there is nothing."""
        there = self.right + self.missed
        return self.right / there if there else None


@dataclass
class MiningScore:
    """Counts of the four steps of mining.

    Attributes:
        spotted: mentions found, whatever they are about.
        visual: mentions kept, against those of things shown near them.
        reference: reference shots that show the thing; missed are visible mentions without a right one.
        examples: further shots of the same video, over the rightly kept mentions.
        wrong: what went wrong, one line each.
    """

    spotted: Counts = field(default_factory=Counts)
    visual: Counts = field(default_factory=Counts)
    reference: Counts = field(default_factory=Counts)
    examples: Counts = field(default_factory=Counts)
    wrong: list[str] = field(default_factory=list)

    def add(self, mined: Sequence[MinedMention], truth: Sequence[TrueMention], shots: Sequence[Span]) -> None:
        """Count one video.

        A found mention is a planted one when their times overlap; each is matched once.

        Args:
            mined: what mining said.
            truth: the planted mentions, whose shots are numbers of ``shots``.
            shots: true spans.
        """
        self.add_detected(mined, truth, shots, shots)

    def add_detected(
        self,
        mined: Sequence[MinedMention],
        truth: Sequence[TrueMention],
        true_shots: Sequence[Span],
        shots: Sequence[Span],
    ) -> None:
        """Count one video whose shots were detected; ``mined`` numbers ``shots``.

        A detected shot is right when more than half of it shows the thing.
        """
        left = list(mined)
        for true in truth:
            found = max(left, key=lambda m: m.mention.span.overlap(true.span), default=None)
            if found is None or found.mention.span.overlap(true.span) <= 0:
                self.spotted.missed += 1
                self.visual.missed += true.visible
                self.reference.missed += true.visible
                self.wrong.append(f"not spotted at {true.span.start:.1f} s")
                continue
            left.remove(found)
            self.spotted.right += 1
            showing = _showing(true, true_shots, shots)
            self._judge(found, true, showing)
        for extra in left:
            self.spotted.wrong += 1
            self.visual.wrong += extra.verdict == "kept"
            self.wrong.append(f"spotted in vain: {extra.mention.phrase} ({extra.verdict})")

    def _judge(self, found: MinedMention, true: TrueMention, showing: set[int]) -> None:
        kept = found.verdict == "kept"
        if kept and not true.visible:
            self.visual.wrong += 1
            self.wrong.append(f"kept in vain: {found.mention.phrase} ({found.reason})")
            return
        if not true.visible:
            return
        if not kept or found.reference is None:
            self.visual.missed += 1
            self.reference.missed += 1
            self.wrong.append(f"not kept: {found.mention.phrase} ({found.verdict}: {found.reason})")
            return
        self.visual.right += 1
        if found.reference.shot not in showing:
            self.reference.wrong += 1
            self.reference.missed += 1
            self.wrong.append(f"wrong reference: {found.mention.phrase} (shot {found.reference.shot})")
            return
        self.reference.right += 1
        proposed = {example.shot for example in found.examples}
        wanted = showing - {found.reference.shot}
        self.examples.right += len(proposed & wanted)
        self.examples.wrong += len(proposed - wanted)
        self.examples.missed += len(wanted - proposed)
        if proposed != wanted:
            self.wrong.append(
                f"examples of {found.name}: proposed {sorted(proposed)}, there are {sorted(wanted)}"
            )


def _showing(true: TrueMention, true_shots: Sequence[Span], shots: Sequence[Span]) -> set[int]:
    """Numbers of the shots of which more than half shows the thing."""
    if shots is true_shots:
        return set(true.shots)
    spans = [true_shots[i] for i in true.shots]
    return {
        i for i, shot in enumerate(shots) if sum(shot.overlap(span) for span in spans) > shot.duration / 2
    }
