"""Methods of other packages, installed just as the guide has them, and the snippets of the guides."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from media_files import GREEN, RED, write_video
from PIL import Image

from thisismy.cli.app import run
from thisismy.core.errors import VocabularyError
from thisismy.encoders.base import unit
from thisismy.library import Library
from thisismy.personalization import METHODS, make_method
from thisismy.personalization.registry import describe_methods
from thisismy.retrieval.options import SearchOptions

ROOT = Path(__file__).parents[1]
NAME = "my dog Rusty"


def blocks(page: str, language: str = "python") -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def files_of_the_guide() -> dict[str, str]:
    text = (ROOT / "docs/guides/extend.md").read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", text, flags=re.DOTALL))


def install(folder: Path, files: dict[str, str]) -> None:
    """What pip leaves of a package: its modules, its name and version, and its entry points."""
    about = tomllib.loads(files["pyproject.toml"])["project"]
    for name, text in files.items():
        if name.endswith(".py"):
            (folder / name).write_text(text, encoding="utf-8")
    info = folder / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    lines = []
    for group, entries in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("thisismy_medoid", None)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    colours = {"red1": (255, 10, 10), "red2": (250, 60, 5), "green": (10, 255, 10), "blue": (10, 10, 255)}
    for name, colour in colours.items():
        Image.new("RGB", (16, 16), colour).save(tmp_path / "in" / f"{name}.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake")
    made.instances.name(NAME, [str(tmp_path / f"in/red{n}.png") for n in (1, 2)], category="dog")
    return made


def test_the_method_of_the_guide_is_used_by_name(
    site: Path, library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, files_of_the_guide())
    call = ["--library", str(tmp_path / "library"), "learn", "--json", "--no-judge"]
    assert run([*call, "--method", "medoid?mean_weight=0.5"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "medoid"
    assert library.learning.vocabulary().arguments == {"mean_weight": 0.5}
    assert Path(library.search.find(NAME, options=SearchOptions(k=1)).hits[0].path).stem in {"red1", "red2"}
    assert run([*call, "--method", "medoid?mean_weight=2"]) == 1
    assert "'mean_weight' of 'medoid' is a number from 0 to 1, not 2" in capsys.readouterr().err
    assert "medoid" in METHODS
    assert describe_methods()["medoid"].startswith("The example that is most like the others")
    assert run(["evaluate", "--list"]) == 0
    assert re.search(r"medoid +The example that is most like", capsys.readouterr().out)


def test_it_stands_in_the_table_of_an_evaluation(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, files_of_the_guide())
    call = ["evaluate", "segmentation", "--tiny", "--seeds", "1", "--methods", "medoid,random", "--json"]
    assert run(call) == 0
    assert [row["method"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["medoid", "random"]


def test_without_the_package_one_line_says_what_is_missing(
    site: Path, library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, files_of_the_guide())
    library.learning.learn(method="medoid", judge=False)
    before = library.learning.path.read_bytes()
    site.rename(tmp_path / "gone")
    with pytest.raises(VocabularyError, match="learned by the method 'medoid', which is not installed"):
        library.learning.vocabulary()
    assert run(["--library", str(tmp_path / "library"), "search", NAME]) == 1
    said = capsys.readouterr().err.strip()
    assert "no method called 'medoid'" in said
    assert "Traceback" not in said
    assert library.learning.path.read_bytes() == before
    assert library.learning.choice.method == "medoid"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("Medoid = 3", "is not a dataclass derived from"),
        (
            "from thisismy.personalization.methods.product import Product as Medoid",
            "needs a class attribute vocabulary, whose attribute method is 'medoid' too",
        ),
    ],
)
def test_a_broken_package_is_named_and_spoils_nothing_else(site: Path, code: str, told: str) -> None:
    install(site, files_of_the_guide() | {"thisismy_medoid.py": code})
    with pytest.raises(VocabularyError, match=f"'medoid' .*from thisismy-medoid.* {told}"):
        make_method("medoid")
    assert make_method("default") == make_method("prototype-context")
    assert told in describe_methods()["medoid"]


def test_names_of_the_package_cannot_be_taken_over(site: Path) -> None:
    files = files_of_the_guide()
    files["pyproject.toml"] = files["pyproject.toml"].replace("medoid =", "product =")
    install(site, files)
    assert METHODS["product"].__module__ == "thisismy.personalization.methods.product"
    assert list(METHODS).count("product") == 1


def test_the_snippet_about_methods_runs_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    snippet = next(code for code in blocks("docs/guides/python.md") if "make_method" in code)
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    rng = np.random.default_rng(0)
    pictures = [np.full((8, 8, 3), (250, 20, 20 + n), np.uint8) for n in range(3)]
    others = [rng.integers(0, 255, (8, 8, 3)).astype(np.uint8) for _ in range(5)]
    given = {"pictures": pictures, "others": others, "gallery": unit(rng.random((7, 4)))}
    exec(compile(snippet, "docs/guides/python.md", "exec"), given)
    assert np.shape(given["scores"]) == (7,)
    assert np.isfinite(given["scores"]).all()


def test_the_snippet_about_a_library_runs_as_it_is_written(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    snippet = next(code for code in blocks("docs/guides/python.md") if "Library.create" in code)
    home = tmp_path / "home"
    (home / "Videos").mkdir(parents=True)
    here = home / "Videos"
    Image.new("RGB", (16, 16), (200, 10, 10)).save(here / "biscuit.jpg")
    for number in range(20):
        colour = (10 * number, 200 - 9 * number, 10 + 12 * (number % 7))
        Image.new("RGB", (16, 16), colour).save(home / "Videos" / f"{number}.png")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    write_video(here / "walk.mp4", [(RED, 80.0), (GREEN, 10.0)], rate=2)
    exec(compile(snippet, "docs/guides/python.md", "exec"), {})
    assert Library.open(here / "my-library").instances.get("my dog Biscuit").confirmed == 2


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_methods_with_arguments_can_be_made_as_the_pages_write_them(page: Path) -> None:
    from thisismy.personalization.registry import parse_method

    written = set(re.findall(r"[\"'`,]([a-z][a-z-]+\?[a-z_]+=[\w.&=-]+)", page.read_text(encoding="utf-8")))
    files = {"category_features", "set_encoder", "picture_map", "captions"}
    for spec in written:
        name, arguments = parse_method(spec)
        if name != "medoid" and not files & set(arguments):
            make_method(name, arguments)
