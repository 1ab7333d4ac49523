"""What people name in their videos: mined, then accepted or rejected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thisismy.core.progress import Progress, silent
from thisismy.services.context import LibraryContext
from thisismy.services.transcripts import TranscriptService
from thisismy.store import mentions as rows

if TYPE_CHECKING:
    from thisismy.mining.calibrate import Calibration
    from thisismy.mining.settings import MiningSettings
    from thisismy.store.instances import Instance
    from thisismy.store.mentions import MentionRow


class MentionService:
    """The mentions of a library."""

    def __init__(self, context: LibraryContext, transcripts: TranscriptService) -> None:
        self._context = context
        self._transcripts = transcripts

    def mine(
        self,
        paths: Sequence[Path] | None = None,
        *,
        settings: MiningSettings | None = None,
        categories: Sequence[str] | None = None,
        progress: Progress = silent,
    ) -> list[MentionRow]:
        """Find what is named in transcripts, and where it is seen.

        Transcript files beside videos are read first; speech is not (see ``transcribe``).

        Args:
            paths: only these files or folders.
            settings: thresholds and patterns.
            categories: names to choose categories from; None takes the COCO classes.
            progress: told the videos done.

        Raises:
            LibraryError: nothing is indexed yet, or there is too little to calibrate the encoder on.
        """
        from thisismy.mining.categories import COCO_CATEGORIES
        from thisismy.mining.settings import MiningSettings
        from thisismy.services.mining import mine_library

        self._transcripts.transcribe(paths, speech=False, progress=progress)
        with self._context.store.indexing():
            prepared = self._context.prepared()
            return mine_library(
                self._context.store,
                prepared.gallery,
                prepared.encoder,
                settings or MiningSettings(),
                categories=tuple(categories or COCO_CATEGORIES),
                media_ids=self._context.media_under(paths),
                progress=progress,
            )

    def calibrate(self) -> Calibration:
        """Learn from the library's own shots what unrelated pictures score on its encoder, and keep it.

        Raises:
            LibraryError: there are too few shots.
        """
        from thisismy.services.calibration import calibrate_library

        return calibrate_library(self._context.store, self._context.prepared().gallery)

    def all(self) -> list[MentionRow]:
        """Everything mined so far, by video and time."""
        return rows.list_mentions(self._context.store)

    def count_open(self) -> int:
        """Mentions that were kept and that nobody has decided about."""
        with self._context.store.read() as connection:
            return rows.count_open_mentions(connection)

    def accept(self, mention: MentionRow, name: str = "", category: str = "") -> Instance:
        """Make a mention an instance, or examples of the instance that the name means, as in a search.

        Raises:
            InstanceError: it has no name or no shot.
        """
        return rows.accept_mention(self._context.store, mention, name, category)

    def reject(self, mention: MentionRow) -> None:
        """Note that a mention names nothing that is seen; it is not asked about again.

        What accepting it before had brought goes again.
        """
        rows.reject_mention(self._context.store, mention)

    def undecide(self, mention: MentionRow) -> None:
        """Take back what was decided about a mention, with what accepting it had brought."""
        rows.undecide_mention(self._context.store, mention)
