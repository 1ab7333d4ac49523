"""Naming, labelling, mined mentions, and what deleting leaves, over HTTP."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from web_library import (  # noqa: F401
    client_fixture,
    encoder_fixture,
    library_fixture,
    made_fixture,
    media_id,
    name_it,
    put_mention,
    shots_of,
    wait_for,
)

from thisismy.personalization import METHODS


@pytest.fixture
def rusty(client: TestClient) -> dict[str, Any]:
    return name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])["instance"]


def test_a_box_on_a_paused_frame(client: TestClient) -> None:
    number = media_id(client, "colours.mp4")
    box = [0.5, 0.5, 1.0, 1.0]
    body = {"name": "my mug", "places": [{"media_id": number, "time": 2.6}], "box": box}
    made = client.post("/api/name", json=body).json()
    assert made["created"]
    example = made["examples"][0]
    assert (example["start"], example["end"]) == (2.0, 4.0)
    assert (example["box"], example["box_time"]) == (box, 2.6)
    whole = Image.open(io.BytesIO(client.get(example["picture"]).content))
    part = Image.open(io.BytesIO(client.get(example["crop"]).content))
    assert part.width / whole.width == pytest.approx(0.5, abs=0.05)
    assert whole.getpixel((whole.width - 5, whole.height // 2 + 5))[1] > 120
    here = client.get(f"/api/media/{number}/instances").json()["items"]
    assert [(item["name"], item["box_time"]) for item in here] == [("my mug", 2.6)]


@pytest.mark.parametrize("box", [[0.5, 0, 0.5, 1], [0, 0, 2, 1], [-0.1, 0, 1, 1], [0, 0, 1], ["a", 0, 1, 1]])
def test_a_box_that_is_none(client: TestClient, box: list[Any]) -> None:
    body = {"name": "my mug", "places": [{"media_id": 1, "time": 1}], "box": box}
    assert client.post("/api/name", json=body).status_code == 400
    assert client.get("/api/instances").json()["items"] == []


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({}, 400),
        ({"media_id": 1}, 400),
        ({"shot_id": 999}, 404),
        ({"media_id": 999, "time": 1}, 404),
        ({"media_id": 1, "start": 5000, "end": 5001}, 400),
        ({"path": "/etc/passwd"}, 400),
    ],
)
def test_places_that_are_none(client: TestClient, place: dict[str, Any], status: int) -> None:
    body = {"name": "my mug", "places": [place]}
    number = media_id(client, "colours.mp4")
    if place.get("media_id") == 1:
        place["media_id"] = number
    assert client.post("/api/name", json=body).status_code == status


def test_a_stretch_and_a_photo_and_what_it_is_not(client: TestClient, rusty: dict[str, Any]) -> None:
    number = media_id(client, "colours.mp4")
    places = [{"media_id": number, "start": 0.5, "end": 1.5}]
    again = client.post("/api/name", json={"name": "MY DOG rusty", "places": places}).json()
    assert not again["created"]
    assert again["instance"]["confirmed"] == 2
    blue = shots_of(client, "blue.png")[0]["shot_id"]
    not_it = name_it(client, "my dog Rusty", blue, negative=True)
    assert not_it["instance"]["rejected"] == 1


def test_change_merge_split_delete(client: TestClient, rusty: dict[str, Any]) -> None:
    other = name_it(client, "my cat Moss", shots_of(client, "green.png")[0]["shot_id"])["instance"]
    url = f"/api/instances/{rusty['id']}"
    taken = client.patch(url, json={"category": "wolf", "name": "my cat Moss"})
    assert taken.status_code == 409
    assert client.get(url).json()["category"] == "dog"
    changed = client.patch(url, json={"name": "my wolf", "category": "wolf", "aliases": ["Rusty", "Boss"]})
    assert changed.json()["aliases"] == ["Boss", "Rusty"]
    assert client.patch(url, json={"aliases": ["Boss"]}).json()["aliases"] == ["Boss"]
    merged = client.post(f"{url}/merge", json={"other": other["id"]}).json()
    assert merged["confirmed"] == 2
    assert "my cat Moss" in merged["aliases"]
    examples = client.get(f"{url}/examples").json()["items"]
    split = client.post(f"{url}/split", json={"name": "my new cat", "example_ids": [examples[1]["id"]]})
    assert split.json()["name"] == "my new cat"
    assert client.post(f"{url}/merge", json={"other": rusty["id"]}).status_code == 400
    assert client.delete(url).json() == {"deleted": "my wolf"}
    assert client.get(url).status_code == 404


def test_short_names_and_kinds(client: TestClient, rusty: dict[str, Any]) -> None:
    blue = shots_of(client, "blue.png")[0]["shot_id"]
    again = name_it(client, "Rusty", blue)
    assert (again["created"], again["instance"]["id"], again["instance"]["confirmed"]) == (
        False,
        rusty["id"],
        2,
    )
    assert rusty["kind"] == "thing"
    url = f"/api/instances/{rusty['id']}"
    assert client.patch(url, json={"kind": "person"}).json()["kind"] == "person"
    assert client.get(url).json()["kind"] == "person"
    assert client.patch(url, json={"kind": "dog"}).status_code == 400
    assert name_it(client, "my sister Anna", blue, kind="person")["instance"]["kind"] == "person"


def test_examples_are_decided_and_undone(client: TestClient, rusty: dict[str, Any]) -> None:
    url = f"/api/instances/{rusty['id']}"
    example = client.get(f"{url}/examples", params={"state": "confirmed"}).json()["items"][0]
    done = client.post(f"{url}/examples", json={"example_ids": [example["id"]], "state": "rejected"}).json()
    assert (done["instance"]["confirmed"], done["before"]) == (0, {str(example["id"]): "confirmed"})
    assert (
        client.post(f"{url}/examples", json={"states": done["before"]}).json()["instance"]["confirmed"] == 1
    )
    assert client.post(f"{url}/examples", json={"example_ids": [99], "state": "rejected"}).status_code == 400
    assert client.post(f"{url}/examples", json={}).status_code == 400
    gone = client.post(f"{url}/examples", json={"example_ids": [example["id"]], "state": "removed"}).json()
    assert gone["instance"]["confirmed"] == 0
    assert client.get(example["picture"]).status_code == 404


def test_the_gallery_is_labelled_best_first_and_keeps_its_order(
    client: TestClient, rusty: dict[str, Any]
) -> None:
    url = f"/api/instances/{rusty['id']}"
    first = client.get(f"{url}/candidates", params={"limit": 5}).json()
    assert first["total"] == 11
    assert [item["score"] for item in first["items"]] == sorted(
        (item["score"] for item in first["items"]), reverse=True
    )
    best = first["items"][0]["shot_id"]
    labels = [
        {"shot_id": best, "state": "confirmed"},
        {"shot_id": first["items"][4]["shot_id"], "state": "rejected"},
    ]
    done = client.post(f"{url}/labels", json={"labels": labels}).json()
    assert (done["instance"]["confirmed"], done["instance"]["rejected"]) == (2, 1)
    assert done["before"] == [{**label, "state": None} for label in labels]
    same = client.get(f"{url}/candidates", params={"limit": 5, "order": first["order"]}).json()
    assert [item["shot_id"] for item in same["items"]] == [item["shot_id"] for item in first["items"]]
    assert [item["state"] for item in same["items"]] == ["confirmed", None, None, None, "rejected"]
    fresh = client.get(f"{url}/candidates").json()
    assert fresh["order"] != first["order"]
    assert best not in [item["shot_id"] for item in fresh["items"]]
    assert fresh["total"] == 9
    everything = client.get(f"{url}/candidates", params={"unlabelled": False}).json()
    assert everything["total"] == 12
    assert client.get(f"{url}/pace").json() == {"labelled": 3, "confirmed": 2, "rejected": 1}
    undone = client.post(f"{url}/labels", json={"labels": done["before"]}).json()
    assert (undone["instance"]["confirmed"], undone["instance"]["rejected"]) == (1, 0)
    assert client.post(f"{url}/labels", json={"labels": [{"shot_id": 999, "state": None}]}).status_code == 400


def test_photos_dropped_onto_an_instance(client: TestClient, rusty: dict[str, Any], library: Path) -> None:
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", (900, 700), (240, 20, 20)).save(photo, "JPEG", exif=exif)
    files = [
        ("photos", ("mine.jpg", photo.getvalue(), "image/jpeg")),
        ("photos", ("<b>.gif", b"GIF89a", "image/jpeg")),
        ("photos", ("cut.jpg", photo.getvalue()[:60], "image/jpeg")),
    ]
    url = f"/api/instances/{rusty['id']}"
    taken = client.post(f"{url}/photos", files=files).json()
    assert [item["name"] for item in taken["failed"]] == ["<b>.gif", "cut.jpg"]
    assert taken["instance"]["confirmed"] == 2
    shown = client.get(taken["examples"][0]["picture"])
    assert shown.headers["content-type"] == "image/jpeg"
    assert b"SecretCamera" not in (library / "library.db").read_bytes()
    assert client.post(f"{url}/photos", files=[files[0]]).json()["instance"]["confirmed"] == 2
    too_many = client.post(f"{url}/photos", files=[files[1]] * 21)
    assert too_many.status_code == 413
    huge = [("photos", ("x.jpg", b"\xff\xd8\xff" + bytes(20_000_001), "image/jpeg"))]
    assert "larger than 20 MB" in client.post(f"{url}/photos", files=huge).json()["failed"][0]["error"]


def test_learning_says_how_well_and_where_in_time(client: TestClient, rusty: dict[str, Any]) -> None:
    url = f"/api/instances/{rusty['id']}"
    assert client.get(url).json()["learned"] == "never"
    before = client.get(f"{url}/occurrences").json()
    assert (before["learned"], len(before["items"])) == (False, 1)
    shot = shots_of(client, "colours.mp4")[0]["shot_id"]
    client.post(f"{url}/labels", json={"labels": [{"shot_id": shot, "state": "confirmed"}]})
    job = wait_for(
        client, client.post("/api/jobs", json={"kind": "learn", "instances": [rusty["id"]]}).json()
    )
    assert job["state"] == "done", job
    learned = job["result"]["learned"][0]
    assert (learned["name"], learned["tried"]) == ("my dog Rusty", 2)
    details = client.get(url).json()
    assert details["learned"] == "current"
    assert details["concept"]["examples"] == 2
    assert client.get("/api/vocabulary").json()["names"] == ["my dog Rusty"]
    seen = client.get(f"{url}/occurrences").json()
    assert seen["learned"]
    assert {"month": "2024-07", "count": 1} in seen["months"]
    assert {item["name"] for item in seen["items"] if not item["confirmed"]} >= {"old.avi"}
    client.post(f"{url}/labels", json={"labels": [{"shot_id": shot, "state": None}]})
    assert client.get(url).json()["learned"] == "stale"
    client.delete(url)
    assert client.get("/api/vocabulary").json()["names"] == []


def test_propose_export_import(client: TestClient, rusty: dict[str, Any]) -> None:
    url = f"/api/instances/{rusty['id']}"
    box = [0.1, 0.2, 0.5, 0.6]
    name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"], box=box)
    exported = client.get("/api/instances/export")
    assert "attachment" in exported.headers["content-disposition"]
    client.delete(url)
    files = {"file": ("x.json", exported.content, "application/json")}
    assert exported.json()["instances"][0]["examples"][0]["box"] == [0.1, 0.2, 0.5, 0.6]
    assert client.post("/api/instances/import", files=files).json() == {"names": ["my dog Rusty"]}
    again = client.get("/api/instances").json()["items"][0]
    assert again["confirmed"] == 1
    examples = client.get(f"/api/instances/{again['id']}/examples").json()["items"]
    assert [item["box"] for item in examples] == [box]


def imported(client: TestClient, body: object) -> str:
    """The refusal of a file of instances."""
    files = {"file": ("x.json", json.dumps(body).encode(), "application/json")}
    answer = client.post("/api/instances/import", files=files)
    assert answer.status_code == 400
    assert client.get("/api/instances").json()["items"] == []
    refusal: str = answer.json()["error"]
    return refusal


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "<script>"},
        {"decided_by": "root"},
        {"start": "now"},
        {"end": -1},
        {"picture": "!!!"},
        {"box": [0, 0, 2, 1]},
        {"box": [0, 0]},
        {"picture": base64.b64encode(b"GIF89a").decode()},
        {"content_hash": None, "picture": 7},
    ],
)
def test_a_hostile_file_of_instances(client: TestClient, wrong: dict[str, object]) -> None:
    photo = io.BytesIO()
    Image.new("RGB", (8, 8)).save(photo, "JPEG")
    example = {
        "content_hash": "f" * 32,
        "start": 0,
        "end": 0,
        "state": "confirmed",
        "decided_by": "user",
        "score": None,
        "picture": base64.b64encode(photo.getvalue()).decode(),
    }
    one = {"name": "my dog", "aliases": [], "category": "dog", "category_by": "user"}
    body = {"format": "thisismy-instances/1", "instances": [{**one, "examples": [{**example, **wrong}]}]}
    assert "damaged" in imported(client, body)


def test_files_that_hold_no_instances(client: TestClient) -> None:
    assert "the file" in imported(client, {})
    assert "the file" in imported(client, [1, 2])


def test_mentions_are_accepted_corrected_rejected_and_undone(client: TestClient, library: Path) -> None:
    number = put_mention(library, "my dog Rusti")
    listed = client.get("/api/mentions").json()
    assert (listed["open"], listed["total"]) == (1, 1)
    mention = listed["items"][0]
    assert (mention["name_of_file"], mention["shot"]["start"]) == ("colours.mp4", 0.0)
    assert client.get(mention["examples"][0]["picture"]).status_code == 200
    url = f"/api/mentions/{number}"
    done = client.post(f"{url}/accept", json={"name": "my dog Rusty", "category": "dog"}).json()
    assert done["mention"]["decision"] == "accepted"
    assert (done["instance"]["name"], done["instance"]["confirmed"]) == ("my dog Rusty", 2)
    assert client.get("/api/mentions").json()["total"] == 0
    assert client.post(f"{url}/undo", json={}).json()["mention"]["decision"] is None
    assert client.get("/api/instances").json()["items"] == []
    assert client.post(f"{url}/reject", json={}).json()["mention"]["decision"] == "rejected"
    assert client.get("/api/mentions", params={"state": "rejected"}).json()["total"] == 1
    assert client.post("/api/mentions/999/undo", json={}).status_code == 404


def test_undoing_gives_back_what_stood_there(client: TestClient, library: Path) -> None:
    shots = shots_of(client, "colours.mp4")
    box = [0.1, 0.1, 0.9, 0.9]
    rusty = name_it(client, "my dog Rusty", shots[0]["shot_id"], box=box)["instance"]
    url = f"/api/instances/{rusty['id']}/examples"
    number = put_mention(library, "my dog Rusty")
    accepted = client.post(f"/api/mentions/{number}/accept", json={}).json()
    assert accepted["instance"]["confirmed"] == 2
    further = next(item for item in client.get(url).json()["items"] if item["origin"] == "same video")
    client.post(url, json={"example_ids": [further["id"]], "state": "rejected"})
    client.post(f"/api/mentions/{number}/undo", json={})
    left = client.get(url).json()["items"]
    assert {(item["origin"], item["state"]) for item in left} == {
        ("taught", "confirmed"),
        ("same video", "rejected"),
    }
    assert [item["box"] for item in left if item["origin"] == "taught"] == [box]


def test_rejecting_what_was_accepted_takes_its_examples_along(client: TestClient, library: Path) -> None:
    number = put_mention(library, "my dog Rusty")
    client.post(f"/api/mentions/{number}/accept", json={})
    client.post(f"/api/mentions/{number}/reject", json={})
    assert client.get("/api/instances").json()["items"] == []
    twice = client.post(f"/api/mentions/{number}/accept", json={"name": "my cat"}).json()
    again = client.post(f"/api/mentions/{number}/accept", json={"name": "my fox"}).json()
    assert (twice["instance"]["name"], again["instance"]["name"]) == ("my cat", "my fox")
    assert [item["name"] for item in client.get("/api/instances").json()["items"]] == ["my fox"]


def test_ways_to_learn_have_a_line_each(client: TestClient, rusty: dict[str, Any]) -> None:
    ways = client.get("/api/methods").json()
    assert {item["name"] for item in ways["items"]} == set(METHODS)
    assert ways["items"][0]["name"] == "prototype-context"
    assert all(item["about"] for item in ways["items"])
    assert ways["used"] == "prototype-context"
    wait_for(client, client.post("/api/jobs", json={"kind": "learn", "method": "visual"}).json())
    assert client.get("/api/methods").json()["used"] == "clip-visual"
    order = {"kind": "learn", "instances": [rusty["id"]], "method": "linear-head"}
    assert wait_for(client, client.post("/api/jobs", json=order).json())["result"]["method"] == "linear-head"


def test_a_box_is_learned_from_and_another_box_is_a_change(client: TestClient) -> None:
    place = {"media_id": media_id(client, "colours.mp4"), "time": 0.5}
    body = {"name": "my dog Rusty", "category": "dog", "places": [place], "box": [0.1, 0.6, 0.5, 0.9]}
    number = client.post("/api/name", json=body).json()["instance"]["id"]
    order = {"kind": "learn", "instances": [number]}
    assert wait_for(client, client.post("/api/jobs", json=order).json())["result"]["notes"] == []
    assert client.get(f"/api/instances/{number}").json()["learned"] == "current"
    client.post("/api/name", json=body | {"box": [0.2, 0.6, 0.5, 0.9]})
    assert client.get(f"/api/instances/{number}").json()["learned"] == "stale"
