"""The library as a server uses it: from many threads at once, loading what is large only once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import EncoderMismatchError
from thisismy.core.progress import Progress, silent
from thisismy.library import Library
from thisismy.store import browsing
from thisismy.store.folder import Store

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.retrieval.prepared import Prepared
    from thisismy.services.learning import LearnReport
    from thisismy.store.catalog import CatalogEntry

PATIENCE = 20
"""While files are indexed, a search reads a gallery this many times as old as making it took."""


class SharedLibrary(Library):
    """A library that several threads use.

    Attributes:
        indexing: whether files are being indexed now; searches then do not wait for every file.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.indexing = False
        self._loading = Lock()
        self._preparing = Lock()
        self._learning = RLock()
        self._loaded: dict[str, Encoder] = {}
        self._listed: tuple[tuple[Any, ...], list[CatalogEntry]] | None = None
        self._made_at = 0.0
        self._took = 0.0

    def files(self) -> list[CatalogEntry]:
        """Every file the library knows, in order of path; read again only when something has changed."""
        if self.indexing:
            # The state of a file changes more often than the mark while it is worked on.
            self._listed = None
            return super().files()
        with self.store.read() as connection:
            mark = browsing.library_mark(connection)
        held = self._listed
        if held is None or held[0] != mark:
            self._listed = held = (mark, super().files())
        return held[1]

    @property
    def encoder(self) -> Encoder:
        """The encoder the library was indexed with, loaded once.

        Raises:
            EncoderError: it cannot be loaded.
            EncoderMismatchError: what its name gives now is not what the library was indexed with.
        """
        settings = self.store.index_settings
        encoder = self._load(settings.encoder)
        if settings.encoder_id not in (None, encoder.id):
            raise EncoderMismatchError(
                f"the library was indexed with {settings.encoder_id}, but {settings.encoder!r} now gives "
                f"{encoder.id}: index the folders once more to encode it again"
            )
        return encoder

    def _load(self, name: str, *, allow_download: bool = False, progress: Progress = silent) -> Encoder:
        with self._loading:
            if name not in self._loaded:
                encoder = super()._load(name, allow_download=allow_download, progress=progress)
                # One encoder at a time: they are large, and only that of the library is of use.
                self._loaded = {name: encoder}
            return self._loaded[name]

    def _prepared(self) -> Prepared:
        held = self._cached
        if held is not None:
            fresh = held[0] == self.store.generation
            young = self.indexing and time.monotonic() < self._made_at + PATIENCE * self._took
            # Another thread is at it: what is known is better than waiting.
            if fresh or young or (self.indexing and self._preparing.locked()):
                return held[1]
        with self._preparing:
            began = time.monotonic()
            prepared = super()._prepared()
            self._made_at = time.monotonic()
            self._took = self._made_at - began
            return prepared

    def warm(self) -> None:
        """Load the encoder and the gallery.

        Raises:
            ThisIsMyError: one cannot be loaded.
        """
        self.encoder.encode_texts(["a photo"])
        self._prepared()

    def learn(
        self,
        names: Sequence[str] | None = None,
        *,
        method: str = "default",
        arguments: Mapping[str, Any] | None = None,
        seed: int = 0,
        judge: bool = True,
        progress: Progress = silent,
    ) -> LearnReport:
        """Learn as `Library.learn` does, one call after the other."""
        with self._learning:
            return super().learn(
                names, method=method, arguments=arguments, seed=seed, judge=judge, progress=progress
            )

    def delete(self, name: str) -> None:
        """Delete as `Library.delete` does, not while something is learned."""
        with self._learning:
            super().delete(name)
