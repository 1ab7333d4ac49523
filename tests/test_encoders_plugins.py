"""Encoders of other packages, found by their entry points and used by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thisismy.core.errors import EncoderError
from thisismy.encoders import installed_encoders, load_encoder

GUIDE = Path(__file__).parents[1] / "docs/guides/encoders.md"

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution of one module where Python finds it, as an installer does."""

    def put(module: str, code: str, entry_points: str, package: str | None = None) -> Path:
        site = tmp_path / f"site-{package or module}"
        info = site / f"{package or module}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package or module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(site)
        return site

    return put


def test_the_guides_encoder_is_used_by_name_in_commands(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = GUIDE.read_text("utf-8")
    code, toml = (re.search(rf"```{kind}\n(.*?)```", guide, re.DOTALL) for kind in ("python", "toml"))
    assert code is not None
    assert toml is not None
    lines = re.sub(r"project.entry-points|\"", "", toml[1]).replace("[.", "[")
    site = install("brightness", code[1], lines)
    for name, shade in (("dark", 10), ("bright", 240)):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), (shade, shade, shade)).save(tmp_path / f"in/{name}.png")

    def run(*words: str) -> str:
        monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
        command = [sys.executable, "-m", "thisismy", "--library", str(tmp_path / "library"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("add", str(tmp_path / "in"), "--encoder", "brightness")
    # The library remembers the name.
    for text, first in (("a bright room", "bright.png"), ("a room", "dark.png")):
        found = json.loads(run("search", text, "--json"))
        assert Path((found["hits"] or found["nearest"])[0]["path"]).name == first
    assert "brightness" in run("doctor")


def test_installed_encoders_lists_them(install: Install) -> None:
    install("mine", "", "[thisismy.encoders]\nzebra = mine:z\nape = mine:a\n")
    assert list(installed_encoders())[-3:] == ["embedded", "ape", "zebra"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "raise ImportError('no torch here\\nand more')",
            "'mine' of the package p.* ImportError: no torch here$",
        ),
        ("x = 1", "'mine' of the package p.* AttributeError: .*'load'"),
        ("def load(*_): raise RuntimeError", "'mine' of the package p.* RuntimeError$"),
        ("def load(*_): return 3", "gives a int that lacks embed_dim, encode_images, .*word_vectors: "),
        (
            "import thisismy.core.errors as e\ndef load(*_): raise e.EncoderError('buy more memory')",
            "^buy more memory$",
        ),
    ],
)
def test_a_broken_package_is_one_line(install: Install, code: str, message: str) -> None:
    module = f"broken{abs(hash(code))}"
    install(module, code, f"[thisismy.encoders]\nmine = {module}:load\n", package="p")
    with pytest.raises(EncoderError, match=message) as caught:
        load_encoder("mine")
    assert "\n" not in str(caught.value)


def test_a_name_without_its_package_is_one_line() -> None:
    with pytest.raises(EncoderError, match=r"no encoder 'mine'.*install the package that provides it$"):
        load_encoder("mine")


def test_two_packages_of_one_name_are_refused(install: Install) -> None:
    for package in ("one", "two"):
        install(package, "", f"[thisismy.encoders]\nmine = {package}:load\n")
    with pytest.raises(EncoderError, match=r"2 installed packages provide the encoder 'mine' \(one, two\)"):
        load_encoder("mine")


def test_a_package_cannot_take_the_place_of_the_embedded_encoder(install: Install) -> None:
    install("mine", "", "[thisismy.encoders]\nembedded = mine:load\n")
    assert load_encoder("embedded").id.startswith("embedded-")
    assert list(installed_encoders()).count("embedded") == 1


def test_a_plugin_is_told_where_to_run_and_whether_to_download(install: Install) -> None:
    code = "told = []\ndef load(*given):\n    told.append(given)\n    raise RuntimeError\n"
    install("telling", code, "[thisismy.encoders]\ntelling = telling:load\n")
    with pytest.raises(EncoderError):
        load_encoder("telling", device="cpu", allow_download=True, progress=print)
    assert sys.modules["telling"].told == [("cpu", True, print)]


def test_regions_are_encoded_as_crops_in_one_batch(dev_data: Path) -> None:
    from fakes import FakeEncoder

    from thisismy.core.box import Box
    from thisismy.core.errors import MediaError
    from thisismy.encoders import RegionEncoder
    from thisismy.encoders.caching import CachingEncoder

    path = sorted((dev_data / "photos-dev" / "images").glob("*/00.jpg"))[0]
    picture = np.asarray(Image.open(path).convert("RGB").resize((200, 100)))
    boxes = [Box(0, 0, 200, 100), Box(10.5, 20, 60.2, 90), Box(150, -5, 300, 50)]
    parts = [picture, picture[20:90, 10:61], picture[0:50, 150:200]]
    encoder = load_encoder("embedded", device="cpu")
    for each in (encoder, CachingEncoder(encoder)):
        assert isinstance(each, RegionEncoder)
        np.testing.assert_allclose(
            each.encode_regions(picture, boxes), encoder.encode_images(parts), atol=1e-6
        )
        assert each.encode_regions(picture, []).shape == (0, encoder.embed_dim)
        with pytest.raises(MediaError, match="lies outside of the picture of 200 x 100 pixels"):
            each.encode_regions(picture, [*boxes, Box(300, 0, 400, 50)])
    fake = FakeEncoder()
    rows = CachingEncoder(fake).encode_regions(picture, boxes)
    assert fake.image_calls == 1
    np.testing.assert_allclose(rows, FakeEncoder().encode_images(parts))
