"""What the subtitle formats share: decoding bytes, reading clocks, mending the order of cues."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from thisismy.core.errors import TranscriptError
from thisismy.core.span import Span
from thisismy.transcripts.base import Segment

SHORTEST_S = 0.001
"""Every cue lasts at least one tick of the formats' clocks."""

FALLBACK_S = 2.0
"""How long a cue without a readable end stays when nothing follows it."""

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d{1,3})(?:[.,:](\d{1,6}))?$")
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|v|lang|ruby|rt|font|span)(?:[.\s/][^<>]*)?>|<\d[\d:.,]*>|\{\\[^{}]*\}", re.IGNORECASE
)
_SPACE = re.compile(r"\s+")


@dataclass
class Cue:
    """A cue as it stands in a file: ``start`` or ``end`` is None where the clock could not be read."""

    line: int
    start: float | None
    end: float | None
    lines: list[str]


def refuse(name: str, line: int, why: str) -> TranscriptError:
    """The error for a file that cannot be mended."""
    return TranscriptError(f"{name}, line {line}: {why}")


def decode(data: bytes, name: str) -> str:
    """Text of a subtitle file: UTF-8 or UTF-16 with their marks, else Windows-1252.

    Raises:
        TranscriptError: the bytes are not text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise refuse(name, 1, "it is marked as UTF-16 but is not") from error
    if b"\0" in data:
        raise refuse(
            name, data[: data.index(b"\0")].count(b"\n") + 1, "zero bytes: this is not a subtitle file"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Five bytes mean nothing in Windows-1252; a mark in one word is better than no subtitles.
        return data.decode("cp1252", errors="replace")


def split_lines(text: str) -> list[str]:
    """Lines by CR, LF or both; other Unicode line marks belong to the text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def first_text(lines: Sequence[str]) -> int:
    """Number of the first line that is not blank; 1 when all are."""
    return next((i for i, line in enumerate(lines, 1) if line.strip()), 1)


def parse_clock(text: str) -> float | None:
    """Seconds of ``H:MM:SS.mmm`` in its many spellings, or None.

    Hours and minutes may be missing, the fraction may follow ``.``, ``,`` or (after H:MM:SS) ``:``, and is
    read as a decimal fraction: ``0:00:07,5`` is 7.5 s.
    """
    match = _CLOCK.match(text.strip())
    if not match or ":" not in text:
        return None
    hours, minutes, seconds, fraction = match.groups()
    if minutes is None and fraction is not None and "." not in text and "," not in text:
        minutes, seconds, fraction = seconds, fraction, None
    if (int(minutes or 0) > 59 and hours) or int(seconds) > 59:
        return None
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
    return whole + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)


def plain(text: str) -> str:
    """One line without markup: tags and inline times dropped, entities resolved, space collapsed."""
    unmarked = html.unescape(_TAG.sub("", text)).replace("\u200b", "").replace("\ufeff", "")
    return _SPACE.sub(" ", unmarked).strip()


def settle(cues: Sequence[Cue], name: str, repairs: list[str]) -> list[tuple[Span, Cue]]:
    """Give every cue a span, using its neighbours where a clock could not be read.

    Raises:
        TranscriptError: neither clock of a cue can be read.
    """
    settled: list[tuple[Span, Cue]] = []
    last_end = 0.0
    for i, cue in enumerate(cues):
        start, end = cue.start, cue.end
        if start is None and end is None:
            raise refuse(name, cue.line, "neither time of the timing line can be read")
        if start is None:
            start = min(last_end, end if end is not None else last_end)
            repairs.append(f"line {cue.line}: the start time cannot be read; {start:.3f} s is taken")
        if end is None:
            following = next(
                (c.start for c in cues[i + 1 :] if c.start is not None and c.start > start), None
            )
            end = following if following is not None else start + FALLBACK_S
            repairs.append(f"line {cue.line}: the end time cannot be read; {end:.3f} s is taken")
        if end < start:
            start, end = end, start
            repairs.append(f"line {cue.line}: the end lies before the start; they are swapped")
        last_end = end
        settled.append((Span(start, max(end, start + SHORTEST_S)), cue))
    return settled


def in_order(segments: Sequence[Segment], repairs: list[str]) -> tuple[Segment, ...]:
    """Segments by start time, each cut where the next begins; same starts are left to overlap."""
    ordered = sorted(segments, key=lambda segment: segment.span.start)
    if ordered != list(segments):
        repairs.append("line 1: the cues are not in order of time; they are sorted")
    for i, segment in enumerate(ordered[:-1]):
        following = ordered[i + 1].span.start
        if segment.span.start < following < segment.span.end:
            words = tuple(
                replace(word, span=Span(min(word.span.start, following), min(word.span.end, following)))
                for word in segment.words
            )
            ordered[i] = replace(segment, span=Span(segment.span.start, following), words=words)
    return tuple(ordered)
