"""The job that gives every video its transcript: a file that lies beside it, else what is heard in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from thisismy.core.errors import MediaError, TranscriptError
from thisismy.core.paths import content_hash, path_bytes, path_text
from thisismy.core.progress import Progress, silent
from thisismy.jobs.indexing import Failure, Note
from thisismy.store.folder import Store
from thisismy.store.transcripts import list_videos, put_transcript
from thisismy.transcripts.base import Transcript
from thisismy.transcripts.files import find_sidecar, read_transcript
from thisismy.transcripts.speech.recogniser import Recogniser

SPEECH = "speech:"
"""Begins the source of a transcript that was heard."""


@dataclass
class TranscribeReport:
    """What a run did, in videos.

    Attributes:
        read: transcripts taken from a file beside the video.
        heard: transcribed from speech.
        unchanged: had theirs already.
        without: have none: no file beside them, and speech was not asked for or there is no sound.
        notes: what was mended in a file.
        failed: and why.
    """

    read: int = 0
    heard: int = 0
    unchanged: int = 0
    without: int = 0
    notes: list[Note] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def transcribe(
    store: Store,
    *,
    recogniser: Callable[[], Recogniser] | None = None,
    model: str = "auto",
    language: str | None = None,
    media_ids: set[int] | None = None,
    progress: Progress = silent,
) -> TranscribeReport:
    """Bring the transcripts of all videos up to date; stop it whenever you like.

    Args:
        store: the library.
        recogniser: loads the speech model, called at most once and only when something has to be heard; None
            reads files only.
        model: name of the speech model; another one than before hears everything again.
        language: what is spoken; None finds out.
        media_ids: only these media.
        progress: told the seconds of video done.

    Raises:
        MissingExtraError, TranscriptError: the speech model cannot be loaded.
        LibraryError: the library cannot be written.
    """
    report = TranscribeReport()
    work = [video for video in list_videos(store) if media_ids is None or video.media_id in media_ids]
    total = sum(video.duration for video in work)
    done = 0.0
    heard: Recogniser | None = None
    for video in work:
        media_id, path, known = video.media_id, video.path, video.source
        progress("transcribe", done, total)
        start = done

        def tell(_stage: str, at: float, _all: float | None, start: float = start) -> None:
            progress("transcribe", start + at, total)

        try:
            sidecar = find_sidecar(path)
            if sidecar is not None:
                _take(store, media_id, sidecar, known, report)
            elif recogniser is None or not video.has_sound:
                report.without += known is None
                report.unchanged += known is not None
            elif known == f"{SPEECH}{model}":
                report.unchanged += 1
            else:
                heard = heard or recogniser()
                found = heard.transcribe(path, language, tell)
                _put(store, media_id, found, f"{SPEECH}{model}")
                report.heard += 1
        except (TranscriptError, MediaError, OSError) as error:
            report.failed.append(Failure(path_text(path_bytes(path)), "transcript", str(error)))
        done += video.duration
    progress("transcribe", total, total)
    return report


def _take(store: Store, media_id: int, sidecar: Path, known: str | None, report: TranscribeReport) -> None:
    source = f"{sidecar.name} {content_hash(sidecar)}"
    if known == source:
        report.unchanged += 1
        return
    transcript = read_transcript(sidecar)
    _put(store, media_id, transcript, source)
    report.read += 1
    report.notes += [Note(path_text(path_bytes(sidecar)), repair) for repair in transcript.repairs]


def _put(store: Store, media_id: int, transcript: Transcript, source: str) -> None:
    with store.write() as connection:
        put_transcript(connection, media_id, transcript, source)
