"""Benchmarks run on their real annotations; a method that tells nothing apart must score what chance does.

All scores tied is a random ranking in expectation, and for that the right numbers are known by calculation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image

from thisismy.encoders.base import unit
from thisismy.encoders.space import Block
from thisismy.evaluation.datasets import deepfashion2, this_is_my, ytvos
from thisismy.evaluation.features import FeatureFile, encode
from thisismy.evaluation.protocols.retrieval import Protocol, run
from thisismy.evaluation.reports.aggregate import aggregate
from thisismy.personalization.base import Method, Vocabulary
from thisismy.personalization.registry import make_method


class TiedVocabulary(Vocabulary):
    method: ClassVar[str] = "tied"

    def score(self, prompt, name, gallery):
        return np.ones(len(gallery), np.float32)


@dataclass(frozen=True)
class Tied(Method):
    vocabulary: ClassVar[type[Vocabulary]] = TiedVocabulary

    def learn(self, vocabulary, instances, negatives, progress):
        return [{} for _ in instances], {}


def row(benchmark, features, encoder, method, **protocol):
    cell = run(benchmark, features, encoder, method, protocol=Protocol(**protocol))
    return aggregate(benchmark, {"it": [cell]})["rows"][0]


def random_features(benchmark, path, encoder):
    """A features file as somebody with the videos would share it: rows by item id."""
    file, rng = FeatureFile(path, encoder.id), np.random.default_rng(0)
    for item in benchmark.used():
        file.add(item, "shared", Block(unit(rng.standard_normal((3, encoder.embed_dim)))))
    file.save()
    return encode(benchmark, encoder, FeatureFile(path, encoder.id))


def test_chance_on_this_is_my_with_features_from_a_file(dev_data, tmp_path):
    found, encoder = this_is_my.read(dev_data / "this-is-my"), FakeEncoder()
    features = random_features(found, tmp_path / "f.safetensors", encoder)
    assert encoder.images_seen == 0
    chance = row(found, features, encoder, Tied())
    # The ~5,000 segments outside the training videos (the released corpus has 13 more entries).
    assert chance["generic"] == pytest.approx({"map": 0.94, "mrr": 3.5}, abs=0.05)
    assert chance["contextual"] == pytest.approx({"mrr": 0.18, "r5": 0.10}, abs=0.01)
    pooled = row(found, features, encoder, make_method("visual"), pooling="max", examples=1)
    assert pooled["generic"]["map"] < 3


def test_chance_on_deepfashion2_with_generated_photos(dev_data, tmp_path):
    found, encoder = deepfashion2.read(dev_data / "pervl", tmp_path), FakeEncoder()
    rng = np.random.default_rng(0)
    for item in found.used():
        item.media.path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(item.media.path)
    features = encode(found, encoder, FeatureFile(None, encoder.id))
    assert encoder.images_seen == 221 + 653
    chance = row(found, features, encoder, Tied(), examples=5)
    # Exact expectations for 221 photos.
    assert chance["generic"] == pytest.approx({"map": 4.22, "mrr": 8.13}, abs=0.01)
    assert chance["contextual"] == pytest.approx({"mrr": 2.70, "r5": 2.26}, abs=0.01)


def test_ytvos_with_generated_frames(dev_data, tmp_path):
    whole, encoder = ytvos.read(dev_data / "pervl", tmp_path), FakeEncoder()
    by_scene = {whole.items[i.examples[0]].video: i for i in whole.instances[:20]}
    kept = tuple(by_scene.values())
    queries = tuple(q for q in whole.queries if q.instance in {i.id for i in kept})
    gallery = tuple(dict.fromkeys(key for q in queries for key in q.relevant))
    found = replace(whole, instances=kept, queries=queries, gallery=gallery)
    rng = np.random.default_rng(1)
    colours = {i.id: rng.integers(0, 256, 3, dtype=np.uint8) for i in kept}
    for item in found.used():
        media, key = item.media, item.id.split("/")[0]
        if not media.path.exists():
            for path in (media.path, media.cutout.mask):
                path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 24)).save(media.path)
        mask = np.zeros((24, 32), np.uint8)
        mask[6:16, 8:20] = media.cutout.value
        Image.fromarray(mask).save(media.cutout.mask)
        with Image.open(media.path) as frame:
            pixels = np.array(frame)
        pixels[6:16, 8:20] = colours[key]
        Image.fromarray(pixels).save(media.path, quality=95)
    features = encode(found, encoder, FeatureFile(None, encoder.id))
    measured = row(found, features, encoder, make_method("visual"), examples=5)
    assert measured["generic"]["mrr"] > 60
