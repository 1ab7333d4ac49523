from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from thisismy.core import caches
from thisismy.core.caches import CachedFacts, cache_folder


def test_the_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THISISMY_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == tmp_path / "thisismy"
    assert cache_folder(tmp_path / "x") == tmp_path / "x"
    monkeypatch.setenv("THISISMY_CACHE", str(tmp_path / "named"))
    assert cache_folder() == tmp_path / "named"


def test_facts_are_kept_from_one_run_to_the_next(tmp_path: Path) -> None:
    assert CachedFacts("facts", tmp_path / "new").get("a") is None
    CachedFacts("facts", tmp_path / "new").put("a", {"size": [1, 2]})
    CachedFacts("facts", tmp_path / "new").put("b", False)
    again = CachedFacts("facts", tmp_path / "new")
    assert (again.get("a"), again.get("b"), again.get("c")) == ({"size": [1, 2]}, False, None)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["facts.json"]


@pytest.mark.parametrize("damage", [b"{", b"\xff\xfe", b"[1]", b""])
def test_a_damaged_file_is_as_none_and_is_made_again(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "facts.json").write_bytes(damage)
    facts = CachedFacts("facts", tmp_path)
    assert facts.get("a") is None
    facts.put("a", 1)
    assert facts.get("a") == 1


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    facts = CachedFacts("facts", tmp_path / "file" / "below")
    facts.put("a", 1)
    assert facts.get("a") is None


def test_the_oldest_facts_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "FACTS_KEPT", 2)
    facts = CachedFacts("facts", tmp_path)
    for key in ("a", "b", "a", "c"):
        facts.put(key, key)
    assert json.loads((tmp_path / "facts.json").read_text()) == {"a": "a", "c": "c"}


def test_the_file_is_whole_whoever_writes(tmp_path: Path) -> None:
    gate = threading.Barrier(8)

    def write(number: int) -> None:
        gate.wait()
        for turn in range(20):
            CachedFacts("facts", tmp_path).put(str(number), "x" * 100 * turn)
            json.loads((tmp_path / "facts.json").read_text())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert [path.name for path in tmp_path.iterdir()] == ["facts.json"]
