"""SubRip subtitles (.srt): numbered blocks of ``HH:MM:SS,mmm --> HH:MM:SS,mmm`` and text."""

from __future__ import annotations

import re

from thisismy.transcripts.base import Segment, Transcript
from thisismy.transcripts.formats.cues import (
    Cue,
    first_text,
    in_order,
    parse_clock,
    plain,
    refuse,
    settle,
    split_lines,
)

ARROW = re.compile(r"^\s*(\S{1,20}?)\s*(?:-{1,3}>|–>|—>|→)\s*(\S{1,20})(.*)$")
"""A timing line: two clocks around an arrow, and perhaps a position."""


def timing(line: str) -> tuple[float | None, float | None] | None:
    """Start and end of a timing line, each None when unreadable; None when it is not a timing line.

    A line counts as one when it has an arrow and at least one side reads like a clock, or begins with a
    digit and has a colon on both sides (a clock with a typing error).
    """
    match = ARROW.match(line)
    if not match:
        return None
    left, right = match.group(1), match.group(2)
    start, end = parse_clock(left), parse_clock(right)
    if (
        start is None
        and end is None
        and not all(side[:1].isdigit() and ":" in side for side in (left, right))
    ):
        return None
    return start, end


def split_cues(lines: list[str], repairs: list[str], *, named: bool = False) -> list[Cue]:
    """Cues of a file in which every timing line begins one, whatever blank lines are missing.

    Args:
        lines: all lines of the file.
        repairs: gets a sentence per thing mended.
        named: whether any line that stands alone before a timing line is the cue's name (WebVTT), not
            only digits (SubRip).
    """
    cues: list[Cue] = []
    for number, line in enumerate(lines, 1):
        times = timing(line)
        if times is not None:
            if cues:
                _drop_identifier(cues[-1], repairs, number, named)
            cues.append(Cue(number, times[0], times[1], []))
        elif cues:
            cues[-1].lines.append(line)
    for cue in cues:
        cue.lines = _spoken_lines(cue, repairs)
    return cues


def _drop_identifier(cue: Cue, repairs: list[str], number: int, named: bool) -> None:
    """Take the next cue's number or name off the end of this cue's lines."""
    lines = cue.lines
    if not lines or not lines[-1].strip():
        return
    alone = len(lines) > 1 and not lines[-2].strip()
    if lines[-1].strip().isdigit() or (named and alone):
        lines.pop()
    if not alone and lines:
        repairs.append(f"line {number}: the blank line before the cue is missing")


def _spoken_lines(cue: Cue, repairs: list[str]) -> list[str]:
    """The lines of a cue that are speech; text after a blank line lost its timing line and is kept here."""
    spoken: list[str] = []
    after_blank = False
    for offset, line in enumerate(cue.lines, 1):
        if not line.strip():
            after_blank = True
            continue
        if after_blank and spoken:
            if line.strip().isdigit():
                continue
            repairs.append(
                f"line {cue.line + offset}: no timing line; the text joins the cue of line {cue.line}"
            )
        after_blank = False
        spoken.append(line)
    return spoken


def parse_srt(text: str, name: str) -> Transcript:
    """Read SubRip text.

    Mended: missing blank lines and numbers, ``.`` for ``,``, missing hours, unreadable or swapped clocks,
    cues out of order or overlapping, a cue whose timing line is missing (its text joins the cue before).

    Raises:
        TranscriptError: the text has no timing line, or one without any readable clock.
    """
    repairs: list[str] = []
    lines = split_lines(text)
    cues = split_cues(lines, repairs)
    if not cues:
        raise refuse(
            name, first_text(lines), "no timing line such as 00:00:01,000 --> 00:00:02,000 was found"
        )
    segments = [
        Segment(span, spoken)
        for span, cue in settle(cues, name, repairs)
        if (spoken := plain(" ".join(cue.lines)))
    ]
    return Transcript(in_order(segments, repairs), None, "srt", tuple(repairs))
