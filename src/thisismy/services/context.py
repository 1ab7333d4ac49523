"""What all services of a library stand on: its store, its encoder, and what a search reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
    from thisismy.store.settings import EncoderInUse

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
        """The encoder the library is searched with, loaded once.

        Raises:
            EncoderError: it cannot be loaded.
            EncoderMismatchError: what its name gives now is not what the library was indexed with.
        """
        return self._load_as(self.store.search_encoder)

    @property
    def encoder_id(self) -> str:
        """The feature space the library is searched in; loads the encoder only before anything is indexed.

        Raises:
            EncoderError: it cannot be loaded.
        """
        return self.store.search_encoder.id or self.encoder.id

    def _load_as(self, wanted: EncoderInUse) -> Encoder:
        encoder = self.load(wanted.name)
        if wanted.id not in (None, encoder.id):
            raise EncoderMismatchError(
                f"the library was indexed with {wanted.id}, but {wanted.name!r} now gives {encoder.id}: "
                f"run `thisismy add --encoder {wanted.name}` to encode it again"
            )
        return encoder

    def load(self, name: str, *, allow_download: bool = False, progress: Progress = silent) -> Encoder:
        """The encoder of a name; kept while the library is searched or indexed with it.

        Raises:
            EncoderError: it cannot be loaded.
        """
        with self._loading:
            if name not in self._loaded:
                from thisismy.encoders import load_encoder
                from thisismy.encoders.caching import CachingEncoder

                # One search by name asks for the same words several times.
                encoder = CachingEncoder(load_encoder(name, allow_download=allow_download, progress=progress))
                # They are large: there are two only while everything is encoded again with another one.
                used = {self.store.search_encoder.name, self.store.index_settings.encoder}
                self._loaded = {n: held for n, held in self._loaded.items() if n in used} | {name: encoder}
            return self._loaded[name]

    def prepared(self) -> Prepared:
        """The gallery with its encoder and its null scores; while files are indexed, as of a moment ago.

        While everything is encoded again with another encoder, it is the one before with its vectors.
        """
        held = self._cached
        if held is not None and held[1].gallery.encoder_id == self.store.search_encoder.id:
            fresh = held[0] == self.store.generation
            young = self.indexing and time.monotonic() < self._made_at + PATIENCE * self._took
            # Another thread is at it: what is known is better than waiting.
            if fresh or young or (self.indexing and self._preparing.locked()):
                return held[1]
        with self._preparing:
            return self._prepare()

    @contextmanager
    def indexing_files(self) -> Iterator[None]:
        """Inside, this process indexes files; searches of other threads meanwhile do not wait for each."""
        self.indexing = True
        try:
            yield
        finally:
            self.indexing = False

    def _prepare(self) -> Prepared:
        began = time.monotonic()
        generation = self.store.generation
        wanted = replace(self.store.search_encoder, id=self.encoder_id)
        held = self._cached
        if held is None or held[0] != generation or held[1].gallery.encoder_id != wanted.id:
            held = self._cached = (generation, self._pair(wanted))
        self._made_at = time.monotonic()
        self._took = self._made_at - began
        return held[1]

    def _pair(self, wanted: EncoderInUse) -> Prepared:
        from thisismy.retrieval.prepared import prepare

        return prepare(self.store, wanted.id or self.encoder_id, lambda: self._load_as(wanted))

    def search_with(self, wanted: EncoderInUse) -> None:
        """Make ready what a search with an encoder reads; from then on the library is searched with it."""
        with self._preparing:
            self._pair(wanted)
            self.store.search_encoder = None

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
