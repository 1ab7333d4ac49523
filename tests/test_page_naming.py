"""Naming, reviewing, labelling and learning, in a browser, each on a server of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_fixtures import HOSTILE, Visitor, until
from playwright.sync_api import expect

from thisismy.library import Library


def test_mined_mentions_are_reviewed_with_keys(visit: Visitor, mined_server: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(mined_server)
    expect(page.get_by_label("2 to review")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.locator(".sentence")).to_contain_text("And this is my cat Chelsea.")
    expect(page.locator(".sentence mark")).to_have_text("my cat Chelsea")
    until(page, "document.querySelector('.mention video.preview')?.currentTime > 4")
    visit.screenshot("mined-light")
    page.keyboard.press("r")
    expect(page.locator(".sentence")).to_contain_text("This is my motorcycle Betty.")
    page.keyboard.press("u")
    expect(page.locator(".sentence")).to_contain_text("And this is my cat Chelsea.")
    page.keyboard.press("e")
    page.keyboard.type("my cat Chels")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("This is my motorcycle Betty.")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="All reviewed")).to_be_visible()
    library = Library.open(tmp_path / "library")
    assert [one.name for one in library.instances.all()] == ["my cat Chels", "my motorcycle Betty"]


def test_a_paused_frame_is_named_with_a_box(visit: Visitor, mined_server: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(f"{mined_server}/#/watch/4?t=15")
    until(page, "document.querySelector('.stage video')?.currentTime >= 15")
    page.keyboard.press("i")
    page.get_by_label("This is …").fill("my motorcycle Betty")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + stage["width"] * 0.2, stage["y"] + stage["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.5, stage["y"] + stage["height"] * 0.6, steps=4)
    page.mouse.move(stage["x"] + stage["width"] * 0.8, stage["y"] + stage["height"] * 0.9, steps=4)
    page.mouse.up()
    expect(page.get_by_text("It is learned from what is inside.")).to_be_visible()
    visit.screenshot("naming-light")
    with page.expect_request("**/api/name") as sent:
        page.get_by_role("button", name="Save").click()
    assert 15 <= sent.value.post_data_json["places"][0]["time"] < 17
    expect(page.get_by_text("my motorcycle Betty is now one of your things")).to_be_visible()
    expect(page.locator(".lane .confirmed")).to_have_count(1)
    (example,) = Library.open(tmp_path / "library").instances.examples("my motorcycle Betty")
    assert example.example.box == pytest.approx((0.2, 0.3, 0.8, 0.9), abs=0.02)
    assert (example.example.span.start, example.example.span.end) == pytest.approx((13, 18), abs=0.2)
    page.keyboard.press("/")
    page.keyboard.type("my motorcycle Betty")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("moments?$"))).to_be_visible()
    # What is inside the box is learned: a nearer view is more like it than the frame it was drawn on.
    expect(page.locator(".grid .name").first).to_have_text(re.compile("hello|table|away"))
    found = page.locator(".grid").first.locator(".name").all_inner_texts()
    assert {"hello.mp4", "table.mp4"} <= set(found) <= {"hello.mp4", "table.mp4", "away.mp4"}


def test_a_box_is_drawn_with_keys(visit: Visitor, mined_server: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(f"{mined_server}/#/watch/3")
    page.locator(".stage img").wait_for()
    until(page, "document.querySelector('.stage img').complete")
    page.keyboard.press("i")
    page.keyboard.type("my cat Chelsea")
    page.get_by_role("button", name="Draw a box").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("my cat Chelsea is now one of your things")).to_be_visible()
    (example,) = Library.open(tmp_path / "library").instances.examples("my cat Chelsea")
    assert example.example.box == pytest.approx((0.28, 0.23, 0.70, 0.77), abs=0.001)


def test_a_gallery_is_labelled_learned_and_found(visit: Visitor, own_server: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(own_server)
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.get_by_role("link", name=re.compile("my motorcycle Betty")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("my motorcycle Betty")
    expect(page.get_by_role("list", name="Candidates for my motorcycle Betty")).to_be_visible()
    expect(page.locator(".candidate .flip.on").first).to_be_attached()
    first = page.locator(".candidate .main").first
    assert re.search("away|table", first.get_attribute("aria-label") or "")
    page.keyboard.press("j")
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator(".pace")).to_contain_text("2 yes · 2 no")
    page.keyboard.press("u")
    expect(page.locator(".pace")).to_contain_text("2 yes · 1 no")
    page.locator(".candidate .main").nth(3).click()
    page.locator(".candidate .main").nth(3).click()
    expect(page.locator(".pace")).to_contain_text("2 yes · 2 no")
    visit.screenshot("gallery-light")
    expect(page.get_by_role("region", name="Learning")).to_contain_text("Has changed since")
    page.keyboard.press("l")
    expect(page.get_by_role("region", name="Learning")).to_contain_text("Left out one by one", timeout=40_000)
    visit.screenshot("learned-light")
    instance = Library.open(tmp_path / "library").instances.get("my motorcycle Betty")
    assert (instance.confirmed, instance.rejected) == (3, 2)
    page.get_by_role("link", name="Find it").click()
    expect(page.get_by_role("heading", name=re.compile("moments?$"))).to_be_visible()
    expect(page.locator(".grid .shot").first).to_be_visible()
    found = set(page.locator(".grid").first.locator(".name").all_inner_texts())
    assert {"hello.mp4", "away.mp4", "table.mp4"} <= found


def test_examples_are_decided_and_taken_back(visit: Visitor, own_server: str) -> None:
    page = visit.page
    page.goto(f"{own_server}/#/things")
    page.get_by_role("link", name=re.compile("my cat Chelsea")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("my cat Chelsea")
    page.keyboard.press("2")
    confirmed = page.get_by_role("region", name="Confirmed")
    expect(confirmed).to_be_visible()
    before = confirmed.locator("li").count()
    confirmed.get_by_role("button", name=re.compile("It is not")).first.click()
    expect(page.get_by_role("region", name="Rejected").locator("li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("region", name="Rejected")).to_have_count(0)
    expect(confirmed.locator("li")).to_have_count(before)
    page.keyboard.press("3")
    expect(page.get_by_role("list", name="Where it appears").locator(".shot").first).to_be_visible()
    visit.screenshot("time-light")


def test_photos_are_added(visit: Visitor, own_server: str, mined: Path) -> None:
    page = visit.page
    page.goto(f"{own_server}/#/things")
    page.get_by_role("link", name=re.compile("my cat Chelsea")).click()
    page.get_by_label("Photos that show it").set_input_files(mined / "media" / "garden.jpg")
    expect(page.get_by_text("1 photo added")).to_be_visible()
    page.get_by_label("Photos that show it").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"this is not a picture"}
    )
    expect(page.locator(".toast.bad")).to_contain_text("x.jpg")


def test_a_hit_is_not_this_and_comes_back(visit: Visitor, own_server: str) -> None:
    page = visit.page
    page.goto(f"{own_server}/#/search?q=my+motorcycle+Betty")
    heading = page.get_by_role("heading", name=re.compile("moments?$"))
    shots = page.locator(".grid .shot")
    expect(heading).to_be_visible()
    expect(shots.first).to_be_visible()
    before = shots.count()
    shots.last.locator(".main").focus()
    page.keyboard.press("n")
    expect(shots).to_have_count(before - 1)
    page.get_by_role("button", name="Undo").click()
    expect(shots).to_have_count(before)


def test_hostile_names_are_shown_as_text(visit: Visitor, own_server: str) -> None:
    page = visit.page
    page.goto(f"{own_server}/#/things")
    page.get_by_role("link", name=re.compile("my cat Chelsea")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("my cat Chelsea")
    page.locator(".candidate").first.wait_for()
    page.keyboard.press("r")
    page.get_by_label("New name").fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.get_by_role("button", name=re.compile("^More about")).click()
    page.keyboard.press("Escape")
    page.goto(f"{own_server}/#/things")
    expect(page.locator(".thing-card strong").filter(has_text="onerror")).to_have_text(HOSTILE)
    page.goto(f"{own_server}/#/search")
    expect(page.locator(".under-box")).to_contain_text(HOSTILE)
    page.locator(".under-box a").filter(has_text="onerror").click()
    expect(page.get_by_role("combobox", name="What to look for")).to_have_value(HOSTILE)
    expect(page.locator(".search-mirror mark")).to_have_text(HOSTILE)
    page.get_by_role("heading", name=re.compile("moments?$")).wait_for()
    expect(page.locator(".grid .name").first).to_have_text("hello.mp4")
    page.goto(f"{own_server}/#/watch/4")
    expect(page.locator(".named-row")).to_contain_text(HOSTILE)
    page.goto(f"{own_server}/#/mined?state=accepted")
    expect(page.locator(".queue").get_by_text(HOSTILE)).to_be_visible()
    assert page.locator("img[src='x'], img[onerror]").count() == 0
    assert page.title() != "1"


def test_deleting_asks_for_the_name(visit: Visitor, own_server: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(f"{own_server}/#/things")
    page.get_by_role("link", name=re.compile("my cat Chelsea")).click()
    page.get_by_role("button", name="More about my cat Chelsea").click()
    page.get_by_role("menuitem", name="Delete").click()
    delete = page.get_by_role("button", name="Delete for good")
    expect(delete).to_be_disabled()
    page.get_by_label(re.compile("to continue")).fill("my cat")
    expect(delete).to_be_disabled()
    page.get_by_label(re.compile("to continue")).fill("my cat Chelsea")
    delete.click()
    expect(page.get_by_text("Deleted my cat Chelsea")).to_be_visible()
    expect(page.locator(".thing-card")).to_have_count(1)
    assert [one.name for one in Library.open(tmp_path / "library").instances.all()] == ["my motorcycle Betty"]
