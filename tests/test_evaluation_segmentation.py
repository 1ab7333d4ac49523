"""Segmentation of named things, measured on pictures whose masks are known."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image
from typer.testing import CliRunner

from thisismy.cli.evaluate import app
from thisismy.core.errors import BenchmarkError
from thisismy.evaluation.datasets import ytvos
from thisismy.evaluation.datasets.base import Benchmark, Cutout, Query
from thisismy.evaluation.protocols.segmentation import evaluate_segmentation, require_media, scenes, true_mask
from thisismy.evaluation.reports import docs_tables
from thisismy.evaluation.reports.render import segmentation_markdown
from thisismy.evaluation.tiny import THINGS, VIEWS, write_scenes
from thisismy.personalization.registry import make_method
from thisismy.personalization.segmentation import SegmentationSettings

METHODS = {"visual": make_method("visual"), "random": make_method("random")}
OBJECTS = 3
FRAMES = 4


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Benchmark:
    return write_scenes(tmp_path_factory.mktemp("drawn"))


def measure(benchmark: Benchmark, folder: Path, **options: object) -> dict:
    quick = SegmentationSettings(parts=(0.4, 0.25), working=96, rounds=1)
    given = {"seeds": (0, 1), "features": folder / "features.safetensors", "settings": quick} | options
    return evaluate_segmentation(benchmark, FakeEncoder(), METHODS, **given)


@pytest.fixture(scope="module")
def measured(drawn, tmp_path_factory) -> dict:
    return measure(drawn, tmp_path_factory.mktemp("measured"))


def test_drawn_pictures_hold_every_thing_and_its_mask(drawn):
    asked = scenes(drawn)
    assert len(asked) == len(THINGS) * 2
    for scene in asked:
        mask = true_mask(scene.truth, (192, 192))
        assert 0.03 < mask.mean() < 0.15
        with Image.open(scene.picture) as image:
            inside = np.asarray(image)[mask].mean(axis=0)
        colour = THINGS[scene.instance][1]
        wanted = {"red": (255, 0, 0), "green": (0, 128, 0), "yellow": (255, 255, 0), "blue": (0, 0, 255)}
        assert np.abs(inside - wanted[colour]).max() < 40
    assert all(len(i.examples) == VIEWS - 2 for i in drawn.instances)


def test_things_are_found_by_their_looks_and_not_by_chance(measured):
    document = measured
    visual, random = document["rows"]
    assert visual["overlap"] > random["overlap"] + 10
    assert visual["rates"]["0.25"] >= visual["rates"]["0.5"] >= visual["rates"]["0.75"]
    low, high = visual["intervals"]["overlap"]
    assert low <= visual["overlap"] <= high
    assert document["paired"][0]["against"] == "random"
    assert document["paired"][0]["interval"][0] > 0
    assert document["provenance"]["pictures"] == 8
    assert json.loads(json.dumps(document)) == document


def test_rates_and_means_are_those_of_the_overlaps(measured):
    own = np.array([values["visual"] for values in measured["pictures"].values()])
    row = measured["rows"][0]
    assert row["overlap"] == pytest.approx(own.mean(), abs=0.01)
    for limit in (0.25, 0.5, 0.75):
        assert row["rates"][str(limit)] == pytest.approx(100 * (own > 100 * limit).mean(), abs=0.01)
    # The mean picture is the same with every seed.
    assert row["errors"] == dict.fromkeys(row["errors"], 0.0)


def test_a_picture_is_encoded_once_for_all_that_is_looked_for_in_it(drawn, tmp_path):
    encoder = FakeEncoder()
    quick = SegmentationSettings(rounds=0)
    file = tmp_path / "features.safetensors"
    evaluate_segmentation(drawn, encoder, METHODS, seeds=(0, 1, 2), features=file, settings=quick)
    examples = sum(len(i.examples) for i in drawn.instances)
    windows = (encoder.images_seen - examples) / 2
    assert windows == int(windows)
    assert 100 < windows < 400


def test_what_cannot_be_measured_is_refused(drawn, tmp_path):
    plain = {key: replace(item, media=replace(item.media, cutout=None)) for key, item in drawn.items.items()}
    with pytest.raises(BenchmarkError, match="no generic query has a mask"):
        scenes(replace(drawn, items=plain))
    with pytest.raises(BenchmarkError, match="no contextual query has a mask"):
        scenes(drawn, "caption")
    scene = scenes(drawn)[0]
    with pytest.raises(BenchmarkError, match="does not show object 9"):
        true_mask(Cutout(scene.truth.mask, 9), (192, 192))
    with pytest.raises(BenchmarkError, match="does not show object 1"):
        true_mask(Cutout(scene.truth.mask, 1), (10, 10))


def test_captions_can_be_asked(drawn, tmp_path):
    key = drawn.queries[0].relevant[0]
    caption = Query("contextual/0", "Ruby", "a red *", (key,), "contextual")
    asked = replace(drawn, queries=(*drawn.queries, caption))
    assert [scene.prompt for scene in scenes(asked, "caption")] == ["a red *"]
    assert measure(asked, tmp_path, ask="caption")["provenance"]["asked by"] == "caption"


@pytest.fixture
def perl(dev_data: Path, tmp_path: Path) -> Path:
    """The real annotation files, cut to three objects, and frames and masks made up for them."""
    source, folder = dev_data / "pervl" / "annotations" / "ytvos", tmp_path / "ytvos"
    folder.mkdir()
    shutil.copy(source / ytvos.META, folder)
    name = "cleaned_captions_ytvos_test.csv"
    with (source / name).open(newline="") as lines:
        rows = list(csv.DictReader(lines))[:: 252 // OBJECTS][:OBJECTS]
    with (folder / name).open("w", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def paint(benchmark: Benchmark) -> None:
    """A coloured patch for every object, at a place of its own in every frame."""
    rng = np.random.default_rng(0)
    for number, instance in enumerate(benchmark.instances):
        colour = np.eye(3, dtype=np.uint8)[number] * 220
        targets = [k for q in benchmark.queries if q.instance == instance.id for k in q.relevant]
        for key in dict.fromkeys([*instance.examples, *targets]):
            media = benchmark.items[key].media
            for path in (media.path, media.cutout.mask):
                path.parent.mkdir(parents=True, exist_ok=True)
            picture = rng.integers(100, 140, (60, 90, 3)).astype(np.uint8)
            mask = np.zeros((60, 90), np.uint8)
            top, left = rng.integers(0, 35), rng.integers(0, 60)
            picture[top : top + 24, left : left + 28] = colour
            mask[top : top + 24, left : left + 28] = media.cutout.value
            Image.fromarray(picture).save(media.path)
            Image.fromarray(mask).save(media.cutout.mask)


def test_on_the_released_annotations_with_frames_made_up(perl, tmp_path):
    found = ytvos.read(perl, tmp_path / "vos")
    assert len(scenes(found)) == OBJECTS
    paint(found)
    row = measure(found, tmp_path)["rows"][0]
    assert row["overlap"] > 50
    assert row["rates"]["0.25"] == 100


def test_missing_frames_and_masks_are_counted_and_their_source_is_named(perl, tmp_path):
    found = ytvos.read(perl, tmp_path / "vos")
    files = 2 * (OBJECTS + sum(len(i.examples) for i in found.instances))
    with pytest.raises(BenchmarkError) as caught:
        require_media(found, scenes(found))
    assert f"{files} of {files} files are missing ({files // 2} frames, {files // 2} masks)" in str(
        caught.value
    )
    assert "https://youtube-vos.org" in str(caught.value)
    paint(found)
    require_media(found, scenes(found))
    gone = scenes(found)[0].truth.mask
    gone.unlink()
    with pytest.raises(BenchmarkError, match=rf"1 of {files} .*\(0 frames, 1 masks\).*{gone.name}"):
        measure(found, tmp_path)


def call(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_command(perl, tmp_path, monkeypatch):
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: FakeEncoder())
    paint(ytvos.read(perl, tmp_path / "vos"))
    common = ("segmentation", perl, "--images", tmp_path / "vos", "--seeds", 1, "--methods", "visual,random")
    common = (*common, "--examples", FRAMES, "--features", tmp_path / "f.safetensors")
    document = json.loads(call(*common, "--json"))
    assert [row["method"] for row in document["rows"]] == ["visual", "random"]
    assert document["provenance"]["protocol"]["examples"] == FRAMES
    shown = call(*common)
    assert "ytvos-test: 3 pictures asked by name" in shown
    assert "visual - random" in shown
    tiny = json.loads(call("segmentation", "--tiny", "--seeds", 1, "--methods", "visual", "--json"))
    assert tiny["provenance"]["pictures"] == 8
    assert tiny["provenance"]["seeds"] == [0]
    with pytest.raises(BenchmarkError, match=r"or --tiny; the annotations are at https://github\.com"):
        call("segmentation")


def test_the_table_of_a_result_file(measured, tmp_path):
    text = segmentation_markdown(measured["rows"])
    assert text.startswith(
        "| method | overlap | > 0.25 | > 0.5 | > 0.75 |\n|---|---:|---:|---:|---:|\n| visual |"
    )
    (tmp_path / "segmentation.json").write_text(json.dumps(measured))
    made = docs_tables.make_table("segmentation/rows", tmp_path)
    # The ids that methods had when the file was written, under the current ones.
    assert made.startswith(text.replace("| visual |", "| clip-visual |"))
    assert "8 masks asked by name" in made
