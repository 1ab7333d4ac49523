"""The job that gives every video its transcript: a file that lies beside it, else what is heard in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from thisismy.core.errors import LibraryError, MediaError, MissingExtraError, TranscriptError
from thisismy.core.paths import path_bytes, path_text
from thisismy.core.progress import Progress, silent
from thisismy.jobs.indexing import Failure, Note
from thisismy.jobs.runner import Outcome, Runner, explained
from thisismy.jobs.stages import Media
from thisismy.jobs.transcript_stage import FoundTranscript, TranscriptStage
from thisismy.store import catalog
from thisismy.store.catalog import TRANSCRIPT
from thisismy.store.folder import Store
from thisismy.store.transcripts import VideoOnDisk, list_videos
from thisismy.transcripts.speech.recogniser import Recogniser


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
    stage = TranscriptStage(recogniser, model, language)
    # Without its package or its model nothing can be heard in any video.
    runner = Runner(store, [stage], fatal=(LibraryError, MissingExtraError))
    settings = store.index_settings
    report = TranscribeReport()
    work = [video for video in list_videos(store) if media_ids is None or video.media_id in media_ids]
    total = sum(video.duration for video in work)
    done = 0.0
    for video in work:
        progress("transcribe", done, total)
        start = done

        def tell(at: float, start: float = start) -> None:
            progress("transcribe", start + at, total)

        media = Media(video.media_id, video.path, "video", video.duration, video.has_sound)
        name = path_text(path_bytes(video.path))
        try:
            key = stage.key(settings, media)
            if key is not None and key == video.source:
                _note_done(store, media, key)
            outcome = runner.run(media, settings, tell)
        except (TranscriptError, MediaError, OSError) as error:
            report.failed.append(Failure(name, TRANSCRIPT, str(error)))
        else:
            _count(report, video, key, outcome)
        done += video.duration
    progress("transcribe", total, total)
    return report


def _note_done(store: Store, media: Media, key: str) -> None:
    """Transcripts that earlier versions made have no note that they are done."""
    with store.read() as connection:
        if catalog.is_finished(connection, media.id, TRANSCRIPT, key):
            return
    with store.write() as connection:
        catalog.finish(connection, media.id, TRANSCRIPT, key)


def _count(report: TranscribeReport, video: VideoOnDisk, key: str | None, outcome: Outcome) -> None:
    name = path_text(path_bytes(video.path))
    for stage, error in outcome.failed.items():
        report.failed.append(Failure(name, stage, explained(error)))
    found: FoundTranscript
    for found in outcome.rows.get(TRANSCRIPT, []):
        report.heard += found.heard
        report.read += not found.heard
        report.notes += [Note(found.path, text) for text in found.transcript.repairs if not found.heard]
    if not outcome.failed and not outcome.rows:
        report.without += key is None and video.source is None
        report.unchanged += key is not None or video.source is not None
