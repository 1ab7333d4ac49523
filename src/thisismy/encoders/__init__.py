"""Frozen image-text encoders behind one interface.

Importing this package imports no model library; loading an encoder does.
"""

from thisismy.encoders.base import PLACEHOLDER, Encoder, Features, Picture, unit
from thisismy.encoders.loading import (
    EMBEDDED,
    EncoderChoice,
    choose_encoder,
    installed_encoders,
    load_encoder,
)

__all__ = [
    "EMBEDDED",
    "PLACEHOLDER",
    "Encoder",
    "EncoderChoice",
    "Features",
    "Picture",
    "choose_encoder",
    "installed_encoders",
    "load_encoder",
    "unit",
]
