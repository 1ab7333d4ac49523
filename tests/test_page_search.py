"""Searching and watching, in a browser, on a real server with the demonstration library."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_fixtures import Visitor, until, visitor
from playwright.sync_api import Browser, Page, expect

CAT = "my cat Chelsea"


def search(page: Page, words: str) -> None:
    box = page.get_by_role("combobox", name="What to look for")
    box.fill(words)
    box.press("Enter")


def expect_files(page: Page, wanted: set[str], more: bool = False) -> None:
    """The first grid soon shows shots of these files, or of others as well."""
    names = "[...(document.querySelector('.grid') ?? document).querySelectorAll('.caption .name')]"
    found = f"new Set({names}.map((name) => name.innerText))"
    same = "true" if more else f"found.size === {len(wanted)}"
    until(page, f"((found) => {same} && {sorted(wanted)}.every((one) => found.has(one)))({found})")


def playing_at(page: Page) -> float:
    return float(page.evaluate("document.querySelector('.stage video').currentTime"))


def test_a_name_is_completed_with_its_picture_and_found(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(named_server)
    expect(page.get_by_role("heading", name="Everything")).to_contain_text("17 shots")
    page.keyboard.press("/")
    page.keyboard.type("che", delay=20)
    option = page.get_by_role("option", name=CAT)
    expect(option.locator("img")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    box = page.get_by_role("combobox", name="What to look for")
    expect(box).to_have_value(f"{CAT} ")
    expect(page.locator(".search-mirror mark")).to_have_text(CAT)
    expect(page.locator(".search-lead .face img")).to_be_visible()
    page.keyboard.type("in the grass")
    page.keyboard.press("Enter")
    expect(page.get_by_text("read as 'my cat Chelsea'")).to_be_visible()
    expect_files(page, {"evening.mp4"}, more=True)
    visit.screenshot("results-light")


def test_a_hit_plays_from_its_second_with_marks_and_words(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q={CAT.replace(' ', '+')}")
    page.get_by_role("link", name=re.compile("Play evening.mp4")).click()
    until(page, "document.querySelector('.stage video')?.currentTime > 8")
    assert 8 <= playing_at(page) < 12
    expect(page.locator(".lane .hit")).to_have_count(1)
    left = page.locator(".lane .hit").evaluate("e => parseFloat(e.style.left)")
    assert left == pytest.approx(8 / 16 * 100, abs=0.5)
    expect(page.locator(".said-line.now")).to_contain_text("Guess who is waiting in the garden.")
    page.get_by_text("Look up when the night is clear.").click()
    until(page, "document.querySelector('.stage video').currentTime < 3")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("n")
    until(page, "document.querySelector('.stage video').currentTime >= 8")
    page.keyboard.press("ArrowLeft")
    until(page, "document.querySelector('.stage video').currentTime < 4")
    visit.screenshot("watch-light")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name=re.compile(r"\d moments"))).to_be_visible()
    expect_files(page, {"evening.mp4"}, more=True)


def test_dragging_on_the_time_line_shows_pictures_and_seeks(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/watch/4")
    bar = page.get_by_role("slider", name="Where in the video")
    expect(page.locator(".strip li")).to_have_count(5)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    box = bar.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    with page.expect_response(re.compile("/sprites/0.jpg")):
        page.mouse.move(box["x"] + 20, y)
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(box["x"] + box["width"] * step / 20, y)
    expect(page.locator(".bubble")).to_contain_text("0:20")
    page.mouse.up()
    until(page, "Math.abs(document.querySelector('.stage video').currentTime - 20.9) < 0.2")
    bar.focus()
    page.keyboard.press("Home")
    until(page, "document.querySelector('.stage video').currentTime < 1")


def test_what_the_browser_cannot_play_is_played_from_pieces(visit: Visitor, named_server: str) -> None:
    page = visit.page
    broken = {"status": 200, "body": b"no video", "content_type": "video/mp4"}
    page.route("**/media/4/file*", lambda route: route.fulfill(**broken))
    with page.expect_response(re.compile("/segments/1.mp4")):
        page.goto(f"{named_server}/#/watch/4?t=9")
    until(page, "document.querySelector('.stage video').currentTime >= 9.5")
    page.keyboard.press("Home")
    until(page, "document.querySelector('.stage video').currentTime < 2")


def test_hover_plays_silently_and_stops(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(named_server)
    card = page.get_by_role("link", name=re.compile("Play away.mp4, 0:09"))
    card.hover()
    preview = card.locator("video")
    expect(preview).to_be_attached()
    until(page, "document.querySelector('video.preview')?.currentTime > 9.2")
    assert preview.evaluate("v => v.muted") is True
    page.mouse.move(5, 5)
    expect(preview).not_to_be_attached()


def test_little_motion_means_nothing_plays_by_itself(browser: Browser, named_server: str) -> None:
    with visitor(browser, reduced_motion="reduce") as visit:
        page = visit.page
        page.goto(named_server)
        page.get_by_role("link", name=re.compile("Play away.mp4, 0:09")).hover()
        page.wait_for_timeout(500)
        expect(page.locator("video")).to_have_count(0)


def test_nothing_good_enough_is_said_with_the_nearest_misses(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(named_server)
    search(page, "a submarine under the ice")
    expect(page.get_by_role("heading", name="Nothing good enough")).to_be_visible()
    expect(page.get_by_role("heading", name="Nearest misses")).to_be_visible()
    assert page.locator(".misses .shot").count() >= 3
    visit.screenshot("nothing-light")
    search(page, "a cup of coffee on a table")
    expect(page.get_by_role("heading", name=re.compile(r"^\d moments?$"))).to_be_visible()
    assert re.fullmatch(r"\d moments?\s+Seen.*", page.locator(".toolbar").inner_text(), re.DOTALL)
    page.get_by_role("button", name="Show the nearest misses").click()
    expect(page.locator(".misses .shot").first).to_be_visible()


def test_why_says_what_name_and_context_brought(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q=my+cat+Chelsea+in+the+grass")
    page.get_by_role("button", name=re.compile("^Why")).first.click()
    dialog = page.get_by_role("dialog", name="Why?")
    expect(dialog.locator("dt")).to_have_text([CAT, "the rest of the words"])
    expect(dialog).to_contain_text("Rank 1")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()


def test_more_like_this_and_not_this(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q=a+motorcycle")
    first = page.locator(".grid .shot").first
    first.locator(".main").focus()
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="1 shot left out")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="1 shot left out")).not_to_be_visible()
    page.locator(".grid .shot").first.locator(".main").focus()
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("like="))
    expect_files(page, {"hello.mp4", "table.mp4"})


def test_a_photo_is_searched_with(visit: Visitor, named_server: str, mined: Path) -> None:
    page = visit.page
    page.goto(named_server)
    page.get_by_label("Photo to search with").set_input_files(mined / "media" / "garden.jpg")
    expect(page.get_by_role("button", name="Search without the photo")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("moments?$"))).to_be_visible()
    expect_files(page, {"garden.jpg"}, more=True)
    page.get_by_role("button", name="Search without the photo").click()
    expect(page.get_by_role("heading", name="Everything")).to_be_visible()


def test_filters_and_order(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q=a+cat")
    expect(page.locator(".grid .shot").first).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("In files whose path has").fill("garden")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Filters · 1")).to_be_visible()
    expect_files(page, {"garden.jpg"})
    page.get_by_role("button", name="Filters · 1").click()
    page.get_by_label("Made on or after").fill("last week")
    page.get_by_role("button", name="Apply").click()
    visit.expect("400")
    expect(page.get_by_text("is not a day")).to_be_visible()


def test_what_is_said_can_be_searched(visit: Visitor, named_server: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q=it+needs+oil")
    page.get_by_role("button", name="Said").click()
    page.get_by_role("link", name=re.compile("It needs oil")).click()
    until(page, "document.querySelector('.stage video')?.currentTime >= 9")


@pytest.mark.parametrize("what", ["Clips", "Picture", "Table"])
def test_selected_hits_are_exported(visit: Visitor, named_server: str, what: str) -> None:
    page = visit.page
    page.goto(f"{named_server}/#/search?q=a+motorcycle")
    page.locator(".grid .shot .main").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    bar = page.get_by_role("region", name="Selected shots")
    expect(bar).to_contain_text("2 shots")
    with page.expect_download() as saved:
        bar.get_by_role("button", name=what).click()
    assert saved.value.path().stat().st_size > 100
    suffix = {"Clips": ".zip", "Picture": ".png", "Table": ".csv"}[what]
    assert saved.value.suggested_filename.endswith(suffix)
    page.keyboard.press("Escape")
    expect(bar).not_to_be_visible()
