"""Encoders that other packages provide, by name.

A package declares them under the entry-point group ``thisismy.encoders``; each is a callable that makes the
encoder::

    [project.entry-points."thisismy.encoders"]
    my-encoder = "my_package:load"

    def load(device: str, allow_download: bool, progress: Progress) -> Encoder: ...
"""

from __future__ import annotations

from importlib.metadata import entry_points

from thisismy.core.errors import EncoderError
from thisismy.core.progress import Progress
from thisismy.encoders.base import Encoder

GROUP = "thisismy.encoders"
MEMBERS = sorted(name for name in {*Encoder.__annotations__, *vars(Encoder)} if not name.startswith("_"))


def plugin_names() -> list[str]:
    """Names of the encoders that installed packages provide, in order of the alphabet."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load_plugin(name: str, device: str, allow_download: bool, progress: Progress) -> Encoder:
    """The encoder that an installed package provides under a name.

    Raises:
        EncoderError: no package or more than one provides it, or it fails or gives something else.
    """
    found = list(entry_points(group=GROUP, name=name))
    origins = sorted(entry.dist.name if entry.dist else entry.value for entry in found)
    if len(found) != 1:
        raise EncoderError(
            f"{len(found)} installed packages provide the encoder {name!r} ({', '.join(origins)}): keep one"
        )
    package = f"the encoder {name!r} of the package {origins[0]}"
    try:
        encoder = found[0].load()(device, allow_download, progress)
    except EncoderError:
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise EncoderError(
            f"{package} cannot be loaded: {': '.join(filter(None, (type(error).__name__, reason)))}"
        ) from error
    missing = [member for member in MEMBERS if not hasattr(encoder, member)]
    if missing:
        raise EncoderError(
            f"{package} gives a {type(encoder).__name__} that lacks {', '.join(missing)}: "
            "it must be a thisismy.encoders.Encoder"
        )
    loaded: Encoder = encoder
    return loaded
