"""Numbers that make no sense, on the command line and in the library: one clear line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEncoder

from thisismy.cli.app import run
from thisismy.core.errors import QueryError
from thisismy.library import Library
from thisismy.retrieval.filters import Filters
from thisismy.retrieval.options import SearchOptions
from thisismy.shots import FixedWindows, Sampling, ShotError

EVERYWHERE = ("nan", "-1", "word")

LINES = [
    *(["add", ".", "--rate", value] for value in (*EVERYWHERE, "0", "inf", "1e9")),
    *(["add", ".", "--window", value] for value in (*EVERYWHERE, "0", "inf", "1e9")),
    *(["add", ".", "--at-least", value] for value in (*EVERYWHERE, "0", "1000000")),
    *(["add", ".", "--at-most", value] for value in (*EVERYWHERE, "0", "1000000")),
    *(["search", "x", "-k", value] for value in (*EVERYWHERE, "0", "10000000")),
    *(["search", "x", "--cutoff", value] for value in (*EVERYWHERE, "1.5", "inf")),
    *(["search", "x", "--min-duration", value] for value in (*EVERYWHERE, "inf", "1e12")),
    *(["search", "x", "--max-duration", value] for value in (*EVERYWHERE, "inf", "1e12")),
    *(["export", "x", "--sheet", "a.png", "-k", value] for value in (*EVERYWHERE, "0", "10000000")),
    *(["export", "x", "--sheet", "a.png", "--cutoff", value] for value in (*EVERYWHERE, "2")),
    *(["instances", "propose", "-k", value] for value in (*EVERYWHERE, "0", "10000000")),
    *(["learn", "--seed", value] for value in (*EVERYWHERE, "1e9", "99999999999")),
    *(["meta-train", "--seed", value] for value in (*EVERYWHERE, "99999999999")),
    *(["train-inversion", "palavra", "--seed", value] for value in (*EVERYWHERE, "99999999999")),
    *(["serve", "--port", value] for value in (*EVERYWHERE, "65536")),
    *(["evaluate", "photos", ".", "--seeds", value] for value in (*EVERYWHERE, "0", "1000000000")),
    *(["evaluate", "photos", ".", "--examples", value] for value in (*EVERYWHERE, "0")),
    *(["evaluate", "photos", ".", "--corpus", value] for value in (*EVERYWHERE, "0")),
    *(["evaluate", "photos", ".", "--deal", value] for value in (*EVERYWHERE, "0")),
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_number_out_of_range_is_one_clear_line(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--library", str(tmp_path / "library"), *line]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert line[-2] in said.err
    assert not (tmp_path / "library").exists()


def test_at_least_may_not_be_above_at_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--library", str(tmp_path / "library"), "add", str(tmp_path), "--encoder", "embedded"]
    assert run([*line, "--at-least", "9", "--at-most", "8"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "at_least" in said


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0, 1e9])
def test_the_library_refuses_what_the_command_refuses(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_given, **_more: FakeEncoder())
    library = Library.create(tmp_path / "library")
    before = library.store.index_settings
    for setting in ("rate", "window"):
        with pytest.raises(ShotError):
            library.files.add([tmp_path], encoder="fake", **{setting: value})
    assert library.store.index_settings == before
    with pytest.raises(ShotError):
        Sampling(rate=value)
    with pytest.raises(ShotError):
        FixedWindows(value)


def test_the_search_refuses_what_the_command_refuses() -> None:
    for k in (-1, 0, 10_000_000):
        with pytest.raises(QueryError, match="hits"):
            SearchOptions(k=k)
    for cutoff in (float("nan"), -0.1, 1.1):
        with pytest.raises(QueryError, match="cut-off"):
            SearchOptions(cutoff=cutoff)
    for seconds in (float("nan"), float("inf"), -1.0):
        with pytest.raises(QueryError, match="duration"):
            Filters(min_duration=seconds)
        with pytest.raises(QueryError, match="duration"):
            Filters(max_duration=seconds)
