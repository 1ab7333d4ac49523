"""Finds modules that import each other in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path


def imports_of(package: Path) -> dict[str, set[str]]:
    """Every module below a package's folder -> the modules of the package that it imports anywhere.

    Imports inside functions and under ``TYPE_CHECKING`` count too: they tie modules together just as much.
    An import of names from a package (``from thisismy.encoders import load_encoder``) is an import of its
    ``__init__``, and of a submodule where the name is one.
    """
    root = package.parent
    paths = {_name(path, root): path for path in sorted(package.rglob("*.py"))}
    return {name: _imported(path, name, set(paths)) - {name} for name, path in paths.items()}


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that can reach each other, largest first (strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for name in graph:
        if name not in index:
            visit(name)
    return sorted(found, key=lambda group: (-len(group), group))


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, own: str, known: Iterable[str]) -> set[str]:
    found: set[str] = set()
    inside = own if path.name == "__init__.py" else own.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                up = inside.split(".")[: len(inside.split(".")) - node.level + 1]
                module = ".".join([*up, module] if module else up)
            submodules = {f"{module}.{alias.name}" for alias in node.names} & set(known)
            rest = {alias.name for alias in node.names} - {name.rpartition(".")[2] for name in submodules}
            found |= submodules | ({module} if rest else set())
    return found & set(known)
