"""What is said in a video, with times: read subtitle files, write them, transcribe speech."""

from __future__ import annotations

from thisismy.transcripts.base import Segment, Transcript, Word
from thisismy.transcripts.files import find_sidecar, read_transcript, render_transcript, write_transcript
from thisismy.transcripts.formats.timing import with_word_times

__all__ = [
    "Segment",
    "Transcript",
    "Word",
    "find_sidecar",
    "read_transcript",
    "render_transcript",
    "with_word_times",
    "write_transcript",
]
