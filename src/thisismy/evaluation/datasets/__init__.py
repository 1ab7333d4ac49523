"""The benchmarks by the names they have on the command line; one reader per file."""

from __future__ import annotations

BENCHMARKS = {
    "photos": "your own photos with captions, described by one JSON file (thisismy-photos/1)",
    "vlogs": "narrated videos with full truth (vlog-gt-1): indexing, mining, learning and retrieval",
    "this-is-my": "the paper's benchmark: 15 instances of 10 channels, 30 captions, 4,976 segments",
    "deepfashion2": "PerVL-DeepFashion2: 50 garments, 221 captioned photos",
    "ytvos": "PerVL-YTVOS: 252 objects of YouTube-VOS scenes",
    "folder": "a folder of photos per thing, without captions: generic retrieval only",
}
"""Name -> what it is, in one line."""
