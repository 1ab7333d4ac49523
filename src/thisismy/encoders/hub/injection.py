"""Learned tokens in a text tower of ``transformers``, without a forward pass of our own.

A hook behind the input embedding stays there for good and replaces rows only in the thread that asked for it,
so texts that other threads encode meanwhile are read as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from thisismy.encoders.prompts import inject


class TokenInjection:
    """Puts learned tokens behind an input embedding.

    Args:
        embedding: the input embedding of a text tower; it is given a forward hook.
    """

    def __init__(self, embedding: nn.Module) -> None:
        self._here = threading.local()
        embedding.register_forward_hook(self._replace)

    @contextmanager
    def reading(self, slots: Tensor, tokens: Tensor) -> Iterator[None]:
        """Inside, and in this thread only, the text tower reads ``tokens`` wherever ``slots`` says so.

        Args:
            slots: ``(n, length)``; see `thisismy.encoders.prompts.Template`.
            tokens: ``(n, n_w, token_dim)``.
        """
        self._here.read = slots, tokens
        try:
            yield
        finally:
            del self._here.read

    def _replace(self, _module: nn.Module, _args: object, embedded: Tensor) -> Tensor:
        read: tuple[Tensor, Tensor] | None = getattr(self._here, "read", None)
        return embedded if read is None else inject(embedded, *read)
