"""Training what predicts words from pictures, once for an encoder: PALAVRA's set encoder, pi-map's map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thisismy.core.errors import MediaError, VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder, Features
from thisismy.personalization.arguments import arguments_from
from thisismy.personalization.array_file import read_arrays, write_arrays
from thisismy.services.captioned_images import NamedPicture, read_named_pictures

if TYPE_CHECKING:
    from thisismy.personalization.inversion.corpus import Corpus
    from thisismy.personalization.inversion.weights import Inversion

FORMAT = "thisismy-picture-features/1"
KINDS = ("palavra", "pi-map")
SOURCES = ("pictures", "classes", "texts")
BATCH = 64
SAVE_EVERY = 1024
"""Pictures whose encoding an interruption can cost."""


@dataclass(frozen=True)
class TrainReport:
    """What a training came to.

    Attributes:
        kind: "palavra" or "pi-map".
        path: the file.
        source: what it was trained on.
        curves: PNG of the losses; None without the extra ``study``.
        history: per epoch the losses.
        failed: pictures that could not be read, with the reason.
    """

    kind: str
    path: Path
    source: Mapping[str, Any]
    curves: Path | None
    history: Sequence[Mapping[str, float]]
    failed: Mapping[str, str] = field(default_factory=dict)


def train_inversion(
    kind: str,
    path: Path,
    encoder: Encoder,
    *,
    folder: Path | None = None,
    source: str | None = None,
    settings: Mapping[str, Any] | None = None,
    half: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> TrainReport:
    """Train a predictor and write its file, its description and its curves; called again, it resumes.

    Args:
        kind: "palavra" or "pi-map".
        path: the file; its ``.png`` lies beside it, and features of pictures while it trains.
        encoder: frozen; must take tokens.
        folder: pictures, see `read_named_pictures`.
        source: "pictures" of the folder; without a folder "classes" (embedded encoder only) or "texts".
        settings: of `PalavraArguments` or `PiMapArguments`, where they differ from the defaults.
        half: keep the finished weights in half precision, half as large.
        seed: same seed, same weights, interrupted or not.
        progress: told of each stage.

    Raises:
        VocabularyError: a setting is unknown, the folder has nothing to learn from, or the file holds a
            training of something else.
        EncoderError: the encoder takes no tokens, or cannot give the source.
        EncoderMismatchError: the file belongs to another encoder.
    """
    if kind not in KINDS:
        raise VocabularyError(f"what is trained is one of {', '.join(KINDS)}, not {kind!r}")
    failed: dict[str, str] = {}
    corpus = _corpus(path, encoder, folder, source, seed, failed, progress)
    found = _train(kind, corpus, encoder, dict(settings or {}), seed, path, progress)
    if half:
        kept = {key: array.astype(np.float16) for key, array in found.arrays.items()}
        # Loss curves are in the description; half precision only rounds the weights of the finished file.
        found = type(found)(**{**vars(found), "arrays": kept})
        found.save(path)
    curves = path.with_suffix(".png")
    drawn = draw_curves(found.history, f"{kind} on {encoder.id}", curves)
    return TrainReport(kind, path, corpus.source, curves if drawn else None, found.history, failed)


def draw_curves(history: Sequence[Mapping[str, float]], title: str, path: Path) -> bool:
    """Draw every loss over the epochs into a PNG; False without the extra ``study``."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in (history[0] if history else {}) if name not in {"epoch", "learning_rate"}]
    for name in names:
        axes.plot([e["epoch"] for e in history], [e[name] for e in history], label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_title(title)
    if names:
        axes.legend()
    FigureCanvasAgg(figure).print_png(path)
    return True


def _train(
    kind: str,
    corpus: Corpus,
    encoder: Encoder,
    settings: dict[str, Any],
    seed: int,
    path: Path,
    progress: Progress,
) -> Inversion:
    if kind == "palavra":
        from thisismy.personalization.inversion.palavra_training import PalavraArguments, train_set_encoder

        given = arguments_from(PalavraArguments, settings)
        return train_set_encoder(corpus, encoder, given, seed=seed, checkpoint=path, progress=progress)
    from thisismy.personalization.inversion.pi_map_training import PiMapArguments, train_map

    arguments = arguments_from(PiMapArguments, settings)
    return train_map(corpus, encoder, arguments, seed=seed, checkpoint=path, progress=progress)


def _corpus(
    path: Path,
    encoder: Encoder,
    folder: Path | None,
    source: str | None,
    seed: int,
    failed: dict[str, str],
    progress: Progress,
) -> Corpus:
    from thisismy.encoders.embedded.encoder import EmbeddedEncoder
    from thisismy.personalization.inversion.corpus import class_stand_ins, object_names, text_stand_ins

    if source is None:
        embedded = isinstance(encoder, EmbeddedEncoder)
        source = "pictures" if folder is not None else "classes" if embedded else "texts"
    if source not in SOURCES or (source == "pictures") != (folder is not None):
        raise VocabularyError(
            f"training is on a folder of pictures, or without one on 'classes' or 'texts', not on {source!r} "
            f"with the folder {folder}"
        )
    if source == "classes":
        return class_stand_ins(encoder, seed=seed)
    if source == "texts":
        return text_stand_ins(encoder, seed=seed)
    pictures = read_named_pictures(folder or Path(), object_names())
    cache = path.with_name(f"{path.stem}.features.safetensors")
    return _of_pictures(pictures, encoder, cache, failed, progress)


def _of_pictures(
    pictures: Sequence[NamedPicture],
    encoder: Encoder,
    cache: Path,
    failed: dict[str, str],
    progress: Progress,
) -> Corpus:
    """Features of pictures, kept beside the file so that an interruption costs little."""
    from thisismy.personalization.inversion.corpus import Corpus

    rows = encode_pictures([picture.path for picture in pictures], encoder, cache, failed, progress)
    kept = [picture for picture in pictures if picture.path in rows]
    names = tuple(dict.fromkeys(picture.name for picture in kept))
    number = {name: i for i, name in enumerate(names)}
    if len(names) < 2:
        raise VocabularyError(f"{len(failed)} of {len(pictures)} pictures cannot be read, so none are left")
    captions = tuple(picture.caption for picture in kept)
    return Corpus(
        names,
        np.stack([rows[picture.path] for picture in kept]),
        np.array([number[picture.name] for picture in kept]),
        captions if any(captions) else (),
        {"kind": "pictures", "names": len(names), "pictures": len(kept), "captioned": any(captions)},
    )


def encode_pictures(
    paths: Sequence[Path], encoder: Encoder, cache: Path, failed: dict[str, str], progress: Progress
) -> dict[Path, Features]:
    """Features of the pictures that can be read, kept in a cache beside what is trained on them.

    Args:
        paths: of pictures.
        encoder: encodes what the cache lacks.
        cache: a safetensors file.
        failed: gets path -> reason of what cannot be read.
        progress: told the pictures done.
    """
    from thisismy.media.photos import read_photo

    rows = _kept_features(cache, encoder)
    keys = {
        path: f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in paths if path.exists()
    }
    todo = [path for path in paths if keys.get(path) not in rows]
    for start in range(0, len(todo), BATCH):
        read = []
        for path in todo[start : start + BATCH]:
            try:
                read.append((path, read_photo(path, encoder.image_size)))
            except MediaError as error:
                failed[str(path)] = str(error)
        found = encoder.encode_images([picture for _, picture in read])
        rows |= {keys[path]: row for (path, _), row in zip(read, found, strict=True)}
        if start // SAVE_EVERY != (start + BATCH) // SAVE_EVERY or start + BATCH >= len(todo):
            _keep_features(cache, encoder, rows)
        progress("pictures", min(start + BATCH, len(todo)), len(todo))
    return {path: rows[keys[path]] for path in paths if keys.get(path) in rows}


def _kept_features(cache: Path, encoder: Encoder) -> dict[str, Features]:
    if not cache.exists():
        return {}
    arrays, about = read_arrays(cache, FORMAT)
    if about["encoder"] != encoder.id:
        return {}
    return dict(zip(about["pictures"], arrays["features"], strict=True))


def _keep_features(cache: Path, encoder: Encoder, rows: Mapping[str, Features]) -> None:
    if rows:
        description = {"format": FORMAT, "encoder": encoder.id, "pictures": list(rows)}
        write_arrays(cache, {"features": np.stack(list(rows.values()))}, description)
