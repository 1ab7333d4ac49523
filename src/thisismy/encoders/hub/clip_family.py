"""Any CLIP-like model of ``transformers``: CLIP, SigLIP, SigLIP 2 and their relatives.

Learned tokens are put in behind the text tower's input embedding, so no model's forward pass is written again
here. Positions are added after that and the end mark is found in ids that already hold one placeholder per
learned token, so both are right for any number of tokens.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from thisismy.core.box import Box
from thisismy.core.errors import EncoderError
from thisismy.encoders.base import Features, Picture
from thisismy.encoders.devices import choose_device
from thisismy.encoders.hub.checkpoints import Checkpoint
from thisismy.encoders.hub.injection import TokenInjection
from thisismy.encoders.hub.loading import load_model, load_processors
from thisismy.encoders.hub.preprocessing import standard_preprocessing
from thisismy.encoders.once import Once
from thisismy.encoders.precision import bfloat16_pays
from thisismy.encoders.prompts import CONTEXT, Template, check_tokens, place_tokens
from thisismy.encoders.regions import crops
from thisismy.encoders.space import FeatureSpace

IMAGE_BATCH = 16
TEXT_BATCH = 64
PAD_TO_LIMIT = frozenset({"siglip", "siglip2"})
"""Families trained with every text padded to the limit, and pooled at its last place."""


class ClipFamilyEncoder:
    """See :class:`thisismy.encoders.base.Encoder`.

    The image tower runs in half precision on an accelerator, and on a CPU in bfloat16 where that is faster
    (see `thisismy.encoders.precision`); the text tower stays in float32, so that learned tokens get exact
    gradients.

    Args:
        checkpoint: files of the model.
        device: "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        EncoderError: no model with one space for pictures and texts, or its files are incomplete.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str = "auto") -> None:
        self.device = choose_device(device)
        self._model = load_model(checkpoint)
        self._processor, self._tokenizer = load_processors(checkpoint)
        self._tokenizing = threading.Lock()
        self._preprocess = standard_preprocessing(self._processor)
        self._text_model = getattr(self._model, "text_model", None)
        self._pads_to_limit = self._model.config.model_type in PAD_TO_LIMIT
        self._wants_mask = not self._pads_to_limit and "attention_mask" in self._tokenizer.model_input_names
        self._frame_of_text()
        self._template = lru_cache(maxsize=4096)(self._make_template)
        self._model.to(self.device)
        self.image_size = self._side()
        self.token_dim: int | None = None
        if self._text_model is not None:
            self.token_dim = self._input_embedding().weight.shape[1]
            self._injection = TokenInjection(self._input_embedding())
        self.logit_scale = _logit_scale(self._model)
        steps = self._preprocess or json.dumps(self._processor.to_dict(), sort_keys=True, default=str)
        shape = hashlib.sha256(repr(steps).encode()).hexdigest()[:6]
        self.space = FeatureSpace(
            id=f"{checkpoint.name}@{checkpoint.revision[:19]}+{shape}",
            dim=int(self._text_features(self._pad([self._framed(())])).shape[-1]),
        )
        self._precision = Once(self._choose_precision)

    @property
    def id(self) -> str:
        """The id of the feature space."""
        return self.space.id

    @property
    def embed_dim(self) -> int:
        """The dimension of the feature space."""
        return self.space.dim

    def encode_images(self, images: Sequence[Picture]) -> Features:
        """Unit vectors of RGB pictures of any sizes, ``(n, embed_dim)``."""
        rows = np.zeros((len(images), self.embed_dim), np.float32)
        if len(images):
            # Texts alone never pay for finding out.
            self._precision()
        for at in range(0, len(images), IMAGE_BATCH):
            rows[at : at + IMAGE_BATCH] = self._encode_batch(images[at : at + IMAGE_BATCH])
        return rows

    def encode_regions(self, picture: Picture, boxes: Sequence[Box]) -> Features:
        """Unit vectors of the parts of a picture inside boxes, ``(n, embed_dim)``, each encoded as a crop.

        Raises:
            MediaError: a box lies outside of the picture, or is empty.
        """
        return self.encode_images(crops(picture, boxes))

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
        with self._injection.reading(slots[0], tokens.to(self.device)):
            return self._text_features(ids).to(tokens.device, tokens.dtype)

    def _frame_of_text(self) -> None:
        """Find the marks put before and behind a text, and how many tokens the text tower reads."""
        bare = self._tokenize("a")
        with self._tokenizing:
            marked = list(self._tokenizer("a")["input_ids"])
        at = next((i for i in range(len(marked)) if marked[i : i + len(bare)] == bare), 0)
        self._start, self._end = marked[:at], marked[at + len(bare) :]
        config = self._model.config.get_text_config()
        self._limit = int(getattr(config, "max_position_embeddings", 0) or self._tokenizer.model_max_length)
        self._pad_id = int(self._tokenizer.pad_token_id or 0)

    def _tokenize(self, text: str) -> list[int]:
        clipped = text[: 64 * self._limit] if hasattr(self, "_limit") else text
        # A tokenizer sets up truncation and padding in every call, which threads must not do at once.
        with self._tokenizing:
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

    def _side(self) -> int:
        if self._preprocess is None:
            return int(getattr(self._model.config.vision_config, "image_size", 0) or 384)
        size = self._preprocess.size
        return min(size) if isinstance(size, tuple) else size

    @torch.inference_mode()
    def _encode_batch(self, images: Sequence[Picture]) -> Features:
        rows: Features = self._image_features(self._pixels(images)).cpu().numpy()
        return rows

    def _choose_precision(self) -> torch.dtype:
        """Bring the image tower to the precision that suits the device."""
        parts = [getattr(self._model, name, None) for name in ("vision_model", "visual_projection")]
        if parts[0] is None:
            return torch.float32
        tower = torch.nn.ModuleList([part for part in parts if part is not None])
        if self.device.type != "cpu":
            tower.to(torch.float16)
            return torch.float16
        exact = tower.state_dict()
        picture = np.zeros((self.image_size, self.image_size, 3), np.uint8)

        def run(kind: torch.dtype) -> Callable[[], object]:
            tower.to(kind)
            return lambda: self._encode_batch([picture] * 2)

        if bfloat16_pays(self.space.id, run):
            tower.to(torch.bfloat16)
            return torch.bfloat16
        # Back from bfloat16 the weights would stay rounded.
        tower.load_state_dict(exact, assign=True)
        return torch.float32


def _logit_scale(model: Any) -> float:
    scale = getattr(model, "logit_scale", None)
    return 100.0 if scale is None else float(scale.detach().float().exp())


def _pooled_unit(output: Any) -> Tensor:
    return functional.normalize(getattr(output, "pooler_output", output).float(), dim=-1)
