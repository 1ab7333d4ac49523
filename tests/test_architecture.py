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
"""A room imports only rooms that stand before it."""

NEVER = {
    "mining": {"store", "jobs"},
    "personalization": {"media", "shots", "transcripts", "store", "jobs", "mining"},
    "evaluation": {"cli", "web"},
    "web": {"cli", "evaluation"},
}
"""What the order would allow, and what is not allowed all the same."""

DRAWERS = {"utils", "util", "helpers", "common", "misc", "base_utils", "tools"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in MODULES}


def room(name: str) -> str:
    parts = name.split(".")
    return "" if len(parts) == 1 else "cli" if parts[1] == "__main__" else parts[1]


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports, wherever in it, also for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "thisismy":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                # Importing a module of a package by name also asks the package itself.
                found |= {node.module, inner} & set(NAMES)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "thisismy"}
    return found - {module_name(path)}


IMPORTS = {name: imported(path) & set(NAMES) for name, path in NAMES.items()}


@pytest.mark.parametrize("name", [name for name in NAMES if room(name)])
def test_a_module_imports_only_rooms_before_its_own(name: str) -> None:
    own = room(name)
    allowed = set(ORDER[: ORDER.index(own) + 1]) - NEVER.get(own, set())
    used = {room(other) for other in IMPORTS[name]} - {""}
    assert used <= allowed, f"{own} imports {sorted(used - allowed)}"


def cycles() -> list[list[str]]:
    """Groups of modules that import each other, directly or around (Tarjan's strongly connected parts)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(IMPORTS[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(IMPORTS):
        if name not in index:
            visit(name)
    return found


def test_no_module_imports_one_that_imports_it() -> None:
    assert cycles() == []


def test_the_search_for_cycles_finds_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        f"{__name__}.IMPORTS", {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}
    )
    assert cycles() == [["b", "c"]]


def outside_packages(path: Path) -> set[str]:
    """Top-level names of everything a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def test_only_the_store_speaks_sql() -> None:
    speakers = {name for name, path in NAMES.items() if outside_packages(path) & {"sqlalchemy", "sqlite3"}}
    assert {name for name in speakers if room(name) != "store"} == set()


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
