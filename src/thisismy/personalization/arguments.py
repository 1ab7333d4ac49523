"""What the arguments of a method may be: declared beside the field, checked before anything is learned.

A field declared with `ranged` or `choice` is checked for its range too, a plain one for its type alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from thisismy.core.errors import VocabularyError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Arguments = TypeVar("Arguments", bound="DataclassInstance")

KEY = "thisismy"
"""Where the limits stand among a field's metadata."""

TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "bool": (bool, "true or false"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "str": (str, "text"),
}
"""By the name of a field's type: what is accepted, and how it is called. Other types are not checked."""


@dataclass(frozen=True)
class Limits:
    """What a value may be.

    Attributes:
        low: the smallest number, itself excluded if ``open_low``.
        high: the largest number.
        open_low: whether ``low`` itself is too small.
        choices: the words allowed; empty for a number.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    choices: tuple[str, ...] = ()

    def allow(self, value: Any) -> bool:
        """Whether a value of the right type is within the limits."""
        if self.choices:
            return value in self.choices
        return bool(self.low < value if self.open_low else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        """What is allowed, to follow the name of the type: "from 0 to 1", "above 0"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        low = "" if self.low == -math.inf else f"{'above' if self.open_low else 'from'} {self.low:g}"
        if self.high == math.inf:
            return f"{low} up" if low.startswith("from") else low
        return f"{low} {'and up to' if self.open_low else 'to'} {self.high:g}".strip()


def ranged(default: float, low: float, high: float = math.inf, *, open_low: bool = False) -> Any:
    """A dataclass field that holds a number from ``low`` to ``high``, or above ``low`` if ``open_low``."""
    return field(default=default, metadata={KEY: Limits(low, high, open_low)})


def choice(default: str, allowed: tuple[str, ...]) -> Any:
    """A dataclass field that holds one of the allowed words."""
    return field(default=default, metadata={KEY: Limits(choices=allowed)})


def check_arguments(owner: str, arguments: DataclassInstance) -> None:
    """Refuse arguments of a wrong type or out of range.

    Args:
        owner: what they are arguments of, for the message.
        arguments: a dataclass.

    Raises:
        VocabularyError: one cannot be used; the message names it, its value and what is allowed.
    """
    for item in fields(arguments):
        value = getattr(arguments, item.name)
        type_name = item.type if isinstance(item.type, str) else getattr(item.type, "__name__", "")
        accepted, called = TYPES.get(type_name, (object, ""))
        limits = item.metadata.get(KEY)
        fits = isinstance(value, accepted) and (type_name == "bool" or not isinstance(value, bool))
        if fits and isinstance(value, float):
            fits = math.isfinite(value)
        if fits and (limits is None or limits.allow(value)):
            continue
        told = str(limits) if limits is not None and limits.choices else f"{called} {limits or ''}".strip()
        raise VocabularyError(f"the argument {item.name!r} of {owner!r} is {told}, not {value!r}")


def arguments_from(kind: type[Arguments], settings: Mapping[str, Any]) -> Arguments:
    """Arguments with some of them set; a whole number will do where a number is wanted.

    Args:
        kind: a dataclass with a default for every field, which checks them itself.
        settings: those that differ from the defaults.

    Raises:
        VocabularyError: a setting is unknown, of another type or out of range.
    """
    known = {item.name: item.default for item in fields(kind)}
    given = dict(settings)
    for name, value in settings.items():
        if name not in known:
            raise VocabularyError(f"no setting {name!r}; there are: {', '.join(known)}")
        if isinstance(known[name], float) and type(value) is int:
            given[name] = float(value)
    return kind(**given)


RENAMED = {"n_w": "tokens"}
"""Arguments by the names they have in files of earlier versions."""


def current_names(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments, maybe out of an old file, by the names they have now."""
    return {RENAMED.get(name, name): value for name, value in arguments.items()}
