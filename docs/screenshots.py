"""Take the pictures of the page that the README and the guide show, of the demonstration library.

    python docs/screenshots.py

Needs Chromium and the packages of the extra "dev". The demonstration library is made afresh, in a temporary
folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
COMMAND = [sys.executable, "-c", "from thisismy.cli.app import main; main()"]
COLOURS = 256
"""Of a palette; a picture then takes a third of the bytes, and the difference is hard to see."""


def main() -> None:
    """Make the library, serve it, and take the pictures."""
    path = os.environ.get("THISISMY_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("no Chromium was found: install one, or name it in THISISMY_BROWSER")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run([*COMMAND, "demo", folder], check=True, stdout=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox"])
        with serving(Path(folder) / "library") as url:
            for theme, name, take in (("light", "page-search", search), ("dark", "page-watch", watch)):
                context = browser.new_context(viewport={"width": 1200, "height": 700}, color_scheme=theme)
                page = context.new_page()
                take(page, url)
                save(page, IMAGES / f"{name}.png")
                context.close()
        browser.close()


def search(page: Page, url: str) -> None:
    """A name with a context, and what was found; the last hit under the pointer."""
    page.goto(f"{url}/#/search?q=my+cat+Chelsea+in+the+grass")
    page.get_by_role("button", name="Show the nearest misses").click()
    page.locator(".misses .shot .frame.here").last.wait_for()
    page.locator(".grid .shot").nth(1).hover()
    page.wait_for_timeout(700)


def watch(page: Page, url: str) -> None:
    """A hit being watched, with its mark on the time line and what is said beside it."""
    page.goto(f"{url}/#/search?q=my+motorcycle+Betty")
    page.locator(".grid .shot", has_text="hello.mp4").locator(".main").click()
    page.locator(".said-line.now").wait_for()
    page.locator(".strip .frame.here").first.wait_for()
    page.wait_for_timeout(900)
    page.keyboard.press("Space")
    page.wait_for_timeout(400)


def save(page: Page, path: Path) -> None:
    """Save what is seen as a small PNG."""
    page.screenshot(path=path)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(COLOURS, kmeans=3)
    small.save(path, optimize=True)


@contextmanager
def serving(library: Path) -> Iterator[str]:
    """A server as long as the block lasts; gives its address."""
    command = [*COMMAND, "--library", str(library), "serve", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield (server.stdout.readline() if server.stdout else "").strip().rstrip("/")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
