"""What learning costs: time and memory of 15 instances, and of a search with a name.

    python benchmarks/learning.py --out benchmarks/results/learning.json

Features are drawn at random, because time does not depend on them. The CLIP is of the size of ViT-B/16 with
random weights, built in a folder that is thrown away.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thisismy.encoders import load_encoder
from thisismy.encoders.base import Encoder, unit
from thisismy.personalization import NamedInstance, Vocabulary, make_method
from thisismy.personalization.methods.meta_tokens import MetaTokens

INSTANCES, EXAMPLES, NEGATIVES, GALLERY = 15, 7, 512, 100_000
CATEGORIES = (
    "man",
    "skateboard",
    "bag",
    "piano",
    "hat",
    "dog",
    "bicycle",
    "shoes",
    "car",
    "keyboard",
    "chair",
)
PAPER = MetaTokens(tokens=1, init="random", temperature=0.1)
"""The settings of sections 3 and 5: 40 epochs, batches of 16, 512 words of a matrix, 512 negatives a step."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="JSON file")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    results: dict[str, Any] = {"machine": machine(given.threads), "paper": asdict(PAPER)}
    embedded = load_encoder("embedded", device="cpu")
    results["embedded"] = {
        "paper": learned(embedded, PAPER),
        "meta-tokens": learned(embedded, MetaTokens()),
        "default": learned(embedded, make_method("default")),
        "search": {name: searched(embedded, name) for name in ("default", "meta-tokens")},
    }
    print(json.dumps(results["embedded"], indent=1), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        clip = load_encoder(str(write_clip(Path(folder))), device="cpu")
        results["clip-b16-random"] = {"paper": learned(clip, PAPER, epochs_measured=2)}
    print(json.dumps(results["clip-b16-random"], indent=1), flush=True)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")


def machine(threads: int) -> dict[str, Any]:
    """What it ran on, and how busy that was."""
    return {
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def things(encoder: Encoder) -> tuple[list[NamedInstance], np.ndarray]:
    """Instances as in This-Is-My (104 shots of 15 things of 11 categories), and other shots."""
    draw = np.random.default_rng(0)
    found = []
    for number in range(INSTANCES):
        rows = draw.normal(size=(1, encoder.embed_dim)) + 0.5 * draw.normal(
            size=(EXAMPLES, encoder.embed_dim)
        )
        category = CATEGORIES[number % len(CATEGORIES)]
        found.append(NamedInstance(f"my thing {number}", category, unit(rows)))
    return found, unit(draw.normal(size=(NEGATIVES, encoder.embed_dim)))


def learned(encoder: Encoder, method: Any, epochs_measured: int | None = None) -> dict[str, Any]:
    """Seconds of learning, and how far the memory of the process rose above what it was.

    On a machine that others use too, the seconds of the processor say more than those of the clock.

    With ``epochs_measured`` only so many epochs are run and the time of all is worked out from them.
    """
    instances, negatives = things(encoder)
    encoder.encode_texts(["a dog"])
    before = peak()
    start, start_cpu = time.perf_counter(), time.process_time()
    scale = 1.0
    if epochs_measured is not None:
        scale = method.epochs / epochs_measured
        method = type(method)(**{**asdict(method), "epochs": epochs_measured})
    method.fit(instances, negatives, encoder)
    print(type(method).__name__, round(time.perf_counter() - start, 1), "s", flush=True)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    about: dict[str, Any] = {
        "seconds": round(seconds * scale, 1),
        "cpu_seconds": round(cpu * scale, 1),
        "memory_mb": round(peak() - before, 1),
    }
    if epochs_measured is not None:
        about["worked out from epochs"] = epochs_measured
    return about


def searched(encoder: Encoder, method: str) -> dict[str, float]:
    """Milliseconds of a plain search and of one with a name, in turns, on the same rows."""
    instances, negatives = things(encoder)
    made = make_method(method, {"epochs": 1} if method == "meta-tokens" else {})
    vocabulary = made.fit(instances, negatives, encoder)
    draw = np.random.default_rng(1)
    gallery = unit(draw.standard_normal((GALLERY, encoder.embed_dim), np.float32))
    times: dict[str, list[float]] = {"plain": [], "named": [], "one text": []}
    for turn in range(7):
        times["plain"].append(taken(partial(plain, encoder, f"a dog on a bed {turn}", gallery)))
        times["named"].append(taken(partial(named, vocabulary, f"* on a bed {turn}", gallery)))
        times["one text"].append(taken(partial(encoder.encode_texts, [f"a dog in a car {turn}"])))
    return {name: round(1000 * statistics.median(values), 1) for name, values in times.items()}


def plain(encoder: Encoder, text: str, gallery: np.ndarray) -> np.ndarray:
    """Scores of a text as typed and as a caption, as `thisismy search` asks."""
    return gallery @ unit(encoder.encode_texts([text, f"a photo of {text}"]).sum(axis=0))


def named(vocabulary: Vocabulary, prompt: str, gallery: np.ndarray) -> np.ndarray:
    """Scores of a prompt with an instance."""
    return vocabulary.score(prompt, "my thing 3", gallery)


def taken(what: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def peak() -> float:
    """The most memory this process has held so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1e6 if sys.platform == "darwin" else 1e3)


def write_clip(folder: Path) -> Path:
    """A CLIP of the size of ViT-B/16 with random weights and a tokenizer of letters."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    letters = [chr(c) for c in range(33, 127)]
    vocab = {token: i for i, token in enumerate([*letters, *(letter + "</w>" for letter in letters)])}
    for word in ("dog", "cat", "man", "car", "red", "blue", "an", "of", "image", "photo", "this", "is", "in"):
        vocab.setdefault(word + "</w>", len(vocab))
    merges = []
    for word in [w.removesuffix("</w>") for w in list(vocab) if len(w.removesuffix("</w>")) > 1]:
        done = word[0]
        for position, letter in enumerate(word[1:], 1):
            following = letter + ("</w>" if position == len(word) - 1 else "")
            merges.append((done, following))
            done += following
            vocab.setdefault(done, len(vocab))
    vocab |= {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    end = 49407
    text = {"vocab_size": 49408, "bos_token_id": 49406, "eos_token_id": end, "pad_token_id": end}
    CLIPModel(CLIPConfig(text_config=text, vision_config={"patch_size": 16})).save_pretrained(folder)
    CLIPTokenizer(vocab=vocab, merges=list(dict.fromkeys(merges)), model_max_length=77).save_pretrained(
        folder
    )
    CLIPImageProcessorPil().save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
