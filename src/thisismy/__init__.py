"""Find your own named things in your own videos.

Everything is done through ``Library``. It and what its searches take are imported when first asked for, so
that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thisismy.library import Library
    from thisismy.retrieval.filters import Filters
    from thisismy.retrieval.options import SearchOptions

__all__ = ["Filters", "Library", "SearchOptions"]

_HOMES = {
    "Filters": "thisismy.retrieval.filters",
    "Library": "thisismy.library",
    "SearchOptions": "thisismy.retrieval.options",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'thisismy' has no attribute {name!r}")
