"""Any CLIP-like model of ``transformers``: CLIP, SigLIP, SigLIP 2 and their relatives.

Learned tokens are put in by a hook behind the text tower's input embedding, so no model's forward pass is
written again here. Positions are added after the hook and the end mark is found in ids that already hold one
placeholder per learned token, so both are right for any number of tokens.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from thisismy.core.errors import EncoderError
from thisismy.encoders.base import Features, Picture
from thisismy.encoders.hub.checkpoints import Checkpoint
from thisismy.encoders.hub.preprocessing import standard_preprocessing
from thisismy.encoders.prompts import CONTEXT, Template, check_tokens, inject, place_tokens

IMAGE_BATCH = 16
TEXT_BATCH = 64
PAD_TO_LIMIT = frozenset({"siglip", "siglip2"})
"""Families trained with every text padded to the limit, and pooled at its last place."""


class ClipFamilyEncoder:
    """See :class:`thisismy.encoders.base.Encoder`.

    The image tower runs in half precision on an accelerator, and on a CPU in bfloat16 where a short probe
    finds that faster; the text tower stays in float32, so that learned tokens get exact gradients. The ``id``
    does not depend on the precision; ``precision`` names it.

    Args:
        checkpoint: files of the model.
        device: "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        EncoderError: no model with one space for pictures and texts, or its files are incomplete.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str = "auto") -> None:
        self.device = choose_device(device)
        self._model = _load_model(checkpoint)
        self._processor, self._tokenizer = _load_processors(checkpoint)
        self._preprocess = standard_preprocessing(self._processor)
        self._text_model = getattr(self._model, "text_model", None)
        self._hooked = threading.Lock()
        self._pads_to_limit = self._model.config.model_type in PAD_TO_LIMIT
        self._wants_mask = not self._pads_to_limit and "attention_mask" in self._tokenizer.model_input_names
        self._frame_of_text()
        self._template = lru_cache(maxsize=4096)(self._make_template)
        self._model.to(self.device)
        self.image_size = self._side()
        self.embed_dim = int(self._text_features(self._pad([self._framed(())])).shape[-1])
        self.token_dim: int | None = (
            self._input_embedding().weight.shape[1] if self._text_model is not None else None
        )
        self.logit_scale = _logit_scale(self._model)
        self.precision = self._choose_precision()
        steps = self._preprocess or json.dumps(self._processor.to_dict(), sort_keys=True, default=str)
        shape = hashlib.sha256(repr(steps).encode()).hexdigest()[:6]
        self.id = f"{checkpoint.name}@{checkpoint.revision[:19]}+{shape}"

    @torch.inference_mode()
    def encode_images(self, images: Sequence[Picture]) -> Features:
        """Unit vectors of RGB pictures of any sizes, ``(n, embed_dim)``."""
        rows = np.zeros((len(images), self.embed_dim), np.float32)
        for at in range(0, len(images), IMAGE_BATCH):
            pixels = self._pixels(images[at : at + IMAGE_BATCH])
            rows[at : at + IMAGE_BATCH] = self._image_features(pixels).cpu().numpy()
        return rows

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> Features:
        """Unit vectors of texts, ``(n, embed_dim)``; an over-long text is cut before its end mark."""
        framed = [self._framed(self._tokenize(text)) for text in texts]
        rows = np.zeros((len(texts), self.embed_dim), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(framed[i]))
        for at in range(0, len(texts), TEXT_BATCH):
            chosen = order[at : at + TEXT_BATCH]
            rows[chosen] = self._text_features(self._pad([framed[i] for i in chosen])).cpu().numpy()
        return rows

    def word_vectors(self, text: str) -> NDArray[np.float32]:
        """Input vectors of a text's words, ``(n_words, token_dim)``.

        Raises:
            EncoderError: the text tower takes no input vectors.
        """
        # Some tokenizers give a word another id at the start of a text than inside.
        before = self._tokenize("a")
        inside = self._tokenize(f"a {text}")[len(before) :]
        ids = torch.tensor(inside, dtype=torch.long, device=self.device)
        rows: NDArray[np.float32] = self._input_embedding().weight[ids].detach().float().cpu().numpy()
        return rows

    def encode_prompts(self, prompts: Sequence[str], tokens: Tensor) -> Tensor:
        """Unit vectors ``(n, embed_dim)`` of prompts; each ``*`` reads ``tokens``, which get gradients.

        Raises:
            EncoderError: the text tower takes no input vectors, a prompt has no ``*``, or the shapes do not
                fit.
        """
        n_w = check_tokens(prompts, tokens, self._input_embedding().weight.shape[1])
        templates = [self._template(prompt, n_w) for prompt in prompts]
        ids = self._pad([self._framed(t.ids) for t in templates])
        slots = self._pad([self._framed(t.slots, marks=False) for t in templates], CONTEXT)
        with self._injected(slots, tokens.to(self.device)):
            return self._text_features(ids).to(tokens.device, tokens.dtype)

    def _frame_of_text(self) -> None:
        """Find the marks put before and behind a text, and how many tokens the text tower reads."""
        bare = self._tokenize("a")
        marked = list(self._tokenizer("a")["input_ids"])
        at = next((i for i in range(len(marked)) if marked[i : i + len(bare)] == bare), 0)
        self._start, self._end = marked[:at], marked[at + len(bare) :]
        config = self._model.config.get_text_config()
        self._limit = int(getattr(config, "max_position_embeddings", 0) or self._tokenizer.model_max_length)
        self._pad_id = int(self._tokenizer.pad_token_id or 0)

    def _tokenize(self, text: str) -> list[int]:
        clipped = text[: 64 * self._limit] if hasattr(self, "_limit") else text
        return list(self._tokenizer(clipped, add_special_tokens=False, verbose=False)["input_ids"])

    def _framed(self, ids: Sequence[int], *, marks: bool = True) -> list[int]:
        """Ids cut to the limit between start and end marks; ``marks=False`` frames slots instead of ids."""
        start, end = self._start, self._end
        if not marks:
            start, end = [CONTEXT] * len(start), [CONTEXT] * len(end)
        return [*start, *ids[: self._limit - len(start) - len(end)], *end]

    def _make_template(self, prompt: str, n_w: int) -> Template:
        return place_tokens(prompt, n_w, self._tokenize, self._limit - len(self._start) - len(self._end))

    def _pad(self, rows: Sequence[list[int]], value: int | None = None) -> tuple[Tensor, Tensor]:
        """Rows as one tensor, padded with ``value`` (None: the padding id), and the mask of the unpadded."""
        width = self._limit if self._pads_to_limit else max(map(len, rows))
        left = self._tokenizer.padding_side == "left"
        filled, mask = [], []
        for row in rows:
            gap = [self._pad_id if value is None else value] * (width - len(row))
            filled.append([*gap, *row] if left else [*row, *gap])
            seen, unseen = [1] * len(row), [0] * len(gap)
            mask.append([*unseen, *seen] if left else [*seen, *unseen])
        return torch.tensor(filled, device=self.device), torch.tensor(mask, device=self.device)

    def _text_features(self, ids_and_mask: tuple[Tensor, Tensor]) -> Tensor:
        ids, mask = ids_and_mask
        extra = {"attention_mask": mask} if self._wants_mask else {}
        return _pooled_unit(self._model.get_text_features(input_ids=ids, **extra))

    def _image_features(self, pixels: dict[str, Tensor]) -> Tensor:
        return _pooled_unit(self._model.get_image_features(**pixels))

    def _pixels(self, images: Sequence[Picture]) -> dict[str, Tensor]:
        if self._preprocess is not None:
            values = {
                "pixel_values": torch.from_numpy(np.stack([self._preprocess(image) for image in images]))
            }
        else:
            values = dict(
                self._processor(images=[np.ascontiguousarray(i) for i in images], return_tensors="pt")
            )
        tower = getattr(self._model, "vision_model", self._model)
        vision_type = next(tower.parameters()).dtype
        return {
            name: value.to(self.device, vision_type if value.is_floating_point() else value.dtype)
            for name, value in values.items()
        }

    def _input_embedding(self) -> torch.nn.Embedding:
        if self._text_model is None:
            raise EncoderError(
                f"the text tower of {self.id} takes no learned tokens: choose a CLIP or SigLIP model"
            )
        embedding: torch.nn.Embedding = self._text_model.get_input_embeddings()
        return embedding

    @contextmanager
    def _injected(self, slots: tuple[Tensor, Tensor], tokens: Tensor) -> Iterator[None]:
        """Inside, the text tower reads learned tokens wherever ``slots`` says so."""

        def replace(_module: torch.nn.Module, _args: object, output: Tensor) -> Tensor:
            return inject(output, slots[0], tokens)

        with self._hooked:
            handle = self._input_embedding().register_forward_hook(replace)
            try:
                yield
            finally:
                handle.remove()

    def _side(self) -> int:
        if self._preprocess is None:
            return int(getattr(self._model.config.vision_config, "image_size", 0) or 384)
        size = self._preprocess.size
        return min(size) if isinstance(size, tuple) else size

    def _choose_precision(self) -> str:
        vision = getattr(self._model, "vision_model", None)
        if vision is None:
            return "float32"
        if self.device.type == "cpu":
            half = torch.bfloat16
            if not self._is_faster(half):
                return "float32"
        else:
            half = torch.float16
        self._cast_vision(half)
        return f"{str(half).removeprefix('torch.')} pictures, float32 texts"

    def _cast_vision(self, kind: torch.dtype) -> None:
        self._model.vision_model.to(kind)
        if getattr(self._model, "visual_projection", None) is not None:
            self._model.visual_projection.to(kind)

    def _is_faster(self, kind: torch.dtype) -> bool:
        """Whether one small batch runs at least a fifth faster in ``kind`` than in float32 here."""
        picture = np.zeros((self.image_size, self.image_size, 3), np.uint8)
        seconds = {}
        for candidate in (torch.float32, kind):
            self._cast_vision(candidate)
            self.encode_images([picture])
            seconds[candidate] = min(_seconds(lambda: self.encode_images([picture] * 2)) for _ in range(3))
        self._cast_vision(torch.float32)
        return seconds[kind] < 0.8 * seconds[torch.float32]


def choose_device(name: str) -> torch.device:
    """The device of a name; "auto" is CUDA, then MPS, then the CPU.

    Raises:
        EncoderError: no such device on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise EncoderError(
            f"the device {name!r} cannot be used here ({reason}): use 'auto' or 'cpu'"
        ) from error


def _load_model(checkpoint: Checkpoint) -> Any:
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


def _load_processors(checkpoint: Checkpoint) -> tuple[Any, Any]:
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


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _logit_scale(model: Any) -> float:
    scale = getattr(model, "logit_scale", None)
    return 100.0 if scale is None else float(scale.detach().float().exp())


def _pooled_unit(output: Any) -> Tensor:
    return functional.normalize(getattr(output, "pooler_output", output).float(), dim=-1)
