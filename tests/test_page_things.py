"""What is done on the page of one thing, in a browser: splitting, choosing how to learn, dropping photos."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

from page_fixtures import Visitor, until
from playwright.sync_api import JSHandle, Page, expect

from thisismy.library import Library
from thisismy.personalization import METHODS

CAT = "my cat Chelsea"
MOTORCYCLE = "my motorcycle Betty"


def open_thing(page: Page, url: str, name: str, tab: str = "") -> None:
    page.goto(f"{url}/#/things")
    page.get_by_role("link", name=re.compile(name)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    if tab:
        page.get_by_role("link", name=re.compile(f"^{tab}")).click()


def carried(page: Page, file: Path) -> JSHandle:
    """What a mouse carries that drags a file over the page."""
    script = """([name, data]) => {
      const carried = new DataTransfer();
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
      return carried;
    }"""
    return page.evaluate_handle(script, [file.name, base64.b64encode(file.read_bytes()).decode()])


def drag(page: Page, what: JSHandle, kind: str, place: str) -> dict[str, Any]:
    """Drag or drop; tells whether the page took it, and whether it shows that."""
    script = """([dataTransfer, kind, place]) => {
      const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector(place).dispatchEvent(event);
      return { taken: event.defaultPrevented, shown: Boolean(document.querySelector(".dropping")) };
    }"""
    told: dict[str, Any] = page.evaluate(script, [what, kind, place])
    return told


def vocabulary(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/api/vocabulary", timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_examples_are_split_off_with_keys(
    visit: Visitor, own_server: str, mined: Path, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library")
    library.instances.name(CAT, [f"{mined / 'media' / 'table.mp4'}@2"])
    before = library.instances.get(CAT).confirmed
    page = visit.page
    open_thing(page, own_server, CAT, "Examples")
    confirmed = page.get_by_role("region", name="Confirmed")
    expect(confirmed.locator("li")).to_have_count(before)
    page.keyboard.press("s")
    expect(page.get_by_text("Choose examples first")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    chosen = page.get_by_role("region", name="Chosen examples")
    expect(chosen).to_contain_text("1 example")
    page.keyboard.press("Escape")
    expect(chosen).to_be_hidden()
    for _ in range(before - 1):
        page.keyboard.press("j")
    expect(confirmed.locator("li").last.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("x")
    expect(chosen).to_contain_text("1 example")
    visit.screenshot("split-light")
    page.keyboard.press("s")
    page.get_by_label("What is it called?").fill("my red table")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 example is my red table now")).to_be_visible()
    expect(confirmed.locator("li")).to_have_count(before - 1)
    expect(page.get_by_role("link", name=re.compile("^Examples"))).to_contain_text(str(before - 1))
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("my red table")
    expect(page.get_by_role("region", name="Confirmed").locator("li")).to_have_count(1)
    assert (library.instances.get("my red table").confirmed, library.instances.get(CAT).confirmed) == (
        1,
        before - 1,
    )


def test_a_proposed_example_that_is_another_thing_is_confirmed_there(
    visit: Visitor, own_server: str, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library")
    (first, *_) = library.instances.examples(CAT)
    library.instances.decide(CAT, {first.example.id: "proposed"})
    page = visit.page
    open_thing(page, own_server, CAT, "Examples")
    page.get_by_role("region", name="Proposed").get_by_role("checkbox").check()
    page.get_by_role("button", name="These are another thing …").click()
    # A name that is taken is said, and nothing happens.
    visit.expect("409")
    page.get_by_label("What is it called?").fill(MOTORCYCLE)
    page.keyboard.press("Enter")
    expect(page.locator(".toast.bad")).to_contain_text("is taken")
    page.get_by_role("button", name="These are another thing …").click()
    page.get_by_label("What is it called?").fill("my cat Moss")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 example is my cat Moss now")).to_be_visible()
    instance = library.instances.get("my cat Moss")
    assert (instance.confirmed, instance.proposed) == (1, 0)


def test_another_way_to_learn_is_chosen_with_keys(visit: Visitor, own_server: str) -> None:
    page = visit.page
    open_thing(page, own_server, CAT)
    learning = page.get_by_role("region", name="Learning")
    expect(learning.get_by_role("button", name="Learn by prototype-context")).to_be_visible()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="How to learn")
    first = dialog.get_by_role("radio").first
    expect(first).to_be_focused()
    expect(first).to_be_checked()
    expect(dialog.locator("li").first).to_contain_text("prototype-context")
    expect(dialog.locator("li")).to_have_count(len(METHODS))
    wanted = dialog.get_by_role("radio", name=re.compile("^clip-visual likeness to the mean"))
    visit.screenshot("methods-light")
    page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()
    page.keyboard.press("Enter")
    expect(learning.get_by_role("button", name="Learn by clip-visual")).to_be_focused()
    page.keyboard.press("l")
    expect(learning).to_contain_text("Learned by clip-visual from", timeout=60_000)
    learned = vocabulary(own_server)
    assert learned["method"] == "clip-visual"
    # What was learned in the old way is learned in the new one.
    assert sorted(learned["names"]) == [CAT, MOTORCYCLE]
    page.reload()
    expect(learning.get_by_role("button", name="Learn by clip-visual")).to_be_visible()


def test_a_photo_is_dropped_onto_a_thing(
    visit: Visitor, own_server: str, mined: Path, tmp_path: Path
) -> None:
    page = visit.page
    library = Library.open(tmp_path / "library")
    before = library.instances.get(CAT).confirmed
    open_thing(page, own_server, CAT)
    expect(page.locator(".candidate").first).to_be_visible()
    photo = carried(page, mined / "media" / "garden.jpg")
    assert drag(page, photo, "dragover", ".candidate") == {"taken": True, "shown": True}
    assert drag(page, photo, "drop", ".candidate")["taken"]
    # The news is gone after some seconds, the number stays.
    expect(page.get_by_role("link", name=re.compile("^Examples"))).to_contain_text(str(before + 1))
    assert library.instances.get(CAT).confirmed == before + 1
    until(page, "!document.querySelector('.dropping')")
    open_thing(page, own_server, CAT, "Examples")
    expect(page.get_by_role("region", name="Confirmed").locator("li")).to_have_count(before + 1)


def test_a_photo_is_dropped_beside_a_thing(visit: Visitor, own_server: str, tmp_path: Path) -> None:
    page = visit.page
    open_thing(page, own_server, CAT)
    (tmp_path / "x.jpg").write_bytes(b"this is not a picture")
    broken = carried(page, tmp_path / "x.jpg")
    assert drag(page, broken, "drop", ".top")["taken"]
    expect(page.locator(".toast.bad")).to_contain_text("x.jpg")
    expect(page.get_by_role("heading", level=1)).to_have_text(CAT)


def test_a_photo_is_dropped_on_search(visit: Visitor, named_server: str, mined: Path) -> None:
    page = visit.page
    page.goto(named_server)
    page.locator(".grid .shot img").first.wait_for()
    photo = carried(page, mined / "media" / "garden.jpg")
    assert drag(page, photo, "dragover", ".grid")["taken"]
    assert drag(page, photo, "drop", ".grid")["taken"]
    expect(page.get_by_role("button", name="Search without the photo")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("moments?$"))).to_be_visible()
    expect(page.locator(".grid .name").first).to_have_text("garden.jpg")
    page.goto(f"{named_server}/#/library")
    page.get_by_role("heading", level=2).first.wait_for()
    assert drag(page, carried(page, mined / "media" / "garden.jpg"), "drop", "#main")["taken"]
    expect(page.get_by_text("Drop a photo on Search")).to_be_visible()
