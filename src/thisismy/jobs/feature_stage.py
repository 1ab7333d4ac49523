"""The stage that gives every frame its image-text vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from thisismy.store.catalog import FEATURES, SHOTS
from thisismy.store.features import encoder_row, frames_of, put_features

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder, Features
    from thisismy.jobs.stages import Inputs, Media
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings


class FeatureStage:
    """Its rows are vectors, one for each frame in order of time; those of several encoders stand together.

    Args:
        encoder: gives the encoder, when it is first needed.
    """

    name = FEATURES
    needs: tuple[str, ...] = (SHOTS,)
    side_by_side = True

    def __init__(self, encoder: Callable[[], Encoder]) -> None:
        self._encoder = encoder

    @property
    def shorter_side(self) -> int:
        """What the encoder looks at."""
        return self._encoder().image_size

    def key(self, settings: IndexSettings, _media: Media) -> str:
        """The feature space; "" while that is not known, which nothing is done under."""
        return settings.encoder_id or ""

    def run(self, _media: Media, inputs: Inputs) -> Sequence[Features]:
        """See `Stage.run`; each row is ``(embed_dim,)``."""
        return list(
            self._encoder().encode_images([frame.image for shot in inputs.shots for frame in shot.frames])
        )

    def store(self, connection: Connection, media: Media, rows: Sequence[Features]) -> None:
        """See `Stage.store`."""
        encoder = self._encoder()
        space = encoder_row(connection, encoder.id, encoder.embed_dim)
        put_features(connection, frames_of(connection, media.id), rows, space)
