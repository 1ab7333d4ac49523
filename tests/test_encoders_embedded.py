from __future__ import annotations

import numpy as np
import pytest
import torch

from thisismy.encoders.base import Encoder
from thisismy.encoders.embedded import EmbeddedEncoder


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder("cpu")


@pytest.mark.parametrize("prompt", ["*", "An image of *", "* on a bed", "the *'s bowl, red", "*, * and *"])
@pytest.mark.parametrize("word", ["cat", "teapot", "pink sunglasses"])
def test_a_words_own_vectors_injected_give_the_word(encoder: EmbeddedEncoder, prompt: str, word: str) -> None:
    tokens = torch.from_numpy(encoder.word_vectors(word))[None]
    injected = encoder.encode_prompts([prompt], tokens).numpy()
    np.testing.assert_allclose(injected, encoder.encode_texts([prompt.replace("*", word)]), atol=1e-6)


def test_it_is_an_encoder(encoder: EmbeddedEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.encode_images([]).shape == (0, 384)
