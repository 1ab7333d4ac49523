"""Finding a named thing's pixels: the second task of PALAVRA (Cohen et al., ECCV 2022, section 6).

Things are learned from cut-outs of some frames, and looked for in whole other frames, where others of
their kind stand beside them. What is measured is the overlap of the found mask with the true one
(intersection over union): its mean, and the share of pictures in which it is above each threshold.

Any benchmark whose answers are cut-outs can be run: `thisismy.evaluation.datasets.ytvos` on YouTube-VOS,
and the composed pictures of `thisismy.evaluation.tiny`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.evaluation.datasets.base import Benchmark, Cutout, Item
from thisismy.evaluation.features import ItemFeatures, encode, feature_file
from thisismy.evaluation.metrics.statistics import bootstrap, mean_and_error, paired
from thisismy.evaluation.protocols.provenance import provenance
from thisismy.evaluation.protocols.retrieval import Protocol, draw_examples
from thisismy.media.photos import read_photo
from thisismy.personalization.base import GENERIC_PROMPT, Method, NamedInstance, Vocabulary
from thisismy.personalization.segmentation import (
    Mask,
    SegmentationSettings,
    mask_of,
    overlap,
    patches,
)

THRESHOLDS = (0.25, 0.5, 0.75)
"""Overlaps above which a thing counts as found."""

EXAMPLES = 10
"""Frames a thing is learned from (Cohen et al., appendix A)."""

Ask = Literal["name", "caption"]


@dataclass(frozen=True)
class Scene:
    """A picture with a thing to find in it.

    Attributes:
        id: of the query and the item.
        instance: id of the thing.
        picture: the whole frame.
        truth: where the thing is in it.
        prompt: the query with ``*``.
    """

    id: str
    instance: str
    picture: Path
    truth: Cutout
    prompt: str


@dataclass
class _Measured:
    """What one method found: overlaps by scene, one for each seed, and what it took."""

    overlaps: dict[str, list[float]] = field(default_factory=dict)
    learn_seconds: float = 0.0


def scenes(benchmark: Benchmark, ask: Ask = "name") -> tuple[Scene, ...]:
    """The pictures to look at: each answer of a generic query, or of a caption, that is a cut-out.

    Raises:
        BenchmarkError: the benchmark has no masks, or no captions.
    """
    kind = "generic" if ask == "name" else "contextual"
    found = []
    for query in benchmark.queries:
        for key in query.relevant if query.kind == kind else ():
            media = benchmark.items[key].media
            if media is not None and media.cutout is not None:
                prompt = GENERIC_PROMPT if ask == "name" else query.prompt
                found.append(Scene(f"{query.id}/{key}", query.instance, media.path, media.cutout, prompt))
    if not found:
        raise BenchmarkError(f"{benchmark.name}: no {kind} query has a mask to find")
    return tuple(found)


def require_media(benchmark: Benchmark, asked: Sequence[Scene]) -> None:
    """Check that all frames and masks are here before anything is encoded.

    Raises:
        BenchmarkError: says how many are missing, which come first, and where to get them.
    """
    items = [benchmark.items[key] for i in benchmark.instances for key in i.examples]
    needed = [path for scene in asked for path in (scene.picture, scene.truth.mask)]
    needed += [path for item in items for path in _files(item)]
    needed = list(dict.fromkeys(needed))
    missing = [path for path in needed if not path.is_file()]
    if missing:
        pictures = sum(path.suffix.lower() != ".png" for path in missing)
        raise BenchmarkError(
            f"{benchmark.name}: {len(missing)} of {len(needed)} files are missing ({pictures} frames, "
            f"{len(missing) - pictures} masks), the first are {', '.join(map(str, missing[:2]))}; "
            f"{benchmark.source}"
        )


def evaluate_segmentation(
    benchmark: Benchmark,
    encoder: Encoder,
    methods: Mapping[str, Method],
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    examples: int | None = EXAMPLES,
    ask: Ask = "name",
    settings: SegmentationSettings | None = None,
    features: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Learn all things with every method and seed, and look for each in its pictures.

    A picture's windows are encoded once for all methods and seeds.

    Args:
        benchmark: with cut-outs.
        encoder: frozen.
        methods: label -> method ready to run.
        seeds: one run of every method each.
        examples: how many a thing is learned from, drawn by the seed; None takes all.
        ask: by the ``name`` alone, or by the ``caption`` of the picture.
        settings: how masks are made.
        features: the file for features of examples; None takes the one in the user's cache folder.
        progress: told the masks made.

    Returns:
        ``rows``: per method ``overlap`` (mean), ``rates`` by threshold, their 95 % ``intervals`` over
        pictures and standard ``errors`` over seeds, all x100, and ``seconds``; ``paired``: difference of
        the first method's mean overlap to each other; ``pictures``: per picture and method the mean
        overlap; ``provenance``. Plain JSON values.

    Raises:
        BenchmarkError: frames or masks are missing, or the benchmark has none.
    """
    settings = settings or SegmentationSettings()
    asked = scenes(benchmark, ask)
    require_media(benchmark, asked)
    learning = replace(benchmark, gallery=(), queries=())
    file = feature_file(f"{benchmark.name}-examples", encoder, features)
    encoded = encode(learning, encoder, file, progress=progress)
    protocol = Protocol(examples=examples)
    measured = {label: _Measured() for label in methods}
    known: dict[tuple[str, int], Vocabulary] = {}
    for label, method in methods.items():
        for seed in seeds:
            start = time.perf_counter()
            known[label, seed] = _learn(benchmark, encoded, encoder, method, protocol, seed, progress)
            measured[label].learn_seconds += (time.perf_counter() - start) / len(seeds)
    names = {i.id: i.name for i in benchmark.instances}
    done = 0
    # Things that stand in the same picture are looked for together, so that it is encoded once.
    for path, here in groupby(
        sorted(asked, key=lambda scene: scene.picture), key=lambda scene: scene.picture
    ):
        picture = read_photo(path)
        found = patches(picture, encoder, settings)
        for scene in here:
            truth = true_mask(scene.truth, found.size)
            for (label, _), vocabulary in known.items():
                scores = vocabulary.score(scene.prompt, names[scene.instance], found.rows)
                mask = mask_of(picture, found.map(scores), settings)
                measured[label].overlaps.setdefault(scene.id, []).append(overlap(mask, truth))
            done += 1
            progress("masks", done, len(asked))
    origin = provenance(learning, encoded, seeds, protocol)
    return _document(measured, asked, origin | {"asked by": ask, "pictures": len(asked)})


