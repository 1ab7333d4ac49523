"""Files that can always be made again: where they go, and small facts kept from one run to the next."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from thisismy.core.atomic_files import write_text

CACHE_VARIABLE = "THISISMY_CACHE"
"""Environment variable that names the folder for files that can always be made again."""

FACTS_KEPT = 256


def cache_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Where derived files go: the argument, else ``THISISMY_CACHE``, else the platform's cache folder."""
    if folder is not None:
        return Path(folder)
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "thisismy"


class CachedFacts:
    """Small facts that cost time to find, in one JSON file of the cache folder.

    It never raises: a file that is missing, damaged or cannot be written only means that the fact is found
    again next time. Of two processes that write at once one may win; its file is whole.

    Args:
        name: of the file, without ending.
        folder: see `cache_folder`.
    """

    def __init__(self, name: str, folder: str | os.PathLike[str] | None = None) -> None:
        self._name, self._folder = name, folder

    def get(self, key: str) -> Any:
        """The fact, as JSON gives it back; None when it is not there."""
        return self._read().get(key)

    def put(self, key: str, fact: Any) -> None:
        """Keep a fact, any value that JSON can hold; of more than `FACTS_KEPT` the oldest are dropped."""
        facts = self._read()
        facts.pop(key, None)
        facts[key] = fact
        kept = dict(list(facts.items())[-FACTS_KEPT:])
        try:
            path = self._path()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps(kept, indent=1))
        except (OSError, RuntimeError):
            return

    def _path(self) -> Path:
        return cache_folder(self._folder) / f"{self._name}.json"

    def _read(self) -> dict[str, Any]:
        # RuntimeError: the user has no home folder. ValueError: not JSON, or not UTF-8.
        try:
            facts = json.loads(self._path().read_text("utf-8"))
        except (OSError, RuntimeError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}
