"""Tiny randomly initialised CLIP-family models with their tokenizers.

Each is written to a folder as a hub holds it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

WORDS = [
    "a",
    "an",
    "image",
    "of",
    "photo",
    "the",
    "dog",
    "cat",
    "man",
    "car",
    "red",
    "blue",
    "on",
    "in",
    "bed",
    "bowl",
    "and",
    "teapot",
    "pink",
    "sunglasses",
    "is",
    "asleep",
    "with",
    "my",
]
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**TEXT, "image_size": 32, "patch_size": 8}


def write_clip(folder: Path, *, old_end: bool = False) -> Path:
    """A CLIP whose tokenizer knows a few words and falls back on letters.

    Args:
        old_end: ``eos_token_id`` 2 in the configuration, as in the first CLIP configurations on the hub.
    """
    torch.manual_seed(0)
    letters = [chr(c) for c in range(33, 127)]
    vocab = {token: i for i, token in enumerate([*letters, *(letter + "</w>" for letter in letters)])}
    merges = []
    for word in WORDS:
        done = word[0]
        for i, letter in enumerate(word[1:], 1):
            nxt = letter + ("</w>" if i == len(word) - 1 else "")
            merges.append(f"{done} {nxt}")
            done += nxt
            vocab.setdefault(done, len(vocab))
    start, end = len(vocab), len(vocab) + 1
    vocab |= {"<|startoftext|>": start, "<|endoftext|>": end}
    tokenizer = CLIPTokenizer(
        vocab=vocab, merges=[tuple(m.split()) for m in dict.fromkeys(merges)], model_max_length=24
    )
    config = CLIPConfig(
        text_config={
            **TEXT,
            "vocab_size": len(vocab),
            "max_position_embeddings": 24,
            "bos_token_id": start,
            "eos_token_id": 2 if old_end else end,
            "pad_token_id": end,
        },
        vision_config=VISION,
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder


def write_siglip(folder: Path) -> Path:
    """A SigLIP with a word-piece-like sentence tokenizer that appends an end mark and pads to the limit."""
    torch.manual_seed(0)
    pieces = [("</s>", 0.0), ("<unk>", -10.0), ("▁", -8.0)]
    pieces += [("▁" + word, -2.0) for word in WORDS] + [(chr(c), -9.0) for c in range(33, 127)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=1))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="</s>",
        pad_token="</s>",
        unk_token="<unk>",
        model_max_length=20,
        model_input_names=["input_ids"],
    )
    config = SiglipConfig(
        text_config={
            **TEXT,
            "vocab_size": len(pieces),
            "max_position_embeddings": 20,
            "eos_token_id": 0,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "projection_size": 32,
        },
        vision_config=VISION,
    )
    SiglipModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
