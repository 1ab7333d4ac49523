"""The package reads as the pipeline: who may import whom, and what may not exist."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import thisismy

PACKAGE = Path(thisismy.__file__).parent

ORDER = [
    "core",
    "media",
    "shots",
    "encoders",
    "transcripts",
    "store",
    "jobs",
    "mining",
    "personalization",
    "retrieval",
    "services",
    "library",
    "diagnosis",
    "demo",
    "evaluation",
    "web",
    "cli",
]
"""A module imports only what stands before it."""

NEVER = {
    "personalization": {"media", "shots", "transcripts", "store", "jobs", "mining"},
    "evaluation": {"cli", "web"},
    "web": {"cli", "evaluation"},
}
"""What would be allowed by the order, and is not."""

DRAWERS = {"utils", "util", "helpers", "common", "misc", "base_utils", "tools"}


def stage(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if first == "__main__" else first


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("thisismy"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("thisismy.")}
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    own = stage(path)
    if own == "__init__":
        return
    allowed = set(ORDER[: ORDER.index(own) + 1]) - NEVER.get(own, set())
    assert imported(path) <= allowed, f"{own} imports {imported(path) - allowed}"


def test_no_drawer_modules() -> None:
    assert not [path for path in MODULES if path.stem in DRAWERS]


def test_modules_stay_small() -> None:
    assert {path.name: n for path in MODULES if (n := len(path.read_text().splitlines())) > 500} == {}


def test_importing_the_package_or_the_command_line_is_light() -> None:
    code = "import sys, thisismy, thisismy.core.errors, thisismy.cli.app; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"torch", "transformers", "av", "cv2", "alembic", "scenedetect", "sqlalchemy", "numpy", "PIL"}
    assert heavy.isdisjoint(loaded)
