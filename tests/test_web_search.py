"""Searching, completing and saving over HTTP."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from fakes import FakeEncoder
from fastapi.testclient import TestClient
from PIL import Image
from web_library import (  # noqa: F401
    client_fixture,
    encoder_fixture,
    library_fixture,
    made_fixture,
    media_id,
    name_it,
    open_client,
    shots_of,
    wait_for,
)


def found(client: TestClient, **query: object) -> list[str]:
    answer = client.get("/api/search", params={"cutoff": 0, "fold": False, **query})
    assert answer.status_code == 200, answer.text
    return [f"{hit['name']}@{hit['start']:g}" for hit in answer.json()["hits"]]


def test_words_find_shots_with_all_a_page_needs(client: TestClient) -> None:
    answer = client.get("/api/search", params={"q": "something green", "k": 1, "fold": False}).json()
    hit = answer["hits"][0]
    assert (hit["name"], hit["rank"], answer["searched"]) == ("green.png", 1, 12)
    assert "words" in answer["read"]
    assert "%" in hit["why"]
    assert client.get(hit["picture"]).headers["content-type"] == "image/jpeg"
    assert hit["preview"] is None


def test_a_hit_in_a_video_says_where(client: TestClient) -> None:
    hits = client.get("/api/search", params={"q": "green", "cutoff": 0, "fold": False, "kind": "video"})
    hit = hits.json()["hits"][0]
    assert (hit["name"], hit["start"], hit["end"]) == ("colours.mp4", 2.0, 4.0)
    assert hit["preview"].endswith("/file#t=2.000,4.000")
    assert 2 <= hit["time"] < 4


def test_filters_and_order(client: TestClient) -> None:
    number = media_id(client, "colours.mp4")
    assert found(client, q="red", media=number)[0] == "colours.mp4@0"
    assert {name.split("@")[0] for name in found(client, q="red", media=number)} == {"colours.mp4"}
    assert all(name.endswith(".png@0") or "turned" in name for name in found(client, q="red", kind="photo"))
    assert set(found(client, q="red", after="2024", before="2025")) == {f"colours.mp4@{t}" for t in (0, 2, 4)}
    dated = found(client, q="red", sort="date")
    assert dated[0].startswith("colours.mp4")
    assert dated[3] == "turned.jpg@0"
    assert client.get("/api/search", params={"q": "red", "after": "soon"}).status_code == 400


def test_nothing_good_enough_shows_the_nearest(client: TestClient) -> None:
    name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])
    query = {"q": "my dog Rusty", "media": media_id(client, "blue.png")}
    answer = client.get("/api/search", params=query).json()
    assert answer["hits"] == []
    assert answer["nearest"][0]["rank"] == 1


def test_misses_below_the_hits(client: TestClient) -> None:
    name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])
    answer = client.get("/api/search", params={"q": "my dog Rusty", "misses": 2, "fold": False}).json()
    good, near = ([hit["shot_id"] for hit in answer[key]] for key in ("hits", "nearest"))
    assert good
    assert len(near) == 2
    assert not set(good) & set(near)
    assert answer["nearest"][0]["score"] <= answer["hits"][-1]["score"]


@pytest.mark.parametrize("by", ["shot", "frame"])
def test_a_search_by_name_with_its_misses_encodes_once(
    library: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr("thisismy.encoders.caching.CachingEncoder", lambda itself: itself)
    with open_client(library) as client:
        name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])
        query = {"q": "my dog Rusty in front of blue", "fold": False, "by": by}
        client.get("/api/search", params=query)
        for k, misses in ((1, 0), (3, 3), (20, 20)):
            before = encoder.text_calls
            answer = client.get("/api/search", params={**query, "k": k, "misses": misses}).json()
            assert answer["hits"]
            assert encoder.text_calls - before <= 1
        before = encoder.text_calls
        client.post("/api/export", json={"query": query["q"], "shots": [1, 2, 3], "what": "csv"})
        assert encoder.text_calls - before <= 1


def test_a_hit_by_name_comes_with_its_evidence(client: TestClient) -> None:
    name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])
    hit = client.get("/api/search", params={"q": "my dog Rusty"}).json()["hits"][0]
    (evidence,) = hit["evidence"]
    assert (evidence["instance"], evidence["space"], evidence["box"]) == (
        "my dog Rusty",
        "fake-colours",
        None,
    )
    assert evidence["probability"] == hit["probability"]
    assert hit["relevance"] == pytest.approx(hit["probability"], abs=1e-6)


def test_more_like_this_and_not_this(client: TestClient) -> None:
    blue = shots_of(client, "blue.png")[0]["shot_id"]
    like = found(client, like=blue, k=3)
    assert set(like[:3]) == {"colours.mp4@4", "old.avi@4", "old.avi@6"}
    without = found(client, like=[blue], unlike=shots_of(client, "old.avi")[2]["shot_id"])
    assert "old.avi@4" not in without
    assert client.get("/api/search", params={"like": 99999}).status_code == 400
    assert "any more" in client.get("/api/search", params={"like": 99999}).json()["error"]


def test_not_this_also_lowers_what_looks_alike(client: TestClient) -> None:
    def scores(**more: object) -> dict[str, float]:
        query = {"q": "green blue", "cutoff": 0, "fold": False, **more}
        hits = client.get("/api/search", params=query).json()["hits"]
        return {f"{hit['name']}@{hit['start']:g}": hit["score"] for hit in hits}

    before, after = scores(), scores(unlike=shots_of(client, "green.png")[0]["shot_id"])
    lost = {name: before[name] - after[name] for name in after}
    assert "green.png@0" not in after
    assert lost["colours.mp4@2"] > lost["colours.mp4@4"] >= 0


def test_a_photo_finds_its_like(client: TestClient) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40), (20, 200, 30)).save(buffer, "PNG")
    files = {"photo": ("../../x.png", buffer.getvalue(), "text/html")}
    answer = client.post("/api/search/photo", params={"k": 1, "cutoff": 0}, files=files)
    assert answer.json()["hits"][0]["name"] in {"green.png", "colours.mp4"}


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 415), (b"GIF89a" + b"x" * 50, 415), (b"\xff\xd8\xff\xe0 no photo", 422)]
)
def test_what_is_no_photo_is_refused(client: TestClient, content: bytes, status: int) -> None:
    answer = client.post("/api/search/photo", files={"photo": ("x.jpg", content, "image/jpeg")})
    assert answer.status_code == status
    assert "/tmp" not in answer.json()["error"]


def test_names_are_found_explained_and_refused(client: TestClient) -> None:
    red = shots_of(client, "red.png")[0]["shot_id"]
    wrong = shots_of(client, "old.avi")[0]["shot_id"]
    named = name_it(client, "my dog Rusty", red)["instance"]
    answer = client.get("/api/search", params={"q": "my dog Rusty green", "fold": False}).json()
    assert answer["names"] == [{"id": named["id"], "name": "my dog Rusty"}]
    hit = answer["hits"][0]
    assert hit["instance"] is not None
    assert hit["context"] is not None
    assert "my dog Rusty" in hit["why"]
    assert wrong in [hit["shot_id"] for hit in answer["hits"]]
    said = {"instance_id": named["id"], "shot_id": wrong, "state": "rejected"}
    assert client.post("/api/feedback", json=said).json()["rejected"] == 1
    again = client.get("/api/search", params={"q": f"<#{named['id']}>", "fold": False}).json()
    assert wrong not in [hit["shot_id"] for hit in again["hits"]]
    assert client.post("/api/feedback", json={**said, "state": None}).json()["rejected"] == 0
    assert client.get("/api/search", params={"q": "<#77>"}).status_code == 400


def test_two_numbers_in_one_query_are_both_required(client: TestClient) -> None:
    one = name_it(client, "my dog Rusty", shots_of(client, "red.png")[0]["shot_id"])["instance"]["id"]
    two = name_it(client, "my cat Moss", shots_of(client, "green.png")[0]["shot_id"])["instance"]["id"]
    answer = client.get("/api/search", params={"q": f"<#{one}> beside <#{two}>"}).json()
    assert answer["query"] == "<my dog Rusty> beside <my cat Moss>" or answer["query"] == (
        "my dog Rusty beside my cat Moss"
    )
    assert [item["id"] for item in answer["names"]] == [one, two]


def test_completion(client: TestClient) -> None:
    red = shots_of(client, "red.png")[0]["shot_id"]
    number = name_it(client, "my dog Rusty", red)["instance"]["id"]
    name_it(client, "my rusty bicycle", shots_of(client, "green.png")[0]["shot_id"])
    client.patch(f"/api/instances/{number}", json={"aliases": ["The Boss"]})
    items = client.get("/api/complete", params={"q": "bo"}).json()["items"]
    assert [(item["id"], item["matched"]) for item in items] == [(number, "The Boss")]
    assert client.get(items[0]["picture"]).status_code == 200
    assert len(client.get("/api/complete", params={"q": "RUS"}).json()["items"]) == 2
    assert client.get("/api/complete", params={"q": "usty"}).json()["items"] != []
    assert client.get("/api/complete", params={"q": "xyz"}).json()["items"] == []
    assert len(client.get("/api/complete").json()["items"]) == 2


def test_what_is_said(client: TestClient) -> None:
    items = client.get("/api/said", params={"q": "dog rusty"}).json()["items"]
    assert [(item["name"], item["start"]) for item in items] == [("colours.mp4", 0.2)]


def test_export(client: TestClient) -> None:
    shots = [
        shots_of(client, "colours.mp4")[1]["shot_id"],
        shots_of(client, "red.png")[0]["shot_id"],
    ]
    body = {"query": "green", "shots": shots}
    made = client.post("/api/export", json={**body, "what": "csv"})
    assert made.headers["content-disposition"] == 'attachment; filename="hits.csv"'
    rows = list(csv.DictReader(io.StringIO(made.text)))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["path"].endswith("colours.mp4")
    assert float(rows[0]["score"]) > float(rows[1]["score"])
    sheet = client.post("/api/export", json={**body, "what": "sheet"})
    assert Image.open(io.BytesIO(sheet.content)).format == "PNG"
    assert client.post("/api/export", json={**body, "what": "edl"}).text.startswith("TITLE: green")
    clips = client.post("/api/export", json={**body, "what": "clips"})
    names = zipfile.ZipFile(io.BytesIO(clips.content)).namelist()
    assert [Path(name).suffix for name in names] == [".mp4", ".png"]
    assert client.post("/api/export", json={**body, "shots": [999], "what": "csv"}).status_code == 404
    assert client.post("/api/export", json={**body, "shots": [], "what": "csv"}).status_code == 400


def test_an_empty_library(tmp_path: Path, encoder: object) -> None:
    with open_client(tmp_path / "library") as fresh:
        assert fresh.get("/api/status").json()["encoder_id"] is None
        answer = fresh.get("/api/search", params={"q": "red"}).json()
        assert (answer["hits"], answer["nearest"], answer["searched"]) == ([], [], 0)
        assert fresh.get("/api/shots").json() == {"total": 0, "offset": 0, "items": []}
        assert fresh.get("/api/library").json()["folders"] == []
        job = wait_for(fresh, fresh.post("/api/jobs", json={"kind": "index"}).json())
        assert job["state"] == "failed"
        assert "nothing was added" in job["error"]
