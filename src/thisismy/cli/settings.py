"""Settings given as name=value on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from thisismy.errors import VocabularyError


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
