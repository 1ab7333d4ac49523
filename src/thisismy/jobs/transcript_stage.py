"""The stage that gives a video its transcript."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thisismy.core.paths import content_hash, path_bytes, path_text
from thisismy.store.catalog import TRANSCRIPT
from thisismy.store.transcripts import put_transcript
from thisismy.transcripts.files import find_sidecar, read_transcript

if TYPE_CHECKING:
    from thisismy.jobs.stages import Inputs, Media
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings
    from thisismy.transcripts.base import Transcript
    from thisismy.transcripts.speech.recogniser import Recogniser


@dataclass(frozen=True)
class FoundTranscript:
    """A transcript and where it is from.

    Attributes:
        transcript: the words.
        source: what it was made from; the same source need not be read again.
        path: the file it was read from or heard in, for people.
        heard: whether it was heard and not read.
    """

    transcript: Transcript
    source: str
    path: str
    heard: bool


class TranscriptStage:
    """Its one row is what a file beside the video says, else what is heard in it.

    Args:
        recogniser: loads the speech model, called at most once and only when something has to be heard; None
            reads files only.
        model: name of the speech model; another one than before hears everything again.
        language: what is spoken; None finds out.
    """

    name = TRANSCRIPT
    needs: tuple[str, ...] = ()
    side_by_side = False
    shorter_side: int | None = None

    def __init__(self, recogniser: Callable[[], Recogniser] | None, model: str, language: str | None) -> None:
        self._load, self._language = recogniser, language
        self._heard_by = f"speech:{model}"
        self._recogniser: Recogniser | None = None

    def key(self, _settings: IndexSettings, media: Media) -> str | None:
        """The file beside the video with its hash, else the model; None where there is nothing to hear.

        Raises:
            OSError: the file cannot be read.
        """
        sidecar = find_sidecar(media.path)
        if sidecar is not None:
            return f"{sidecar.name} {content_hash(sidecar)}"
        return self._heard_by if self._load is not None and media.has_sound else None

    def run(self, media: Media, inputs: Inputs) -> Sequence[FoundTranscript]:
        """See `Stage.run`.

        Raises:
            TranscriptError: the file or the sound cannot be read.
        """
        sidecar = find_sidecar(media.path)
        if sidecar is not None:
            # Before it is read: a file that changes meanwhile is read again next time.
            source = f"{sidecar.name} {content_hash(sidecar)}"
            read = read_transcript(sidecar)
            return [FoundTranscript(read, source, path_text(path_bytes(sidecar)), heard=False)]
        if self._load is None:
            return []
        self._recogniser = self._recogniser or self._load()
        heard = self._recogniser.transcribe(media.path, self._language, lambda _s, at, _all: inputs.tell(at))
        return [FoundTranscript(heard, self._heard_by, path_text(path_bytes(media.path)), heard=True)]

    def store(self, connection: Connection, media: Media, rows: Sequence[FoundTranscript]) -> None:
        """See `Stage.store`."""
        for found in rows:
            put_transcript(connection, media.id, found.transcript, found.source)
