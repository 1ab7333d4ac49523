"""The stage that gives every frame its image-text vector, and one of its rim where the encoder can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from thisismy.encoders.base import encode_block
from thisismy.encoders.space import Block, join_blocks
from thisismy.store.catalog import FEATURES, SHOTS
from thisismy.store.features import encoder_row, frames_of, put_features

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.jobs.stages import Inputs, Media
    from thisismy.store.database import Connection
    from thisismy.store.settings import IndexSettings


class FeatureStage:
    """Its rows are blocks of some frames each, in order of time; those of several encoders stand together.

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

    def run(self, _media: Media, inputs: Inputs) -> Sequence[Block]:
        """See `Stage.run`; one block of all the frames."""
        images = [frame.image for shot in inputs.shots for frame in shot.frames]
        return [encode_block(self._encoder(), images)]

    def store(self, connection: Connection, media: Media, rows: Sequence[Block]) -> None:
        """See `Stage.store`."""
        encoder = self._encoder()
        space = encoder_row(connection, encoder.id, encoder.embed_dim)
        put_features(connection, media.id, frames_of(connection, media.id), join_blocks(rows), space)
