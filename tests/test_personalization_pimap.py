"""pi-map: its map, its losses against slow ones, its training, its queries by picture, and bad input."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes import FakeEncoder

from thisismy.core.errors import EncoderError, EncoderMismatchError, VocabularyError
from thisismy.encoders.base import unit
from thisismy.personalization import GENERIC_PROMPT, NamedInstance, load_vocabulary, save_vocabulary
from thisismy.personalization.attributes import ATTRIBUTES, describe, specific_caption
from thisismy.personalization.inversion.corpus import Corpus
from thisismy.personalization.inversion.pi_map_losses import picture_loss, symmetric_loss, text_loss
from thisismy.personalization.inversion.pi_map_network import PictureMap
from thisismy.personalization.inversion.pi_map_training import PiMapArguments, train_map
from thisismy.personalization.inversion.weights import load_inversion
from thisismy.personalization.methods.pi_map import PiMap

NONE = np.zeros((0, 4), np.float32)
SMALL = PiMapArguments(epochs=3, batch=2, learning_rate=0.01)


class WideEncoder(FakeEncoder):
    """Features of four numbers, words of six of which the text tower reads the first four."""

    id = "fake-wide"
    token_dim = 6

    def word_vectors(self, text: str):
        return np.pad(super().word_vectors(text), ((0, 0), (0, 2)))

    def encode_prompts(self, prompts, tokens):
        return super().encode_prompts(prompts, tokens[..., :4])


@pytest.fixture
def corpus() -> Corpus:
    draw = np.random.default_rng(0)
    colours = np.array([[1, 0, 0, 0.1], [0, 1, 0, 0.1], [0, 0, 1, 0.1]])
    pictures = unit(np.repeat(colours, 5, axis=0) + 0.1 * draw.random((15, 4)))
    return Corpus(("red", "green", "blue"), pictures, np.repeat(np.arange(3), 5))


def _instances(count: int = 2) -> list[NamedInstance]:
    red = unit(np.array([[1, 0, 0, 0.1], [0.95, 0.1, 0, 0.1]] * 10)[:count])
    return [NamedInstance("my red ball", "red", red), NamedInstance("my cup", "blue", red[:, [1, 2, 0, 3]])]


def _rows(count: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(unit(np.random.default_rng(seed).standard_normal((count, 4))))


def _d(a: torch.Tensor, b: torch.Tensor, temperature: float) -> float:
    return math.exp(sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)) / temperature)


def test_the_symmetric_loss_is_the_one_written_out_slowly():
    texts, pictures, t = _rows(4, 0), _rows(4, 1), 0.3
    total = 0.0
    for i in range(4):
        own = _d(texts[i], pictures[i], t)
        total -= math.log(own / sum(_d(texts[i], pictures[j], t) for j in range(4)))
        total -= math.log(own / sum(_d(texts[j], pictures[i], t) for j in range(4)))
    assert symmetric_loss(texts, pictures, t).item() == pytest.approx(total / 8, rel=1e-5)


@pytest.mark.parametrize("with_positive", [True, False])
def test_the_picture_loss_is_the_one_written_out_slowly(with_positive):
    words, pictures, things, t = _rows(5, 0), _rows(5, 1), [0, 0, 1, 2, 2], 0.3
    total = 0.0
    for i in range(5):
        own = _d(words[i], pictures[i], t)
        others = sum(_d(words[i], pictures[n], t) for n in range(5) if things[n] != things[i])
        total -= math.log(own / (others + (own if with_positive else 0)))
    found = picture_loss(words, pictures, torch.tensor(things), t, with_positive=with_positive)
    assert found.item() == pytest.approx(total / 5, rel=1e-5)


@pytest.mark.parametrize("with_positive", [True, False])
def test_the_text_loss_is_the_one_written_out_slowly(with_positive):
    texts, generic, things, t = _rows(4, 0), _rows(2, 2), [0, 0, 1, 2], 0.3
    specific = _rows(3, 1)[torch.tensor(things)]
    total = 0.0
    for i in range(4):
        own = _d(texts[i], specific[i], t)
        others = sum(_d(texts[i], specific[n], t) for n in range(4) if things[n] != things[i])
        others += sum(_d(texts[i], g, t) for g in generic)
        total -= math.log(own / (others + (own if with_positive else 0)))
    found = text_loss(texts, specific, generic, torch.tensor(things), t, with_positive=with_positive)
    assert found.item() == pytest.approx(total / 4, rel=1e-5)


@pytest.mark.parametrize("with_positive", [True, False])
def test_a_single_thing_is_regularised_by_nothing(with_positive):
    words = _rows(2, 0).requires_grad_()
    things = torch.zeros(2, dtype=torch.long)
    loss = picture_loss(words, _rows(2, 1), things, 0.3, with_positive=with_positive)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(words.grad).all()


def test_conditions_begin_where_pictures_and_captions_differ():
    pictures = np.array([[0.9, 0.1, 0.3, 0.0]], np.float32)
    texts = np.array([[0.1, 0.0, 0.0, 0.0]], np.float32)
    made = {how: PictureMap(4, 4, torch.Generator().manual_seed(0)) for how in ("zeroed", "raised", "ones")}
    for how, network in made.items():
        network.condition(pictures, texts, how)
        assert network.condition_first.mean().item() == pytest.approx(1)
    assert made["zeroed"].condition_first.argmax().item() == 2
    assert made["zeroed"].condition_second.argmax().item() == 0
    assert made["raised"].condition_first.argmax().item() == 0
    assert made["raised"].condition_second.argmax().item() == 2
    assert torch.equal(made["ones"].condition_second, torch.ones(4))
    with pytest.raises(VocabularyError, match="condition is one of"):
        made["ones"].condition(pictures, texts, "lowered")


def test_words_may_be_longer_than_features(corpus):
    found = train_map(corpus, WideEncoder(), SMALL)
    assert found.weights["entry.weight"].shape == (6, 4)
    assert found.weights["last.weight"].shape == (6, 6)
    with pytest.raises(VocabularyError, match="regularise='text'"):
        PiMap(epochs=2, regularise="word").fit(_instances(), NONE, WideEncoder())
    for method in (PiMap(epochs=2), PiMap(epochs=2, regularise="word", picture_weight=0.0)):
        vocabulary = method.fit(_instances(), NONE, WideEncoder())
        assert vocabulary.concept("my cup").arrays["tokens"].shape == (1, 6)


def test_training_goes_on_after_a_stop_to_the_same_weights(corpus, tmp_path):
    whole = train_map(corpus, FakeEncoder(), SMALL, seed=1)
    path = tmp_path / "m.safetensors"

    def stop(stage: str, done: float, total: float | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_map(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path, progress=stop)
    assert not load_inversion(path, "pi-map", FakeEncoder()).finished
    resumed = train_map(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path)
    assert resumed.history == whole.history
    for key, array in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[key], array)
    assert train_map(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path).finished
    with pytest.raises(VocabularyError, match="other settings, seed or corpus"):
        train_map(corpus, FakeEncoder(), replace(SMALL, batch=1), seed=1, checkpoint=path)


def test_a_trained_map_makes_a_word_of_any_picture_without_learning(corpus, tmp_path):
    path = tmp_path / "m.safetensors"
    found = train_map(corpus, FakeEncoder(), replace(SMALL, epochs=30), checkpoint=path)
    assert found.history[-1]["total"] < found.history[0]["total"]
    method = PiMap(picture_map=str(path), epochs=0)
    vocabulary = method.fit(_instances(), NONE, FakeEncoder())
    green = NamedInstance("this picture", "thing", corpus.features[5:6])
    asked = method.extend(vocabulary, [green], NONE)
    assert asked.score(GENERIC_PROMPT, "this picture", corpus.features).argmax() in range(5, 10)
    for name in ("my red ball", "my cup"):
        np.testing.assert_array_equal(
            asked.concept(name).arrays["tokens"], vocabulary.concept(name).arrays["tokens"]
        )


def test_what_is_added_comes_through_the_same_map(corpus):
    method = PiMap(epochs=3)
    vocabulary = method.fit(_instances(), NONE, FakeEncoder())
    same = replace(_instances()[0], name="my other red ball")
    more = method.extend(vocabulary, [same], NONE)
    np.testing.assert_array_equal(
        more.concept("my other red ball").arrays["tokens"], more.concept("my red ball").arrays["tokens"]
    )
    for key, array in vocabulary.shared.items():
        np.testing.assert_array_equal(more.shared[key], array)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(
    "method",
    [
        PiMap(),
        PiMap(epochs=2, regularise="word"),
        PiMap(epochs=2, picture_weight=0.0),
        PiMap(epochs=2, picture_weight=1.0),
        PiMap(epochs=2, phrases=0, with_positive=False),
        PiMap(epochs=2, pretrained=False, condition="ones"),
        PiMap(epochs=2, condition="raised", average="features", order="word type"),
        PiMap(epochs=2, regularise="text", batch=3, warm_up=0),
    ],
)
def test_one_example_and_twenty_are_learned(count, method):
    vocabulary = method.fit(_instances(count), NONE, FakeEncoder())
    scores = vocabulary.score("* on green grass", "my red ball", unit(np.eye(4)[:3] + 0.05))
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_templates_are_averaged_as_words_or_as_features(corpus, tmp_path):
    rows = unit(np.array([[1, 0, 0, 0.1], [0, 1, 0, 0.1]]))
    thing = NamedInstance("my thing", "thing", rows)
    path = tmp_path / "m.safetensors"
    train_map(corpus, FakeEncoder(), SMALL, checkpoint=path)
    plain = {"picture_map": str(path)}

    def word(method: PiMap, rows: np.ndarray) -> np.ndarray:
        return (
            method.fit([replace(thing, examples=rows)], NONE, FakeEncoder())
            .concept("my thing")
            .arrays["tokens"]
        )

    parts = [word(PiMap(**plain), row[None]) for row in rows]
    np.testing.assert_allclose(word(PiMap(**plain), rows), np.mean(parts, axis=0), atol=1e-6)
    mean = unit(rows.mean(axis=0))[None]
    np.testing.assert_allclose(
        word(PiMap(average="features", **plain), rows), word(PiMap(**plain), mean), atol=1e-6
    )


def test_captions_of_any_model_can_be_given(tmp_path):
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"my red ball": "a red rubber ball with a star"}))
    vocabulary = PiMap(captions=str(path)).fit(_instances(), NONE, FakeEncoder())
    assert set(vocabulary.concepts) == {"my red ball", "my cup"}
    for content in ("[]", '{"my cup": 3}', "{"):
        path.write_text(content)
        with pytest.raises(VocabularyError, match=r"captions\.json"):
            PiMap(captions=str(path)).fit(_instances(), NONE, FakeEncoder())
    with pytest.raises(VocabularyError, match="cannot read the captions"):
        PiMap(captions=str(tmp_path / "none.json")).fit(_instances(), NONE, FakeEncoder())


def test_a_thing_is_described_by_what_it_looks_like():
    rows = unit(np.array([[1, 0, 0, 0.1]]))
    blue = rows[:, [1, 2, 0, 3]]
    assert describe(FakeEncoder(), ["cup", "cup"], [rows, blue], 1) == [["red"], ["blue"]]
    assert describe(FakeEncoder(), ["cup"], [rows], 0) == [[]]
    assert set(describe(FakeEncoder(), ["cup"], [rows], 5)[0]) <= set(ATTRIBUTES)
    assert specific_caption("my cup", ["red", "with a handle"]) == "A photo of my cup, red, with a handle"


def test_bad_input_is_refused(corpus, tmp_path):
    nothing = NamedInstance("my ball", "red", NONE)
    with pytest.raises(VocabularyError, match="'my ball' has no example"):
        PiMap().fit([nothing], NONE, FakeEncoder())
    deaf = FakeEncoder()
    deaf.token_dim = None
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        PiMap().fit(_instances(), NONE, deaf)
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        train_map(corpus, deaf, SMALL)
    path = tmp_path / "m.safetensors"
    train_map(corpus, FakeEncoder(), SMALL, checkpoint=path)
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match=r"fake-colours.*another"):
        PiMap(picture_map=str(path)).fit(_instances(), NONE, other)
    for wrong in ({"order": "type"}, {"average": "all"}, {"regularise": "x"}, {"picture_weight": 2.0}):
        with pytest.raises(VocabularyError, match=next(iter(wrong))):
            PiMap(**wrong)


def test_saved_and_loaded_it_says_the_same(tmp_path):
    vocabulary = PiMap(epochs=3).fit(_instances(), NONE, FakeEncoder())
    path = tmp_path / "v.safetensors"
    save_vocabulary(vocabulary, path)
    loaded = load_vocabulary(path, FakeEncoder())
    gallery = unit(np.random.default_rng(0).random((6, 4)))
    np.testing.assert_array_equal(
        loaded.score("* and green", "my cup", gallery), vocabulary.score("* and green", "my cup", gallery)
    )
    picture = NamedInstance("this", "thing", gallery[:1])
    method = PiMap(epochs=3)
    np.testing.assert_array_equal(
        method.extend(loaded, [picture], NONE).query_vectors(["*"], "this"),
        method.extend(vocabulary, [picture], NONE).query_vectors(["*"], "this"),
    )
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match="another"):
        load_vocabulary(path, other)
