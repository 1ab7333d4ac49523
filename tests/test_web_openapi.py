"""The OpenAPI document against the running server: everything documented, everything as documented."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
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

DOCS = Path(__file__).parent.parent / "docs" / "api.md"
KINDS = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


def mistakes(value: Any, schema: dict[str, Any], document: dict[str, Any], place: str = "") -> list[str]:
    """What of a value is not as a JSON schema says, for the part of the language that is used here."""
    if "$ref" in schema:
        return mistakes(
            value, document["components"]["schemas"][schema["$ref"].split("/")[-1]], document, place
        )
    if "anyOf" in schema:
        each = [mistakes(value, option, document, place) for option in schema["anyOf"]]
        return [] if any(not found for found in each) else min(each, key=len)
    kind = schema.get("type")
    if kind and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{place}: {value!r} is not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    if "const" in schema and value != schema["const"]:
        return [f"{place}: {value!r} is not {schema['const']!r}"]
    if isinstance(value, list):
        kinds = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        pairs = zip(value, kinds, strict=True)
        return [m for i, (item, k) in enumerate(pairs) for m in mistakes(item, k, document, f"{place}[{i}]")]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{place}: {key} is missing" for key in schema.get("required", []) if key not in value]
    for key, item in value.items():
        if key in known:
            found += mistakes(item, known[key], document, f"{place}.{key}")
        elif isinstance(schema.get("additionalProperties"), dict):
            found += mistakes(item, schema["additionalProperties"], document, f"{place}.{key}")
        elif not schema.get("additionalProperties"):
            found.append(f"{place}: {key} is not documented")
    return found


def test_the_checker_checks() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    assert mistakes({"a": 1}, schema, {}) == []
    assert mistakes({"a": "1", "b": 2}, schema, {}) == [".a: '1' is not integer", ": b is not documented"]
    assert mistakes({}, schema, {}) == [": a is missing"]
    assert mistakes([True], {"type": "array", "items": {"type": "integer"}}, {}) != []


def test_everything_is_described(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation.get("description"), where
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), f"{where}: {parameter['name']}"
            done = operation["responses"].get("200") or operation["responses"].get("202")
            assert done["content"], where
            if path.startswith("/api/") and "export" not in path and "events" not in path:
                assert done["content"]["application/json"]["schema"], where
            assert operation["responses"]["404"]["content"]["application/json"]["schema"], where


def test_every_read_answers_as_documented(
    client: TestClient, document: dict[str, Any], library: Path
) -> None:
    ids = everything(client, library)
    checked = 0
    for path, operations in document["paths"].items():
        for operation in [operations["get"]] if "get" in operations else []:
            url = re.sub(r"{(\w+)}", lambda found: str(ids[found.group(1)]), path)
            if path == "/api/events":
                continue
            required = [
                p["name"] for p in operation.get("parameters", []) if p.get("required") and p["in"] == "query"
            ]
            query = {name: ids[f"?{name}"] for name in required}
            if path == "/api/search":
                query = {"q": "my dog Rusty green", "misses": 3}
            answer = client.get(url, params=query)
            assert answer.status_code == 200, (url, answer.text)
            documented = operation["responses"]["200"]["content"]
            kind = answer.headers["content-type"].split(";")[0]
            assert any(re.fullmatch(known.replace("*", ".*"), kind) for known in documented), (url, kind)
            if kind == "application/json" and documented[kind].get("schema"):
                assert mistakes(answer.json(), documented[kind]["schema"], document, url) == []
            checked += 1
    assert checked >= 30


def test_every_change_answers_as_documented(
    client: TestClient, document: dict[str, Any], library: Path
) -> None:
    ids = everything(client, library)
    shot = shots_of(client, "green.png")[0]["shot_id"]
    example = client.get(f"/api/instances/{ids['instance_id']}/examples").json()["items"][0]["id"]
    bodies = {
        "/api/name": {"name": "my cat", "places": [{"shot_id": shot}], "box": [0, 0, 0.5, 1]},
        "/api/feedback": {"instance_id": ids["instance_id"], "shot_id": shot, "state": "confirmed"},
        "/api/instances/{instance_id}/examples": {"example_ids": [example], "state": "rejected"},
        "/api/instances/{instance_id}/labels": {"labels": [{"shot_id": shot, "state": "confirmed"}]},
        "/api/mentions/{mention_id}/accept": {"name": "my fox"},
        "/api/mentions/{mention_id}/reject": {},
        "/api/mentions/{mention_id}/undo": {},
        "/api/jobs": {"kind": "learn"},
        "/api/jobs/{job_id}/cancel": {},
        "/api/library/clear-cache": {},
    }
    for path, body in bodies.items():
        url = re.sub(r"{(\w+)}", lambda found: str(ids[found.group(1)]), path)
        answer = client.post(url, json=body)
        status = "202" if path == "/api/jobs" else "200"
        assert str(answer.status_code) == status, (url, answer.text)
        schema = document["paths"][path]["post"]["responses"][status]["content"]["application/json"]["schema"]
        assert mistakes(answer.json(), schema, document, url) == []


def test_refusals_are_as_documented(client: TestClient, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        if "{" not in path or "get" not in operations:
            continue
        answer = client.get(re.sub(r"{(\w+)}", "987654", path), params={"start": 0, "end": 1})
        assert answer.status_code == 404, path
        schema = operations["get"]["responses"]["404"]["content"]["application/json"]["schema"]
        assert mistakes(answer.json(), schema, document, path) == []


def everything(client: TestClient, library: Path) -> dict[str, Any]:
    """A number for every parameter, after there is something of every kind."""
    shot = shots_of(client, "red.png")[0]["shot_id"]
    instance = name_it(client, "my dog Rusty", shot)["instance"]["id"]
    number = media_id(client, "colours.mp4")
    place = {"media_id": number, "time": 0.5}
    body = {"name": "my dog Rusty", "places": [place], "box": [0.1, 0.1, 0.5, 0.5]}
    example = client.post("/api/name", json=body).json()["examples"][0]["id"]
    job = wait_for(client, client.post("/api/jobs", json={"kind": "learn"}).json())
    return {
        "instance_id": instance,
        "media_id": number,
        "example_id": example,
        "mention_id": put_mention(library, "my dog Rusty"),
        "job_id": job["id"],
        "shot_id": shots_of(client, "colours.mp4")[0]["shot_id"],
        "number": 0,
        "?q": "dog",
        "?start": 0.0,
        "?end": 1.0,
    }


def test_the_list_of_endpoints_in_the_docs_is_the_documents(document: dict[str, Any]) -> None:
    rows = [
        f"| `{method.upper()} {path}` | {operation['summary']} |"
        for path, operations in sorted(document["paths"].items())
        for method, operation in sorted(operations.items())
    ]
    listed = [line for line in DOCS.read_text().splitlines() if re.match(r"\| `[A-Z]+ /", line)]
    assert listed == rows, "docs/api.md lists other endpoints:\n" + "\n".join(rows)


def test_the_document_is_stable_json(document: dict[str, Any]) -> None:
    numbers = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(numbers)) == len(numbers)
    assert json.loads(json.dumps(document)) == document
