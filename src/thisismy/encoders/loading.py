"""From a name to an encoder."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder
from thisismy.encoders.hub.checkpoints import cached_folder, find_checkpoint
from thisismy.encoders.plugins import load_plugin, plugin_names

EMBEDDED = "embedded"
AUTO = "auto"

KNOWN_GOOD = (
    "google/siglip2-so400m-patch14-384",
    "google/siglip2-large-patch16-384",
    "google/siglip2-large-patch16-256",
    "google/siglip-so400m-patch14-384",
    "google/siglip2-base-patch16-384",
    "google/siglip2-base-patch16-256",
    "google/siglip2-base-patch16-224",
    "google/siglip-large-patch16-256",
    "google/siglip-base-patch16-256",
    "google/siglip-base-patch16-224",
    "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    "openai/clip-vit-large-patch14-336",
    "openai/clip-vit-large-patch14",
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    "openai/clip-vit-base-patch16",
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "openai/clip-vit-base-patch32",
)
"""Hub models that ``auto`` looks for in the local cache, best first by their published caption-to-picture
recall."""


@dataclass(frozen=True)
class EncoderChoice:
    """What ``auto`` came to.

    Attributes:
        name: what to give to :func:`load_encoder`.
        reason: one sentence for a person.
    """

    name: str
    reason: str


def choose_encoder(name: str = AUTO) -> EncoderChoice:
    """The encoder a name stands for, without loading it and without the network.

    Args:
        name: "auto", "embedded", a name that an installed package provides, a hub name or a folder.
    """
    if name != AUTO:
        return EncoderChoice(name, "named")
    for known in KNOWN_GOOD:
        if _offline_folder(known) is not None:
            return EncoderChoice(known, f"{known} is the best known encoder in the local hub cache")
    return EncoderChoice(
        EMBEDDED, "no known hub model is in the local hub cache, so the embedded encoder is used"
    )


def load_encoder(
    name: str = AUTO,
    *,
    device: str = "auto",
    allow_download: bool = False,
    progress: Progress = silent,
) -> Encoder:
    """Load an encoder.

    Args:
        name: "embedded"; "auto" for the best one available offline; a name that an installed package provides
            (see `thisismy.encoders.plugins`); "owner/model" of the hub; or a folder.
        device: "auto", "cpu", "cuda", "mps".
        allow_download: whether a hub model that was named and is not in the local cache may be downloaded.
            "auto" never downloads.
        progress: told bytes while downloading.

    Raises:
        EncoderError: no such encoder, it cannot be loaded, or its download failed.
    """
    choice = choose_encoder(name)
    if choice.name == EMBEDDED:
        from thisismy.encoders.embedded.encoder import EmbeddedEncoder

        return EmbeddedEncoder(device)
    may_download = allow_download and name != AUTO
    if choice.name in plugin_names():
        return load_plugin(choice.name, device, may_download, progress)
    checkpoint = find_checkpoint(choice.name, allow_download=may_download, progress=progress)
    from thisismy.encoders.hub.clip_family import ClipFamilyEncoder

    return ClipFamilyEncoder(checkpoint, device=device)


def installed_encoders() -> dict[str, Path | None]:
    """Encoders that load here without the network, each with its folder if it has one.

    Hub models come first, best first, then "embedded", then those of other packages by name.
    """
    cached = {name: folder for name in KNOWN_GOOD if (folder := _offline_folder(name)) is not None}
    return {**cached, EMBEDDED: None, **dict.fromkeys(plugin_names())}


def _offline_folder(name: str) -> Path | None:
    """Folder of a cached hub model whose tokenizer can be read here, else None."""
    folder = cached_folder(name)
    if folder is None or not (folder / "tokenizer_config.json").exists():
        return None
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text("utf-8")).get("tokenizer_class")
    if tokenizer == "SiglipTokenizer" and importlib.util.find_spec("sentencepiece") is None:
        return None
    return folder
