"""YouTube's SubViewer files (.sbv): ``H:MM:SS.mmm,H:MM:SS.mmm`` and text."""

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

_TIMES = re.compile(r"^\s*(\d+:[\w:]+[.]\w+)\s*,\s*(\d+:[\w:]+[.]\w+)\s*$")


def parse_sbv(text: str, name: str) -> Transcript:
    """Read SubViewer text, mending what `parse_srt` mends.

    Raises:
        TranscriptError: the text has no timing line, or one without any readable clock.
    """
    repairs: list[str] = []
    cues: list[Cue] = []
    lines = split_lines(text)
    for number, line in enumerate(lines, 1):
        match = _TIMES.match(line)
        if match:
            cues.append(Cue(number, parse_clock(match.group(1)), parse_clock(match.group(2)), []))
        elif cues and line.strip():
            cues[-1].lines.append(line)
    if not cues:
        raise refuse(name, first_text(lines), "no timing line such as 0:00:01.000,0:00:02.000 was found")
    segments = [
        Segment(span, spoken)
        for span, cue in settle(cues, name, repairs)
        if (spoken := plain(" ".join(cue.lines)))
    ]
    return Transcript(in_order(segments, repairs), None, "sbv", tuple(repairs))
