from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from thisismy.core.errors import BenchmarkError
from thisismy.core.span import Span
from thisismy.evaluation.datasets import deepfashion2, image_folder, photos, this_is_my, vlogs, ytvos
from thisismy.evaluation.datasets.base import Benchmark, Instance, Item, Query
from thisismy.evaluation.pictures import read_picture


def picture(path, colour, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_this_is_my_has_the_released_split(dev_data):
    found = this_is_my.read(dev_data / "this-is-my")
    assert found.facts == {
        "train entries": 104,
        "test entries": 582,
        "distractors": 4794,
        "negatives": 387,
        "gallery": 569 + 4794 - 387,
    }
    assert [len(i.examples) for i in found.instances] == [5, 4, 5, 8, 3, 1, 22, 15, 17, 5, 1, 4, 1, 5, 8]
    generic = {q.instance: q for q in found.queries if q.kind == "generic"}
    sizes = [len(generic[str(i)].relevant) for i in range(15)]
    assert sum(sizes) == 582
    assert [sizes[i] for i in (0, 1, 2, 9, 10, 11, 12, 14)] == [4, 8, 22, 128, 12, 160, 34, 29]


def test_this_is_my_double_labels_are_right_for_both(dev_data):
    found = this_is_my.read(dev_data / "this-is-my")
    generic = {q.instance: set(q.relevant) for q in found.queries if q.kind == "generic"}
    shared = {(a, b): len(generic[a] & generic[b]) for a in generic for b in generic if int(a) < int(b)}
    assert {pair: n for pair, n in shared.items() if n} == {("13", "14"): 9, ("11", "12"): 4}


def test_this_is_my_captions_each_have_one_answer_in_the_gallery(dev_data):
    found = this_is_my.read(dev_data / "this-is-my")
    captions = [q for q in found.queries if q.kind == "contextual"]
    assert len(captions) == 30
    assert all(len(q.relevant) == 1 and q.prompt.count("*") == 1 for q in captions)
    names = {i.id: (i.name, i.category) for i in found.instances}
    assert names["10"] == ("Gab's puppy lili", "dog")
    assert len({category for _, category in names.values()}) == 11


def test_this_is_my_true_recall_ceiling_is_that_of_the_released_split(dev_data):
    found = this_is_my.read(dev_data / "this-is-my")
    wanted = [len(q.relevant) for q in found.queries if q.kind == "generic"]
    assert np.mean([min(5, n) / n for n in wanted]) == pytest.approx(0.311, abs=0.0005)


def test_this_is_my_gallery_has_no_video_of_an_example(dev_data):
    found = this_is_my.read(dev_data / "this-is-my")
    examples = {e for i in found.instances for e in i.examples}
    assert not found.videos(examples) & found.videos(found.gallery)
    assert found.videos(found.negatives) <= found.videos(examples)
    for instance in found.instances:
        assert found.gallery_for(instance) == found.gallery


def test_this_is_my_finds_clips_and_videos(dev_data, tmp_path):
    for path in (dev_data / "this-is-my").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    bare = this_is_my.read(tmp_path)
    assert all(item.media is None for item in bare.items.values())
    first, second = (
        bare.gallery[0],
        next(k for k in bare.gallery if bare.items[k].video != bare.items[bare.gallery[0]].video),
    )
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / f"{first}.mp4").touch()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / f"{bare.items[second].video}_a title.mp4").touch()
    found = this_is_my.read(tmp_path)
    assert found.items[first].media.span is None
    assert found.items[second].media.span.duration == 3.0


def test_deepfashion2_test_split(dev_data, tmp_path):
    found = deepfashion2.read(dev_data / "pervl", tmp_path)
    assert found.facts == {"gallery": 221, "instances": 50, "examples per instance": 5}
    assert sum(len(i.examples) for i in found.instances) == 653
    categories = [i.category for i in found.instances]
    assert (categories.count("skirt"), categories.count("short sleeve top")) == (15, 11)
    wanted = [len(q.relevant) for q in found.queries if q.kind == "generic"]
    assert [wanted.count(n) for n in (5, 4, 3, 2, 1)] == [34, 8, 4, 3, 1]
    assert all("person" not in q.prompt.lower() for q in found.queries)


