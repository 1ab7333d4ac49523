"""Arrays on disk: a safetensors file and its description as JSON beside it."""

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

from thisismy.core.atomic_files import write_bytes, write_text
from thisismy.core.errors import VocabularyError

FILE_ARGUMENTS = frozenset({"category_features", "set_encoder", "picture_map"})
"""Arguments of methods that name a file."""


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
    """Write ``path`` and ``path`` with ``.json`` added; a crash leaves the old pair or one that is refused.

    Raises:
        VocabularyError: they cannot be written.
    """
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    about = dict(description) | {"sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data, durable=True)
        write_text(_description_path(path), text, durable=True)
    except OSError as error:
        raise VocabularyError(f"cannot write {path}: {error.strerror or error}") from error


def read_arrays(path: Path, expected_format: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write_arrays` wrote: arrays and description.

    Raises:
        VocabularyError: a file is missing, broken, of another format, or the two do not belong together.
    """
    try:
        data = path.read_bytes()
        description = json.loads(_description_path(path).read_text(encoding="utf-8"))
        arrays: dict[str, NDArray[Any]] = load(data)
    except OSError as error:
        raise VocabularyError(f"cannot read {error.filename or path}: {error.strerror or error}") from error
    except (ValueError, SafetensorError) as error:
        raise VocabularyError(f"{path} or its .json is broken ({error}): learn it again") from error
    if not isinstance(description, dict) or description.get("format") != expected_format:
        raise VocabularyError(
            f"{path} is not of the format {expected_format!r}: learn it again with this version"
        )
    if description.pop("sha256", None) != hashlib.sha256(data).hexdigest():
        raise VocabularyError(f"{path} and its .json do not belong together: learn it again")
    return arrays, description


def _description_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")
