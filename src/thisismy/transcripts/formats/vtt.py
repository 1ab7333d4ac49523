"""WebVTT subtitles (.vtt), with the rolling lines and inline word times of YouTube's automatic captions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from thisismy.core.span import Span
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
from thisismy.transcripts.formats.srt import split_cues, timing
from thisismy.transcripts.formats.timing import spread

ROLLING_CUE_S = 0.05
"""Cues this short only hold the lines of a rolling caption still (YouTube uses 10 ms)."""

_INLINE = re.compile(r"<((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})>")
_MARKUP = re.compile(r"<[^<>]*>")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>", re.IGNORECASE)
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_LANGUAGE = re.compile(r"^Language:\s*([A-Za-z][\w-]*)\s*$", re.IGNORECASE)


def parse_vtt(text: str, name: str) -> Transcript:
    """Read WebVTT text.

    Inline times give word times. In a file with rolling captions a line that only repeats what the cue
    before showed is dropped. Mended: a missing ``WEBVTT`` line and all that `parse_srt` mends.

    Raises:
        TranscriptError: the file is empty, has text but no timing line, or a timing line without any
            readable clock.
    """
    repairs: list[str] = []
    lines = split_lines(text)
    if not text.strip():
        raise refuse(name, 1, "the file is empty")
    headed = lines[first_text(lines) - 1].startswith("WEBVTT")
    if not headed:
        repairs.append("line 1: the WEBVTT line is missing")
    language, body = _without_blocks(lines, headed)
    cues = split_cues(body, repairs, named=True)
    if not cues and any(line.strip() for line in body):
        raise refuse(name, first_text(body), "no timing line such as 00:01.000 --> 00:02.000 was found")
    settled = settle(cues, name, repairs)
    if _is_rolling(settled):
        settled = _unrolled(settled)
    segments = [segment for span, cue in settled if (segment := _segment(span, cue)) is not None]
    return Transcript(in_order(segments, repairs), language, "vtt", tuple(repairs))


def _without_blocks(lines: list[str], headed: bool) -> tuple[str | None, list[str]]:
    """The header's language, and the lines with header, notes, styles and regions blanked."""
    language: str | None = None
    body: list[str] = []
    in_header, skipping, block_start = headed, False, True
    for line in lines:
        blank = not line.strip()
        timed = "-->" in line and timing(line) is not None
        if in_header:
            match = _LANGUAGE.match(line)
            language = match.group(1) if match else language
            # The file may begin with blank lines; the header ends at the first blank one after its text.
            in_header = not timed and not (blank and any(seen for seen in lines[: len(body)]))
        elif block_start and _BLOCK.match(line):
            skipping = True
        skipping = skipping and not blank and not timed
        body.append("" if (in_header or skipping) else line)
        block_start = blank
    return language, body


def _is_rolling(cues: Iterable[tuple[Span, Cue]]) -> bool:
    """Whether lines with inline times occur, or cues too short to be read."""
    return any(
        span.duration <= ROLLING_CUE_S or any(_INLINE.search(line) for line in cue.lines)
        for span, cue in cues
    )


def _unrolled(cues: list[tuple[Span, Cue]]) -> list[tuple[Span, Cue]]:
    """Cues without the lines that the cue before them already showed."""
    kept: list[tuple[Span, Cue]] = []
    shown: list[str] = []
    for span, cue in cues:
        texts = [plain(line) for line in cue.lines]
        repeated = 0
        for k in range(min(len(texts), len(shown)), 0, -1):
            fresh = any(_INLINE.search(line) for line in cue.lines[:k])
            if not fresh and texts[:k] == shown[-k:]:
                repeated = k
                break
        shown = [text for text in texts if text] or shown
        fresh_lines = cue.lines[repeated:]
        if any(plain(line) for line in fresh_lines):
            kept.append((span, Cue(cue.line, cue.start, cue.end, fresh_lines)))
    return kept


def _segment(span: Span, cue: Cue) -> Segment | None:
    voices = {plain(voice) for line in cue.lines for voice in _VOICE.findall(line)}
    speaker = voices.pop() if len(voices) == 1 else None
    spoken = plain(" ".join(cue.lines))
    if not spoken:
        return None
    if not any(_INLINE.search(line) for line in cue.lines):
        return Segment(span, spoken, speaker=speaker)
    texts, starts = _timed_words(" ".join(cue.lines))
    words = tuple(spread(texts, starts, span))
    return Segment(span, " ".join(texts), words, speaker)


def _timed_words(markup: str) -> tuple[list[str], list[float | None]]:
    """Words of a line with inline times, and the times that stand right before them."""
    texts: list[str] = []
    starts: list[float | None] = []
    joined = False
    pieces = _INLINE.split(markup)
    clocks: list[float | None] = [None, *(parse_clock(clock) for clock in pieces[1::2])]
    for clock, piece in zip(clocks, pieces[0::2], strict=True):
        bare = _MARKUP.sub("", piece)
        new = [word for word in (plain(part) for part in bare.split()) if word]
        if new and joined and texts and not bare[:1].isspace():
            texts[-1] += new.pop(0)
            clock = None if not new else clock
        for i, word in enumerate(new):
            texts.append(word)
            starts.append(clock if i == 0 else None)
        if bare:
            joined = not bare[-1].isspace()
    return texts, starts
