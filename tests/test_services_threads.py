"""One library used by many threads at once, with real (tiny) CLIP and SigLIP models."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import write_clip, write_siglip

from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions

SEARCHES = 20
QUERIES = [
    "a red car",
    "the blue bowl on a bed",
    "my dog Rusty",
    "my dog Rusty on a bed",
    "a cat and a man",
    "my pink bowl Ada in the car",
    "sunglasses",
]
METHOD = {"method": "meta-tokens", "arguments": {"epochs": 3}}


@pytest.fixture(params=[write_clip, write_siglip], ids=["clip", "siglip"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    write: Callable[[Path], Path] = request.param
    model = write(tmp_path / "model")
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(24):
        picture = rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(picture).resize((48, 48)).save(tmp_path / "in" / f"{number:02d}.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder=str(model))
    made.instances.name(
        "my dog Rusty", [str(tmp_path / "in/00.png"), str(tmp_path / "in/01.png")], category="dog"
    )
    made.instances.name("my pink bowl Ada", [str(tmp_path / "in/02.png")], category="bowl")
    made.learning.learn(**METHOD, judge=False)
    # One that is learned again by itself is another word than one learned beside others.
    made.learning.learn(["my dog Rusty"], **METHOD, judge=False)
    return made


def answer(library: Library, query: str) -> list[tuple[str, float]]:
    found = library.search.find(query, options=SearchOptions(k=5, cutoff=0.0, fold=False)).hits
    return [(Path(hit.path).stem, hit.score) for hit in found]


def test_searches_beside_learning_answer_as_if_alone(library: Library) -> None:
    expected = {query: answer(library, query) for query in QUERIES}
    assert all(expected.values())
    fresh = Library.open(library.store.folder)
    asked = [QUERIES[number % len(QUERIES)] for number in range(5 * SEARCHES)]
    with ThreadPoolExecutor(SEARCHES + 1) as pool:
        learning = pool.submit(lambda: [fresh.learning.learn(["my dog Rusty"], **METHOD) for _ in range(5)])
        answers = list(pool.map(lambda query: answer(fresh, query), asked))
        assert all(report.learned for report in learning.result())
    for query, found in zip(asked, answers, strict=True):
        assert [name for name, _ in found] == [name for name, _ in expected[query]], query
        np.testing.assert_allclose([score for _, score in found], [s for _, s in expected[query]], atol=1e-5)
