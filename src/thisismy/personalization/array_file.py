"""Arrays and their description in one safetensors file, which is replaced whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from thisismy.core.atomic_files import write_bytes
from thisismy.core.errors import VocabularyError

FILE_ARGUMENTS = frozenset({"category_features", "set_encoder", "picture_map"})
"""Arguments of methods that name a file."""

KEY = "thisismy"
"""The key of the description among a file's metadata."""

LONGEST_HEADER = 100_000_000
"""Bytes; safetensors allows no longer one."""


def versions() -> dict[str, Any]:
    """The versions that a learned thing was made with."""
    found = {}
    for package in ("thisismy", "numpy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return {"versions": found}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], description: Mapping[str, Any]) -> None:
    """Write ``path``; a reader sees the old file or the new one, whatever happens meanwhile.

    Raises:
        VocabularyError: it cannot be written.
    """
    rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    about = {key: value for key, value in description.items() if key != "sha256"}
    text = json.dumps(about | {"sha256": _checksum(rows, about)}, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, save(rows, metadata={KEY: text}), durable=True)
        _old_description(path).unlink(missing_ok=True)
    except OSError as error:
        raise VocabularyError(f"cannot write {path}: {error.strerror or error}") from error


def read_arrays(path: Path, expected_format: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write_arrays` wrote: arrays and description.

    Files of earlier versions, which have their description in a ``.json`` beside them, are read too.

    Raises:
        VocabularyError: the file is missing, damaged or of another format.
    """
    data = _read(path)
    try:
        description = _header(data).get("__metadata__", {}).get(KEY)
        if description is None:
            return _read_pair(path, data, expected_format)
        about: dict[str, Any] = json.loads(description)
        arrays: dict[str, NDArray[Any]] = load(data)
    except (ValueError, AttributeError, TypeError, SafetensorError) as error:
        raise VocabularyError(f"{path} is damaged ({error}): learn it again") from error
    _check_format(path, about, expected_format)
    if about.pop("sha256", None) != _checksum(arrays, about):
        raise VocabularyError(f"{path} is damaged (its checksum does not match): learn it again")
    return arrays, about


def read_description(path: Path) -> dict[str, Any] | None:
    """The description alone, quickly; None when there is no file, or nothing that can be read of it."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = file.read(length) if length <= LONGEST_HEADER else b""
        text = json.loads(head).get("__metadata__", {}).get(KEY)
        about = json.loads(_old_description(path).read_text(encoding="utf-8") if text is None else text)
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return about if isinstance(about, dict) else None


def _read_pair(
    path: Path, data: bytes, expected_format: str
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and description of a file and the ``.json`` beside it, as earlier versions wrote them."""
    description = json.loads(_read(_old_description(path)))
    arrays: dict[str, NDArray[Any]] = load(data)
    _check_format(path, description, expected_format)
    if description.pop("sha256", None) != hashlib.sha256(data).hexdigest():
        raise VocabularyError(f"{path} and its .json do not belong together: learn it again")
    return arrays, description


def _check_format(path: Path, description: Any, expected: str) -> None:
    if not isinstance(description, dict) or description.get("format") != expected:
        raise VocabularyError(f"{path} is not of the format {expected!r}: learn it again with this version")


def _header(data: bytes) -> dict[str, Any]:
    """The header of a safetensors file.

    Raises:
        ValueError: there is none.
    """
    found = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    if not isinstance(found, dict):
        raise ValueError("its header is not an object")
    return found


def _checksum(arrays: Mapping[str, NDArray[Any]], description: Mapping[str, Any]) -> str:
    """Of every array with its name, type and shape, and of the description."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise VocabularyError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


def _old_description(path: Path) -> Path:
    return path.with_name(path.name + ".json")
