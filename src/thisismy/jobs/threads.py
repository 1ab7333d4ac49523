"""Sharing the processors between decoding and encoding."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def half_for_encoding() -> Iterator[None]:
    """Let torch use at most half of the processors, because the decoder keeps the others busy.

    Threads of torch wait for each other by spinning, so more threads than free processors cost time.
    Outside the block everything is as before; without torch nothing happens.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) // 2)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
