"""Category features learned from a library, a folder of pictures or texts alone: meta-personalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.errors import VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.personalization.arguments import arguments_from
from thisismy.services.captioned_images import read_named_pictures
from thisismy.services.inversion import draw_curves, encode_pictures

if TYPE_CHECKING:
    from thisismy.personalization.base import NamedInstance
    from thisismy.services.learning import LearningService


@dataclass(frozen=True)
class MetaReport:
    """What a run of `meta_train` came to.

    Attributes:
        path: the file of category features; give it to the method as ``category_features``.
        categories: category -> number of instances it was learned from.
        rounds: rounds done, all of them unless it was interrupted.
        source: what it was learned from.
        curves: PNG of the losses; None without the extra ``study``. The numbers are in the file's ``.json``.
        history: per round and epoch the losses.
        failed: pictures that could not be read, with the reason.
    """

    path: Path
    categories: Mapping[str, int]
    rounds: int
    source: Mapping[str, Any]
    curves: Path | None
    history: Sequence[Mapping[str, float]]
    failed: Mapping[str, str] = field(default_factory=dict)


def meta_train(
    path: Path,
    *,
    learning: LearningService | None = None,
    folder: Path | None = None,
    categories: Sequence[str] | None = None,
    encoder: Encoder | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> MetaReport:
    """Learn category features and write them; called again after an interruption, it resumes.

    Args:
        path: the file; its ``.png`` lies beside it.
        learning: learn from the instances of a library: confirmed examples, and those that mining proposed.
        folder: or from pictures, see `read_named_pictures`: the name of a picture is its category and every
            picture an instance of its own, but those of a folder ``dog__Biscuit`` are one instance.
        categories: or from phrases about things of these categories, without any picture, see
            `described_things`; a library then only lends its encoder.
        encoder: of the pictures or texts; a library has its own.
        settings: of `MetaArguments`, where they differ from the defaults.
        seed: same seed, same features, interrupted or not.
        progress: told of each stage.

    Raises:
        VocabularyError: there is nothing to learn from, a setting is unknown, or the file belongs to other
            settings or instances.
        EncoderError: the encoder takes no tokens.
        EncoderMismatchError: the file belongs to another encoder.
    """
    from thisismy.personalization.meta import category_features

    arguments = arguments_from(category_features.MetaArguments, settings or {})
    failed: dict[str, str] = {}
    if learning is not None:
        encoder = learning.encoder
    if encoder is None:
        raise VocabularyError("category features need a library, or an encoder and what to learn from")
    source: dict[str, Any]
    if categories is not None:
        corpus, source = _described(categories, encoder, seed)
    elif folder is not None:
        corpus = _pictured(folder, encoder, path, failed, progress)
        source = {"kind": "pictures", "folder": folder.resolve().name}
    elif learning is not None:
        corpus, source = learning.corpus(), {"kind": "library"}
    else:
        raise VocabularyError("category features are learned from a library, a folder or categories")
    source["instances"] = len(corpus)
    none = np.zeros((0, encoder.embed_dim), np.float32)
    found = category_features.meta_train(
        corpus, none, encoder, arguments, seed=seed, checkpoint=path, source=source, progress=progress
    )
    curves = path.with_suffix(".png")
    steps = [epoch | {"epoch": float(n)} for n, epoch in enumerate(found.history, start=1)]
    losses = [{k: v for k, v in epoch.items() if k != "round"} for epoch in steps]
    drawn = draw_curves(losses, f"category features on {encoder.id}", curves)
    counts = found.provenance["instances"]
    drawn_to = curves if drawn else None
    return MetaReport(path, counts, found.rounds_done, source, drawn_to, found.history, failed)


def _described(
    categories: Sequence[str], encoder: Encoder, seed: int
) -> tuple[list[NamedInstance], dict[str, Any]]:
    from thisismy.personalization.attributes import PHRASES, described_things

    things = described_things(encoder, categories, seed=seed)
    return things, {"kind": "texts", "phrases of a category": PHRASES}


def _pictured(
    folder: Path, encoder: Encoder, path: Path, failed: dict[str, str], progress: Progress
) -> list[NamedInstance]:
    from thisismy.personalization.base import NamedInstance

    pictures = read_named_pictures(folder, ())
    cache = path.with_name(f"{path.stem}.features.safetensors")
    rows = encode_pictures([picture.path for picture in pictures], encoder, cache, failed, progress)
    groups: dict[str, tuple[str, list[Path]]] = {}
    for picture in pictures:
        if picture.path not in rows:
            continue
        parent = picture.path.parent
        kind, of_one, _ = parent.name.partition("__")
        key = (parent if of_one else picture.path).relative_to(folder).as_posix()
        category = kind.replace("_", " ") if of_one else picture.name
        groups.setdefault(key, (category, []))[1].append(picture.path)
    return [
        NamedInstance(
            key,
            category,
            np.stack([rows[p] for p in paths]),
            tuple(p.relative_to(folder).as_posix() for p in paths),
        )
        for key, (category, paths) in groups.items()
    ]
