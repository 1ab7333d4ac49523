"""Transcripts as JSON: Whisper and its relatives, whisper.cpp, and YouTube's json3."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from thisismy.core.errors import TranscriptError
from thisismy.core.span import Span
from thisismy.transcripts.base import Segment, Transcript, Word
from thisismy.transcripts.formats.cues import SHORTEST_S, in_order, plain, refuse
from thisismy.transcripts.formats.timing import spread


def parse_json(text: str, name: str) -> Transcript:
    """Read a JSON transcript.

    Understood are ``{"segments": [{"start", "end", "text", "words": [{"word", "start", "end",
    "probability" or "score"}]}]}`` (Whisper, faster-whisper, WhisperX, also a bare list of segments or
    words beside the segments), ``{"transcription": [{"offsets": {"from", "to"}, "text"}]}`` (whisper.cpp,
    milliseconds) and ``{"events": [{"tStartMs", "dDurationMs", "segs"}]}`` (json3).

    Raises:
        TranscriptError: not JSON (with the line), of another shape, or a segment whose times are not numbers.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise refuse(name, error.lineno, f"it is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise refuse(name, 1, "it is nested too deeply to be a transcript") from error
    rows = _rows(data)
    if rows is None:
        raise refuse(name, 1, "it is JSON but no transcript: it has no list of 'segments'")
    repairs: list[str] = []
    segments = [
        segment
        for i, row in enumerate(rows, 1)
        if (segment := _segment(row, f"{name}, segment {i}")) is not None
    ]
    language = _language(data)
    return Transcript(in_order(segments, repairs), language, "json", tuple(repairs))


def is_transcript(data: object) -> bool:
    """Whether parsed JSON has the shape of a transcript."""
    return _rows(data) is not None


def render_json(transcript: Transcript) -> str:
    """A transcript in Whisper's shape; times in seconds with three decimals."""
    rows: list[dict[str, Any]] = []
    for i, segment in enumerate(transcript.segments):
        row: dict[str, Any] = {
            "id": i,
            "start": round(segment.span.start, 3),
            "end": round(segment.span.end, 3),
            "text": segment.text,
        }
        if segment.speaker is not None:
            row["speaker"] = segment.speaker
        if segment.words:
            row["words"] = [_word_row(word) for word in segment.words]
        rows.append(row)
    body = {
        "text": transcript.text,
        "language": transcript.language,
        "source": transcript.source,
        "segments": rows,
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def _word_row(word: Word) -> dict[str, Any]:
    row: dict[str, Any] = {
        "word": word.text,
        "start": round(word.span.start, 3),
        "end": round(word.span.end, 3),
    }
    if word.probability is not None:
        row["probability"] = round(word.probability, 4)
    return row


def _language(data: object) -> str | None:
    if not isinstance(data, dict):
        return None
    result = data.get("result")
    language = data.get("language") or (result.get("language") if isinstance(result, dict) else None)
    return language if isinstance(language, str) and language else None


def _rows(data: object) -> list[dict[str, Any]] | None:
    """Segments in Whisper's shape, or None for another kind of JSON."""
    if isinstance(data, list):
        return (
            data
            if data and all(isinstance(row, dict) and {"start", "end", "text"} <= set(row) for row in data)
            else None
        )
    if not isinstance(data, dict):
        return None
    segments, parts, events = data.get("segments"), data.get("transcription"), data.get("events")
    if isinstance(segments, list) and all(isinstance(row, dict) for row in segments):
        return _with_loose_words(segments, data.get("words"))
    if isinstance(parts, list) and all(
        isinstance(row, dict) and isinstance(row.get("offsets"), dict) for row in parts
    ):
        return [
            {
                "start": _seconds(p["offsets"].get("from")),
                "end": _seconds(p["offsets"].get("to")),
                "text": p.get("text"),
            }
            for p in parts
        ]
    if isinstance(events, list) and all(isinstance(row, dict) and "tStartMs" in row for row in events):
        return [_event(event) for event in events if event.get("segs")]
    return None


def _seconds(milliseconds: object) -> object:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else milliseconds


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    start = _number(event["tStartMs"]) or 0.0
    words = [
        {"word": s.get("utf8", ""), "start": (start + (_number(s.get("tOffsetMs", 0)) or 0.0)) / 1000}
        for s in event["segs"]
        if isinstance(s, dict)
    ]
    end = (start + (_number(event.get("dDurationMs", 0)) or 0.0)) / 1000
    row: dict[str, Any] = {"start": start / 1000, "end": end, "text": "".join(str(w["word"]) for w in words)}
    if len(words) > 1:
        row["words"] = words
    return row


def _with_loose_words(segments: list[dict[str, Any]], words: object) -> list[dict[str, Any]]:
    """Segments with the words of a list beside them, each in the segment its middle lies in."""
    if not isinstance(words, list) or any(segment.get("words") for segment in segments):
        return segments
    timed = [w for w in words if isinstance(w, dict) and _number(w.get("start")) is not None]
    filled = []
    for segment in segments:
        start, end = _number(segment.get("start")), _number(segment.get("end"))
        if start is None or end is None:
            return segments
        inside = [w for w in timed if start <= (_number(w["start"]) or 0.0) < end]
        filled.append({**segment, "words": inside} if inside else segment)
    return filled


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _segment(row: Mapping[str, Any], where: str) -> Segment | None:
    text = row.get("text", "")
    start, end = _number(row.get("start")), _number(row.get("end"))
    if start is None or end is None or not isinstance(text, str):
        raise TranscriptError(f"{where}: 'start' and 'end' must be seconds and 'text' a string")
    if end < start:
        start, end = end, start
    span = Span(start, max(end, start + SHORTEST_S))
    speaker = row.get("speaker")
    words = _words(row.get("words"), span)
    spoken = plain(text) or " ".join(word.text for word in words)
    return Segment(span, spoken, words, speaker if isinstance(speaker, str) else None) if spoken else None


def _words(rows: object, span: Span) -> tuple[Word, ...]:
    """Words of one segment; those without times (WhisperX leaves numbers out) get estimated ones."""
    if not isinstance(rows, list):
        return ()
    texts: list[str] = []
    starts: list[float | None] = []
    ends: list[float | None] = []
    probabilities: list[float | None] = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        text = plain(str(row.get("word", row.get("text", ""))))
        if text:
            texts.append(text)
            starts.append(_number(row.get("start")))
            ends.append(_number(row.get("end")))
            probabilities.append(_number(row.get("probability", row.get("score"))))
    return tuple(spread(texts, starts, span, ends, probabilities))
