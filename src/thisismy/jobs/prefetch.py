"""Run an iterator in a thread of its own, a few items ahead of whoever uses it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_END = object()


@contextmanager
def prefetch(items: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """Iterate while the source keeps working in the background.

    Decoding and encoding both release the interpreter lock, so two cores then do one each.

    Args:
        items: the source; used by the background thread only.
        depth: items that may wait to be used; more smooths a jerky source and costs their memory.

    Yields:
        An iterator over the items. An exception of the source is raised in its place. Leaving the block early
        stops the source at its next item.
    """
    waiting: queue.Queue[object] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    failure: list[BaseException] = []

    def put(item: object) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked, whatever it is
            failure.append(error)
        put(_END)

    def use() -> Iterator[T]:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if failure:
            raise failure[0]

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        yield use()
    finally:
        stop.set()
        thread.join()
