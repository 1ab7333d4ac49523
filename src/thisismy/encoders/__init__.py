"""Frozen image-text encoders behind one interface.

Importing this package imports no model library; loading an encoder does.
"""

from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, Picture, RegionEncoder, SeesRim, unit
from thisismy.encoders.loading import (
    EMBEDDED,
    EncoderChoice,
    choose_encoder,
    installed_encoders,
    load_encoder,
)
from thisismy.encoders.space import Block, FeatureSpace

__all__ = [
    "EMBEDDED",
    "PLACEHOLDER",
    "Block",
    "Encoder",
    "EncoderChoice",
    "FeatureSpace",
    "Features",
    "Picture",
    "RegionEncoder",
    "SeesRim",
    "choose_encoder",
    "installed_encoders",
    "load_encoder",
    "unit",
]
