from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image

from thisismy.core.errors import BenchmarkError, EncoderMismatchError
from thisismy.encoders.base import unit
from thisismy.evaluation.datasets.base import Benchmark, Instance, Item, Media, Query, generic_query
from thisismy.evaluation.features import FeatureFile, ItemFeatures, encode
from thisismy.evaluation.protocols.provenance import provenance
from thisismy.evaluation.protocols.resplit import resplit, too_few_photos
from thisismy.evaluation.protocols.retrieval import MEASURES, Protocol, run
from thisismy.evaluation.reports.aggregate import aggregate
from thisismy.evaluation.reports.render import split_note
from thisismy.personalization.base import Method, Vocabulary
from thisismy.personalization.registry import make_method

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (99, 99, 99)}


def photo(folder, name):
    path = folder / f"{name}.png"
    Image.new("RGB", (8, 8), COLOURS[name.split("-")[0]]).save(path)
    return Item(name, Media(path))


@pytest.fixture
def small(tmp_path):
    names = ["red-1", "red-2", "red-3", "green-1", "green-2", "green-3", "blue-1", "grey-1", "grey-2"]
    items = {name: photo(tmp_path, name) for name in names}
    instances = (
        Instance("r", "my red cup", "cup", ("red-1", "red-2")),
        Instance("g", "my green cup", "cup", ("green-1", "green-2")),
    )
    queries = (
        generic_query("r", ["red-3"]),
        generic_query("g", ["green-3"]),
        Query("contextual/0", "r", "a blue *", ("red-3",), "contextual"),
    )
    gallery = ("red-3", "green-3", "blue-1", "grey-1", "grey-2")
    return Benchmark("small", items, gallery, instances, queries)


class SpyVocabulary(Vocabulary):
    method: ClassVar[str] = "spy"

    def score(self, prompt, name, gallery):
        return np.zeros(len(gallery), np.float32)


@dataclass(frozen=True)
class Spy(Method):
    """Remembers what it was given to learn from."""

    vocabulary: ClassVar[type[Vocabulary]] = SpyVocabulary
    seen: ClassVar[list] = []

    def learn(self, vocabulary, instances, negatives, progress):
        Spy.seen.append(({i.name: i.example_ids for i in instances}, len(negatives)))
        return [{} for _ in instances], {}


@pytest.fixture
def spy():
    Spy.seen.clear()
    return Spy()


def encoded(benchmark, encoder=None):
    encoder = encoder or FakeEncoder()
    return encode(benchmark, encoder, FeatureFile(None, encoder.id))


def test_features_are_encoded_once_and_shared(small, tmp_path):
    encoder, path = FakeEncoder(), tmp_path / "features.safetensors"
    first = encode(small, encoder, FeatureFile(path, encoder.id))
    assert encoder.images_seen == 9
    again = encode(small, encoder, FeatureFile(path, encoder.id))
    assert encoder.images_seen == 9
    assert np.array_equal(first.shots(small.gallery), again.shots(small.gallery))


def test_a_changed_photo_is_encoded_again(small, tmp_path):
    encoder, path = FakeEncoder(), tmp_path / "features.safetensors"
    encode(small, encoder, FeatureFile(path, encoder.id))
    Image.new("RGB", (9, 9), "yellow").save(small.items["grey-1"].media.path)
    encode(small, encoder, FeatureFile(path, encoder.id))
    assert encoder.images_seen == 10


def test_a_features_file_takes_the_place_of_media(small, tmp_path):
    encoder, path = FakeEncoder(), tmp_path / "features.safetensors"
    first = encode(small, encoder, FeatureFile(path, encoder.id))
    bare = replace(small, items={key: Item(key, None) for key in small.items})
    second = encode(bare, encoder, FeatureFile(path, encoder.id))
    assert np.array_equal(first.frames, second.frames)
    assert encoder.images_seen == 9


def test_missing_media_are_named_before_anything_is_encoded(small):
    encoder = FakeEncoder()
    items = {**small.items, "grey-2": Item("grey-2", None)}
    with pytest.raises(BenchmarkError, match="1 of 9 items have no media here, the first is grey-2; ask me"):
        encode(replace(small, items=items, source="ask me"), encoder, FeatureFile(None, encoder.id))
    assert encoder.images_seen == 0


