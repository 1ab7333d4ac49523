"""Folders of pictures that say what they show, by captions or by the names of folders."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import PLACEHOLDER

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif"})

NAMES = 1000
"""Object names kept of captions, the most frequent ones (PALAVRA)."""


@dataclass(frozen=True)
class NamedPicture:
    """A picture file and what it shows.

    Attributes:
        path: the file.
        name: a common noun, "golden retriever".
        caption: with ``*`` where the name stood; empty where there is none.
    """

    path: Path
    name: str
    caption: str = ""


def read_named_pictures(folder: Path, vocabulary: Iterable[str]) -> list[NamedPicture]:
    """All pictures of a folder whose content is known, in order of path.

    Captions come from ``metadata.jsonl`` (``file_name`` and ``text`` or ``caption``), from ``captions.csv``
    (columns ``file`` and ``caption``), or from ``photo.txt`` beside ``photo.jpg``. The longest name of the
    vocabulary in a caption is what the picture shows. Without captions, the folder of a picture is its name:
    ``golden_retriever/1.jpg``.

    Args:
        folder: looked through with everything under it.
        vocabulary: object names to look for in captions.

    Raises:
        VocabularyError: no such folder, a list of captions is broken, or fewer than two names are found.
    """
    if not folder.is_dir():
        raise VocabularyError(f"no folder {folder} to train on")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    captions = _captions(folder, files)
    found = []
    if captions:
        finder = _Finder(vocabulary)
        told = [(path, finder.find(captions[path])) for path in files if path in captions]
        counts = Counter(name for _, (name, _) in told if name)
        kept = {name for name, _ in counts.most_common(NAMES)}
        found = [NamedPicture(path, name, caption) for path, (name, caption) in told if name in kept]
    else:
        found = [NamedPicture(p, _folder_name(p.parent)) for p in files if p.parent != folder]
    if len({picture.name for picture in found}) < 2:
        raise VocabularyError(
            f"{folder} has {len(files)} pictures and {len({p.name for p in found})} names of things in them: "
            "it needs a folder per thing (golden_retriever/1.jpg), or captions that name things, "
            "in metadata.jsonl, in captions.csv or in a .txt beside each picture"
        )
    return found


class _Finder:
    """Finds the longest name of a vocabulary in a caption, also in the plural."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._names = {name.casefold(): name for name in vocabulary if name}
        self._most = max((len(name.split()) for name in self._names), default=0)

    def find(self, caption: str) -> tuple[str, str]:
        """The name and the caption with ``*`` in its place; two empty strings for none."""
        plain = " ".join(caption.replace(PLACEHOLDER, " ").split())
        words = list(re.finditer(r"[\w'-]+", plain))
        for count in range(min(self._most, len(words)), 0, -1):
            for first in range(len(words) - count + 1):
                start, end = words[first].start(), words[first + count - 1].end()
                text = plain[start:end].casefold()
                for spelling in (text, text.removesuffix("s"), text.removesuffix("es")):
                    if spelling in self._names:
                        return self._names[spelling], f"{plain[:start]}{PLACEHOLDER}{plain[end:]}"
        return "", ""


def _captions(folder: Path, files: list[Path]) -> Mapping[Path, str]:
    listed = folder / "metadata.jsonl"
    if listed.is_file():
        return _from_json_lines(folder, listed)
    table = folder / "captions.csv"
    if table.is_file():
        return _from_table(folder, table)
    beside = {path: path.with_suffix(".txt") for path in files}
    try:
        return {p: text.read_text("utf-8").strip() for p, text in beside.items() if text.is_file()}
    except (OSError, UnicodeDecodeError) as error:
        raise VocabularyError(f"cannot read a caption under {folder}: {error}") from error


def _from_json_lines(folder: Path, path: Path) -> dict[Path, str]:
    captions = {}
    number = 0
    try:
        for line in path.read_text("utf-8").splitlines():
            number += 1
            about = json.loads(line) if line.strip() else {}
            caption = about.get("text") or about.get("caption")
            if caption and "file_name" in about:
                captions[folder / about["file_name"]] = str(caption)
    except (OSError, ValueError, AttributeError) as error:
        raise VocabularyError(f"cannot read {path}: line {number}: {error}") from error
    return captions


def _from_table(folder: Path, path: Path) -> dict[Path, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise VocabularyError(f"cannot read {path}: {error}") from error
    if rows and not {"file", "caption"} <= set(rows[0]):
        raise VocabularyError(f"{path} needs the columns file and caption; it has {', '.join(rows[0])}")
    return {folder / row["file"]: row["caption"] for row in rows if row["file"] and row["caption"]}


def _folder_name(folder: Path) -> str:
    return " ".join(folder.name.replace("_", " ").replace(PLACEHOLDER, " ").split())
