"""Any number of threads may use one encoder: every answer is what a single thread gets."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from fakes import FakeEncoder
from numpy.testing import assert_allclose
from PIL import Image

from thisismy.encoders import Encoder, load_encoder
from thisismy.encoders.caching import CachingEncoder
from thisismy.encoders.embedded import efficientnet, minilm
from thisismy.encoders.once import Once
from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions

THREADS = 20
ROUNDS = 12
TEXTS = ["a dog", "a red dog on a bed", "the cat", "an image of a teapot", "blue bowl"]
PROMPTS = ["*", "An image of *", "* on a bed", "the *'s bowl, red", "* and *"]


@pytest.fixture(scope="module", params=["embedded", "clip", "siglip", "fake"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    match request.param:
        case "fake":
            return FakeEncoder()
        case "embedded":
            return load_encoder("embedded", device="cpu")
    folder = tmp_path_factory.mktemp("models") / request.param
    write = {"clip": tiny_models.write_clip, "siglip": tiny_models.write_siglip}[request.param]
    return load_encoder(str(write(folder)), device="cpu")


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads take turns so often that what can meet does meet."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def ways(encoder: Encoder, caching: CachingEncoder) -> list[Callable[[int], np.ndarray]]:
    """What threads ask for at once; each takes the number of the thread and gives an array."""
    images = [np.full((20, 20, 3), shade, np.uint8) for shade in (30, 200)]

    def tokens(number: int) -> torch.Tensor:
        dim = encoder.token_dim
        assert dim is not None
        rng = torch.Generator().manual_seed(number)
        return torch.randn(len(PROMPTS), 1 + number % 3, dim, generator=rng)

    def prompts(number: int) -> np.ndarray:
        with torch.no_grad():
            return encoder.encode_prompts(PROMPTS, tokens(number)).numpy()

    def gradients(number: int) -> np.ndarray:
        leaf = tokens(number).requires_grad_()
        encoder.encode_prompts(PROMPTS, leaf)[:, 0].sum().backward()
        assert leaf.grad is not None
        return leaf.grad.numpy()

    return [
        lambda _number: encoder.encode_texts(TEXTS),
        lambda number: caching.encode_texts([TEXTS[number % 5], f"my {number} dog", TEXTS[(number + 2) % 5]]),
        prompts,
        gradients,
        lambda number: encoder.word_vectors(TEXTS[number % 5]),
        lambda _number: encoder.encode_images(images),
    ]


def test_threads_get_what_one_thread_gets(encoder: Encoder) -> None:
    # Six texts are kept of some fifteen that are asked for: they are dropped while others read.
    alone = ways(encoder, CachingEncoder(encoder))
    expected = [[way(number) for number in range(THREADS)] for way in alone]
    together = ways(encoder, CachingEncoder(encoder, capacity=6))
    gate = threading.Barrier(THREADS)

    def run(number: int) -> None:
        gate.wait()
        for turn in range(ROUNDS):
            way = (number + turn) % len(together)
            assert_allclose(together[way](number), expected[way][number], atol=1e-5)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))


def test_a_failing_prompt_leaves_texts_alone(encoder: Encoder) -> None:
    plain = encoder.encode_texts(TEXTS)
    for _ in range(2):
        with pytest.raises(Exception, match="prompts"):
            encoder.encode_prompts(PROMPTS, torch.zeros(1, 1, 3))
    assert_allclose(encoder.encode_texts(TEXTS), plain, atol=1e-6)


def test_the_towers_of_the_embedded_encoder_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    def counting(kind: type) -> None:
        init = kind.__init__  # type: ignore[misc]

        def counted(self: object, *args: Any) -> None:
            loads.append(kind.__name__)
            init(self, *args)

        monkeypatch.setattr(kind, "__init__", counted)

    counting(efficientnet.ImageTower)
    counting(minilm.MiniLM)
    encoder = load_encoder("embedded", device="cpu")
    gate = threading.Barrier(8)

    def run(number: int) -> np.ndarray:
        gate.wait()
        if number % 2:
            return encoder.encode_images([np.zeros((9, 9, 3), np.uint8)])
        return encoder.encode_texts(["a dog"])

    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(run, range(8)))
    assert sorted(loads) == ["ImageTower", "MiniLM"]
    for row in rows[2:]:
        assert_allclose(row, rows[0] if np.allclose(row, rows[0]) else rows[1], atol=1e-6)


def test_what_fails_is_tried_again() -> None:
    answers = iter([OSError("busy"), "made"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    once = Once(make)
    with pytest.raises(OSError, match="busy"):
        once()
    assert (once(), once()) == ("made", "made")


def test_a_text_that_cannot_be_encoded_leaves_nothing_behind() -> None:
    class Refusing(FakeEncoder):
        def encode_texts(self, texts: Any) -> Any:
            if "bad" in texts:
                raise ValueError("bad")
            return super().encode_texts(texts)

    encoder = CachingEncoder(Refusing())
    with pytest.raises(ValueError, match="bad"):
        encoder.encode_texts(["red", "bad"])
    assert_allclose(encoder.encode_texts(["red"]), FakeEncoder().encode_texts(["red"]))


@pytest.mark.parametrize("write", [tiny_models.write_clip, tiny_models.write_siglip])
def test_searches_beside_searches_by_name(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(12):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"in/{number}.png")
    library = Library.create(tmp_path / "library")
    library.files.add([tmp_path / "in"], encoder=str(write(tmp_path / "model")))
    library.instances.name("my dog Biscuit", [str(tmp_path / "in/3.png")], category="dog")
    library.learning.learn(method="meta-tokens", arguments={"epochs": 1})
    places = ("on a bed", "and a cat", "in a red bowl")
    queries = [
        query
        for number in range(5)
        for text, place in zip(TEXTS, places * 2, strict=False)
        for query in (f"{text} {number}", f"my dog Biscuit {place}")
    ]

    def hits(text: str) -> list[tuple[str, float]]:
        found = library.search.find(text, options=SearchOptions(k=12))
        return [(hit.path, round(hit.score, 4)) for hit in (found.hits or found.nearest)]

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(hits, queries))
    assert together == [hits(text) for text in queries]
