"""PALAVRA and pi-map on the embedded encoder: what the package brings, stand-ins, and a frozen encoder."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models
import torch
from fakes import FakeEncoder

from thisismy.encoders import load_encoder
from thisismy.encoders.base import unit
from thisismy.encoders.embedded.encoder import EmbeddedEncoder
from thisismy.personalization import GENERIC_PROMPT, NamedInstance, make_method
from thisismy.personalization.inversion.corpus import Corpus, class_stand_ins
from thisismy.personalization.inversion.palavra_training import (
    PalavraArguments,
    train_set_encoder,
    trained_networks,
)
from thisismy.personalization.inversion.pi_map_training import PiMapArguments, train_map
from thisismy.personalization.inversion.weights import find_inversion


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder("cpu")


@pytest.fixture(scope="module")
def stand_ins(encoder: EmbeddedEncoder) -> Corpus:
    return class_stand_ins(encoder, seed=7)


def test_stand_ins_are_as_near_to_each_other_as_pictures_are(stand_ins, encoder):
    rows = stand_ins.features
    assert rows.shape == (len(stand_ins.things), encoder.embed_dim)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    same_thing = (rows[0::5] * rows[1::5]).sum(axis=1)
    assert 0.6 < same_thing.mean() < 0.75
    other = (rows[0::5][:-4] * rows[0::5][4:]).sum(axis=1)
    assert abs(other.mean()) < 0.1
    again = class_stand_ins(encoder, seed=7)
    np.testing.assert_array_equal(again.features, rows)


@pytest.mark.parametrize("kind", ["palavra", "pi-map"])
def test_the_package_brings_a_predictor_for_the_embedded_encoder_alone(kind, encoder):
    found = find_inversion("", kind, encoder)
    assert found is not None
    assert found.finished
    assert found.provenance["source"]["kind"] == "class rows"
    assert found.history[-1]["total"] < found.history[0]["total"]
    assert find_inversion("", kind, FakeEncoder()) is None


@pytest.mark.parametrize(
    ("name", "arguments"), [("palavra", {"epochs": 0}), ("pi-map", {}), ("palavra", {"epochs": 3})]
)
def test_the_predicted_word_finds_unseen_pictures_of_its_thing(name, arguments, encoder, stand_ins):
    """Twenty things drawn with another seed than the predictors were trained with."""
    chosen = np.arange(0, 200, 10)
    rows = stand_ins.features.reshape(-1, 5, encoder.embed_dim)[chosen]
    things = [NamedInstance(f"my thing {n}", stand_ins.names[c], rows[n, :3]) for n, c in enumerate(chosen)]
    nothing = np.zeros((0, encoder.embed_dim), np.float32)
    vocabulary = make_method(name, arguments).fit(things, nothing, encoder)
    gallery = rows[:, 4]
    hits = sum(
        int(vocabulary.score(GENERIC_PROMPT, thing.name, gallery).argmax()) == n
        for n, thing in enumerate(things)
    )
    assert hits >= 10


@pytest.mark.parametrize("name", ["palavra", "pi-map"])
def test_what_is_asked_is_the_prompt_with_the_word_in_it(name, encoder, stand_ins):
    thing = NamedInstance("my dog", "dog", stand_ins.features[:2])
    method = make_method(name, {"epochs": 0, "order": "word"})
    vocabulary = method.fit([thing], np.zeros((0, encoder.embed_dim)), encoder)
    tokens = torch.from_numpy(vocabulary.concept("my dog").arrays["tokens"])
    asked = encoder.encode_prompts(["* on a bed"], tokens[None])[0].numpy()
    np.testing.assert_allclose(vocabulary.query_vectors(["* on a bed"], "my dog")[0], asked, atol=1e-6)
    word = torch.from_numpy(encoder.word_vectors("dog"))
    np.testing.assert_allclose(
        encoder.encode_prompts(["* on a bed"], word[None]).numpy(),
        encoder.encode_texts(["dog on a bed"]),
        atol=1e-5,
    )


def test_predictions_do_not_depend_on_the_order_of_examples(encoder, stand_ins):
    found = find_inversion("", "palavra", encoder)
    assert found is not None
    network = trained_networks(found).set_encoder
    rows = torch.from_numpy(stand_ins.features[:5])
    with torch.no_grad():
        torch.testing.assert_close(network(rows[None]), network(rows.flip(0)[None]), rtol=1e-4, atol=1e-5)


def test_the_encoder_stays_as_it_is_to_the_bit(encoder, stand_ins):
    tower = encoder._text_tower()
    before = {name: value.clone() for name, value in tower._weights.items()}
    texts = encoder.encode_texts(["a dog", "my cup on a table"])
    few = Corpus(stand_ins.names[:8], stand_ins.features[:40], stand_ins.things[:40])
    nothing = np.zeros((0, encoder.embed_dim), np.float32)
    train_set_encoder(few, encoder, PalavraArguments(width=8, epochs=1, text_augmentation=False))
    train_map(few, encoder, PiMapArguments(epochs=1))
    things = [
        NamedInstance("my dog", "dog", few.features[:3]),
        NamedInstance("my cat", "cat", few.features[20:22]),
    ]
    for name, arguments in (
        ("palavra", {"epochs": 2}),
        ("pi-map", {"epochs": 2}),
        ("adapter", {"epochs": 2}),
    ):
        make_method(name, arguments).fit(things, nothing, encoder)
    for name, value in before.items():
        assert torch.equal(tower._weights[name], value)
        assert tower._weights[name].grad is None
    np.testing.assert_array_equal(encoder.encode_texts(["a dog", "my cup on a table"]), texts)


@pytest.mark.parametrize("name", ["adapter", "collie"])
def test_the_adapters_bring_a_tag_to_its_pictures(name):
    red, blue = (unit(np.array([row, row])) for row in ([1, 0.2, 0, 0.1], [0, 0.2, 1, 0.1]))
    things = [NamedInstance("my ball", "ball", red), NamedInstance("my cup", "ball", blue)]
    nothing = np.zeros((0, 4), np.float32)
    gallery = np.concatenate([red[:1], blue[:1]])
    vocabulary = make_method(name, {"epochs": 200}).fit(things, nothing, _Tags())
    assert vocabulary.score(GENERIC_PROMPT, "my ball", gallery).argmax() == 0
    assert vocabulary.score(GENERIC_PROMPT, "my cup", gallery).argmax() == 1
    by_type = make_method(name, {"asked": "type", "epochs": 2}).fit(things, nothing, _Tags())
    assert np.isfinite(by_type.score("* on grass", "my cup", gallery)).all()


class _Tags(FakeEncoder):
    """Tells tags apart by their numbers."""

    def encode_texts(self, texts):
        rows = super().encode_texts(texts)
        for row, text in zip(rows, texts, strict=True):
            row[:3] += np.random.default_rng(sum(map(ord, text))).random(3).astype(np.float32)
        return unit(rows)


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_both_methods_train_learn_and_leave_clip_and_siglip_as_they_are(family, tmp_path):
    write = tiny_models.write_clip if family == "clip" else tiny_models.write_siglip
    model = load_encoder(str(write(tmp_path / family)))
    before = {name: value.clone() for name, value in model._model.state_dict().items()}
    draw = np.random.default_rng(0)
    places = unit(draw.standard_normal((6, 1, model.embed_dim)))
    rows = unit(places + 0.3 * unit(draw.standard_normal((6, 4, model.embed_dim))))
    corpus = Corpus(
        ("dog", "cat", "red", "car", "man", "blue"),
        rows.reshape(24, -1).astype(np.float32),
        np.repeat(np.arange(6), 4),
    )
    files = {"palavra": tmp_path / "p.st", "pi-map": tmp_path / "m.st"}
    short = PalavraArguments(width=8, epochs=1, text_augmentation=False)
    train_set_encoder(corpus, model, short, checkpoint=files["palavra"])
    train_map(corpus, model, PiMapArguments(epochs=1), checkpoint=files["pi-map"])
    things = [NamedInstance("my dog", "dog", rows[0, :3]), NamedInstance("my cat", "cat", rows[1, :1])]
    nothing = np.zeros((0, model.embed_dim), np.float32)
    for name, argument in (("palavra", "set_encoder"), ("pi-map", "picture_map")):
        method = make_method(name, {argument: str(files[name]), "epochs": 2})
        scores = method.fit(things, nothing, model).score("* on a bed", "my dog", corpus.features)
        assert scores.shape == (24,)
        assert np.isfinite(scores).all()
    for name, value in before.items():
        assert torch.equal(model._model.state_dict()[name], value)


def test_a_corpus_knows_its_rows_and_tells_its_captions():
    rows = np.eye(4, dtype=np.float32)
    corpus = Corpus(("dog", "cat"), rows, np.array([1, 0, 1, 0]), ("a *", "", "* and *", "my *"))
    assert [list(found) for found in corpus.rows_of_things()] == [[1, 3], [0, 2]]
    assert [corpus.told(i) for i in range(4)] == ["a cat", "", "cat and cat", "my dog"]
    assert corpus.told(1, otherwise="photo of *") == "photo of dog"
    assert Corpus(("dog", "cat"), rows, np.array([1, 0, 1, 0])).told(0, "a *") == "a cat"
