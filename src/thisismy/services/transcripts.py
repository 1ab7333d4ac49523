"""What is said in the videos of a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thisismy.core.errors import LibraryError
from thisismy.core.paths import path_text
from thisismy.core.progress import Progress, silent
from thisismy.services.context import LibraryContext
from thisismy.store import catalog
from thisismy.store.transcripts import find_phrase, get_transcript, has_transcript

if TYPE_CHECKING:
    from thisismy.jobs.transcribing import TranscribeReport
    from thisismy.transcripts.base import Transcript


@dataclass(frozen=True)
class PhraseHit:
    """A place where a phrase is said.

    Attributes:
        path: the file; when several hold the same content, the first added.
        media_id: row of the library.
        start, end: seconds.
        text: the sentence around it.
    """

    path: str
    media_id: int
    start: float
    end: float
    text: str


class TranscriptService:
    """The transcripts of a library."""

    def __init__(self, context: LibraryContext) -> None:
        self._context = context

    def transcribe(
        self,
        paths: Sequence[Path] | None = None,
        *,
        speech: bool = True,
        model: str = "auto",
        language: str | None = None,
        progress: Progress = silent,
    ) -> TranscribeReport:
        """Give every video its transcript: from a file beside it, else from what is heard.

        Args:
            paths: only these files or folders.
            speech: False reads files only, which is quick.
            model: speech model; see `thisismy.transcripts.speech.models.locate_model`.
            language: what is spoken; None finds out.
            progress: told the seconds of video done.

        Raises:
            MissingExtraError, TranscriptError: the speech model cannot be loaded.
            LibraryError: a path is not in the library.
        """
        from thisismy.jobs.transcribing import transcribe
        from thisismy.transcripts.speech.recogniser import Recogniser

        return transcribe(
            self._context.store,
            recogniser=(lambda: Recogniser(model)) if speech else None,
            model=model,
            language=language,
            media_ids=self._context.media_under(paths),
            progress=progress,
        )

    def get(self, path: Path) -> Transcript:
        """The transcript of a video.

        Raises:
            LibraryError: the video is not in the library, is a folder of several, or has no transcript yet.
        """
        media = self._context.media_under([path]) or set()
        if len(media) > 1:
            raise LibraryError(f"{path} is a folder with {len(media)} files: name one video")
        with self._context.store.read() as connection:
            found = get_transcript(connection, next(iter(media), 0))
        if found is None:
            raise LibraryError(f"{path} has no transcript yet: run `thisismy transcribe {path}`")
        return found

    def of_media(self, media_id: int) -> Transcript | None:
        """The transcript of a media, None while it has none."""
        with self._context.store.read() as connection:
            return get_transcript(connection, media_id)

    def has(self, media_id: int) -> bool:
        """Whether a media has a transcript, be it an empty one."""
        with self._context.store.read() as connection:
            return has_transcript(connection, media_id)

    def find(self, phrase: str, k: int = 20) -> list[PhraseHit]:
        """Places where the words of a phrase are said one after the other, in order of file and time."""
        hits: list[PhraseHit] = []
        with self._context.store.read() as connection:
            for place in find_phrase(connection, phrase):
                paths = catalog.paths_of(connection, place.media_id)
                if not paths:
                    continue
                span = place.span
                hits.append(PhraseHit(path_text(paths[0]), place.media_id, span.start, span.end, place.text))
                if len(hits) == k:
                    break
        return hits
