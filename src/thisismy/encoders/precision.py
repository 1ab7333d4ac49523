"""Whether an image tower runs faster in bfloat16 on this processor.

Processors with AMX or AVX512-BF16 take about half the time; others emulate it and take many times as long (23
times with AVX2). So it is tried only where the processor has such instructions, and what was measured is
remembered: a start pays for it once per model and machine.

The vectors of the embedded encoder change as much as they do when a picture is saved as JPEG at quality 90:
a cosine of .998 on average and .994 at worst over photos of things, emulated on AVX2. So vectors of both
precisions may stand in one index, and the id of a feature space does not name the precision: a library moves
between machines without being encoded again.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from thisismy.core.caches import CachedFacts

WORTHWHILE = 0.8
"""bfloat16 is used where it takes at most this share of the time of float32."""
RUNS = 3


def bfloat16_pays(model: str, run: Callable[[torch.dtype], Callable[[], object]]) -> bool:
    """Whether a model's image tower is to run in bfloat16 here; measured once per model and machine.

    Args:
        model: names the model in the cache of what was measured.
        run: precision -> what encodes a small batch in it.
    """
    if not has_native_bfloat16():
        return False
    facts, key = CachedFacts("precision"), f"{model} on {_machine()}"
    known = facts.get(key)
    if not isinstance(known, bool):
        known = _seconds(run(torch.bfloat16)) <= WORTHWHILE * _seconds(run(torch.float32))
        facts.put(key, known)
    return known


def has_native_bfloat16() -> bool:
    """Whether the processor multiplies matrices in bfloat16 itself; False where that cannot be told."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    if any(getattr(torch.cpu, name, lambda: False)() for name in names):
        return True
    return platform.machine() in {"aarch64", "arm64"} and "bf16" in _cpu_fact("Features").split()


def _machine() -> str:
    """What the speed depends on: processor, threads and the version of PyTorch."""
    processor = _cpu_fact("model name") or platform.processor() or platform.machine()
    return f"{platform.node()} ({processor}, {torch.get_num_threads()} threads, torch {torch.__version__})"


def _cpu_fact(name: str) -> str:
    """A line of the kernel's description of the processor; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = (
        value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == name
    )
    return next(found, "")


def _seconds(work: Callable[[], object]) -> float:
    """The quickest of a few runs; the first, which sets things up, does not count."""
    taken = []
    for _ in range(1 + RUNS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken[1:])
