"""The file that describes a study.

    name = "dev"
    encoder = "embedded"
    seeds = 5
    methods = ["random", "clip-visual", "prototype-context"]

    [variants."default, one step"]      # a row of its own: a method with other arguments
    method = "prototype-context"
    steps = 1

    [variants."meta-tokens, from texts"]
    method = "meta-tokens"
    category_features = "text.safetensors"   # a file, relative to this one

    [[benchmarks]]
    kind = "photos"
    path = "photos-dev"                 # relative to the file, or to --data
    examples = [1, 2]                   # every list makes one table per value
    query = ["text", "image"]
    deal = 3                            # photos of a thing split again by each seed, 3 to learn from

``kind`` is a name of `thisismy.evaluation.datasets.registry`; further keys are the options that the dataset
has there. A setting that is not given is that of the dataset's authors, or else the protocol's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from thisismy.core.errors import BenchmarkError
from thisismy.evaluation.datasets.registry import DATASETS
from thisismy.evaluation.protocols.retrieval import Protocol
from thisismy.personalization.array_file import FILE_ARGUMENTS
from thisismy.personalization.registry import DEFAULT, METHODS

SETTINGS = ("examples", "query", "pooling", "corpus", "deal")
"""Settings of the protocol that a benchmark of a study can give."""


@dataclass(frozen=True)
class Task:
    """A benchmark of a study and the settings it is run with."""

    kind: str
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    protocols: tuple[Protocol, ...] = (Protocol(),)


@dataclass(frozen=True)
class Study:
    """A study as its file describes it.

    Attributes:
        methods: label of a row -> (method, arguments).
        raw: the file's content, kept in the results.
    """

    name: str
    encoder: str
    seeds: int
    methods: Mapping[str, tuple[str, Mapping[str, Any]]]
    tasks: tuple[Task, ...]
    raw: Mapping[str, Any]


def read(path: Path, data: Path | None = None) -> Study:
    """Read a study's file.

    Args:
        path: a TOML file.
        data: folder that paths of benchmarks are relative to; the file's own when None.

    Raises:
        BenchmarkError: the file cannot be read, or something in it is unknown.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BenchmarkError(f"cannot read the study {path}: {error}") from error
    return parse(raw, data or path.parent, str(path), path.parent)


def parse(raw: Mapping[str, Any], data: Path, where: str, folder: Path | None = None) -> Study:
    """A study from the content of its file.

    Args:
        raw: the content.
        data: folder that paths of benchmarks are relative to.
        where: names the study in errors.
        folder: that files among a method's arguments are relative to; the working directory when None.

    Raises:
        BenchmarkError: something in it is unknown, or a file is not there.
    """
    unknown = set(raw) - {"name", "encoder", "seeds", "methods", "variants", "benchmarks"}
    if unknown:
        raise BenchmarkError(f"{where}: a study has no key {min(unknown)!r}")
    methods: dict[str, tuple[str, Mapping[str, Any]]] = {name: (name, {}) for name in raw.get("methods", ())}
    for label, about in raw.get("variants", {}).items():
        arguments = dict(about)
        methods[label] = (
            str(arguments.pop("method", DEFAULT)),
            _with_files(arguments, folder or Path(), where),
        )
    absent = [name for name, _ in methods.values() if name not in METHODS]
    if absent or not methods:
        what = f"no method {absent[0]!r}" if absent else "a study needs methods"
        raise BenchmarkError(f"{where}: {what}; there are: {', '.join(METHODS)}")
    seeds = raw.get("seeds", 5)
    if not isinstance(seeds, int) or seeds < 1:
        raise BenchmarkError(f"{where}: seeds must be a number of runs, 1 or more, not {seeds!r}")
    return Study(
        name=str(raw.get("name", "study")),
        encoder=str(raw.get("encoder", "auto")),
        seeds=seeds,
        methods=methods,
        tasks=tuple(_task(about, data, where) for about in raw.get("benchmarks", ())),
        raw=raw,
    )


def _with_files(arguments: Mapping[str, Any], folder: Path, where: str) -> dict[str, Any]:
    """Arguments with absolute paths of files."""
    found = dict(arguments)
    for name in FILE_ARGUMENTS & {key for key, value in arguments.items() if value}:
        path = (folder / str(arguments[name])).resolve()
        if not path.is_file():
            raise BenchmarkError(f"{where}: there is no file {path} for {name!r}: create it first")
        found[name] = str(path)
    return found


def _task(about: Mapping[str, Any], data: Path, where: str) -> Task:
    kind = str(about.get("kind"))
    if kind not in DATASETS or "path" not in about:
        raise BenchmarkError(
            f"{where}: a benchmark needs a path and a kind, one of {', '.join(DATASETS)}, not {kind!r}"
        )
    dataset = DATASETS[kind]
    options = {key: value for key, value in about.items() if key in dataset.study_options()}
    unknown = set(about) - set(options) - {"kind", "path", *SETTINGS}
    if unknown:
        raise BenchmarkError(f"{where}: the benchmark {kind!r} has no key {min(unknown)!r}")
    dataset.check(options)
    if "images" in options:
        options["images"] = data / options["images"]
    settings = {**dataset.defaults, **{key: about[key] for key in SETTINGS if key in about}}
    lists = {key: value if isinstance(value, list) else [value] for key, value in settings.items()}
    protocols = tuple(
        Protocol(**dict(zip(lists, values, strict=True))) for values in product(*lists.values())
    )
    return Task(kind, data / about["path"], options, protocols)