def test_deepfashion2_validation_split_shares_no_garment(dev_data):
    test, validation = (deepfashion2.read(dev_data / "pervl", split=s) for s in ("test", "validation"))
    assert len(validation.gallery) == 229
    assert not {i.id for i in test.instances} & {i.id for i in validation.instances}
    assert not set(validation.gallery) & {e for i in validation.instances for e in i.examples}


def test_deepfashion2_short_captions_are_shorter(dev_data):
    def words(kind):
        found = deepfashion2.read(dev_data / "pervl", captions=kind)
        return np.mean([len(q.prompt.split()) for q in found.queries if q.kind == "contextual"])

    assert words("short") < 9 < 11 < words("detailed")


def test_ytvos_splits(dev_data, tmp_path):
    found = ytvos.read(dev_data / "pervl", tmp_path)
    assert (found.facts["gallery"], found.facts["categories"]) == (252, 34)
    assert len(ytvos.read(dev_data / "pervl", split="validation").gallery) == 246
    assert all(len(i.examples) >= 4 for i in found.instances)
    assert all(q.prompt.count("*") == 1 for q in found.queries)


def test_ytvos_cuts_objects_out_of_generated_frames(dev_data, tmp_path):
    found = ytvos.read(dev_data / "pervl", tmp_path)
    query = next(q for q in found.queries if q.kind == "generic")
    target = found.items[query.relevant[0]].media
    picture(target.path, "white", (60, 40))
    mask = np.zeros((40, 60), np.uint8)
    mask[10:21, 20:41] = target.cutout.value
    target.cutout.mask.parent.mkdir(parents=True)
    Image.fromarray(mask).save(target.cutout.mask)
    # Tight box without its last row and column: 10 x 20; half of it more on every side, clipped.
    assert read_picture(target).shape == (20, 40, 3)
    Image.fromarray(mask * 0).save(target.cutout.mask)
    with pytest.raises(BenchmarkError, match="does not show object"):
        read_picture(target)


def small_photos(**changes):
    data = {
        "format": "thisismy-photos/1",
        "name": "small",
        "instances": [
            {"id": "a", "name": "my cup", "category": "cup", "train": ["t.png"], "test": ["x.png"]}
        ],
        "queries": [{"instance": "a", "caption": "* on a table", "target": "x.png"}],
        "distractors": ["d.png"],
    }
    return data | changes


def test_photos_of_the_development_set(dev_data):
    found = photos.read(dev_data / "photos-dev")
    assert (len(found.instances), len(found.gallery), len(found.queries)) == (15, 668, 15 + 33)
    assert found == photos.read(dev_data / "photos-dev" / "benchmark.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "format 'other'"),
        ({"instances": [{"id": "a"}]}, "not a whole"),
        ({"distractors": ["x.png"]}, "'x.png' is given twice"),
        ({"queries": [{"instance": "a", "caption": "on a table", "target": "x.png"}]}, "no '\\*'"),
        ({"queries": [{"instance": "b", "caption": "* here", "target": "x.png"}]}, "unknown instance 'b'"),
        ({"queries": [{"instance": "a", "caption": "* here", "target": "t.png"}]}, "not in the gallery"),
    ],
)
def test_photos_that_contradict_themselves_are_refused(tmp_path, changes, message):
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(small_photos(**changes)))
    with pytest.raises(BenchmarkError, match=message):
        photos.read(path)


def test_an_example_in_the_gallery_is_refused(tmp_path):
    instance = {"id": "a", "name": "my cup", "category": "cup", "train": ["x.png"], "test": ["x.png"]}
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(small_photos(instances=[instance])))
    found = photos.read(path)
    with pytest.raises(BenchmarkError, match="must be apart"):
        found.gallery_for(found.instances[0])


