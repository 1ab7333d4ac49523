"""The methods of a table: from their names to methods ready to run, all through the registry."""

from __future__ import annotations

from collections.abc import Iterable

from thisismy.personalization.base import Method
from thisismy.personalization.registry import ALIASES, DEFAULT, make_method, parse_method


def current_label(label: str) -> str:
    """A row's label with the current id of its method: "vl" or "default, no rivals" in an old result."""
    for separator in (",", "?"):
        name, found, rest = label.partition(separator)
        if found:
            return f"{ALIASES.get(name, name)}{found}{rest}"
    return ALIASES.get(label, label)


def methods_of(specs: Iterable[str]) -> dict[str, Method]:
    """Methods ready to run by the text that names them, such as ``meta-tokens?tokens=4``.

    Raises:
        VocabularyError: a method or an argument is unknown.
    """
    return {spec: make_method(*parse_method(spec)) for spec in specs}


def is_default(label: str) -> bool:
    """Whether a row is that of the default method with its own arguments."""
    return current_label(label) == DEFAULT


def reference_label(labels: Iterable[str]) -> str:
    """The row every other is compared with: the default method, or else the first; empty for no rows."""
    known = list(labels)
    return next(filter(is_default, known), known[0] if known else "")
