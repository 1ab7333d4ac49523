"""What all verbs stand on: the store, its encoder, and what a search reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from thisismy.core.errors import EncoderMismatchError
from thisismy.core.progress import Progress, silent
from thisismy.store import catalog
from thisismy.store.folder import Store

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.retrieval.prepared import Prepared
    from thisismy.store.catalog import CatalogEntry

Tell = Callable[[str], None]
"""Called with one line a person may want to read."""


def quiet(_line: str) -> None:
    """Tell nobody."""


class Base:
    """A library folder, opened."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._encoder: Encoder | None = None
        self._cached: tuple[int, Prepared] | None = None

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a library that exists.

        Raises:
            LibraryError: there is none, it is damaged, or a newer version wrote it.
        """
        return cls(Store.open(folder))

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Open a library, making it first where there is none.

        Raises:
            LibraryError: the folder cannot be made.
        """
        return cls(Store.create(folder))

    def files(self) -> list[CatalogEntry]:
        """Every file the library knows, in order of path."""
        encoder_id = self.store.index_settings.encoder_id
        with self.store.read() as connection:
            return catalog.list_files(connection, encoder_id)

    @property
    def encoder(self) -> Encoder:
        """The encoder the library was indexed with.

        Raises:
            EncoderError: it cannot be loaded.
            EncoderMismatchError: what its name gives now is not what the library was indexed with.
        """
        if self._encoder is None:
            settings = self.store.index_settings
            encoder = self._load(settings.encoder)
            if settings.encoder_id not in (None, encoder.id):
                raise EncoderMismatchError(
                    f"the library was indexed with {settings.encoder_id}, but {settings.encoder!r} now gives "
                    f"{encoder.id}: run `thisismy add --encoder {settings.encoder}` to encode it again"
                )
            self._encoder = encoder
        return self._encoder

    def _load(self, name: str, *, allow_download: bool = False, progress: Progress = silent) -> Encoder:
        from thisismy.encoders import load_encoder
        from thisismy.encoders.caching import RememberingEncoder

        # One search by name asks for the same words several times.
        return RememberingEncoder(load_encoder(name, allow_download=allow_download, progress=progress))

    def _prepared(self) -> Prepared:
        """The gallery and its background as of now."""
        from thisismy.retrieval.prepared import prepare

        generation = self.store.generation
        if self._cached is None or self._cached[0] != generation:
            encoder_id = self.store.index_settings.encoder_id or self.encoder.id
            self._cached = (generation, prepare(self.store, encoder_id, lambda: self.encoder))
        return self._cached[1]
