"""PALAVRA: its networks, its losses against slow ones, its training, and what it does with bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes import FakeEncoder

from thisismy.core.errors import EncoderError, EncoderMismatchError, VocabularyError
from thisismy.encoders.base import unit
from thisismy.personalization import GENERIC_PROMPT, NamedInstance, load_vocabulary, save_vocabulary
from thisismy.personalization.inversion.corpus import Corpus, object_names, text_stand_ins
from thisismy.personalization.inversion.palavra_losses import (
    alignment_loss,
    pair_loss,
    tuning_loss,
    word_loss,
)
from thisismy.personalization.inversion.palavra_networks import Alignment, SetEncoder
from thisismy.personalization.inversion.palavra_training import (
    PalavraArguments,
    train_set_encoder,
    trained_networks,
)
from thisismy.personalization.inversion.weights import find_inversion, load_inversion
from thisismy.personalization.methods.palavra import Palavra
from thisismy.personalization.prompts import in_order

SMALL = PalavraArguments(width=16, epochs=4, batch=2, views=2, text_augmentation=False, dropout=0.1)


def _rows(count: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(unit(np.random.default_rng(seed).standard_normal((count, 4))))


def _cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def _slow_pair_loss(first: list[list[float]], second: list[list[float]], temperature: float) -> float:
    rows = first + second
    total = 0.0
    for r, row in enumerate(rows):
        partner = (r + len(first)) % len(rows)
        others = [math.exp(_cosine(row, rows[m]) / temperature) for m in range(len(rows)) if m != r]
        total -= math.log(math.exp(_cosine(row, rows[partner]) / temperature) / sum(others))
    return total / len(rows)


@pytest.fixture
def corpus() -> Corpus:
    draw = np.random.default_rng(0)
    colours = np.array([[1, 0, 0, 0.1], [0, 1, 0, 0.1], [0, 0, 1, 0.1]])
    pictures = unit(np.repeat(colours, 5, axis=0) + 0.1 * draw.random((15, 4)))
    return Corpus(("red", "green", "blue"), pictures, np.repeat(np.arange(3), 5))


def _instances(count: int = 2) -> list[NamedInstance]:
    red = unit(np.array([[1, 0, 0, 0.1], [0.95, 0.1, 0, 0.1]] * 10)[:count])
    return [NamedInstance("my red ball", "red", red), NamedInstance("my cup", "blue", red[:, [1, 2, 0, 3]])]


def test_the_pair_loss_is_the_one_written_out_slowly():
    first, second = _rows(5), _rows(5, 1)
    slow = _slow_pair_loss(first.tolist(), second.tolist(), 0.25)
    assert pair_loss(first, second, 0.25).item() == pytest.approx(slow, rel=1e-5)


def test_the_tuning_loss_is_the_pair_loss_of_two_pairs_for_each_instance():
    texts, pictures, types = _rows(3), _rows(3, 1), _rows(3, 2)
    slow = sum(
        _slow_pair_loss([p, t], [x, t], 0.25)
        for x, p, t in zip(texts.tolist(), pictures.tolist(), types.tolist(), strict=True)
    )
    assert tuning_loss(texts, pictures, types, 0.25).item() == pytest.approx(slow, rel=1e-5)


def test_tuning_without_a_type_is_the_cosine():
    assert tuning_loss(_rows(2), _rows(2), None, 0.5).item() == pytest.approx(-4.0, rel=1e-5)


def test_the_word_loss_at_weight_2_is_512_times_the_mean_square_over_512_numbers():
    draw = np.random.default_rng(3)
    words, known = (unit(draw.standard_normal((4, 512))) for _ in range(2))
    practice = 512 * np.mean((words - known) ** 2)
    assert 2 * word_loss(torch.from_numpy(words)[:, None], torch.from_numpy(known)).item() == pytest.approx(
        practice, rel=1e-4
    )


def test_the_alignment_loss_is_the_mean_square():
    first, second = _rows(3), _rows(3, 1)
    slow = [
        (a - b) ** 2
        for x, y in zip(first.tolist(), second.tolist(), strict=True)
        for a, b in zip(x, y, strict=True)
    ]
    assert alignment_loss(first, second).item() == pytest.approx(sum(slow) / len(slow), rel=1e-5)


def test_the_set_encoder_does_not_mind_the_order_of_the_set():
    network = SetEncoder(4, 3, 16, 2, 0.25, torch.Generator().manual_seed(0))
    sets = _rows(12).reshape(2, 6, 4)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    words = network(sets)
    assert words.shape == (2, 2, 3)
    torch.testing.assert_close(network(sets[:, order]), words, rtol=1e-5, atol=1e-6)


def test_dropout_happens_only_with_a_source_of_chance():
    network = SetEncoder(4, 3, 16, 1, 0.5, torch.Generator().manual_seed(0))
    sets = _rows(6).reshape(2, 3, 4)
    assert torch.equal(network(sets), network(sets))
    noisy = network(sets, torch.Generator().manual_seed(1))
    assert not torch.equal(noisy, network(sets))
    assert torch.equal(noisy, network(sets, torch.Generator().manual_seed(1)))


def test_the_alignment_begins_as_the_identity():
    rows = _rows(5)
    torch.testing.assert_close(Alignment(4)(rows), rows)


def test_training_goes_on_after_a_stop_to_the_same_weights(corpus, tmp_path):
    whole = train_set_encoder(corpus, FakeEncoder(), SMALL, seed=1)
    path = tmp_path / "f.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train_set_encoder(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path, progress=_stop_after(2))
    stopped = load_inversion(path, "palavra", FakeEncoder())
    assert not stopped.finished
    assert len(stopped.history) == 1
    resumed = train_set_encoder(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path)
    assert resumed.finished
    assert resumed.history == whole.history
    assert resumed.weights.keys() == whole.weights.keys()
    for key, array in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[key], array)
    again = train_set_encoder(corpus, FakeEncoder(), SMALL, seed=1, checkpoint=path)
    np.testing.assert_array_equal(
        again.weights["set_encoder.last.bias"], whole.weights["set_encoder.last.bias"]
    )


def _stop_after(epochs: int):
    def progress(stage: str, done: float, total: float | None) -> None:
        if done == epochs:
            raise KeyboardInterrupt

    return progress


def test_a_checkpoint_of_other_settings_seed_or_corpus_is_refused(corpus, tmp_path):
    path = tmp_path / "f.safetensors"
    train_set_encoder(corpus, FakeEncoder(), SMALL, checkpoint=path)
    with pytest.raises(VocabularyError, match="other settings, seed or corpus"):
        train_set_encoder(corpus, FakeEncoder(), replace(SMALL, epochs=9), checkpoint=path)
    with pytest.raises(VocabularyError, match="other settings, seed or corpus"):
        train_set_encoder(corpus, FakeEncoder(), SMALL, seed=5, checkpoint=path)
    other = replace(corpus, names=("red", "green", "violet"))
    with pytest.raises(VocabularyError, match="other settings, seed or corpus"):
        train_set_encoder(other, FakeEncoder(), SMALL, checkpoint=path)


@pytest.mark.parametrize(
    "changes",
    [
        {"cycle_target": "text"},
        {"cycle_weight": 0.0},
        {"word_weight": 0.0},
        {"word": "mean"},
        {"aligned": False},
        {"align_from_text": True},
        {"tokens": 2},
        {"views": 9},
    ],
)
def test_every_setting_trains(corpus, changes):
    arguments = replace(SMALL, epochs=1, **changes)
    found = train_set_encoder(corpus, FakeEncoder(), arguments)
    assert np.isfinite(found.history[0]["total"])
    words = trained_networks(found).set_encoder(torch.from_numpy(corpus.features[None, :3]))
    assert words.shape == (1, arguments.tokens, 4)


def test_text_augmentation_uses_objects_beyond_the_corpus(corpus, monkeypatch):
    monkeypatch.setattr(
        "thisismy.personalization.inversion.palavra_training.object_names",
        lambda: ("red", "red car", "blue sea"),
    )
    found = train_set_encoder(corpus, FakeEncoder(), replace(SMALL, text_augmentation=True, epochs=2))
    assert {"picture cycle", "caption cycle", "caption word", "alignment"} <= set(found.history[0])


def test_captions_of_pictures_teach_the_alignment(corpus):
    told = replace(corpus, captions=("a photo of a *",) * 10 + ("",) * 5)
    found = train_set_encoder(told, FakeEncoder(), SMALL)
    assert found.history[-1]["alignment"] >= 0


def test_a_trained_set_encoder_predicts_words_that_find_their_colour(corpus, tmp_path):
    path = tmp_path / "f.safetensors"
    arguments = replace(SMALL, epochs=60, learning_rate=0.01)
    found = train_set_encoder(corpus, FakeEncoder(), arguments, checkpoint=path)
    assert found.history[-1]["total"] < found.history[0]["total"]
    vocabulary = Palavra(set_encoder=str(path), epochs=0).fit(_instances(), np.zeros((0, 4)), FakeEncoder())
    assert vocabulary.score(GENERIC_PROMPT, "my red ball", corpus.features).argmax() < 5
    assert vocabulary.score(GENERIC_PROMPT, "my cup", corpus.features).argmax() >= 10


def test_a_file_of_another_encoder_or_method_is_refused(corpus, tmp_path):
    path = tmp_path / "f.safetensors"
    train_set_encoder(corpus, FakeEncoder(), SMALL, checkpoint=path)
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match=r"fake-colours.*another"):
        Palavra(set_encoder=str(path)).fit(_instances(), np.zeros((0, 4)), other)
    with pytest.raises(VocabularyError, match="not for 'pi-map'"):
        find_inversion(str(path), "pi-map", FakeEncoder())
    with pytest.raises(VocabularyError, match="cannot read"):
        Palavra(set_encoder=str(tmp_path / "none")).fit(_instances(), np.zeros((0, 4)), FakeEncoder())


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(
    "method",
    [
        Palavra(),
        Palavra(start="random"),
        Palavra(epochs=0),
        Palavra(contrast="item", aligned=False),
        Palavra(contrast="none", templates=True),
        Palavra(order="type word", generic_order="word type"),
    ],
)
def test_one_example_and_twenty_are_learned(count, method):
    vocabulary = method.fit(_instances(count), np.zeros((0, 4)), FakeEncoder())
    gallery = unit(np.eye(4)[:3] + 0.05)
    scores = vocabulary.score("* on green grass", "my red ball", gallery)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_no_example_is_refused():
    nothing = NamedInstance("my ball", "red", np.zeros((0, 4), np.float32))
    with pytest.raises(VocabularyError, match="'my ball' has no example"):
        Palavra().fit([nothing], np.zeros((0, 4)), FakeEncoder())


def test_an_encoder_that_takes_no_words_is_refused(corpus):
    deaf = FakeEncoder()
    deaf.token_dim = None
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        Palavra().fit(_instances(), np.zeros((0, 4)), deaf)
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        train_set_encoder(corpus, deaf, SMALL)


@pytest.mark.parametrize(
    "wrong", [{"start": "middle"}, {"contrast": "all"}, {"order": "type"}, {"epochs": -1}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(VocabularyError, match=f"{next(iter(wrong))!r} of 'palavra' is"):
        Palavra(**wrong)
    with pytest.raises(VocabularyError, match="cycle_target"):
        PalavraArguments(cycle_target="sound")
    with pytest.raises(VocabularyError, match=r"'word' of .* is one of first, mean"):
        PalavraArguments(word="last")


def test_an_instance_learns_the_same_beside_others():
    alone = Palavra().fit(_instances()[:1], np.zeros((0, 4)), FakeEncoder())
    both = Palavra().fit(_instances(), np.zeros((0, 4)), FakeEncoder())
    name = "my red ball"
    np.testing.assert_allclose(
        alone.concept(name).arrays["tokens"], both.concept(name).arrays["tokens"], atol=1e-5
    )


def test_saved_and_loaded_it_says_the_same(tmp_path):
    vocabulary = Palavra().fit(_instances(), np.zeros((0, 4)), FakeEncoder())
    path = tmp_path / "v.safetensors"
    save_vocabulary(vocabulary, path)
    loaded = load_vocabulary(path, FakeEncoder())
    gallery = unit(np.random.default_rng(0).random((6, 4)))
    for prompt in ("*", "* on green grass"):
        np.testing.assert_array_equal(
            loaded.score(prompt, "my cup", gallery), vocabulary.score(prompt, "my cup", gallery)
        )
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match="another"):
        load_vocabulary(path, other)


def test_the_type_stands_where_it_is_asked_for():
    assert in_order("* on a bed", "dog", "word") == "* on a bed"
    assert in_order("* on a bed", "dog", "word type") == "* dog on a bed"
    assert in_order("a * and *", "dog", "type word") == "a dog * and dog *"


def test_a_corpus_that_does_not_fit_is_refused(corpus):
    with pytest.raises(VocabularyError, match="a corpus of 3 names"):
        replace(corpus, things=corpus.things[:4])
    with pytest.raises(VocabularyError, match="two names or more"):
        replace(corpus, names=("red", "red", "red"))


def test_texts_stand_for_pictures_on_any_encoder():
    corpus = text_stand_ins(FakeEncoder(), ("red", "blue"), seed=1)
    again = text_stand_ins(FakeEncoder(), ("red", "blue"), seed=1)
    np.testing.assert_array_equal(corpus.features, again.features)
    np.testing.assert_allclose(np.linalg.norm(corpus.features, axis=1), 1, atol=1e-5)
    assert set(corpus.things.tolist()) == {0, 1}


def test_object_names_are_many_and_different():
    names = object_names()
    assert len(names) == len(set(names)) > 1000
    assert "dog" in names
