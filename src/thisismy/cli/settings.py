"""Settings given as name=value on the command line, and boxes as four numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import QueryError, VocabularyError

if TYPE_CHECKING:
    from thisismy.core.box import Box


def read_settings(given: Iterable[str]) -> dict[str, Any]:
    """``name=value`` as TOML reads it; bare words are texts.

    >>> read_settings(["epochs=20", "init=category"])
    {'epochs': 20, 'init': 'category'}

    Raises:
        VocabularyError: something is not of this form.
    """
    settings: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise VocabularyError(f"a setting is name=value, such as epochs=20, not {text!r}")
        try:
            settings[name.strip()] = tomllib.loads(f"x = {value}")["x"]
        except tomllib.TOMLDecodeError:
            settings[name.strip()] = value.strip()
    return settings


def parse_box(text: str | None) -> Box | None:
    """Four numbers with commas between: left, top, right, bottom in pixels.

    Raises:
        QueryError: they are something else.
    """
    if text is None:
        return None
    from thisismy.core.box import Box

    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        raise QueryError(
            f"a box is four numbers of pixels, left,top,right,bottom, such as 10,20,200,180, not {text!r}"
        ) from None
    return Box(left, top, right, bottom)
