from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_models

from thisismy.core.errors import EncoderError
from thisismy.encoders import choose_encoder, installed_encoders, load_encoder, loading
from thisismy.encoders.embedded.encoder import EmbeddedEncoder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_in_cache(cache: Path, name: str, commit: str = "0123456789abcdef0123456789abcdef01234567") -> Path:
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    return tiny_models.write_clip(folder / "snapshots" / commit)


def test_importing_imports_no_model_library() -> None:
    code = "import sys, thisismy.encoders; print(sorted({'torch', 'transformers', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_auto_takes_the_embedded_encoder_when_nothing_is_cached(cache: Path) -> None:
    choice = choose_encoder("auto")
    assert choice.name == "embedded"
    assert "no known hub model" in choice.reason
    assert isinstance(load_encoder("auto", device="cpu"), EmbeddedEncoder)
    assert installed_encoders() == {"embedded": None}


def test_auto_takes_the_best_cached_model(cache: Path) -> None:
    put_in_cache(cache, "openai/clip-vit-base-patch32")
    best = put_in_cache(cache, "laion/CLIP-ViT-B-16-laion2B-s34B-b88K")
    choice = choose_encoder("auto")
    assert choice.name == "laion/CLIP-ViT-B-16-laion2B-s34B-b88K"
    assert choice.name in choice.reason
    assert list(installed_encoders()) == [choice.name, "openai/clip-vit-base-patch32", "embedded"]
    assert installed_encoders()[choice.name] == best
    encoder = load_encoder("auto", device="cpu")
    assert encoder.id.startswith("laion/CLIP-ViT-B-16-laion2B-s34B-b88K@0123456789abcdef012+")


def test_an_incomplete_cached_model_is_passed_over(cache: Path) -> None:
    folder = put_in_cache(cache, "openai/clip-vit-base-patch16")
    (folder / "model.safetensors").unlink()
    assert choose_encoder("auto").name == "embedded"


def test_a_sentencepiece_tokenizer_is_passed_over_where_it_cannot_be_read(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_in_cache(cache, "google/siglip-base-patch16-224")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "SiglipTokenizer"}')
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda _name: None)
    assert choose_encoder("auto").name == "embedded"


def test_a_named_choice_is_itself() -> None:
    assert choose_encoder("embedded").name == "embedded"
    assert choose_encoder("some/model").name == "some/model"


def test_a_hub_model_is_not_downloaded_unasked(cache: Path) -> None:
    with pytest.raises(EncoderError, match="'some/model' is not in the local hub cache"):
        load_encoder("some/model")


@pytest.mark.parametrize("name", ["no/such/folder", "./missing", "nonsense"])
def test_a_name_that_is_nothing_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="no encoder"):
        load_encoder(name, allow_download=True)


def test_a_failed_download_is_one_quick_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    # Port 9 of this machine: refused at once, as a machine without a network refuses.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(EncoderError, match="could not be downloaded") as caught:
        load_encoder("some/model", allow_download=True)
    assert time.monotonic() - started < 10
    assert "\n" not in str(caught.value)
    assert "'embedded'" in str(caught.value)
