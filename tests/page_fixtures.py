"""A browser, and real servers with the demonstration library in it, for the tests of the page."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
BUILD = Path(__file__).parent.parent / "build"
SCREENSHOTS = BUILD / "screenshots"
HOSTILE = '<img src=x onerror="document.title=1"> & "Rex" \'); alert(1)//'


def find_browser() -> str | None:
    """The browser named by THISISMY_BROWSER, else the first Chromium on the path."""
    named = os.environ.get("THISISMY_BROWSER")
    found = [path for path in map(shutil.which, [named] if named else NAMES) if path]
    return found[0] if found else None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; where there is none, THISISMY_REQUIRE_BROWSER=1 makes that a failure."""
    path = find_browser()
    if path is None:
        reason = "no Chromium was found: install one, or name it in THISISMY_BROWSER"
        if os.environ.get("THISISMY_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    # What is waited for comes at once, or late on a machine with other work.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def mined(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """A folder with "media" and the "library" of it: indexed and mined, nothing decided. Never changed."""
    from thisismy import demo
    from thisismy.library import Library

    folder = tmp_path_factory.mktemp("page")
    # Filming takes longest, and gives the same videos until the program for it changes.
    version = hashlib.sha256(Path(demo.__file__).read_bytes()).hexdigest()[:8]
    made = BUILD / f"demo-media-{version}"
    demo.make_media(made)
    shutil.copytree(made, folder / "media")
    library = Library.create(folder / "library")
    library.files.add([folder / "media"])
    library.mentions.mine()
    library.store.close()
    return folder


@pytest.fixture(scope="session")
def named(mined: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which the cat and the motorcycle are named and learned. Never changed."""
    from thisismy.library import Library

    folder = tmp_path_factory.mktemp("named") / "library"
    shutil.copytree(mined / "library", folder)
    library = Library.open(folder)
    for mention in library.mentions.all():
        if mention.verdict == "kept":
            library.mentions.accept(mention)
    library.learning.learn(judge=False)
    library.store.close()
    return folder


@contextmanager
def serving(library: Path) -> Iterator[str]:
    """`thisismy serve` on a free port as long as the block lasts; gives its address, no slash at its end."""
    command = [sys.executable, "-c", "from thisismy.cli.app import main; main()", "--library", str(library)]
    server = subprocess.Popen(
        [*command, "serve", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), line + server.stdout.read()
        url = line.rstrip("/")
        _wait(url)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        try:
            said, _ = server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            raise
    assert "Traceback" not in said, said


def _wait(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{url}/api/status", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def named_server(named: Path) -> Iterator[str]:
    """A server whose library no test changes."""
    with serving(named) as url:
        yield url


@pytest.fixture
def own_server(named: Path, tmp_path: Path) -> Iterator[str]:
    """A server of the named library for one test to change."""
    shutil.copytree(named, tmp_path / "library")
    with serving(tmp_path / "library") as url:
        yield url


@pytest.fixture
def mined_server(mined: Path, tmp_path: Path) -> Iterator[str]:
    """A server of the mined library in which nothing is named, for one test to change."""
    shutil.copytree(mined / "library", tmp_path / "library")
    with serving(tmp_path / "library") as url:
        yield url


class Visitor:
    """A page that notes every error it meets.

    Attributes:
        page: of Playwright.
        problems: console errors, exceptions, failed requests.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def expect(self, text: str) -> None:
        """A problem with this text is what the test is about."""
        self.expected.append(text)

    def unexpected(self) -> list[str]:
        """Problems nobody expected."""
        return [one for one in self.problems if not any(text in one for text in self.expected)]

    def screenshot(self, name: str) -> None:
        """Keep a picture of what is seen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def until(page: Page, expression: str, seconds: float = 20) -> None:
    """Wait until JavaScript says true; Playwright's own way needs what the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(60)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """A fresh visitor with a light, wide screen; the test fails on any error in the console."""
    with visitor(browser) as one:
        yield one


@contextmanager
def visitor(
    browser: Browser, width: int = 1280, height: int = 800, theme: str = "light", **more: object
) -> Iterator[Visitor]:
    """A visitor with another screen; fails on any error in the console."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )
    one = Visitor(context)
    try:
        yield one
        assert one.unexpected() == []
    finally:
        context.close()
