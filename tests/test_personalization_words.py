"""Learned words, category features, the default method, and what happens to bad input."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import FakeEncoder

from thisismy.core.errors import EncoderError, EncoderMismatchError, VocabularyError
from thisismy.encoders import load_encoder
from thisismy.encoders.base import unit
from thisismy.encoders.space import Block
from thisismy.personalization import (
    GENERIC_PROMPT,
    METHODS,
    NamedInstance,
    Vocabulary,
    leave_one_out,
    load_vocabulary,
    look_alikes,
    make_method,
    save_vocabulary,
)
from thisismy.personalization.context import context_vector, context_words
from thisismy.personalization.meta.category_features import MetaArguments, load_category_features, meta_train
from thisismy.personalization.meta.word_model import start_matrix
from thisismy.personalization.methods.meta_tokens import MATRIX, MetaTokens, least_like
from thisismy.personalization.methods.prototype_context import RIVALS, PrototypeContext, likeness

SMALL = MetaTokens(q=6, epochs=3, step_negatives=4)
META = MetaArguments(q=6, rounds=3, epochs=2, instances_per_category=2)
NEGATIVES = unit(np.random.default_rng(0).random((12, 4)))


def instance(name: str, category: str, *rows: list[float]) -> NamedInstance:
    return NamedInstance(name, category, unit(np.array(rows)))


RED = instance("my red ball", "red", [1, 0, 0, 0.1], [0.9, 0.1, 0, 0.1])
PINK = instance("my pink ball", "red", [0.8, 0.3, 0.3, 0.1])
BLUE = instance("my blue cup", "blue", [0, 0.1, 1, 0.1], [0, 0, 1, 0.1])


def digest(vocabulary: Vocabulary) -> str:
    parts = hashlib.sha256()
    for concept in vocabulary.concepts.values():
        for key, array in sorted(concept.arrays.items()):
            parts.update(key.encode() + array.tobytes())
    for key, array in sorted(vocabulary.shared.items()):
        parts.update(key.encode() + array.tobytes())
    return parts.hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"factorize": False},
        {"single_category": True},
        {"language_weight": 0.0},
        {"category_weight": 0.0},
        {"step_negatives": 0},
        {"init": "random"},
        {"tokens": 1},
        {"negatives_kept": 0.5},
        {"weight_decay": 0.01},
        {"batch": 2},
    ],
)
def test_every_ablation_runs_and_the_same_seed_gives_the_same(changes: dict[str, object]) -> None:
    method = replace(SMALL, **changes)  # type: ignore[arg-type]
    once, again, other = (
        method.fit([RED, PINK, BLUE], NEGATIVES, FakeEncoder(), seed=seed) for seed in (4, 4, 5)
    )
    assert digest(once) == digest(again) != digest(other)
    assert once.concept("my red ball").arrays["tokens"].shape == (method.tokens, 4)
    wanted = {MATRIX + "*"} if method.single_category else {MATRIX + "red", MATRIX + "blue"}
    assert set(once.shared) == (wanted if method.factorize else set())


def test_epochs_of_zero_leave_the_categorys_own_words() -> None:
    method = replace(SMALL, epochs=0, tokens=1)
    words = method.fit([RED], NEGATIVES, FakeEncoder()).concept("my red ball").arrays["tokens"]
    np.testing.assert_allclose(words[0], FakeEncoder().word_vectors("red")[0], atol=0.1)


def test_one_matrix_for_all_begins_with_the_words_of_all(tmp_path: Path) -> None:
    method = replace(SMALL, epochs=0, tokens=1, single_category=True)
    started = method.fit([RED, BLUE], NEGATIVES, FakeEncoder())
    path = tmp_path / "one"
    none = np.zeros((0, 4), np.float32)
    few = replace(META, rounds=1, epochs=0, single_category=True)
    meta_train([BLUE, RED], none, FakeEncoder(), few, checkpoint=path)
    learned = replace(method, category_features=str(path)).fit([RED, BLUE], NEGATIVES, FakeEncoder())
    for vocabulary in (started, learned):
        for thing in (RED, BLUE):
            word = vocabulary.concept(thing.name).arrays["tokens"][0]
            np.testing.assert_allclose(word, FakeEncoder().word_vectors(thing.category)[0], atol=0.2)
    green = instance("my green hat", "green", [0, 1, 0, 0.1])
    assert method.extend(started, [green], NEGATIVES).shared[MATRIX + "*"].shape == (4, 6)


def test_more_categories_than_columns_begin_at_random() -> None:
    start = start_matrix(FakeEncoder(), ["red", "blue green", "red", "green"], "category", 2)
    assert start.words is not None
    assert start.words.shape == (2, 4)
    assert [list(start.of(c)) for c in ("red", "blue green", "green", "pink")] == [[0], [1], [], []]
    assert start_matrix(FakeEncoder(), ["red"], "random", 2).words is None


def test_gradients_reach_matrices_and_codes_and_the_encoder_stays() -> None:
    encoder = load_encoder("embedded", device="cpu")
    weights = encoder._text_tower()._weights  # type: ignore[attr-defined]
    before = {name: value.clone() for name, value in weights.items()}
    draw = np.random.default_rng(0)
    things = [
        NamedInstance(name, "dog", unit(draw.normal(size=(2, encoder.embed_dim))))
        for name in ("my a", "my b")
    ]
    method = MetaTokens(q=8, epochs=2, step_negatives=0)
    started = replace(method, epochs=0).fit(things, np.zeros((0, 1), np.float32), encoder)
    trained = method.fit(things, np.zeros((0, 1), np.float32), encoder)
    assert not np.allclose(started.shared[MATRIX + "dog"], trained.shared[MATRIX + "dog"], atol=1e-5)
    for name in ("my a", "my b"):
        moved = trained.concept(name).arrays["tokens"] - started.concept(name).arrays["tokens"]
        assert np.abs(moved).max() > 1e-4
    for name, value in weights.items():
        assert torch.equal(value, before[name]), name
        assert value.grad is None
        assert not value.requires_grad


@pytest.mark.parametrize(
    "name",
    ["prototype-context", "meta-tokens", "meta-tokens-evidence", "linear-head", "rank-one", "clip-visual"],
)
def test_adding_one_moves_no_other(name: str) -> None:
    method = SMALL if name == "meta-tokens" else METHODS[name]()
    first = method.fit([RED, BLUE], NEGATIVES, FakeEncoder(), seed=1)
    gallery = NEGATIVES
    prompts = (GENERIC_PROMPT, "* on green grass")
    before = [first.score(p, n, gallery) for p in prompts for n in ("my red ball", "my blue cup")]
    more = method.extend(first, [PINK], NEGATIVES)
    after = [more.score(p, n, gallery) for p in prompts for n in ("my red ball", "my blue cup")]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(more.concepts) == ["my red ball", "my blue cup", "my pink ball"]
    assert list(first.concepts) == ["my red ball", "my blue cup"]
    again = method.extend(more, [replace(PINK, examples=BLUE.examples)], NEGATIVES)
    assert list(again.without("my pink ball").concepts) == ["my red ball", "my blue cup"]


@pytest.mark.parametrize("name", ["prototype-context", "meta-tokens", "meta-tokens-evidence", "rank-one"])
def test_a_vocabulary_is_kept_and_refused_with_another_encoder(name: str, tmp_path: Path) -> None:
    method = SMALL if name == "meta-tokens" else METHODS[name]()
    vocabulary = method.fit([RED, BLUE], NEGATIVES, FakeEncoder(), seed=2)
    path = tmp_path / "kept.safetensors"
    save_vocabulary(vocabulary, path)
    back = load_vocabulary(path, FakeEncoder())
    for prompt in (GENERIC_PROMPT, "* on green grass"):
        np.testing.assert_array_equal(
            back.score(prompt, "my red ball", NEGATIVES), vocabulary.score(prompt, "my red ball", NEGATIVES)
        )
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match=r"'fake-colours'.*'another'"):
        load_vocabulary(path, other)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VocabularyError, match="learn it again"):
        load_vocabulary(path, FakeEncoder())


class Stop(Exception):
    pass


def test_meta_training_goes_on_after_an_interruption(tmp_path: Path) -> None:
    corpus = [RED, PINK, BLUE]
    none = np.zeros((0, 4), np.float32)
    whole = meta_train(corpus, none, FakeEncoder(), META, seed=7, checkpoint=tmp_path / "whole")

    def stop_in_round_two(stage: str, done: float, total: float | None) -> None:
        if "round 3" in stage:
            raise Stop

    path = tmp_path / "parts"
    with pytest.raises(Stop):
        meta_train(corpus, none, FakeEncoder(), META, seed=7, checkpoint=path, progress=stop_in_round_two)
    assert load_category_features(path, FakeEncoder()).rounds_done == 2
    parts = meta_train(corpus, none, FakeEncoder(), META, seed=7, checkpoint=path)
    assert parts.rounds_done == 3
    assert parts.history == whole.history
    assert len(parts.history) == META.rounds * META.epochs
    for category in ("red", "blue"):
        np.testing.assert_array_equal(parts.matrices[category], whole.matrices[category])
    with pytest.raises(VocabularyError, match="other settings"):
        meta_train(corpus, none, FakeEncoder(), replace(META, q=5), seed=7, checkpoint=path)
    with pytest.raises(VocabularyError, match="other settings"):
        meta_train(corpus, none, FakeEncoder(), META, seed=7, checkpoint=path, source={"kind": "texts"})
    other = FakeEncoder()
    other.id = "another"
    with pytest.raises(EncoderMismatchError, match="'another'"):
        load_category_features(path, other)
    used = replace(SMALL, category_features=str(path)).fit([RED], NEGATIVES, FakeEncoder())
    plain = SMALL.fit([RED], NEGATIVES, FakeEncoder())
    assert digest(used) != digest(plain)
    with pytest.raises(VocabularyError, match="no instance"):
        meta_train([], none, FakeEncoder(), META)


BAD = {
    "no example": (replace(RED, examples=np.zeros((0, 4), np.float32)), "no example"),
    "not finite": (replace(RED, examples=np.array([[1, np.nan, 0, 0]], np.float32)), "not finite in row 0"),
    "other width": (replace(RED, examples=np.ones((1, 3), np.float32)), "shape"),
    "no name": (replace(RED, name=" "), "cannot be the name"),
    "a star": (replace(RED, name="my *"), "cannot be the name"),
    "no category": (replace(RED, category=""), "no category"),
    "ids": (replace(RED, example_ids=("a",)), "2 examples but 1 ids"),
}


@pytest.mark.parametrize("method", ["prototype-context", "meta-tokens", "rank-one", "product"])
@pytest.mark.parametrize("what", BAD)
def test_bad_instances_are_refused_by_name(method: str, what: str) -> None:
    broken, message = BAD[what]
    with pytest.raises(VocabularyError, match=message):
        make_method(method).fit([BLUE, broken], NEGATIVES, FakeEncoder())
    with pytest.raises(VocabularyError, match="two instances are called"):
        make_method(method).fit([RED, RED], NEGATIVES, FakeEncoder())
    with pytest.raises(VocabularyError, match="negatives have a number that is not finite"):
        make_method(method).fit([RED], NEGATIVES * np.inf, FakeEncoder())


@pytest.mark.parametrize("name", ["prototype-context", "meta-tokens", "rank-one", "linear-head"])
def test_one_identical_and_unheard_of(name: str) -> None:
    """One example, identical examples, a category nobody knows, and no negatives at all."""
    method = SMALL if name == "meta-tokens" else METHODS[name]()
    same = replace(RED, name="my twin", examples=np.repeat(RED.examples[:1], 3, axis=0))
    odd = replace(PINK, name="my zzyzx", category="qwrtzuiop")
    vocabulary = method.fit([same, odd], np.zeros((0, 4), np.float32), FakeEncoder())
    for thing in ("my twin", "my zzyzx"):
        scores = vocabulary.score("* in green", thing, NEGATIVES)
        assert np.isfinite(scores).all()
        assert vocabulary.threshold(thing) < 1
    assert method.fit([], NEGATIVES, FakeEncoder()).concepts == {}


@pytest.mark.parametrize("name", ["prototype-context", "product-contexts", "linear-head"])
def test_five_hundred_instances(name: str) -> None:
    draw = np.random.default_rng(3)
    many = [NamedInstance(f"my {i}", "red", unit(draw.random((2, 4)))) for i in range(500)]
    vocabulary = METHODS[name]().fit(many[:60] if name == "linear-head" else many, NEGATIVES, FakeEncoder())
    assert np.isfinite(vocabulary.score("* in green", "my 7", NEGATIVES)).all()


def test_words_for_the_context_and_evidence_for_the_instance() -> None:
    arguments = {"q": 6, "epochs": 3, "step_negatives": 4}
    both = make_method("meta-tokens-evidence", arguments).fit([RED, BLUE], NEGATIVES, FakeEncoder(), seed=2)
    words = make_method("meta-tokens", arguments).fit([RED, BLUE], NEGATIVES, FakeEncoder(), seed=2)
    seen = PrototypeContext().fit([RED, BLUE], NEGATIVES, FakeEncoder(), seed=2)
    name, prompt = "my red ball", "* on green grass"
    asked, alone = words.query_vectors((prompt, GENERIC_PROMPT), name)
    np.testing.assert_array_equal(both.query_vectors((prompt,), name)[0], asked)
    parts = both.explain(prompt, name, NEGATIVES)
    np.testing.assert_array_equal(parts.instance, seen.explain(prompt, name, NEGATIVES).instance)
    step = unit(asked - alone)
    mean = seen.concept(name).arrays["mean"]
    for row, found in zip(NEGATIVES, parts.context, strict=True):
        rest = row - (row @ mean) * mean
        assert found == pytest.approx(0.25 * 10 * float(rest @ step) / np.linalg.norm(rest), abs=1e-4)
    np.testing.assert_allclose(parts.total, parts.instance + parts.context, rtol=1e-6)
    assert not both.explain(GENERIC_PROMPT, name, NEGATIVES).context.any()
    assert both.threshold(name) == seen.threshold(name)


def test_words_need_an_encoder_that_takes_them() -> None:
    encoder = FakeEncoder()
    encoder.token_dim = None
    with pytest.raises(EncoderError, match="takes no learned tokens"):
        SMALL.fit([RED], NEGATIVES, encoder)
    with pytest.raises(VocabularyError, match="'init' of 'meta-tokens' is one of random, category"):
        replace(SMALL, init="zero").fit([RED], NEGATIVES, FakeEncoder())
    with pytest.raises(VocabularyError, match="learning rate below"):
        replace(SMALL, temperature=1e-45).fit([RED], NEGATIVES, FakeEncoder())


def test_least_like_keeps_the_part_asked_for() -> None:
    rows = unit(np.array([[1, 0], [0.9, 0.1], [0, 1], [0.5, 0.5]]))
    anchors = unit(np.array([[1.0, 0]]))
    np.testing.assert_array_equal(least_like(rows, anchors, 0.5), rows[[2, 3]])
    np.testing.assert_array_equal(least_like(rows, anchors, 1.0), rows)


def test_rivals_count_against_an_instance() -> None:
    arrays = {
        "mean": unit(np.array([1.0, 0, 0])),
        "unrelated": np.array([0.0], np.float32),
        "rivals": unit(np.array([[0.6, 0.8, 0]])),
    }
    rows = unit(np.array([[0.8, 0.6, 0], [0.8, 0, 0.6]]))
    np.testing.assert_allclose(likeness(rows, arrays, 0.0), [0.8, 0.8], atol=1e-6)
    np.testing.assert_allclose(likeness(rows, arrays, 0.5), [0.8 - 0.48, 0.8 - 0.24], atol=1e-6)
    many = NamedInstance("my a", "red", RED.examples)
    vocabulary = PrototypeContext().fit([many], unit(np.random.default_rng(0).random((40, 4))), FakeEncoder())
    assert len(vocabulary.concept("my a").arrays["rivals"]) == RIVALS


def test_a_context_is_looked_for_in_the_rim_where_there_is_one() -> None:
    thing = instance("my thing", "red", [1, 0, 0, 0.1])
    frames = unit(np.array([[1, 0, 0.5, 0.1], [1, 0.5, 0, 0.1], [1, 0, 0, 0.1]]))
    gallery = Block(frames, unit(np.array([[0, 0, 1, 0.1], [1, 0, 0, 0.1], [1, 0, 0, 0.1]])))
    around = PrototypeContext().fit([thing], NEGATIVES[:0], FakeEncoder())
    context = around.explain("* in front of blue", "my thing", gallery).context
    assert context.argmax() == 0
    assert context[1] == pytest.approx(context[2], abs=1e-6)
    whole = PrototypeContext(surroundings=False).fit([thing], NEGATIVES[:0], FakeEncoder())
    assert whole.explain("* in front of green", "my thing", gallery).context.argmax() == 1
    nowhere = around.explain("* in front of green", "my thing", gallery).context
    assert nowhere[1] == pytest.approx(nowhere[2], abs=1e-6)


@pytest.mark.parametrize(
    ("prompt", "context"),
    [
        ("A photo of * lying on the beach.", "lying on the beach"),
        ("* at night", "at night"),
        ("An image of *", ""),
        ("*", ""),
        ("the * and a", ""),
        ("pictures of *'s bowl", "bowl"),
        ("*’s bowl on a mat", "bowl on a mat"),
        ("*'", ""),
    ],
)
def test_context_words(prompt: str, context: str) -> None:
    assert context_words(prompt) == context
    assert (context_vector(FakeEncoder(), prompt) is None) == (context == "")


def test_judging_by_what_was_left_out() -> None:
    results = leave_one_out(PrototypeContext(), [RED, PINK, BLUE], NEGATIVES[:0], FakeEncoder())
    assert {r.name: r.tried for r in results} == {"my red ball": 2, "my pink ball": 0, "my blue cup": 2}
    assert results[0].found == 1
    assert np.isnan(results[1].found)
    twin = replace(RED, name="my other ball")
    pairs = look_alikes([RED, twin, BLUE], FakeEncoder())
    assert [(p.first, p.second) for p in pairs] == [("my red ball", "my other ball")]
    assert "look alike" in str(pairs[0])
