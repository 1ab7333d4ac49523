"""What every benchmark is made of, whatever its files look like."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span
from thisismy.encoders.base import PLACEHOLDER
from thisismy.personalization.base import GENERIC_PROMPT

Kind = Literal["generic", "contextual"]


@dataclass(frozen=True)
class Cutout:
    """The part of a picture that shows one object.

    Attributes:
        mask: an indexed picture of the same size.
        value: pixel value of the object in it.
        grow: the tight box is widened by this share of its width and height on every side; 0 keeps it.
    """

    mask: Path
    value: int
    grow: float = 0.0


@dataclass(frozen=True)
class Media:
    """Where an item's pictures come from.

    Attributes:
        path: a photo or a video.
        span: the part of a video; None for a photo or a whole video.
        video: whether ``path`` is a video.
        cutout: the part of a photo; None for the whole.
        scanned_by: id of the shot detector whose scan kept the frames; empty where they are decoded at evenly
            spread times.
    """

    path: Path
    span: Span | None = None
    video: bool = False
    cutout: Cutout | None = None
    scanned_by: str = ""


@dataclass(frozen=True)
class Item:
    """A photo or a shot.

    Attributes:
        id: unique in the benchmark.
        media: None when the files are not here and features must come from a features file.
        video: the video it is a part of; None for a photo that stands alone.
    """

    id: str
    media: Media | None
    video: str | None = None


@dataclass(frozen=True)
class Instance:
    """A named thing; ``examples`` are the ids of the items it may be learned from."""

    id: str
    name: str
    category: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A question about one instance.

    Attributes:
        id: unique in the benchmark.
        instance: id of the instance.
        prompt: text with ``*`` where the name goes.
        relevant: ids of the gallery items that answer it.
        kind: ``generic`` asks for the instance alone, ``contextual`` for it in one situation.
        missing: right answers that no gallery item stands for; they count as never found.
    """

    id: str
    instance: str
    prompt: str
    relevant: tuple[str, ...]
    kind: Kind
    missing: int = 0


@dataclass(frozen=True)
class Benchmark:
    """A gallery, the instances to learn and the queries to answer.

    Attributes:
        name: of the benchmark and its split.
        items: every item, by id.
        gallery: ids of what is ranked, in a fixed order.
        negatives: ids of items known to show none of the instances, for methods that learn from them.
        source: one sentence that says where the media can be had.
        shared_videos: why examples and gallery come from the same videos, in a benchmark that is made so;
            empty everywhere else, and then it is an error.
        unlearned: ids of instances without examples (mining did not find them); their queries score 0.
        facts: counts and settings worth keeping in a result.

    Raises:
        BenchmarkError: an id is unknown or double, a prompt has no ``*``, a query has no answer.
    """

    name: str
    items: Mapping[str, Item]
    gallery: tuple[str, ...]
    instances: tuple[Instance, ...]
    queries: tuple[Query, ...]
    negatives: tuple[str, ...] = ()
    source: str = ""
    shared_videos: str = ""
    unlearned: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_ids()
        gallery = set(self.gallery)
        known = {i.id for i in self.instances} | self.unlearned
        for query in self.queries:
            where = f"{self.name}: query {query.id!r}"
            if query.instance not in known:
                raise BenchmarkError(f"{where} asks for the unknown instance {query.instance!r}")
            if PLACEHOLDER not in query.prompt:
                raise BenchmarkError(f"{where} has no {PLACEHOLDER!r} in its text {query.prompt!r}")
            if not query.relevant and not query.missing:
                raise BenchmarkError(f"{where} has no right answer")
            outside = [item for item in query.relevant if item not in gallery]
            if outside:
                raise BenchmarkError(f"{where}: its answer {outside[0]!r} is not in the gallery")

    def _check_ids(self) -> None:
        for what, ids in (
            ("gallery item", self.gallery),
            ("instance", [i.id for i in self.instances]),
            ("instance name", [i.name for i in self.instances]),
            ("query", [q.id for q in self.queries]),
        ):
            double = [key for key, count in Counter(ids).items() if count > 1]
            if double:
                raise BenchmarkError(f"{self.name}: the {what} {double[0]!r} is given twice")
        for instance in self.instances:
            if not instance.examples:
                raise BenchmarkError(f"{self.name}: the instance {instance.name!r} has no examples")
        used = [*self.gallery, *self.negatives, *(e for i in self.instances for e in i.examples)]
        unknown = next((item for item in used if item not in self.items), None)
        if unknown is not None:
            raise BenchmarkError(f"{self.name}: the item {unknown!r} is not described")

    def used(self) -> tuple[Item, ...]:
        """Every item that a run needs features of: gallery, examples, negatives; each once."""
        ids = [*self.gallery, *(e for i in self.instances for e in i.examples), *self.negatives]
        return tuple(self.items[key] for key in dict.fromkeys(ids))

    def videos(self, ids: Iterable[str]) -> set[str]:
        """The videos that items are parts of."""
        return {video for key in ids if (video := self.items[key].video) is not None}

    def gallery_for(self, instance: Instance) -> tuple[str, ...]:
        """The gallery for an instance: nothing from a video that holds one of its examples.

        Raises:
            BenchmarkError: that would take away a right answer of one of its queries.
        """
        if self.shared_videos:
            return self.gallery
        own, examples = self.videos(instance.examples), set(instance.examples)
        kept = tuple(k for k in self.gallery if k not in examples and self.items[k].video not in own)
        gone = set(self.gallery) - set(kept)
        for query in self.queries:
            if query.instance == instance.id and gone.intersection(query.relevant):
                raise BenchmarkError(
                    f"{self.name}: an answer of query {query.id!r} is an example of {instance.name!r} or "
                    "comes from the same video; examples and gallery must be apart"
                )
        return kept


def generic_query(instance: Instance | str, relevant: Iterable[str], missing: int = 0) -> Query:
    """The generic query of an instance."""
    key = instance if isinstance(instance, str) else instance.id
    return Query(f"generic/{key}", key, GENERIC_PROMPT, tuple(relevant), "generic", missing)


def require_folder(folder: Path, files: Iterable[str], source: str) -> None:
    """Check that a folder has its files.

    Raises:
        BenchmarkError: names every file that is not there and where to get it.
    """
    if not folder.is_dir():
        raise BenchmarkError(f"no folder {folder}; {source}")
    absent = [name for name in files if not (folder / name).is_file()]
    if absent:
        raise BenchmarkError(f"{folder} lacks {', '.join(absent)}; {source}")


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        BenchmarkError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"cannot read {path}: {error}") from error


def read_csv(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV file with a header.

    Raises:
        BenchmarkError: it cannot be read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            absent = [c for c in columns if c not in (reader.fieldnames or [])]
            if absent:
                raise BenchmarkError(f"{path} has no column {', '.join(absent)}")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"cannot read {path}: {error}") from error