def true_mask(truth: Cutout, size: tuple[int, int]) -> Mask:
    """The pixels of a thing in an indexed mask.

    Raises:
        BenchmarkError: the mask has another size, or does not show the thing.
    """
    with Image.open(truth.mask) as image:
        mask: Mask = np.asarray(image) == truth.value
    if mask.shape != size or not mask.any():
        raise BenchmarkError(f"the mask {truth.mask} does not show object {truth.value} of its picture")
    return mask


def _learn(
    benchmark: Benchmark,
    features: ItemFeatures,
    encoder: Encoder,
    method: Method,
    protocol: Protocol,
    seed: int,
    progress: Progress,
) -> Vocabulary:
    drawn, _ = draw_examples(benchmark, protocol, seed)
    instances = [NamedInstance(i.name, i.category, features.shots(chosen), chosen) for i, chosen in drawn]
    negatives = features.shots(benchmark.negatives)
    return method.fit(instances, negatives, encoder, seed=seed, progress=progress)


def _document(
    measured: Mapping[str, _Measured], asked: Sequence[Scene], origin: dict[str, Any]
) -> dict[str, Any]:
    ids = [scene.id for scene in asked]
    values = {label: np.array([one.overlaps[key] for key in ids]) for label, one in measured.items()}
    first = next(iter(values))
    means = {label: array.mean(axis=1) for label, array in values.items()}
    return {
        "rows": [_row(label, values[label], measured[label]) for label in values],
        "paired": [_pair(first, other, means) for other in values if other != first],
        "pictures": {
            key: {label: _percent(means[label][n]) for label in values} for n, key in enumerate(ids)
        },
        "provenance": origin,
    }


def _row(label: str, values: NDArray[np.float64], measured: _Measured) -> dict[str, Any]:
    """From ``(n_pictures, n_seeds)`` overlaps."""
    parts = {"overlap": values} | {str(limit): (values > limit).astype(float) for limit in THRESHOLDS}
    ends = {name: bootstrap(part.mean(axis=1)) for name, part in parts.items()}
    return {
        "method": label,
        "overlap": _percent(values.mean()),
        "rates": {str(limit): _percent(parts[str(limit)].mean()) for limit in THRESHOLDS},
        "intervals": {name: [_percent(end.low), _percent(end.high)] for name, end in ends.items()},
        "errors": {name: _percent(mean_and_error(part.mean(axis=0))[1]) for name, part in parts.items()},
        "seconds": {"learn": round(measured.learn_seconds, 3)},
    }


def _pair(first: str, other: str, means: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    found = paired(means[first], means[other])
    return {
        "method": first,
        "against": other,
        "difference": _percent(found.mean),
        "interval": [_percent(found.interval.low), _percent(found.interval.high)],
        "p": round(found.p, 4),
        "pictures": found.n,
    }


def _files(item: Item) -> tuple[Path, ...]:
    media = item.media
    if media is None:
        return ()
    return (media.path,) if media.cutout is None else (media.path, media.cutout.mask)


def _percent(value: float) -> float:
    return round(100 * float(value), 2)
