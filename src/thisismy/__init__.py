"""Find your own named things in your own videos.

The verbs are methods of ``Library``; it is imported when first asked for, so that importing the package costs
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thisismy.library import Library

__all__ = ["Library"]


def __getattr__(name: str) -> Any:
    if name == "Library":
        from thisismy.library import Library

        return Library
    raise AttributeError(f"module 'thisismy' has no attribute {name!r}")