def test_interrupted_encoding_resumes(small, tmp_path, monkeypatch):
    monkeypatch.setattr("thisismy.evaluation.pictures.BATCH", 2)
    encoder, path = FakeEncoder(), tmp_path / "features.safetensors"

    def stop(stage, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(small, encoder, FeatureFile(path, encoder.id), progress=stop)
    before = encoder.images_seen
    encode(small, encoder, FeatureFile(path, encoder.id))
    assert encoder.images_seen - before == 9 - 4


def test_features_of_another_encoder_are_refused(small, tmp_path):
    encoder, path = FakeEncoder(), tmp_path / "features.safetensors"
    encode(small, encoder, FeatureFile(path, encoder.id))
    with pytest.raises(EncoderMismatchError, match="'fake-colours', not of 'other'"):
        FeatureFile(path, "other")
    path.write_bytes(b"nothing")
    with pytest.raises(BenchmarkError, match="cannot read the features file"):
        FeatureFile(path, encoder.id)


def test_a_shot_is_the_unit_mean_of_its_frames():
    frames = unit(np.array([[1, 0], [0, 1], [1, 0]], np.float32))
    features = ItemFeatures("e", {"a": 0, "b": 1}, frames, np.array([0, 2, 3]), {})
    assert features.shots(["b", "a"]) == pytest.approx(np.array([[1, 0], [0.5**0.5, 0.5**0.5]]))
    rows, starts = features.frames_of(["b", "a"])
    assert (len(rows), list(starts)) == (3, [0, 1])


def test_a_run_solved_by_hand(small):
    encoder = FakeEncoder()
    cell = run(small, encoded(small), encoder, make_method("visual"))
    assert cell.values["generic/r"]["mrr"] == 1.0
    assert cell.top["generic/g"][0] == "green-3"
    assert set(cell.values["contextual/0"]) == set(MEASURES)


def test_examples_are_drawn_by_the_seed(small, spy):
    encoder, features = FakeEncoder(), encoded(small)
    chosen = set()
    for seed in range(8):
        run(small, features, encoder, spy, seed=seed, protocol=Protocol(examples=1))
        chosen.add(Spy.seen[-1][0]["my red cup"])
    assert chosen == {("red-1",), ("red-2",)}
    run(small, features, encoder, spy, seed=0, protocol=Protocol(examples=1))
    assert Spy.seen[-1] == Spy.seen[0]
    run(small, features, encoder, spy, protocol=Protocol(examples=9))
    assert Spy.seen[-1][0]["my red cup"] == ("red-1", "red-2")


def test_image_queries_ask_with_a_picture_that_was_not_learned_from(small, spy):
    run(small, encoded(small), FakeEncoder(), spy, seed=3, protocol=Protocol(query="image"))
    (learned, _), (asked, _) = Spy.seen
    assert sorted(learned["my red cup"] + asked["what picture 0 shows"]) == ["red-1", "red-2"]
    cell = run(small, encoded(small), FakeEncoder(), make_method("visual"), protocol=Protocol(query="image"))
    assert cell.values["generic/r"]["mrr"] == 1.0


def test_negatives_are_never_in_the_ranked_gallery(small, spy):
    # "blue-1" is in everybody's gallery, the other one in nobody's.
    item = replace(small.items["grey-1"], id="free")
    changed = replace(small, items={**small.items, "free": item}, negatives=("blue-1", "free"))
    run(changed, encoded(changed), FakeEncoder(), spy)
    assert [negatives for _, negatives in Spy.seen] == [1]


def test_galleries_that_differ_are_learned_for_apart(small, spy):
    videos = {"red-1": "v1", "red-2": "v1", "green-1": "v2", "green-2": "v2", "grey-1": "v1", "grey-2": "v2"}
    items = {k: replace(i, video=videos.get(k)) for k, i in small.items.items()}
    changed = replace(small, items=items, negatives=("grey-1", "grey-2"))
    assert "grey-1" not in changed.gallery_for(changed.instances[0])
    cell = run(changed, encoded(changed), FakeEncoder(), spy)
    assert [negatives for _, negatives in Spy.seen] == [1, 1]
    assert set(cell.values) == {q.id for q in small.queries}


def test_examples_and_gallery_from_one_video_are_refused(small):
    items = {k: replace(i, video="v" if k in ("red-1", "red-3") else None) for k, i in small.items.items()}
    changed = replace(small, items=items)
    with pytest.raises(BenchmarkError, match="the same video"):
        run(changed, encoded(changed), FakeEncoder(), make_method("visual"))
    allowed = replace(changed, shared_videos="made so")
    run(allowed, encoded(allowed), FakeEncoder(), make_method("visual"))


def test_frame_max_takes_the_best_frame(small):
    encoder = FakeEncoder()
    features = encoded(small)
    # "grey-1" becomes a shot of two frames, one of them a red photo.
    red, grey = features.frames[features.index["red-1"]], features.frames[features.index["grey-1"]]
    order = list(features.index)
    rows = [features.frames[i] for i in range(len(order))]
    at = features.index["grey-1"]
    frames = np.stack([*rows[:at], grey, red, *rows[at + 1 :]])
    first = np.arange(len(order) + 1) + (np.arange(len(order) + 1) > at)
    mixed = replace(features, frames=frames, first=first)
    query = "generic/r"
    mean = run(small, mixed, encoder, make_method("visual"))
    best = run(small, mixed, encoder, make_method("visual"), protocol=Protocol(pooling="max"))
    assert mean.values[query]["mrr"] == 1.0
    # The red frame ties with the red photo: rank 1 or 2 with equal chance.
    assert best.values[query]["mrr"] == pytest.approx(0.75)


def test_corpus_sizes_keep_the_answers_and_nest(small, spy):
    encoder, features = FakeEncoder(), encoded(small)
    galleries = {}
    for size in (2, 3, 4, 5):
        cell = run(small, features, encoder, spy, protocol=Protocol(corpus=size))
        galleries[size] = set(cell.top["generic/r"])
        assert len(galleries[size]) == size
    assert {"red-3", "green-3"} == galleries[2] < galleries[3] < galleries[4] < galleries[5]
    with pytest.raises(BenchmarkError, match="a corpus of 1 is not possible"):
        run(small, features, encoder, spy, protocol=Protocol(corpus=1))


def test_unlearned_instances_score_nothing(small):
    changed = replace(small, instances=small.instances[:1], unlearned=frozenset({"g"}))
    cell = run(changed, encoded(changed), FakeEncoder(), make_method("visual"))
    assert cell.values["generic/g"] == dict.fromkeys(MEASURES, 0.0)
    assert "generic/g" not in cell.top


def test_scores_that_are_no_numbers_are_refused(small, spy, monkeypatch):
    monkeypatch.setattr(SpyVocabulary, "score", lambda self, p, n, g: np.full(len(g), np.nan))
    with pytest.raises(BenchmarkError, match="'spy' gave scores"):
        run(small, encoded(small), FakeEncoder(), spy)


def test_the_table_of_a_run(small):
    encoder, features = FakeEncoder(), encoded(small)
    cells = {
        name: [run(small, features, encoder, make_method(name), seed=s) for s in (0, 1)]
        for name in ("visual", "random")
    }
    document = aggregate(small, cells)
    visual, random = document["rows"]
    assert visual["method"] == "visual"
    assert visual["generic"] == {"map": 100.0, "mrr": 100.0}
    assert set(visual["contextual"]) == {"mrr", "r5"}
    assert visual["intervals"]["generic"]["map"] == [100.0, 100.0]
    assert visual["errors"]["generic"] == {"map": 0.0, "mrr": 0.0}
    assert random["errors"]["generic"]["mrr"] >= 0
    assert {(p["method"], p["against"]) for p in document["paired"]} == {("visual", "random")}
    assert len(document["paired"]) == 4


def test_a_benchmark_without_captions_has_no_contextual_columns(small):
    changed = replace(small, queries=small.queries[:2])
    cell = run(changed, encoded(changed), FakeEncoder(), make_method("visual"))
    document = aggregate(changed, {"visual": [cell]})
    assert document["rows"][0]["contextual"] is None
    assert document["paired"] == []


COLOUR = {"r": "ed", "g": "reen"}
"""The rest of the word after an instance's id."""


def splits(benchmark, number, seeds=8):
    return [resplit(benchmark, number, seed) for seed in range(seeds)]


def test_photos_are_split_again_by_the_seed_and_never_into_both(small):
    drawn = splits(small, 2)
    assert drawn[0] == resplit(small, 2, 0)
    seen = set()
    for found in drawn:
        for instance in found.instances:
            own = {key for key in small.items if key.startswith(instance.id + COLOUR[instance.id])}
            assert len(instance.examples) == 2
            assert own - set(instance.examples) <= set(found.gallery)
            assert not set(instance.examples) & set(found.gallery)
            generic = next(q for q in found.queries if q.id == f"generic/{instance.id}")
            assert set(generic.relevant) == own - set(instance.examples)
            seen.add(instance.examples)
        assert {"blue-1", "grey-1", "grey-2"} <= set(found.gallery)
        asked = {q.id for q in found.queries}
        assert ("contextual/0" in asked) == ("red-3" in found.gallery)
    assert len(seen) > 4
    assert too_few_photos(small, 2) == ()


def test_things_with_too_few_photos_are_left_out_and_said(small):
    fewer = replace(small, instances=(small.instances[0], replace(small.instances[1], examples=("green-1",))))
    found = resplit(fewer, 2, 0)
    assert [i.id for i in found.instances] == ["r"]
    assert {q.instance for q in found.queries} == {"r"}
    assert "green-3" in found.gallery
    assert too_few_photos(fewer, 2) == ("g",)
    features = encoded(fewer)
    origin = provenance(fewer, features, [0], Protocol(deal=2))
    assert origin["facts"]["dealt"] == {"photos": 2, "things": 1, "left out": ["g"]}
    assert split_note(origin) == (
        "2 examples of each thing, split again by each seed; 1 thing, 1 with too few left out"
    )
    assert split_note(provenance(fewer, features, [0], Protocol())) == ""


def test_shots_do_not_move_between_videos(small):
    items = {key: replace(item, video=key[:-1] + "v" * (key[-1] == "3")) for key, item in small.items.items()}
    filmed = replace(small, items=items)
    for found in splits(filmed, 1):
        assert found.gallery == small.gallery
        assert found.queries == small.queries
        assert [len(i.examples) for i in found.instances] == [1, 1]
    with pytest.raises(BenchmarkError, match="no thing has 3 photos"):
        resplit(filmed, 3, 0)
    with pytest.raises(BenchmarkError, match="1 photo or more"):
        resplit(filmed, 0, 0)


def test_a_table_of_split_photos_averages_what_each_seed_asks(small):
    encoder, features, protocol = FakeEncoder(), encoded(small), Protocol(deal=2)
    cells = {
        name: [run(small, features, encoder, make_method(name), seed=s, protocol=protocol) for s in range(6)]
        for name in ("visual", "random")
    }
    asked = [cell for cell in cells["random"] if "contextual/0" in cell.values]
    assert 0 < len(asked) < 6
    visual, random = aggregate(small, cells)["rows"]
    assert visual["generic"] == {"map": 100.0, "mrr": 100.0}
    by_hand = 100 * np.mean([cell.values["contextual/0"]["mrr"] for cell in asked])
    assert random["contextual"]["mrr"] == pytest.approx(by_hand, abs=0.005)
    none = [cell for cell in cells["random"] if "contextual/0" not in cell.values]
    assert aggregate(small, {"random": none})["rows"][0]["contextual"] is None


def test_more_examples_than_a_split_has_are_refused(small, spy):
    with pytest.raises(BenchmarkError, match="3 examples cannot be drawn from the 2 of a split"):
        run(small, encoded(small), FakeEncoder(), spy, protocol=Protocol(examples=3, deal=2))
    run(small, encoded(small), FakeEncoder(), spy, protocol=Protocol(examples=1, deal=2))
    assert {len(ids) for ids in Spy.seen[-1][0].values()} == {1}


def test_a_thing_with_one_example_can_be_the_question(small, spy):
    single = tuple(replace(i, examples=i.examples[:1]) for i in small.instances)
    run(
        replace(small, instances=single), encoded(small), FakeEncoder(), spy, protocol=Protocol(query="image")
    )
    assert Spy.seen[0][0] == {}
