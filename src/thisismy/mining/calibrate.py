"""Thresholds for any encoder, from unlabelled pictures.

The cosines of section 3.1 (0.3 and 0.9) belong to CLIP ViT-B/16. Another encoder has other cosines, and
even within one encoder the word "dog" and the word "teapot" reach different heights on pictures that show
neither. A calibration holds what unrelated pictures look like to an encoder, as a mean and the main
directions of spread. From it follows, for any phrase, how high its cosine rises by chance; the filter
counts standard deviations above that.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thisismy.core.atomic_files import write_text
from thisismy.core.errors import EncoderMismatchError, LibraryError
from thisismy.encoders.base import Features, unit

DIRECTIONS = 48
"""Directions of spread that are kept; the rest counts as equal in all directions."""

BANK = 1024
"""Unrelated pictures drawn from a calibration."""

LEAST_PICTURES = 16
"""Fewer unlabelled pictures than this say nothing about spread."""

EXAMPLE_SPREADS = 10.0
"""Spreads above the cosine of unrelated shots from which on two shots show the same thing."""

_NORMAL_QUARTILES = 1.349
"""Standard deviations between the quartiles of a normal distribution."""

_FORMAT = "thisismy-calibration/2"


@dataclass(frozen=True, eq=False)
class Calibration:
    """What unrelated pictures look like to one encoder.

    Attributes:
        encoder_id: the encoder it belongs to.
        mean: mean picture feature, ``(embed_dim,)``.
        directions: main directions times their standard deviation, ``(r, embed_dim)``.
        rest: standard deviation in every other direction.
        pair_middle: median cosine of two unrelated shots.
        pair_spread: its spread as the quartiles tell it, in standard deviations of a normal distribution. In
            real footage some pairs show the same thing after all; they would widen a standard deviation.
        n_pictures: pictures it was made from.
    """

    encoder_id: str
    mean: Features
    directions: Features
    rest: float
    pair_middle: float
    pair_spread: float
    n_pictures: int

    @cached_property
    def bank(self) -> Features:
        """`BANK` features of made-up unrelated pictures, the same at every call, ``(BANK, embed_dim)``."""
        rng = np.random.default_rng(0)
        drawn = rng.standard_normal((BANK, len(self.directions))).astype(np.float32) @ self.directions
        return unit(drawn + self.rest * rng.standard_normal(drawn.shape).astype(np.float32) + self.mean)

    @property
    def example_threshold(self) -> float:
        """Least cosine of two shots of the same thing."""
        return min(0.99, self.pair_middle + EXAMPLE_SPREADS * self.pair_spread)

    def scores(self, texts: Features, shots: Features) -> NDArray[np.float32]:
        """How far texts stand above chance on shots.

        Each text's cosine is counted in standard deviations above its mean on unrelated pictures; then the
        best text of each shot is counted in the same way, since the best of many is high by chance.

        Args:
            texts: features of the texts that mean the same thing, ``(n_texts, embed_dim)``.
            shots: ``(n_shots, embed_dim)``.

        Returns:
            ``(n_shots,)`` standard deviations; 0 is what an unrelated picture gets.
        """
        chance = self.bank @ texts.T
        mean, spread = chance.mean(axis=0), chance.std(axis=0) + 1e-6
        best_by_chance = ((chance - mean) / spread).max(axis=1)
        best = ((shots @ texts.T - mean) / spread).max(axis=1)
        scores: NDArray[np.float32] = (best - best_by_chance.mean()) / (best_by_chance.std() + 1e-6)
        return scores.astype(np.float32)

    def check(self, encoder_id: str) -> None:
        """Refuse another encoder.

        Raises:
            EncoderMismatchError: the calibration was made for another encoder.
        """
        if encoder_id != self.encoder_id:
            raise EncoderMismatchError(
                f"the calibration is for the encoder {self.encoder_id}, not for {encoder_id}: calibrate again"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the calibration as JSON; an existing file is replaced."""
        body = {
            "format": _FORMAT,
            "encoder": self.encoder_id,
            "pictures": self.n_pictures,
            "pair_middle": round(self.pair_middle, 6),
            "pair_spread": round(self.pair_spread, 6),
            "rest": round(self.rest, 6),
            "shape": list(self.directions.shape),
            "mean": _pack(self.mean),
            "directions": _pack(self.directions),
        }
        write_text(Path(path), json.dumps(body, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read what `save` wrote.

        Raises:
            LibraryError: the file cannot be read or is not a calibration.
        """
        try:
            return cls._from_json(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise LibraryError(
                f"{path}: the calibration cannot be read ({error.strerror or error})"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise LibraryError(
                f"{path}: is not a calibration ({error}): run `thisismy calibrate` again"
            ) from error

    @classmethod
    def _from_json(cls, text: str) -> Calibration:
        body = json.loads(text)
        if body.get("format") != _FORMAT:
            raise ValueError(f"format {body.get('format')!r}")
        rows, width = body["shape"]
        return cls(
            encoder_id=str(body["encoder"]),
            mean=_unpack(body["mean"], (width,)),
            directions=_unpack(body["directions"], (rows, width)),
            rest=float(body["rest"]),
            pair_middle=float(body["pair_middle"]),
            pair_spread=float(body["pair_spread"]),
            n_pictures=int(body["pictures"]),
        )


def calibrate(features: Features, encoder_id: str, groups: NDArray[np.int64] | None = None) -> Calibration:
    """A calibration from features of unlabelled shots or photos.

    Args:
        features: unit rows, ``(n, embed_dim)``; at least `LEAST_PICTURES`, the more varied the better.
        encoder_id: the encoder that made them.
        groups: ``(n,)`` numbers of the videos; pairs of one video do not count as unrelated.

    Raises:
        LibraryError: there are too few pictures.
    """
    n = len(features)
    if n < LEAST_PICTURES:
        raise LibraryError(
            f"{n} shots are too few to calibrate {encoder_id}: add videos until there are {LEAST_PICTURES}"
        )
    mean = features.mean(axis=0)
    _, singular, axes = np.linalg.svd(features - mean, full_matrices=False)
    spread = singular / np.sqrt(n - 1)
    kept = min(DIRECTIONS, len(spread))
    rest = float(np.sqrt((spread[kept:] ** 2).sum() / features.shape[1]))
    lower, middle, upper = np.quantile(_unrelated_cosines(features, groups), (0.25, 0.5, 0.75))
    return Calibration(
        encoder_id=encoder_id,
        mean=mean.astype(np.float32),
        directions=(spread[:kept, None] * axes[:kept]).astype(np.float32),
        rest=rest,
        pair_middle=float(middle),
        pair_spread=float(upper - lower) / _NORMAL_QUARTILES,
        n_pictures=n,
    )


def shipped_calibration(encoder_id: str) -> Calibration | None:
    """The calibration that comes with the package, or None when it belongs to another encoder."""
    file = files("thisismy.mining").joinpath("data/calibration.json")
    if not file.is_file():
        return None
    shipped = Calibration._from_json(file.read_text(encoding="utf-8"))
    return shipped if shipped.encoder_id == encoder_id else None


def _unrelated_cosines(features: Features, groups: NDArray[np.int64] | None) -> NDArray[np.float32]:
    """Cosines of pairs of different groups, at most about a million, drawn without chance."""
    stride = max(1, len(features) // 1500)
    some = features[::stride]
    left, right = np.triu_indices(len(some), 1)
    cosines: NDArray[np.float32] = (some @ some.T)[left, right]
    if groups is None:
        return cosines
    apart = groups[::stride][left] != groups[::stride][right]
    return cosines[apart] if apart.any() else cosines


def _pack(array: Features) -> str:
    return base64.b64encode(array.astype("<f2").tobytes()).decode("ascii")


def _unpack(text: str, shape: tuple[int, ...]) -> Features:
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32).reshape(shape)
