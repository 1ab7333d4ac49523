"""The documentation is in step with what it speaks of."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from thisismy.cli.app import app
from thisismy.personalization import METHODS

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def test_the_reference_pages_are_what_the_code_says() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "docs/reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    import typer

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    text = page.read_text(encoding="utf-8")
    written = set(
        re.findall(r"^(?:\$ )?thisismy (?:--?[a-z]+ \S+ )?([a-z][a-z-]+)", text, flags=re.MULTILINE)
    )
    written |= set(re.findall(r"`thisismy ([a-z][a-z-]+)", text))
    assert written - known == set()


def test_every_method_has_its_place_in_the_documentation() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/methods").glob("*.md"))
    assert [name for name in METHODS if f"`{name}`" not in pages] == []


def test_examples_of_formats_are_read(tmp_path: Path) -> None:
    from thisismy.evaluation.datasets import photos

    guide = (ROOT / "docs/guides/evaluation.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(.*?)```", guide, flags=re.DOTALL)
    assert example is not None
    (tmp_path / "benchmark.json").write_text(json.dumps(json.loads(example[1])))
    read = photos.read(tmp_path)
    assert [instance.name for instance in read.instances] == ["my blue mug"]


def test_the_readme_names_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    for page in PAGES:
        for found in re.findall(r"'(?:thisismy|\.)\[([a-z,]+)\]'", page.read_text(encoding="utf-8")):
            assert set(found.split(",")) <= extras
