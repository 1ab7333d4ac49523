"""From the files of a checkpoint to a model, its tokenizer and its image processor."""

from __future__ import annotations

from typing import Any

import torch

from thisismy.core.errors import EncoderError
from thisismy.encoders.hub.checkpoints import Checkpoint


def load_model(checkpoint: Checkpoint) -> Any:
    """The model in float32 on the CPU, ready for use and without gradients of its own.

    Raises:
        EncoderError: no model with one space for pictures and texts, or its files are incomplete.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model, info = AutoModel.from_pretrained(
            checkpoint.folder,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EncoderError(
            f"the encoder {checkpoint.name!r} cannot be loaded: {_first_line(error)}"
        ) from error
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise EncoderError(
            f"{checkpoint.name!r} is a {type(model).__name__}, which has no common space for pictures and "
            "texts: choose a CLIP or SigLIP model"
        )
    if info["missing_keys"]:
        missing = sorted(info["missing_keys"])
        raise EncoderError(
            f"{checkpoint.name!r} lacks {len(missing)} of its weights ({missing[0]}, ...): fetch it again"
        )
    return model.eval().requires_grad_(False)


def load_processors(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """The image processor and the tokenizer.

    Raises:
        EncoderError: one is missing, or needs packages that are.
    """
    from transformers import AutoImageProcessor, AutoTokenizer

    where = {"local_files_only": True, "trust_remote_code": False}
    try:
        # Pillow's resize, not torchvision's: the same pixels whether torchvision is there or not.
        processor = AutoImageProcessor.from_pretrained(checkpoint.folder, backend="pil", **where)
        return processor, AutoTokenizer.from_pretrained(checkpoint.folder, **where)
    except ImportError as error:
        raise EncoderError(
            f"the tokenizer of {checkpoint.name!r} needs packages that are missing: "
            "pip install sentencepiece protobuf"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        reason = _first_line(error)
        raise EncoderError(
            f"the encoder {checkpoint.name!r} has no usable tokenizer or image processor: {reason}"
        ) from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
