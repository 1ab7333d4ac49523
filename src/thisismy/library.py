"""A library as programs use it: a handful of services over one folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from thisismy.core.errors import LibraryError
from thisismy.core.paths import bytes_under
from thisismy.services.context import LibraryContext
from thisismy.services.example_features import ExampleFeatures
from thisismy.services.files import FileService
from thisismy.services.instances import InstanceService
from thisismy.services.learning import LearningService
from thisismy.services.mentions import MentionService
from thisismy.services.searching import SearchService
from thisismy.services.transcripts import TranscriptService
from thisismy.store import change_tokens
from thisismy.store.folder import Store

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.store.settings import IndexSettings


@dataclass(frozen=True)
class DiskUse:
    """Bytes.

    Attributes:
        media: of the files of the library that are on disk.
        database: of the library's rows.
        cache: of what can be made again.
        vocabulary: of what was learned.
        free: left on the disk that holds the library.
    """

    media: int
    database: int
    cache: int
    vocabulary: int
    free: int


class Library:
    """A folder that knows your videos and photos; any number of threads may use it at once.

    Attributes:
        files: index, list, describe and remove files.
        transcripts: what is said.
        mentions: what people name, mined from transcripts.
        instances: named things and their examples.
        learning: what was learned of them.
        search: finding moments.

    Example:
        >>> library = Library.create(Path("~/my-library"))  # doctest: +SKIP
        >>> library.files.add([Path("~/Videos")])  # doctest: +SKIP
        >>> library.search.find("a dog on a beach").hits[0].path  # doctest: +SKIP
    """

    def __init__(self, store: Store) -> None:
        self.context = LibraryContext(store)
        features = ExampleFeatures(self.context)
        self.files = FileService(self.context)
        self.transcripts = TranscriptService(self.context)
        self.mentions = MentionService(self.context, self.transcripts)
        self.learning = LearningService(self.context, features)
        self.instances = InstanceService(self.context, features, self.learning)
        self.search = SearchService(self.context, self.files, self.instances, self.learning)

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

    @property
    def store(self) -> Store:
        """The rows of the library."""
        return self.context.store

    @property
    def encoder(self) -> Encoder:
        """The encoder the library was indexed with; see `LibraryContext.encoder`."""
        return self.context.encoder

    @property
    def folder(self) -> Path:
        """Where the library is."""
        return self.context.store.folder

    @property
    def cache(self) -> Path:
        """Folder inside it for what can be made again."""
        return self.context.store.cache

    @property
    def settings(self) -> IndexSettings:
        """How its files are indexed; `FileService.add` changes them."""
        return self.context.store.index_settings

    @property
    def generation(self) -> int:
        """A number that grows whenever what can be found changes."""
        return self.context.store.generation

    def is_indexed_elsewhere(self) -> bool:
        """Whether somebody is indexing the library now, in another program say."""
        try:
            with self.context.store.indexing(wait=False):
                return False
        except LibraryError:
            return True

    def disk_use(self) -> DiskUse:
        """What the files and the library take on disk, and what is free."""
        return DiskUse(
            media=self.files.bytes_on_disk(),
            database=sum(file.stat().st_size for file in self.folder.glob("library.db*")),
            cache=bytes_under(self.cache),
            vocabulary=bytes_under(self.learning.path.parent),
            free=shutil.disk_usage(self.folder).free,
        )

    def change_tokens(self) -> dict[str, Any]:
        """For each kind of thing, what becomes another value whenever something of the kind changes.

        Kinds are "library", "instances", "mentions", "transcripts" and "vocabulary".
        """
        try:
            learned = self.learning.path.stat().st_mtime_ns
        except OSError:
            learned = 0
        with self.store.read() as connection:
            return {**change_tokens.change_tokens(connection), "vocabulary": learned}

    def close(self) -> None:
        """Let go of the library's files."""
        self.context.close()
