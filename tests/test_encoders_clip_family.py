from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    CLIPImageProcessorPil,
    SiglipImageProcessorPil,
)

from thisismy.core.errors import EncoderError
from thisismy.encoders import Encoder, load_encoder
from thisismy.encoders.hub.clip_family import ClipFamilyEncoder
from thisismy.encoders.hub.preprocessing import standard_preprocessing

PROMPTS = ["*", "An image of *", "* on a bed", "the *'s bowl, red", "*, * and *"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        "clip": tiny_models.write_clip(root / "clip"),
        "old clip": tiny_models.write_clip(root / "old", old_end=True),
        "siglip": tiny_models.write_siglip(root / "siglip"),
    }


@pytest.fixture(scope="module", params=["clip", "old clip", "siglip"])
def encoder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> ClipFamilyEncoder:
    loaded = load_encoder(str(folders[request.param]), device="cpu")
    assert isinstance(loaded, ClipFamilyEncoder)
    return loaded


def pictures(*sizes: tuple[int, int]) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_it_is_an_encoder(encoder: ClipFamilyEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.image_size == 32
    assert encoder.token_dim == 32
    for empty in (encoder.encode_images([]), encoder.encode_texts([])):
        assert empty.shape == (0, encoder.embed_dim)
    rows = encoder.encode_images(pictures((40, 50), (300, 31), (1, 1)))
    assert rows.dtype == np.float32
    assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("word", ["cat", "teapot", "pink sunglasses"])
def test_a_words_own_vectors_injected_give_the_word(
    encoder: ClipFamilyEncoder, prompt: str, word: str
) -> None:
    tokens = torch.from_numpy(encoder.word_vectors(word))[None]
    injected = encoder.encode_prompts([prompt], tokens).detach().numpy()
    assert_array_equal(injected, encoder.encode_texts([prompt.replace("*", word)]))


def test_prompts_of_one_batch_read_their_own_tokens(encoder: ClipFamilyEncoder) -> None:
    words = ["cat", "car", "bed", "dog", "teapot"]
    tokens = torch.stack([torch.from_numpy(encoder.word_vectors(word)) for word in words])
    together = encoder.encode_prompts(PROMPTS, tokens).detach().numpy()
    expected = encoder.encode_texts([p.replace("*", w) for p, w in zip(PROMPTS, words, strict=True)])
    assert_allclose(together, expected, atol=1e-5)


def test_gradients_reach_the_tokens_and_nothing_else(encoder: ClipFamilyEncoder) -> None:
    before = {name: value.clone() for name, value in encoder._model.state_dict().items()}
    plain = encoder.encode_texts(PROMPTS)
    tokens = torch.randn(5, 2, 32, requires_grad=True)
    encoder.encode_prompts(PROMPTS, tokens)[:, 0].sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad.abs().sum((1, 2)) > 0).all()
    assert not any(
        parameter.requires_grad or parameter.grad is not None for parameter in encoder._model.parameters()
    )
    for name, value in encoder._model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert_array_equal(encoder.encode_texts(PROMPTS), plain)


def test_texts_are_framed_and_cut_as_the_tokenizer_does(folders: dict[str, Path]) -> None:
    for name, encoder in ((n, load(folders[n])) for n in ("clip", "siglip")):
        tokenizer = AutoTokenizer.from_pretrained(folders[name])
        long = "a dog on a bed and " * 30
        for text in ("", "a dog", "the dog's bed, red", long):
            expected = tokenizer(text, truncation=True, max_length=encoder._limit)["input_ids"]
            assert encoder._framed(encoder._tokenize(text)) == expected
        assert_array_equal(encoder.encode_texts([long]), encoder.encode_texts([long + long]))


def load(folder: Path) -> ClipFamilyEncoder:
    encoder = load_encoder(str(folder), device="cpu")
    assert isinstance(encoder, ClipFamilyEncoder)
    return encoder


def test_texts_equal_the_models_own_way(folders: dict[str, Path]) -> None:
    texts = ["a dog", "an image of a red teapot on the bed"]
    for name in folders:
        model, tokenizer = (
            AutoModel.from_pretrained(folders[name]),
            AutoTokenizer.from_pretrained(folders[name]),
        )
        how = {"padding": "max_length", "max_length": 20} if name == "siglip" else {"padding": True}
        with torch.inference_mode():
            output = model.get_text_features(**tokenizer(texts, return_tensors="pt", **how))
        expected = torch.nn.functional.normalize(output.pooler_output, dim=-1).numpy()
        assert_allclose(load(folders[name]).encode_texts(texts), expected, atol=1e-6)