def test_image_folder(tmp_path):
    for name, count in (("dog__Biscuit", 5), ("mug 2", 2), ("_distractors", 3)):
        for number in range(count):
            picture(tmp_path / name / f"{number}.jpg", "red")
    (tmp_path / "dog__Biscuit" / "notes.txt").touch()
    found = image_folder.read(tmp_path)
    assert [(i.name, i.category, len(i.examples)) for i in found.instances] == [
        ("my dog Biscuit", "dog", 2),
        ("my mug 2", "mug", 1),
    ]
    assert len(found.gallery) == 3 + 1 + 3
    assert {q.kind for q in found.queries} == {"generic"}
    picture(tmp_path / "thin" / "1.jpg", "red")
    with pytest.raises(BenchmarkError, match="thin has too few photos"):
        image_folder.read(tmp_path)


def test_vlogs_of_the_development_set(dev_data):
    truth = vlogs.read(dev_data / "vlogs-dev")
    shots = vlogs.true_shots(truth)
    found = vlogs.build(truth, shots, vlogs.given_examples(truth, shots))
    assert (len(truth.videos), len(found.gallery), len(found.instances)) == (12, 222, 15)
    assert len([q for q in found.queries if q.kind == "contextual"]) == 54
    assert all(not q.missing for q in found.queries)
    for instance in found.instances:
        gallery = found.gallery_for(instance)
        assert not found.videos(instance.examples) & found.videos(gallery)
        assert len(gallery) == 222 - sum(len(shots[v]) for v in found.videos(instance.examples))
    examples = {e for i in found.instances for e in i.examples}
    assert not examples & set(found.negatives)


def test_a_hit_stands_for_a_target_only_when_it_shares_more_than_half_of_each():
    target = Span(10, 14)
    assert vlogs.standing_for(target, [Span(0, 10.5), Span(10.5, 14.5)]) == 1
    assert vlogs.standing_for(target, [Span(0, 30)]) is None
    assert vlogs.standing_for(target, [Span(10, 11.9), Span(11.9, 14)]) == 1
    assert vlogs.standing_for(target, [Span(10, 12), Span(12, 14)]) is None


def test_vlogs_count_what_no_shot_stands_for(dev_data):
    truth = vlogs.read(dev_data / "vlogs-dev")
    shots = dict(vlogs.true_shots(truth))
    shots["alex_03"] = (Span(0, shots["alex_03"][-1].end),)
    found = vlogs.build(truth, shots, vlogs.given_examples(truth, shots))
    dog = next(q for q in found.queries if q.id == "generic/dog")
    assert (len(dog.relevant), dog.missing) == (3, 2)


def test_vlogs_without_examples_stay_unlearned(dev_data):
    truth = vlogs.read(dev_data / "vlogs-dev")
    found = vlogs.build(truth, vlogs.true_shots(truth), {"cat": [("maya_02", 3)]}, mined={"cat": "animal"})
    assert [(i.id, i.category) for i in found.instances] == [("cat", "animal")]
    assert len(found.unlearned) == 14


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (photos.read, ["cannot read", "benchmark.json"]),
        (vlogs.read, ["instances.json, queries.json"]),
        (this_is_my.read, ["segments.csv", "github.com/danielchyeh", "clips/SEGMENT_ID.mp4"]),
        (deepfashion2.read, ["test_captions.csv", "PerVLBenchmark", "DeepFashion2"]),
        (ytvos.read, ["ytvos_personalization_meta.yaml", "youtube-vos.org"]),
        (image_folder.read, ["one folder per thing"]),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_folder_says_what_is_missing_and_where_to_get_it(tmp_path, read, words, exists):
    folder = tmp_path if exists else tmp_path / "benchmark.json"
    with pytest.raises(BenchmarkError) as raised:
        read(folder)
    message = str(raised.value)
    assert "\n" not in message
    if exists:
        assert all(word in message for word in words)
    else:
        assert str(folder) in message


def test_a_benchmark_checks_its_ids():
    items = {k: Item(k, None) for k in "ab"}
    with pytest.raises(BenchmarkError, match="no examples"):
        Benchmark("x", items, ("a",), (Instance("i", "n", "c", ()),), ())
    with pytest.raises(BenchmarkError, match="'z' is not described"):
        Benchmark("x", items, ("z",), (Instance("i", "n", "c", ("b",)),), ())
    with pytest.raises(BenchmarkError, match="no right answer"):
        Benchmark(
            "x", items, ("a",), (Instance("i", "n", "c", ("b",)),), (Query("q", "i", "*", (), "generic"),)
        )
