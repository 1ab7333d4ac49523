"""Something that is made when it is first asked for, and once however many threads ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Call it to get the value.

    ``functools.cached_property`` makes the value again for every thread that asks before it is there.

    Args:
        make: called by the first thread; the others wait. When it raises, the next call tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[T] | None = None

    def __call__(self) -> T:
        """The value.

        Raises:
            Exception: whatever ``make`` raises.
        """
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = (self._make(),)
        return self._made[0]
