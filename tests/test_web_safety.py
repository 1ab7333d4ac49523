"""Who may ask the page, from where, how much, and what no request can reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from web_library import (  # noqa: F401
    HOSTILE,
    client_fixture,
    encoder_fixture,
    library_fixture,
    made_fixture,
    media_id,
    name_it,
    open_client,
    put_mention,
    shots_of,
)

from thisismy.web.security import JSON_BYTES, Access

TOKEN = "correct-horse"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "10.0.0.5"]
)
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/status", headers={"host": host})
    assert answer.status_code == 403
    assert "does not go by the name" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765", "LOCALHOST"])
def test_names_of_this_machine_are_its_own(client: TestClient, host: str) -> None:
    assert client.get("/api/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
def test_changes_from_other_sites_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    sent = {"content-type": "application/json", **headers}
    answer = client.post("/api/jobs", content='{"kind": "index"}', headers=sent)
    assert answer.status_code in (403, 415)
    assert client.get("/api/jobs").json()["items"] == []


def test_other_sites_can_read_nothing(client: TestClient) -> None:
    number = media_id(client, "colours.mp4")
    for path in ("/api/instances", f"/media/{number}/file", f"/media/{number}/frame.jpg"):
        assert client.get(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    # A link to the page itself is harmless.
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_the_page_itself_may_change_things(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    shot = shots_of(client, "colours.mp4")[0]["shot_id"]
    body = {"name": "my dog Rusty", "places": [{"shot_id": shot}]}
    assert client.post("/api/name", json=body, headers=headers).status_code == 200


def test_every_answer_says_what_a_page_may_do(client: TestClient) -> None:
    for path in ("/", "/static/index.html", "/api/status", "/nowhere", "/api/media/99999"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers or "uvicorn" not in headers["server"]


def test_a_body_is_limited(client: TestClient) -> None:
    large = '{"kind": "index", "paths": ["' + "x" * JSON_BYTES + '"]}'
    headers = {"content-type": "application/json"}
    assert client.post("/api/jobs", content=large, headers=headers).status_code == 413

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536].encode()

    answer = client.post("/api/jobs", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert "refused" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/static//etc/passwd",
        "/media/..%2f..%2fetc%2fpasswd/file",
        "/media/1/../../../etc/passwd",
        "/media/%2fetc%2fpasswd/frame.jpg",
        "/media/1/segments/..%2f0.mp4",
        "/media/examples/..%2f1.jpg",
        "/api/media/1%00",
        "/api/media/-1",
        "/api/media/99999999999999999999999999",
        "/api/instances/1e9",
    ],
)
def test_no_path_of_a_request_is_opened(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_a_path_in_a_filter_opens_nothing(client: TestClient) -> None:
    answer = client.get("/api/search", params={"q": "red", "path": "/etc/passwd", "cutoff": 0})
    assert answer.status_code == 200
    assert answer.json()["hits"] == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_only_text(client: TestClient, library: Path, hostile: str) -> None:
    shots = shots_of(client, "colours.mp4")
    made_one = name_it(client, hostile, shots[0]["shot_id"])["instance"]
    wanted = " ".join(hostile.split())
    assert made_one["name"] == wanted
    number = made_one["id"]
    listed = client.get("/api/instances")
    assert listed.headers["content-type"] == "application/json"
    assert [item["name"] for item in listed.json()["items"]] == [wanted]
    assert client.get("/api/complete", params={"q": wanted[:3]}).json()["items"][0]["id"] == number
    found = client.get("/api/search", params={"q": f"<#{number}> outside", "fold": False}).json()
    assert found.get("names") == [{"id": number, "name": wanted}], found
    assert found["query"] == f"{wanted} outside"
    assert shots[0]["shot_id"] in [hit["shot_id"] for hit in found["hits"]]
    job = client.post("/api/jobs", json={"kind": "learn", "instances": [number]}).json()
    assert wanted in job["title"]
    put_mention(library, hostile)
    mention = client.get("/api/mentions").json()["items"][0]
    assert mention["sentence"] == f"This is {hostile}."
    exported = client.get("/api/instances/export", params={"ids": number})
    assert exported.json()["instances"][0]["name"] == wanted
    sheet = {
        "query": hostile.replace("<", "").replace(">", ""),
        "what": "csv",
        "shots": [shots[0]["shot_id"]],
    }
    assert client.post("/api/export", json=sheet).headers["content-disposition"].count("\n") == 0
    assert client.delete(f"/api/instances/{number}").json() == {"deleted": wanted}


def test_hostile_file_names_come_back_as_they_are(client: TestClient) -> None:
    name = "<img src=x onerror=alert(2)> 'it' & \"so\" ü.png"
    assert name in [item["name"] for item in client.get("/api/media").json()["items"]]
    number = media_id(client, name)
    assert client.get(f"/media/{number}/file").headers["content-type"] == "image/png"
    assert client.get(f"/media/{number}/frame.jpg").content[:2] == b"\xff\xd8"


def test_errors_are_one_line(client: TestClient) -> None:
    for answer in (
        client.get("/api/search"),
        client.get("/api/search", params={"q": "<nobody>"}),
        client.get("/api/media/99999"),
        client.post("/api/name", json={"name": "x", "places": [], "surprise": 1}),
        client.post("/api/jobs", content="{", headers={"content-type": "application/json"}),
        client.put("/api/status"),
        client.get("/nowhere"),
    ):
        assert 400 <= answer.status_code < 500
        assert list(answer.json()) == ["error"]
        assert "\n" not in answer.json()["error"]
        assert "Traceback" not in answer.text


def test_a_defect_says_nothing_of_the_inside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("thisismy.web.routes.library.read_status", broken)
    answer = client.get("/api/status")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert list(answer.json()) == ["error"]


def test_elsewhere_a_token_is_needed(library: Path) -> None:
    access = Access(TOKEN, ("studio.local",))
    with open_client(library, access, local=False) as visitor:
        assert visitor.get("/api/status").status_code == 401
        assert visitor.get("/").status_code == 401
        assert visitor.get("/?token=wrong", follow_redirects=False).status_code == 401
        assert visitor.get("/api/status", params={"token": TOKEN}).status_code == 401
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert visitor.get("/api/status", headers=bearer).json()["folders_allowed"] is False
        assert visitor.get("/api/status", headers={**bearer, "host": "evil.example"}).status_code == 403
        assert visitor.get("/api/status", headers={**bearer, "host": "studio.local:80"}).status_code == 200
        first = visitor.get(f"/?token={TOKEN}", follow_redirects=False)
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert visitor.get("/").status_code == 200
        assert visitor.get("/api/status").status_code == 200


def test_elsewhere_no_folder_can_be_typed(library: Path, tmp_path: Path) -> None:
    with open_client(library, Access(TOKEN), local=False) as visitor:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        body = {"kind": "index", "paths": [str(tmp_path)]}
        answer = visitor.post("/api/jobs", json=body, headers=bearer)
        assert answer.status_code == 403
        assert "on the machine itself" in answer.json()["error"]
        chosen = {"kind": "index", "settings": {"encoder": "/etc"}}
        assert visitor.post("/api/jobs", json=chosen, headers=bearer).status_code == 403


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("videos", "not an absolute path"),
        ("/no/such/folder", "does not exist"),
        ("/tmp/\0", "not an absolute path"),
    ],
)
def test_folders_that_make_no_sense(client: TestClient, typed: str, why: str) -> None:
    answer = client.post("/api/jobs", json={"kind": "index", "paths": [typed]})
    assert answer.status_code == 400
    assert why in answer.json()["error"]
