"""This-Is-My, the benchmark of Yeh et al. (2023), from the annotations released with the paper.

Files (github.com/danielchyeh/this-is-my, folder ``this-is-my-dataset``): ``segments.csv`` (22,114 segments
of YouTube videos, 15 of them labelled anchors where an instance is named), ``this-is-my_test-set.json``
(anchor -> segments that show the instance) and ``this-is-my_eval-captions.csv`` (30 captions). The split is
the released one: what is labelled and lies in a video with an anchor is training, the other labelled
segments are to be found, all other segments of videos with labels are distractors. 13 segments carry two
instances and are right for both.

One thing differs from the released loader: the 387 distractors from the 15 training videos are not in the
gallery, where they would share a video with the examples. They are the negatives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span

from .base import Benchmark, Instance, Item, Media, Query, generic_query, read_csv, read_json, require_folder

SEGMENTS, LABELS, CAPTIONS = "segments.csv", "this-is-my_test-set.json", "this-is-my_eval-captions.csv"
SOURCE = (
    "the annotations are at https://github.com/danielchyeh/this-is-my (this-is-my-dataset); the videos are "
    "on YouTube by their video_id; put clips into clips/SEGMENT_ID.mp4 or videos into videos/VIDEO_ID*.mp4"
)


@dataclass(frozen=True)
class Segment:
    """One row of ``segments.csv``; ``span`` is in seconds of the whole video."""

    id: str
    video: str
    span: Span
    name: str
    category: str


@dataclass(frozen=True)
class Split:
    """The released split.

    Attributes:
        instances: per instance, in the order of the CSV: the anchor and all its entries, anchor first.
        train: entries (instance index, segment id) in a video that holds an anchor.
        test: the other entries.
        distractors: unlabelled segments of every video with a label.
    """

    instances: tuple[tuple[Segment, tuple[str, ...]], ...]
    train: tuple[tuple[int, str], ...]
    test: tuple[tuple[int, str], ...]
    distractors: tuple[str, ...]


def read(folder: Path) -> Benchmark:
    """Read the benchmark.

    Args:
        folder: with the three files, and ``clips/`` or ``videos/`` unless features come from a file.

    Raises:
        BenchmarkError: a file is missing or names a segment that ``segments.csv`` does not have.
    """
    require_folder(folder, (SEGMENTS, LABELS, CAPTIONS), SOURCE)
    segments = _segments(folder / SEGMENTS)
    parts = split(segments, folder)
    training_videos = {segments[key].video for _, key in parts.train}
    train, test = _by_instance(parts.train), _by_instance(parts.test)
    instances = tuple(
        Instance(str(i), anchor.name, anchor.category, tuple(train[i]))
        for i, (anchor, _) in enumerate(parts.instances)
    )
    negatives = tuple(k for k in parts.distractors if segments[k].video in training_videos)
    gallery = dict.fromkeys(key for _, key in parts.test)
    gallery.update(dict.fromkeys(k for k in parts.distractors if segments[k].video not in training_videos))
    queries = [generic_query(i, test[int(i.id)]) for i in instances]
    for n, row in enumerate(read_csv(folder / CAPTIONS, ("segs", "ids", "item", "class", "caption"))):
        queries.append(
            Query(
                f"contextual/{n:03d}/{row['ids']}", row["ids"], row["caption"], (row["segs"],), "contextual"
            )
        )
    media = _MediaFinder(folder)
    used = [*gallery, *negatives, *(key for _, key in parts.train)]
    return Benchmark(
        name="this-is-my",
        items={k: Item(k, media.find(segments[k]), segments[k].video) for k in used},
        gallery=tuple(gallery),
        instances=instances,
        queries=tuple(queries),
        negatives=negatives,
        source=SOURCE,
        facts={
            "train entries": len(parts.train),
            "test entries": len(parts.test),
            "distractors": len(parts.distractors),
            "negatives": len(negatives),
            "gallery": len(gallery),
        },
    )


def split(segments: dict[str, Segment], folder: Path) -> Split:
    """Split labelled segments as the released code does.

    Raises:
        BenchmarkError: a label names an unknown segment.
    """
    labels = read_json(folder / LABELS)
    unknown = [
        key for key in [*labels, *(k for keys in labels.values() for k in keys)] if key not in segments
    ]
    if unknown:
        raise BenchmarkError(f"{folder / LABELS} names the segment {unknown[0]}, which {SEGMENTS} lacks")
    anchors = [segments[key] for key in segments if key in labels]
    instances = tuple((anchor, (anchor.id, *labels[anchor.id])) for anchor in anchors)
    training_videos = {anchor.video for anchor in anchors}
    entries = [(i, key) for i, (_, keys) in enumerate(instances) for key in keys]
    labelled = {key for _, key in entries}
    videos = {segments[key].video for key in labelled}
    return Split(
        instances,
        tuple(e for e in entries if segments[e[1]].video in training_videos),
        tuple(e for e in entries if segments[e[1]].video not in training_videos),
        tuple(s.id for s in segments.values() if s.id not in labelled and s.video in videos),
    )


def _segments(path: Path) -> dict[str, Segment]:
    columns = ("segment_id", "instance_name", "video_id", "start_time", "end_time", "query")
    segments = {}
    for number, row in enumerate(read_csv(path, columns), start=2):
        try:
            span = Span(float(row["start_time"]), float(row["end_time"]))
        except ValueError as error:
            raise BenchmarkError(f"{path}, line {number}: {error}") from error
        key = row["segment_id"]
        segments[key] = Segment(key, row["video_id"], span, row["instance_name"], row["query"])
    return segments


def _by_instance(entries: tuple[tuple[int, str], ...]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for instance, key in entries:
        if key not in found[instance]:
            found[instance].append(key)
    return found


class _MediaFinder:
    """Looks both folders through once."""

    def __init__(self, folder: Path) -> None:
        self._clips = {p.stem: p for p in sorted((folder / "clips").glob("*.*"))}
        # A YouTube id is 11 characters; the downloader appends the title.
        self._videos = {p.name[:11]: p for p in sorted((folder / "videos").glob("*.*"))}

    def find(self, segment: Segment) -> Media | None:
        if segment.id in self._clips:
            return Media(self._clips[segment.id], video=True)
        if segment.video in self._videos:
            return Media(self._videos[segment.video], segment.span, video=True)
        return None
