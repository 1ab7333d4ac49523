"""The first run, indexing, failures, long lists, phones, keys and accessibility of the page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from page_fixtures import Visitor, serving, until, visitor
from playwright.sync_api import Browser, Page, Route, expect

PAGES = {
    "search": "#/search",
    "results": "#/search?q=my+cat+Chelsea+in+the+grass",
    "nothing": "#/search?q=a+submarine+under+the+ice",
    "watch": "#/watch/4?t=5&q=my+cat+Chelsea",
    "photo": "#/watch/3",
    "mined": "#/mined?state=accepted",
    "things": "#/things",
    "gallery": "#/thing/1",
    "examples": "#/thing/1/examples",
    "time": "#/thing/1/time",
    "library": "#/library",
}
READY = {
    "search": ".grid .shot img",
    "results": ".grid .shot img",
    "nothing": ".misses .shot img",
    "watch": ".said-line",
    "photo": ".stage img",
    "mined": ".mention .sentence",
    "things": ".thing-card",
    "gallery": ".candidate img",
    "examples": ".example img",
    "time": ".grid .shot img",
    "library": ".file-list img",
}


def show(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/{PAGES[name]}")
    page.locator(READY[name]).first.wait_for()
    page.wait_for_load_state("networkidle")
    until(page, "[...document.images].every((image) => image.complete)")
    until(page, "[...document.querySelectorAll('.stage video')].every((video) => video.readyState > 1)")


def test_the_first_run_from_nothing_to_shots(visit: Visitor, mined: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    shutil.copy(mined / "media" / "table.mp4", media)
    (media / "broken.mp4").write_text("this is not a video")
    page = visit.page
    with serving(tmp_path / "library") as url:
        page.goto(url)
        expect(page.get_by_role("heading", name="Three steps, and all of it stays")).to_be_visible()
        visit.screenshot("first-run-light")
        box = page.get_by_label("Folder or file to add")
        visit.expect("400")
        box.fill(str(tmp_path / "nowhere"))
        box.press("Enter")
        expect(page.locator(".toast.bad")).to_contain_text("nowhere")
        box.fill(str(media))
        box.press("Enter")
        expect(page.locator(".grid .shot")).to_have_count(3, timeout=30_000)
        page.keyboard.press("g")
        page.keyboard.press("l")
        failures = page.locator(".failures")
        expect(failures).to_contain_text("broken.mp4")
        expect(failures).to_contain_text("text file")
        (media / "broken.mp4").unlink()
        shutil.copy(mined / "media" / "garden.jpg", media)
        failures.get_by_role("button", name="Try again").click()
        expect(page.locator(".file-list")).to_contain_text("garden.jpg", timeout=30_000)
        visit.screenshot("library-light")


def test_a_hundred_thousand_shots_need_few_cards(visit: Visitor, named_server: str) -> None:
    page = visit.page
    with page.expect_response(re.compile("/api/shots")) as first:
        page.goto(named_server)
    known = first.value.json()["items"]

    def many(route: Route) -> None:
        asked = re.search(r"offset=(\d+)&limit=(\d+)", route.request.url)
        assert asked is not None
        offset, limit = int(asked[1]), int(asked[2])
        window = range(offset, min(100_000, offset + limit))
        items = [{**known[n % len(known)], "shot_id": n} for n in window]
        route.fulfill(json={"total": 100_000, "offset": offset, "items": items})

    page.route("**/api/shots*", many)
    page.reload()
    expect(page.get_by_role("heading", name="Everything")).to_contain_text("100,000 shots")
    measured = page.evaluate(
        """async () => {
          const height = document.documentElement.scrollHeight;
          let cards = 0;
          for (let n = 0; n < 90; n += 1) {
            // Slow, fast, and jumps through the whole of it.
            scrollTo(0, n < 30 ? n * 40 : n < 60 ? n * 900 : (height * (n - 60)) / 30);
            await new Promise(requestAnimationFrame);
            cards = Math.max(cards, document.querySelectorAll('.shot').length);
          }
          return { height, cards };
        }"""
    )
    assert measured["height"] > 1_000_000
    assert measured["cards"] < 80
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("[aria-posinset='100000'] img")).to_be_attached()


def test_the_grid_is_walked_with_keys(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(named_server)
    page.locator(".grid .shot img").first.wait_for()
    page.keyboard.press("j")
    place = "Number(document.activeElement.closest('.shot').getAttribute('aria-posinset'))"
    assert page.evaluate(place) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(place) > 3
    page.keyboard.press("End")
    assert page.evaluate(place) == 17
    page.keyboard.press("Home")
    assert page.evaluate(place) == 1
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="away.mp4")).to_be_visible()


def test_help_theme_and_what_is_being_done(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(named_server)
    page.locator(".grid .shot").first.wait_for()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("More like this")
    visit.screenshot("help-light")
    page.keyboard.press("Escape")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.keyboard.press("t")
    page.keyboard.press("t")
    assert page.evaluate(paper) != light
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator(".grid .shot").first.wait_for()
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="What is being done")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="What is being done")).not_to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(browser: Browser, named_server: str, theme: str) -> None:
    import axe_core_python

    script = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
    found = []
    # The script is put in by the test, which the page's own policy forbids.
    with visitor(browser, theme=theme, bypass_csp=True, reduced_motion="reduce") as visit:
        for name in PAGES:
            show(visit.page, named_server, name)
            visit.page.evaluate(script)
            result = visit.page.evaluate("axe.run()")
            for violation in result["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    targets = [node["html"][:160] for node in violation["nodes"][:3]]
                    found.append(f"{name}: {violation['id']}: {violation['help']}: {targets}")
            visit.screenshot(f"{name}-{theme}")
    assert found == []


def test_a_phone_shows_every_page_without_scrolling_sideways(browser: Browser, named_server: str) -> None:
    with visitor(browser, 390, 844, has_touch=True, is_mobile=True) as visit:
        for name in PAGES:
            show(visit.page, named_server, name)
            wide = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            visit.screenshot(f"{name}-phone")
            assert wide <= 0, name


def test_a_server_that_stops_is_said(visit: Visitor, named: Path, tmp_path: Path) -> None:
    shutil.copytree(named, tmp_path / "library")
    page = visit.page
    with serving(tmp_path / "library") as url:
        page.goto(url)
        page.locator(".grid .shot").first.wait_for()
        visit.expect("ERR_")
    expect(page.get_by_text("not connected")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("a cat")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is it still running in its terminal?")).to_be_visible()
