"""The files of a library: indexed, listed, described, removed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import LibraryError
from thisismy.core.paths import path_bytes, path_text
from thisismy.core.progress import Progress, silent
from thisismy.services.context import LibraryContext, Tell, quiet
from thisismy.store import browsing, catalog, change_tokens
from thisismy.store.features import frames_of, shots_of
from thisismy.store.folder import add_roots, drop_roots, list_roots
from thisismy.store.settings import EncoderInUse, IndexSettings

if TYPE_CHECKING:
    from thisismy.core.span import Span
    from thisismy.encoders.base import Encoder
    from thisismy.jobs.indexing import IndexReport
    from thisismy.store.browsing import ShotRow, Window
    from thisismy.store.catalog import CatalogEntry, MediaRow


@dataclass(frozen=True)
class LibraryCounts:
    """Videos, photos and shots on disk, and files that failed."""

    videos: int
    photos: int
    shots: int
    failed: int


class FileService:
    """The files of a library."""

    def __init__(self, context: LibraryContext) -> None:
        self._context = context
        self._guard = Lock()
        self._orders: dict[str, tuple[int, list[int]]] = {}
        self._listed: tuple[tuple[Any, ...], list[CatalogEntry]] | None = None

    def all(self) -> list[CatalogEntry]:
        """Every file the library knows, in order of path; read again only when something has changed."""
        store = self._context.store
        encoder_id = store.index_settings.encoder_id
        with store.read() as connection:
            if self._context.indexing:
                # The state of a file changes more often than the token while it is worked on.
                self._listed = None
                return catalog.list_files(connection, encoder_id)
            token = change_tokens.files_token(connection)
            held = self._listed
            if held is None or held[0] != token:
                self._listed = held = (token, catalog.list_files(connection, encoder_id))
        return held[1]

    def add(
        self,
        paths: Sequence[Path] | None = None,
        *,
        progress: Progress = silent,
        tell: Tell = quiet,
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
        from thisismy.encoders import EMBEDDED, choose_encoder
        from thisismy.encoders.embedded.identity import embedded_id
        from thisismy.jobs.indexing import Indexer

        with self._context.store.indexing():
            wanted = replace(self._context.store.index_settings, **settings)
            if wanted.encoder == "auto":
                choice = choose_encoder()
                tell(f"encoder: {choice.name} ({choice.reason})")
                wanted = replace(wanted, encoder=choice.name)
            if "encoder" in settings:
                wanted = replace(wanted, encoder_id=None)
            if paths is None:
                paths = list_roots(self._context.store)
                if not paths:
                    raise LibraryError(
                        f"nothing was added to {self._context.store.folder} yet: name a file or folder"
                    )
            named = "encoder" in settings

            def load() -> Encoder:
                return self._context.load(wanted.encoder, allow_download=named, progress=progress)

            # It comes with the package, so an upgrade may have changed it.
            known = wanted.encoder_id in (None, embedded_id())
            if wanted.encoder == EMBEDDED and not known and wanted.encoder_id != load().id:
                tell("the embedded encoder has changed since: everything is encoded again")
                wanted = replace(wanted, encoder_id=None)
            indexer = Indexer(self._context.store, load, settings=wanted, progress=progress)
            before = self._context.store.search_encoder
            if before.id is not None and wanted.encoder_id is None:
                # Whatever happens from here on, searches go on with what they have until the rest is done.
                self._context.store.search_encoder = before
            with self._context.indexing_files():
                report = indexer.run(paths)
            self._context.store.index_settings = indexer.settings
            self._switch(before, indexer.settings, tell)
            add_roots(self._context.store, [path for path in paths if os.path.exists(path)])
        if indexer.settings.encoder_id is not None:
            self._context.prepared()
        return report

    def _switch(self, before: EncoderInUse, settings: IndexSettings, tell: Tell) -> None:
        """Search with the encoder of the settings from now on, unless files would not be found any more."""
        if settings.encoder_id is None:
            return
        if before.id not in (None, settings.encoder_id):
            with self._context.store.read() as connection:
                rest = catalog.left_behind(connection, before.id or "", settings.encoder_id)
            if rest:
                tell(
                    f"{len(rest)} files are not encoded with {settings.encoder} yet; until they are, "
                    f"everything is searched with {before.name}: run `thisismy add` to encode them too"
                )
                return
        self._context.search_with(EncoderInUse(settings.encoder, settings.encoder_id))

    def describe(self, path: Path) -> dict[str, Any]:
        """What is known of one file: its catalog entry, and "shots" with the times of their frames.

        Raises:
            LibraryError: the library does not know the file.
        """
        name = path_text(path_bytes(path.expanduser().absolute()))
        entry = next((entry for entry in self.all() if entry.path == name), None)
        if entry is None:
            raise LibraryError(
                f"{name} is not in the library {self._context.store.folder}; `thisismy ls` lists what is"
            )
        shots: list[dict[str, Any]] = []
        if entry.media_id is not None:
            with self._context.store.read() as connection:
                times: dict[int, list[float]] = {}
                for frame in frames_of(connection, entry.media_id):
                    times.setdefault(frame.shot_id, []).append(frame.time)
                for row, shot in shots_of(connection, entry.media_id):
                    span = {"start": shot.span.start, "end": shot.span.end}
                    shots.append({"position": shot.index, **span, "frames": times.get(row, [])})
        return {**asdict(entry), "shots": shots}

    def shots(self, shot_ids: Sequence[int]) -> list[ShotRow]:
        """Shots by their rows, in the order asked; those that are gone are left out."""
        with self._context.store.read() as connection:
            found = browsing.shots_by_id(connection, shot_ids)
        return [found[number] for number in shot_ids if number in found]

    def shots_of(self, media_id: int, offset: int, limit: int) -> Window:
        """Shots of one media in order of time."""
        with self._context.store.read() as connection:
            return browsing.shots_of_media(connection, media_id, offset, limit)

    def shot_order(self, order: str = "path") -> list[int]:
        """Ids of all shots, read once for every state of the library.

        Args:
            order: "path", or "date" for the newest first.
        """
        generation = self._context.store.generation
        with self._guard:
            known = self._orders.get(order)
            if known is None or known[0] != generation:
                with self._context.store.read() as connection:
                    known = (generation, browsing.list_shot_ids(connection, order))
                self._orders[order] = known
            return known[1]

    def shots_covering(self, places: Sequence[tuple[str, Span]]) -> list[ShotRow | None]:
        """The shot that shares most with each place (content, span); None where there is none."""
        with self._context.store.read() as connection:
            found = browsing.shots_covering(connection, places)
            shots = browsing.shots_by_id(connection, [number for number in found if number is not None])
        return [None if number is None else shots.get(number) for number in found]

    def media(self, media_id: int) -> MediaRow | None:
        """What is known of a media, None when there is none of this number."""
        with self._context.store.read() as connection:
            return catalog.media_row(connection, media_id)

    def holding(self, media_id: int) -> list[CatalogEntry]:
        """The files that hold one media."""
        store = self._context.store
        encoder_id = store.index_settings.encoder_id
        with store.read() as connection:
            return catalog.list_files(connection, encoder_id, media_id)

    def hashes(self, media_ids: Iterable[int]) -> dict[int, str]:
        """The content hash of each of some media."""
        with self._context.store.read() as connection:
            return catalog.hashes_of(connection, media_ids)

    def media_ids(self, digests: Iterable[str]) -> dict[str, int]:
        """The media with each of some contents; contents that are not in the library are left out."""
        with self._context.store.read() as connection:
            found = {digest: catalog.find_media_id(connection, digest) for digest in set(digests)}
        return {digest: number for digest, number in found.items() if number is not None}

    def counts(self) -> LibraryCounts:
        """Videos, photos and shots on disk, and files that failed."""
        with self._context.store.read() as connection:
            counted = catalog.count_media(connection)
            return LibraryCounts(
                counted.videos, counted.photos, browsing.count_shots(connection), counted.failed
            )

    def bytes_on_disk(self) -> int:
        """Size of all files of the library that are on disk."""
        with self._context.store.read() as connection:
            return catalog.bytes_on_disk(connection)

    def folders(self) -> list[Path]:
        """Files and folders that were added."""
        return list_roots(self._context.store)

    def path_of(self, file_id: int) -> Path | None:
        """Where a file of the catalog is, None when there is none of this number."""
        with self._context.store.read() as connection:
            return catalog.path_of_file(connection, file_id)

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
        with self._context.store.indexing(), self._context.store.write() as connection:
            chosen = set(catalog.missing_files(connection)) if missing else set()
            for path in paths:
                found = catalog.select_files(connection, path)
                if not found:
                    raise LibraryError(
                        f"{path} is not in the library {self._context.store.folder}; nothing was removed"
                    )
                chosen.update(found)
            catalog.remove_files(connection, sorted(chosen))
            drop_roots(connection, paths)
        return len(chosen)
