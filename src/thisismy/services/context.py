"""What all services of a library stand on: its store, its encoder, and what a search reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from thisismy.core.errors import EncoderMismatchError, LibraryError
from thisismy.core.progress import Progress, silent
from thisismy.store import catalog
from thisismy.store.folder import Store

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.retrieval.prepared import Prepared

Tell = Callable[[str], None]
"""Called with one line a person may want to read."""

PATIENCE = 20
"""While files are indexed, a search reads a gallery this many times as old as making it took."""


def quiet(_line: str) -> None:
    """Tell nobody."""


class LibraryContext:
    """An open library; any number of threads may use it at once.

    Attributes:
        store: its rows.
        indexing: whether this process is indexing files now; searches then do not wait for every file.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.indexing = False
        self._loading = Lock()
        self._preparing = Lock()
        self._loaded: dict[str, Encoder] = {}
        self._cached: tuple[int, Prepared] | None = None
        self._made_at = 0.0
        self._took = 0.0

    @property
    def encoder(self) -> Encoder:
        """The encoder the library was indexed with, loaded once.

        Raises:
            EncoderError: it cannot be loaded.
            EncoderMismatchError: what its name gives now is not what the library was indexed with.
        """
        settings = self.store.index_settings
        encoder = self.load(settings.encoder)
        if settings.encoder_id not in (None, encoder.id):
            raise EncoderMismatchError(
                f"the library was indexed with {settings.encoder_id}, but {settings.encoder!r} now gives "
                f"{encoder.id}: run `thisismy add --encoder {settings.encoder}` to encode it again"
            )
        return encoder

    def load(self, name: str, *, allow_download: bool = False, progress: Progress = silent) -> Encoder:
        """The encoder of a name; the one loaded last is kept.

        Raises:
            EncoderError: it cannot be loaded.
        """
        with self._loading:
            if name not in self._loaded:
                from thisismy.encoders import load_encoder
                from thisismy.encoders.caching import CachingEncoder

                # One search by name asks for the same words several times.
                encoder = CachingEncoder(load_encoder(name, allow_download=allow_download, progress=progress))
                # One encoder at a time: they are large, and only that of the library is of use.
                self._loaded = {name: encoder}
            return self._loaded[name]

    def prepared(self) -> Prepared:
        """The gallery and its background as of now; while files are indexed, as of a moment ago."""
        held = self._cached
        if held is not None:
            fresh = held[0] == self.store.generation
            young = self.indexing and time.monotonic() < self._made_at + PATIENCE * self._took
            # Another thread is at it: what is known is better than waiting.
            if fresh or young or (self.indexing and self._preparing.locked()):
                return held[1]
        with self._preparing:
            return self._prepare()

    def _prepare(self) -> Prepared:
        from thisismy.retrieval.prepared import prepare

        began = time.monotonic()
        generation = self.store.generation
        if self._cached is None or self._cached[0] != generation:
            encoder_id = self.store.index_settings.encoder_id or self.encoder.id
            self._cached = (generation, prepare(self.store, encoder_id, lambda: self.encoder))
        self._made_at = time.monotonic()
        self._took = self._made_at - began
        return self._cached[1]

    def warm(self) -> None:
        """Load the encoder and the gallery.

        Raises:
            ThisIsMyError: one cannot be loaded.
        """
        self.encoder.encode_texts(["a photo"])
        self.prepared()

    def media_under(self, paths: Sequence[Path] | None) -> set[int] | None:
        """Ids of the media at or under paths, None for all.

        Raises:
            LibraryError: a path is not in the library.
        """
        if not paths:
            return None
        found: set[int] = set()
        with self.store.read() as connection:
            for path in paths:
                below = catalog.media_under(connection, path)
                if not below:
                    raise LibraryError(
                        f"{path} is not in the library {self.store.folder}; `thisismy ls` lists what is"
                    )
                found |= below
        return found

    def close(self) -> None:
        """Let go of the library's files."""
        self.store.close()
