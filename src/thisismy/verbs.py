"""The verbs: what the command line, the page and Python programs do with a library, one method each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.errors import EncoderMismatchError, LibraryError
from thisismy.library import catalog
from thisismy.library.paths import path_bytes, path_text
from thisismy.library.store import Store, add_roots, drop_roots, list_roots
from thisismy.library.vectors import frames_of, shots_of
from thisismy.progress import Progress, silent

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.library.catalog import CatalogEntry
    from thisismy.library.indexing import IndexReport
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.prepared import Prepared
    from thisismy.retrieval.results import SearchResult

Tell = Callable[[str], None]
"""Called with one line a person may want to read."""


def _quiet(_line: str) -> None:
    """Tell nobody."""


class Library:
    """A folder that knows your videos and photos.

    Example:
        >>> library = Library.create(Path("~/my-library"))  # doctest: +SKIP
        >>> library.add([Path("~/Videos")])  # doctest: +SKIP
        >>> library.search("a dog on a beach").hits[0].path  # doctest: +SKIP
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._encoder: Encoder | None = None
        self._cached: tuple[int, Prepared] | None = None

    @classmethod
    def open(cls, folder: Path) -> Library:
        """Open a library that exists.

        Raises:
            LibraryError: there is none, it is damaged, or a newer version wrote it.
        """
        return cls(Store.open(folder))

    @classmethod
    def create(cls, folder: Path) -> Library:
        """Open a library, making it first where there is none.

        Raises:
            LibraryError: the folder cannot be made.
        """
        return cls(Store.create(folder))

    def add(
        self,
        paths: Sequence[Path] | None = None,
        *,
        progress: Progress = silent,
        tell: Tell = _quiet,
        **settings: Any,
    ) -> IndexReport:
        """Index files and folders; with no paths, all that were added before.

        Args:
            paths: files and folders. They are remembered.
            progress: told of each stage.
            tell: told which encoder was chosen and why.
            settings: fields of ``IndexSettings`` to change for this library from now on.

        Raises:
            LibraryError: the library cannot be written, or nothing was ever added.
            EncoderError: the encoder cannot be loaded.
        """
        from thisismy.encoders import choose_encoder
        from thisismy.library.indexing import Indexer

        with self.store.indexing():
            wanted = replace(self.store.index_settings, **settings)
            if wanted.encoder == "auto":
                choice = choose_encoder()
                tell(f"encoder: {choice.name} ({choice.reason})")
                wanted = replace(wanted, encoder=choice.name)
            if "encoder" in settings:
                wanted = replace(wanted, encoder_id=None)
            if paths is None:
                paths = list_roots(self.store)
                if not paths:
                    raise LibraryError(f"nothing was added to {self.store.folder} yet: name a file or folder")
            named = "encoder" in settings

            def load() -> Encoder:
                return self._load(wanted.encoder, allow_download=named, progress=progress)

            indexer = Indexer(self.store, load, settings=wanted, progress=progress)
            report = indexer.run(paths)
            self.store.index_settings = indexer.settings
            add_roots(self.store, [path for path in paths if path.exists()])
        if indexer.settings.encoder_id is not None:
            self._prepared()
        return report

    def search(
        self,
        text: str = "",
        *,
        images: Sequence[Path] = (),
        k: int = 20,
        by: str = "shot",
        cutoff: float = 0.95,
        fold: bool = True,
        filters: Filters | None = None,
    ) -> SearchResult:
        """Find shots by words, by pictures, or by both.

        Args:
            text: what to look for.
            images: photos of what to look for.
            k: hits wanted.
            by: "shot" or "frame"; see ``SearchOptions``.
            cutoff: share of unrelated pairs a hit must beat; 0 shows everything.
            fold: fold near-duplicates into the best of them.
            filters: which files count.

        Raises:
            QueryError: the query or an option makes no sense.
            MediaError: a picture cannot be read.
            LibraryError: the library cannot be read.
        """
        from thisismy.media.photos import read_photo
        from thisismy.retrieval.results import describe_hits
        from thisismy.retrieval.search import Found, Query, SearchOptions, find

        options = SearchOptions(k=k, by=by, cutoff=cutoff, fold=fold)
        query = Query(text, tuple(read_photo(path) for path in images))
        prepared = self._prepared()
        gallery = prepared.gallery
        found = Found()
        if prepared.background is not None:
            allowed = None
            if filters is not None and filters.any:
                allowed = np.isin(gallery.media_ids, list(filters.media_ids(self.files())))
            found = find(query, gallery, self.encoder, prepared.background, options, allowed)
        return describe_hits(self.store, gallery, query, found)

    def files(self) -> list[CatalogEntry]:
        """Every file the library knows, in order of path."""
        encoder_id = self.store.index_settings.encoder_id
        with self.store.read() as connection:
            return catalog.list_files(connection, encoder_id)

    def describe(self, path: Path) -> dict[str, Any]:
        """What is known of one file: its catalog entry, and "shots" with the times of their frames.

        Raises:
            LibraryError: the library does not know the file.
        """
        name = path_text(path_bytes(path.expanduser().absolute()))
        entry = next((entry for entry in self.files() if entry.path == name), None)
        if entry is None:
            raise LibraryError(
                f"{name} is not in the library {self.store.folder}; `thisismy ls` lists what is"
            )
        shots: list[dict[str, Any]] = []
        if entry.media_id is not None:
            with self.store.read() as connection:
                times: dict[int, list[float]] = {}
                for frame in frames_of(connection, entry.media_id):
                    times.setdefault(frame.shot_id, []).append(frame.time)
                for row, shot in shots_of(connection, entry.media_id):
                    span = {"start": shot.span.start, "end": shot.span.end}
                    shots.append({"position": shot.index, **span, "frames": times.get(row, [])})
        return {**asdict(entry), "shots": shots}

    def remove(self, paths: Sequence[Path], *, missing: bool = False) -> int:
        """Forget files, and all files under folders, with what was derived from them; disk is not touched.

        Args:
            paths: files and folders.
            missing: forget every file that is gone from disk as well.

        Returns:
            The number of files forgotten.

        Raises:
            LibraryError: a path is not in the library; then nothing is forgotten.
        """
        with self.store.indexing(), self.store.write() as connection:
            chosen = set(catalog.missing_files(connection)) if missing else set()
            for path in paths:
                found = catalog.select_files(connection, path)
                if not found:
                    raise LibraryError(
                        f"{path} is not in the library {self.store.folder}; nothing was removed"
                    )
                chosen.update(found)
            catalog.remove_files(connection, sorted(chosen))
            drop_roots(connection, paths)
        return len(chosen)

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
                    f"{encoder.id}: run `thisismy add` once to encode it again"
                )
            self._encoder = encoder
        return self._encoder

    def _load(self, name: str, *, allow_download: bool = False, progress: Progress = silent) -> Encoder:
        from thisismy.encoders import load_encoder

        encoder: Encoder = load_encoder(name, allow_download=allow_download, progress=progress)
        return encoder

    def _prepared(self) -> Prepared:
        """The gallery and its background as of now."""
        from thisismy.retrieval.prepared import prepare

        generation = self.store.generation
        if self._cached is None or self._cached[0] != generation:
            encoder_id = self.store.index_settings.encoder_id or self.encoder.id
            self._cached = (generation, prepare(self.store, encoder_id, lambda: self.encoder))
        return self._cached[1]
