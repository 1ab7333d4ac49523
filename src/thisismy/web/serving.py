"""Running the page on an address of this machine, until somebody stops it."""

from __future__ import annotations

import ipaddress
import secrets
import signal
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from thisismy.core.errors import ThisIsMyError
from thisismy.web.app import create_app
from thisismy.web.security import Access, local_names

if TYPE_CHECKING:
    from fastapi import FastAPI

STOP_SECONDS = 3
"""How long answers that are under way may still take when the server stops."""


class ServeError(ThisIsMyError):
    """The page cannot be served on an address."""


class Server:
    """A server that listens, and answers once it runs.

    Attributes:
        app: the application.
        url: what to open.
        token: what every visitor needs; None when only this machine can ask.
    """

    def __init__(self, app: FastAPI, listener: socket.socket, url: str, token: str | None) -> None:
        self.app = app
        self.url = url
        self.token = token
        self._listener = listener
        self._running: _Stoppable | None = None

    @classmethod
    def prepare(cls, folder: Path, *, host: str = "127.0.0.1", port: int = 8765) -> Server:
        """Open the library and take the port.

        Args:
            folder: the library; made when there is none.
            host: address or name of this machine.
            port: 0 takes any free one.

        Raises:
            ServeError: the port is taken, or the address is not of this machine.
            LibraryError: the library cannot be opened.
        """
        listener = _listen(host, port)
        local = _is_loopback(listener.getsockname()[0])
        token = None if local else secrets.token_urlsafe(24)
        names = () if local else (host.lower(), *local_names())
        try:
            app = create_app(folder, access=Access(token, names), local=local)
        except ThisIsMyError:
            listener.close()
            raise
        shown = host if local else _reachable(host)
        shown = f"[{shown}]" if ":" in shown else shown
        url = f"http://{shown}:{listener.getsockname()[1]}/"
        return cls(app, listener, url if token is None else f"{url}?token={token}", token)

    def stop(self) -> None:
        """End a server that runs in another thread."""
        if self._running is not None:
            self._running.handle_exit(signal.SIGTERM, None)

    def run(self, *, open_browser: bool = False) -> None:
        """Answer until the process is asked to stop; then running jobs are stopped, keeping what is done.

        Args:
            open_browser: also open the page.
        """
        config = uvicorn.Config(
            self.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._running = _Stoppable(config, self.app)
        state = self.app.state.app_state
        # The first search would wait for the encoder.
        Thread(target=state.warm, name="thisismy-warm", daemon=True).start()
        if open_browser:
            Thread(target=webbrowser.open, args=(self.url,), daemon=True).start()
        with self._listener:
            self._running.run(sockets=[self._listener])


class _Stoppable(uvicorn.Server):
    """A server that stops without an error, and ends the event streams, which would run for ever."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.state.app_state.events.close()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original raises the signal once more at the end, as if stopping had not worked.
        if current_thread() is not main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise ServeError(
            f"{host!r} is not an address of this machine: leave --host out, or give one"
        ) from None
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ServeError(_why(host, port, error)) from error
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    import errno

    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken: the page may be open already, or choose another with --port"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} may not be used: choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _reachable(host: str) -> str:
    """A name under which others reach an address that stands for all of this machine's."""
    return socket.gethostname() if host in {"0.0.0.0", "::", ""} else host
