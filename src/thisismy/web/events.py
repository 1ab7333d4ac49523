"""Telling every open page what happens, by server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT = 15.0
"""Seconds after which a comment is sent when nothing happens, so that the connection is not closed."""

BACKLOG = 1000
"""Events that wait for a page that does not read; one that falls further behind is disconnected."""


class Events:
    """Passes events from any thread to every listener."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def attach(self) -> None:
        """Take the running event loop as the one that listeners live in."""
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def publish(self, event: str, data: Any) -> None:
        """Tell every listener; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop ended between the question and the call
                self._loop.call_soon_threadsafe(self._send, encode(event, data))

    def close(self) -> None:
        """End every listener's stream, so that the server can stop."""
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._send, None)

    def _send(self, message: str | None) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(message)
            except asyncio.QueueFull:
                self._listeners.discard(queue)

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Queue[str | None]]:
        queue: asyncio.Queue[str | None] = asyncio.Queue(BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def listen(self, first: str) -> AsyncIterator[str]:
        """The stream of one page: ``first``, then every event, until the server stops."""
        with self._listening() as queue:
            yield first
            while not self._closed and queue in self._listeners:
                try:
                    message = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": keep-alive\n\n"
                    continue
                if message is None:
                    return
                yield message


def encode(event: str, data: Any) -> str:
    """One event as it goes over the wire."""
    # JSON never holds a line break, which would end the field.
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
