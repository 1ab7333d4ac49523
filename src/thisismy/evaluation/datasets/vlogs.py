"""`vlog-gt-1`: narrated videos with full truth; everything is run from the video files.

Per video ``NAME.mp4`` with subtitles and the truth ``NAME.json`` (``shots``, ``mentions``); for all of them
``instances.json`` and ``queries.json``. An instance is learned only from shots of the video that names it;
its gallery is all shots of all other videos.

**When a hit is right.** A shot found by a detector stands for a target shot when the two share more than
half of the longer one. That is more than half of each, so a whole video returned as one shot is not right, a
sliver of a shot is not either, and no target can be found twice. A target without such a shot counts as never
found.

**Negatives** are the shots of the naming videos that are nobody's examples. They are in no gallery of the
instances their video names; for the others the protocol leaves them out (see
`thisismy.evaluation.protocols.retrieval`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span

from .base import Benchmark, Instance, Item, Media, Query, generic_query, read_json, require_folder

FORMAT = "vlog-gt-1"


@dataclass(frozen=True)
class Mention:
    """A naming in the narration.

    Attributes:
        span: when it is said.
        text: what is said.
        instance: whom it names; None when it is nothing visible.
        kind: ``visual_shown``, ``visual_not_shown``, ``non_visual``, ``negated`` or ``someone_elses``.
    """

    span: Span
    text: str
    instance: str | None
    kind: str


@dataclass(frozen=True)
class Vlog:
    """One video with its truth.

    Attributes:
        name: the file's name without suffix.
        path: the video file.
        shots: true shots in order.
        shows: instance id of each shot, None where there is none.
        mentions: in order.
    """

    name: str
    path: Path
    shots: tuple[Span, ...]
    shows: tuple[str | None, ...]
    mentions: tuple[Mention, ...]


@dataclass(frozen=True)
class Target:
    """A true shot, by video and index."""

    video: str
    shot: int


@dataclass(frozen=True)
class Subject:
    """A named instance: the videos that name it and the true shots there that show it."""

    id: str
    name: str
    category: str
    naming_videos: tuple[str, ...]
    examples: tuple[Target, ...]


@dataclass(frozen=True)
class VlogQuery:
    """A question; ``prompt`` is None for the instance alone."""

    subject: str
    prompt: str | None
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Vlogs:
    """The whole set as its files describe it."""

    folder: Path
    videos: Mapping[str, Vlog]
    subjects: tuple[Subject, ...]
    queries: tuple[VlogQuery, ...]


Shots = Mapping[str, Sequence[Span]]
"""Video name -> its shots in order."""

Examples = Mapping[str, Sequence[tuple[str, int]]]
"""Instance id -> (video, index of the shot in `Shots`)."""


def read(folder: Path) -> Vlogs:
    """Read the truth of a set of vlogs.

    Raises:
        BenchmarkError: a file is missing, not of this format, or lacks a field.
    """
    source = f"a set {FORMAT!r} has instances.json, queries.json and NAME.mp4 with NAME.json per video"
    require_folder(folder, ("instances.json", "queries.json"), source)
    instances, queries = read_json(folder / "instances.json"), read_json(folder / "queries.json")
    try:
        subjects = tuple(_subject(key, about) for key, about in instances.items())
        asked = tuple(_query(q) for q in queries)
        videos = _videos(folder, source)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BenchmarkError(f"{folder} is not a whole set of the format {FORMAT!r}: {error!r}") from error
    named = {t.video for q in asked for t in q.targets} | {v for s in subjects for v in s.naming_videos}
    absent = sorted(named - set(videos))
    if absent:
        raise BenchmarkError(f"{folder} lacks {', '.join(f'{v}.json' for v in absent)}; {source}")
    return Vlogs(folder, videos, subjects, asked)


def true_shots(vlogs: Vlogs) -> Shots:
    """The shots as the truth has them."""
    return {name: vlog.shots for name, vlog in vlogs.videos.items()}


def given_examples(vlogs: Vlogs, shots: Shots) -> Examples:
    """Every example the truth knows in the naming videos, as the shots that stand for it.

    An instance of which no shot stands for any example is left out.
    """
    found: dict[str, list[tuple[str, int]]] = {}
    for subject in vlogs.subjects:
        for target in subject.examples:
            index = standing_for(vlogs.videos[target.video].shots[target.shot], shots[target.video])
            if index is not None:
                found.setdefault(subject.id, []).append((target.video, index))
    return found


def standing_for(target: Span, shots: Sequence[Span]) -> int | None:
    """Index of the shot that shares more than half of the longer of the two with a target, or None."""
    for index, shot in enumerate(shots):
        if target.overlap(shot) > max(target.duration, shot.duration) / 2:
            return index
    return None


def build(
    vlogs: Vlogs,
    shots: Shots,
    examples: Examples,
    *,
    name: str = "",
    mined: Mapping[str, str] | None = None,
    scanned_by: str = "",
) -> Benchmark:
    """Turn the truth, the shots of an index and the examples of each instance into a benchmark.

    Args:
        vlogs: the truth.
        shots: what is ranked; the true shots or what a detector found.
        examples: what is learned from; given or mined. An instance without any stays unlearned: its
            queries score 0.
        name: what to call the result.
        mined: instance id -> category, when the examples were mined. Given examples come with the knowledge
            which other shots of the naming videos show an instance, and those are not negatives; with mined
            ones nobody knows. None: they are given.
        scanned_by: id of the detector that found the shots; features of the frames its scan kept must be in
            the features file. Empty: frames are decoded when they are needed.
    """
    items = {
        item_id(video, span): Item(
            item_id(video, span),
            Media(vlogs.videos[video].path, span, video=True, scanned_by=scanned_by),
            video,
        )
        for video, spans in shots.items()
        for span in spans
    }
    known = {s.id: s for s in vlogs.subjects if examples.get(s.id)}
    chosen = {key: tuple(item_id(v, shots[v][i]) for v, i in examples[key]) for key in known}
    categories = {key: s.category for key, s in known.items()} | dict(mined or {})
    queries = []
    for n, query in enumerate(vlogs.queries):
        targets = [vlogs.videos[t.video].shots[t.shot] for t in query.targets]
        stand = [
            (t.video, standing_for(span, shots[t.video]))
            for t, span in zip(query.targets, targets, strict=True)
        ]
        relevant = tuple(item_id(v, shots[v][i]) for v, i in stand if i is not None)
        missing = len(targets) - len(relevant)
        if query.prompt is None:
            queries.append(generic_query(query.subject, relevant, missing))
        else:
            key = f"contextual/{n:03d}/{query.subject}"
            queries.append(Query(key, query.subject, query.prompt, relevant, "contextual", missing))
    return Benchmark(
        name=name or vlogs.folder.resolve().name,
        items=items,
        gallery=tuple(items),
        instances=tuple(Instance(k, s.name, categories[k], chosen[k]) for k, s in known.items()),
        queries=tuple(queries),
        negatives=_negatives(vlogs, shots, chosen, mined is not None),
        source=f"the videos belong into {vlogs.folder}",
        unlearned=frozenset(s.id for s in vlogs.subjects if s.id not in known),
        facts={
            "videos": len(shots),
            "shots": len(items),
            "instances": len(known),
            "targets without a shot": sum(q.missing for q in queries if q.kind == "generic"),
        },
    )


def item_id(video: str, span: Span) -> str:
    """Id of a shot: its video and its times in milliseconds."""
    return f"{video}@{round(span.start * 1000)}-{round(span.end * 1000)}"


def _negatives(
    vlogs: Vlogs, shots: Shots, chosen: Mapping[str, Sequence[str]], mined: bool
) -> tuple[str, ...]:
    """Shots of naming videos that are not examples, less those known to show an instance."""
    taken = {key for keys in chosen.values() for key in keys}
    naming = dict.fromkeys(v for s in vlogs.subjects for v in s.naming_videos)
    found = []
    for video in naming:
        truth = vlogs.videos[video]
        labelled = zip(truth.shots, truth.shows, strict=True)
        shown = [] if mined else [span for span, who in labelled if who is not None]
        for span in shots[video]:
            if item_id(video, span) not in taken and not any(span.overlap(s) for s in shown):
                found.append(item_id(video, span))
    return tuple(found)


def _subject(key: str, about: dict[str, Any]) -> Subject:
    examples = tuple(Target(p["video"], int(p["shot"])) for p in about["positives"] if p["in_naming_video"])
    return Subject(key, about["spoken"], about["class"], tuple(about["naming_videos"]), examples)


def _query(about: dict[str, Any]) -> VlogQuery:
    prompt = None if about["type"] == "instance" else str(about["text"])
    targets = tuple(Target(t["video"], int(t["shot"])) for t in about["targets"])
    return VlogQuery(about["instance"], prompt, targets)


def _videos(folder: Path, source: str) -> dict[str, Vlog]:
    videos = {}
    for path in sorted(folder.glob("*.json")):
        data = read_json(path)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            continue
        video = path.with_suffix(".mp4")
        if not video.is_file():
            raise BenchmarkError(f"{folder} lacks {video.name}; {source}")
        videos[path.stem] = Vlog(
            path.stem,
            video,
            tuple(Span(float(s["start"]), float(s["end"])) for s in data["shots"]),
            tuple(s["instance"] for s in data["shots"]),
            tuple(
                Mention(Span(float(m["start"]), float(m["end"])), m["text"], m["instance"], m["kind"])
                for m in data["mentions"]
            ),
        )
    if not videos:
        raise BenchmarkError(f"{folder} has no video with a truth file; {source}")
    return videos
