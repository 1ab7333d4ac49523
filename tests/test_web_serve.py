"""`thisismy serve` as a person starts and stops it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


@contextmanager
def serving(library: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and the address that it printed."""
    command = [sys.executable, "-m", "thisismy", "-L", str(library), "serve", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_it_serves_a_new_library_and_stops_cleanly_with_pages_open(tmp_path: Path) -> None:
    with serving(tmp_path / "library") as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        assert httpx.get(f"{url}api/status", timeout=20).json()["shots"] == 0
        assert "<script" in httpx.get(url).text
        heard = threading.Event()

        def listen() -> None:
            with httpx.stream("GET", f"{url}api/events", timeout=20) as answer:
                for _ in answer.iter_lines():
                    heard.set()

        threading.Thread(target=listen, daemon=True).start()
        assert heard.wait(10)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 0
        assert said.splitlines() == ["Ctrl-C stops it."]


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "thisismy",
            "-L",
            str(tmp_path / "library"),
            "serve",
            "--port",
            str(port),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"thisismy: port {port} is taken: the page may be open already, or choose another with --port"
    ]
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("host", ["0.0.0.0"])
def test_another_address_needs_the_token_that_is_printed(tmp_path: Path, host: str) -> None:
    with serving(tmp_path / "library", "--host", host) as (process, url):
        port = int(re.search(r":(\d+)/\?token=([\w-]{20,})$", url).group(1))  # type: ignore[union-attr]
        token = url.rpartition("=")[2]
        local = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{local}/api/status", timeout=20).status_code == 401
        with httpx.Client(base_url=local, follow_redirects=True) as page:
            assert page.get(f"/?token={token}").status_code == 200
            assert page.get("/api/status").json()["folders_allowed"] is False
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert "warning: 0.0.0.0 can be reached from other machines" in said


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "thisismy", "-L", str(tmp_path / "l"), "serve", "--host", "192.0.2.7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "192.0.2.7" in done.stderr