@pytest.mark.parametrize(
    "processor",
    [
        CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        CLIPImageProcessorPil(size={"shortest_edge": 20}, crop_size={"height": 33, "width": 31}),
        SiglipImageProcessorPil(size={"height": 32, "width": 40}),
    ],
)
def test_preprocessing_is_bit_identical_to_the_processor(processor: CLIPImageProcessorPil) -> None:
    own = standard_preprocessing(processor)
    assert own is not None
    for image in pictures((32, 32), (64, 47), (47, 64), (301, 57), (10, 11), (3, 40)):
        expected = processor(images=[image], return_tensors="np", input_data_format="channels_last")[
            "pixel_values"
        ][0]
        assert_array_equal(own(image), expected)


def test_unusual_preprocessing_is_left_to_the_processor() -> None:
    assert standard_preprocessing(CLIPImageProcessorPil(do_normalize=False)) is None
    assert standard_preprocessing(SiglipImageProcessorPil(size={"longest_edge": 32})) is None


def test_features_do_not_depend_on_the_batch(encoder: ClipFamilyEncoder) -> None:
    images = pictures(*[(40 + i, 50) for i in range(19)])
    texts = ["a dog", "the red teapot on a bed and a cat", "x"]
    together = encoder.encode_images(images)
    alone = np.concatenate([encoder.encode_images([image]) for image in images])
    assert_allclose(together, alone, atol=1e-4 if encoder._precision() == torch.float32 else 2e-2)
    assert_allclose(
        encoder.encode_texts(texts), np.concatenate([encoder.encode_texts([t]) for t in texts]), atol=1e-5
    )


def test_wrong_tokens_and_prompts_are_refused(encoder: ClipFamilyEncoder) -> None:
    with pytest.raises(EncoderError, match=r"has no '\*'"):
        encoder.encode_prompts(["a dog"], torch.zeros(1, 1, 32))
    for shape in ((1, 32), (2, 1, 32), (1, 1, 8), (1, 0, 32)):
        with pytest.raises(EncoderError, match="do not fit 1 prompts"):
            encoder.encode_prompts(["*"], torch.zeros(shape))
    with pytest.raises(EncoderError, match="shorten the prompt"):
        encoder.encode_prompts(["a dog " * 20 + "*"], torch.zeros(1, 1, 32))


def test_the_id_names_content_and_not_precision(folders: dict[str, Path], tmp_path: Path) -> None:
    one, again = (load(folders["clip"]).id for _ in range(2))
    assert one == again
    changed = tmp_path / "clip"
    shutil.copytree(folders["clip"], changed)
    path = changed / "preprocessor_config.json"
    path.write_text(path.read_text().replace("0.48145466", "0.5"))
    assert load(changed).id != one


def test_models_that_cannot_serve_are_refused_in_one_line(folders: dict[str, Path], tmp_path: Path) -> None:
    bert = tmp_path / "bert"
    BertModel(
        BertConfig(vocab_size=8, hidden_size=4, num_hidden_layers=1, num_attention_heads=1)
    ).save_pretrained(bert)
    pickled = tmp_path / "pickled"
    shutil.copytree(folders["clip"], pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    broken = tmp_path / "broken"
    shutil.copytree(folders["clip"], broken)
    (broken / "config.json").write_text(json.dumps({"model_type": "no such thing"}))
    for folder, message in (
        (bert, "BertModel, which has no common space"),
        (pickled, "no .safetensors weights"),
        (broken, "cannot be loaded"),
    ):
        with pytest.raises(EncoderError, match=message) as caught:
            load_encoder(str(folder), device="cpu")
        assert "\n" not in str(caught.value)


def test_missing_weights_are_not_replaced_by_random_ones(folders: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "clip"
    shutil.copytree(folders["clip"], folder)
    weights = load_file(folder / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"lacks 1 of its weights \(visual_projection"):
        load_encoder(str(folder), device="cpu")


def test_an_unknown_device_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(EncoderError, match="'tpu'"):
        load_encoder(str(folders["clip"]), device="tpu")
