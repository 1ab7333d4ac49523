"""A library of coloured pictures, searched with an encoder whose answers can be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image

from thisismy.cli.app import run
from thisismy.core.errors import EncoderMismatchError, LibraryError, QueryError
from thisismy.library import Library
from thisismy.retrieval.filters import Filters, parse_day
from thisismy.retrieval.options import SearchOptions

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    return fake


@pytest.fixture
def library(encoder: FakeEncoder, tmp_path: Path) -> Library:
    for place, shade in (("a", 255), ("b", 200)):
        for name, colour in COLOURS.items():
            path = tmp_path / "in" / place / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = Image.effect_noise((16, 16), 30).convert("RGB")
            Image.blend(Image.new("RGB", (16, 16), colour), noise, 0.1 if shade == 255 else 0.25).save(path)
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake")
    return made


def names(library: Library, text: str = "", k: int = 20, **query: Any) -> list[str]:
    options = SearchOptions(k=k, cutoff=0.0, fold=False)
    result = library.search.find(text, options=options, **query)
    return [f"{Path(hit.path).parent.name}/{Path(hit.path).stem}" for hit in result.hits]


def test_words_find_their_colour(library: Library) -> None:
    assert names(library, "something red", k=2) == ["a/red", "b/red"]
    assert names(library, "blue", k=1) == ["a/blue"]


def test_a_search_encodes_one_batch_of_texts_and_no_image(library: Library, encoder: FakeEncoder) -> None:
    library.search.find("red")
    images, texts = encoder.images_seen, encoder.text_calls
    library.search.find("green")
    assert (encoder.images_seen - images, encoder.text_calls - texts) == (0, 1)


def test_a_photo_finds_its_like(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "query.png"
    Image.new("RGB", (30, 20), (0, 250, 0)).save(path)
    assert names(library, images=[path], k=2) == ["a/green", "b/green"]


def test_words_and_a_photo_must_both_fit(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "query.png"
    Image.new("RGB", (30, 20), (255, 0, 0)).save(path)
    assert names(library, "green blue", images=[path], k=2)[0].endswith("white")


def test_filters(library: Library, tmp_path: Path) -> None:
    assert names(library, "red", filters=Filters(path="/b/"), k=1) == ["b/red"]
    assert names(library, "red", filters=Filters(path="*/a/*.png"), k=1) == ["a/red"]
    assert names(library, "red", filters=Filters(min_duration=1)) == []
    assert names(library, "red", filters=Filters(after=date(1990, 1, 1))) == []


@pytest.fixture
def uncached(encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    """The encoder itself, with nothing that remembers what it said."""
    monkeypatch.setattr("thisismy.encoders.caching.CachingEncoder", lambda itself: itself)
    return encoder


@pytest.mark.parametrize(
    "text", ["Rusty", "Rusty in front of blue", "Rusty and Moss", "Rusty and Moss on red"]
)
@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_a_search_by_name_encodes_each_text_once_however_many_hits(
    uncached: FakeEncoder, library: Library, tmp_path: Path, text: str, pooling: str
) -> None:
    for name, colour in (("my dog Rusty", "red"), ("my cat Moss", "green")):
        library.instances.name(name, [str(tmp_path / f"in/a/{colour}.png")], category=name.split()[1])
    library.learning.learn(judge=False)
    for k in (1, 3, 8):
        before = uncached.text_calls
        options = SearchOptions(k=k, pooling=pooling, cutoff=0, fold=False, misses=k)
        assert len(library.search.find(text, options=options).hits) == k
        assert uncached.text_calls - before <= text.count("Rusty") + text.count("Moss")
        before = uncached.text_calls
        library.search.find(text, options=replace(options, cutoff=0.95))
        assert uncached.text_calls - before <= text.count("Rusty") + text.count("Moss")


@pytest.mark.parametrize("text", ["red", "my dog Rusty"])
def test_the_nearest_misses_come_with_the_hits_as_many_as_asked_for(
    library: Library, tmp_path: Path, text: str
) -> None:
    library.instances.name("my dog Rusty", [str(tmp_path / "in/a/red.png")], category="dog")
    options = SearchOptions(fold=False)
    hits = library.search.find(text, options=options).hits
    assert 0 < len(hits) < 8
    assert library.search.find(text, options=options).nearest == []
    for wanted in (1, 3):
        result = library.search.find(text, options=replace(options, misses=wanted))
        assert result.hits == hits
        given = min(wanted, 8 - len(hits))
        assert [miss.rank for miss in result.nearest] == [len(hits) + 1 + place for place in range(given)]
        assert not {miss.shot_id for miss in result.nearest} & {hit.shot_id for hit in hits}
    everything = library.search.find(text, options=replace(options, misses=100))
    assert len(everything.hits) + len(everything.nearest) == 8


def test_a_hit_says_why(library: Library, tmp_path: Path) -> None:
    library.instances.name("my dog Rusty", [str(tmp_path / "in/a/red.png")], category="dog")
    hit = library.search.find("my dog Rusty in front of blue").hits[0]
    (evidence,) = hit.evidence
    assert (evidence.instance, evidence.space, evidence.region) == ("my dog Rusty", "fake-colours", "frame")
    assert evidence.probability == hit.probability == pytest.approx(hit.relevance, abs=1e-6)
    assert evidence.log_odds == pytest.approx(np.log(hit.probability / (1 - hit.probability)), abs=1e-3)
    assert (evidence.time, evidence.box, hit.box) == (hit.best_time, None, None)
    assert 0 <= (hit.context_percentile or 0) <= 1
    plain = library.search.find("red").hits[0]
    assert (plain.evidence, plain.probability, plain.context_percentile) == ((), None, None)


@pytest.mark.parametrize("text", ["red", "my dog Rusty", "my dog Rusty in front of blue"])
def test_certain_shots_are_scored_as_a_search_scores_them(
    library: Library, tmp_path: Path, text: str
) -> None:
    library.instances.name("my dog Rusty", [str(tmp_path / "in/a/red.png")], category="dog")
    everything = SearchOptions(cutoff=0, fold=False)
    hits = {hit.shot_id: hit for hit in library.search.find(text, options=everything).hits}
    wanted = [*list(hits)[3:5], *list(hits)[:2], 999]
    scored = library.search.score(text, wanted)
    assert [hit.shot_id for hit in scored] == wanted[:4]
    assert [hit.rank for hit in scored] == [1, 2, 3, 4]
    for hit in scored:
        assert hit == replace(hits[hit.shot_id], rank=hit.rank)
    assert [hit.score for hit in library.search.score("", wanted)] == [0, 0, 0, 0]


def test_another_way_to_score_is_refused_in_one_line_by_the_command(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["search", "red"], ["search", "--said", "red"], ["export", "red", "--list", "x.csv"]):
        assert run(["-L", str(library.store.folder), *command, "--by", "scene"]) == 1
        error = capsys.readouterr().err
        assert "'shot' (the mean of their frames) or 'frame' (the best one), not 'scene'" in error
        assert error.count("\n") == 1


def test_empty_library(encoder: FakeEncoder, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    library = Library.create(tmp_path / "library")
    library.files.add([tmp_path / "in"], encoder="fake")
    assert library.search.find("red").searched == 0


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "nothing to look for"),
        ("   ", {}, "nothing to look for"),
        ("red", {"k": 0}, "1 to 10,000 hits, not 0"),
        ("red", {"k": 10_001}, "1 to 10,000 hits, not 10001"),
        ("red", {"pooling": "scene"}, "'scene'"),
        ("red", {"cutoff": 95}, "95"),
        ("red", {"cutoff": float("nan")}, "nan"),
        ("red", {"misses": -1}, "0 to 10,000 nearest misses, not -1"),
    ],
)
def test_queries_that_make_no_sense(
    library: Library, text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        library.search.find(text, options=SearchOptions(**options))


def test_a_query_of_ten_thousand_words(library: Library) -> None:
    assert (
        library.search.find("red " * 10_000, options=SearchOptions(cutoff=0, k=1))
        .hits[0]
        .path.endswith("red.png")
    )


def test_another_encoder_is_refused_by_name(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FakeEncoder()
    other.id = "fake-2"
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: other)
    with pytest.raises(EncoderMismatchError, match=r"fake-colours.*fake-2"):
        Library.open(library.store.folder).search.find("red")


def test_an_embedded_encoder_that_has_changed_encodes_again(
    library: Library, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.store.index_settings = replace(library.store.index_settings, encoder="embedded")
    assert library.files.add().unchanged == 8
    newer = FakeEncoder()
    newer.id = "fake-2"
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: newer)
    told: list[str] = []
    upgraded = Library.open(library.store.folder)
    assert upgraded.files.add(tell=told.append).updated == 8
    assert told == ["the embedded encoder has changed since: everything is encoded again"]
    assert names(upgraded, "red", k=1) == ["a/red"]


def test_remove_forgets_and_touches_nothing(library: Library, tmp_path: Path) -> None:
    assert library.files.remove([tmp_path / "in/a"]) == 4
    assert (tmp_path / "in/a/red.png").is_file()
    assert names(library, "red", k=1) == ["b/red"]
    with pytest.raises(LibraryError, match="not in the library"):
        library.files.remove([tmp_path / "in/a"])


def test_add_without_paths_looks_at_everything_again(library: Library, tmp_path: Path) -> None:
    (tmp_path / "in/a/red.png").rename(tmp_path / "in/a/rouge.png")
    report = library.files.add()
    assert (report.renamed, report.missing, report.unchanged) == (1, [], 7)
    assert [entry.state for entry in library.files.all()] == ["indexed"] * 8
    assert names(library, "red", k=1) == ["a/rouge"]


def test_describe(library: Library, tmp_path: Path) -> None:
    details = library.files.describe(tmp_path / "in/a/red.png")
    assert (details["kind"], details["width"], len(details["shots"])) == ("photo", 16, 1)
    with pytest.raises(LibraryError, match="not in the library"):
        library.files.describe(tmp_path / "in/a/none.png")


def test_days() -> None:
    assert [parse_day(text) for text in ("2024", "2024-07", "2024-07-31")] == [
        date(2024, 1, 1),
        date(2024, 7, 1),
        date(2024, 7, 31),
    ]
    for wrong in ("yesterday", "2024-13", "2024-02-30", "1-2-3-4"):
        with pytest.raises(QueryError, match="is not a day"):
            parse_day(wrong)
