"""The methods by their ids: those of the package, and those that other packages bring.

A package brings a method with an entry point in the group ``thisismy.methods``, whose name is the method's id
and which points to a subclass of `Method` (docs/guides/extend.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from thisismy.core.errors import VocabularyError
from thisismy.personalization.arguments import current_names
from thisismy.personalization.base import Method, Vocabulary
from thisismy.personalization.methods.adapter import Adapter
from thisismy.personalization.methods.clip_visual import ClipVisual
from thisismy.personalization.methods.clip_vl import ClipVL
from thisismy.personalization.methods.collie import Collie
from thisismy.personalization.methods.ideal_words import IdealWords
from thisismy.personalization.methods.language import Language
from thisismy.personalization.methods.linear_head import LinearHead
from thisismy.personalization.methods.meta_tokens import MetaTokens
from thisismy.personalization.methods.meta_tokens_evidence import MetaTokensEvidence
from thisismy.personalization.methods.palavra import Palavra
from thisismy.personalization.methods.pi_map import PiMap
from thisismy.personalization.methods.product import Product
from thisismy.personalization.methods.product_contexts import ProductContexts
from thisismy.personalization.methods.prototype_context import PrototypeContext
from thisismy.personalization.methods.random_order import RandomOrder
from thisismy.personalization.methods.rank_one import RankOne

GROUP = "thisismy.methods"
"""The group of entry points that bring methods."""

DEFAULT = "prototype-context"
"""What is used where nobody says how; on a command line also called ``default``."""

ALIASES: Mapping[str, str] = {"default": DEFAULT, "vl": "clip-vl", "visual": "clip-visual"}
"""Other names that an id may be given by; saved files of earlier versions use them."""

BUILT_IN: Mapping[str, type[Method]] = {
    "random": RandomOrder,
    "language": Language,
    "clip-visual": ClipVisual,
    "clip-vl": ClipVL,
    "product": Product,
    "product-contexts": ProductContexts,
    "ideal-words": IdealWords,
    "linear-head": LinearHead,
    "rank-one": RankOne,
    "meta-tokens": MetaTokens,
    "meta-tokens-evidence": MetaTokensEvidence,
    "adapter": Adapter,
    "collie": Collie,
    "palavra": Palavra,
    "pi-map": PiMap,
    "prototype-context": PrototypeContext,
}
"""The methods of the package, in the order of a table."""

ABOUT: Mapping[str, str] = {
    "prototype-context": "the default: likeness, rivals, and what is around the thing",
    "clip-visual": "likeness to the mean of its examples; the other words of a search do not count",
    "clip-vl": "likeness to the examples and to the words, added",
    "product": "likeness to the examples times likeness to the words",
    "product-contexts": "likeness to the examples times likeness to the words without the thing in them",
    "ideal-words": "the words of a search with the thing put in place of its kind",
    "linear-head": "what divides its examples from everything else",
    "rank-one": "the text model changed a little for each thing (after POLAR, 2025)",
    "meta-tokens": "new words, learned with what its kind has in common (Yeh et al., 2023)",
    "meta-tokens-evidence": "those words for what is around the thing, likeness to the examples for itself",
    "adapter": "a small network behind the text model",
    "collie": "the same, which leaves other words as they are (Skantze and Willemsen, 2022)",
    "palavra": "a word guessed from a few photos, then tuned (Cohen et al., 2022)",
    "pi-map": "a map from any picture to a word, which needs no learning (Korbar and Zisserman, 2025)",
    "language": "the word for its kind, without looking at your examples",
    "random": "a random order: the least that a table can be worth",
}
"""One line for people about each method of the package, the default first, baselines last."""


class _Methods(Mapping[str, type[Method]]):
    """Built-in methods and then those of other packages, which are imported when they are asked for.

    Aliases are looked up and not listed.
    """

    def __getitem__(self, name: str) -> type[Method]:
        name = ALIASES.get(name, name)
        found = BUILT_IN.get(name)
        return found if found is not None else _load(_brought()[name])

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in ALIASES or name in _brought()

    def __iter__(self) -> Iterator[str]:
        return iter([*BUILT_IN, *_brought()])

    def __len__(self) -> int:
        return len(BUILT_IN) + len(_brought())


METHODS: Mapping[str, type[Method]] = _Methods()
"""Every method by its id, those of other packages last; also found by an alias."""


def method_id(name: str) -> str:
    """The id of a method that is given by its id or by an alias.

    Raises:
        VocabularyError: there is no such method; the message lists those there are.
    """
    found = ALIASES.get(name, name)
    if found not in METHODS:
        raise VocabularyError(
            f"no method called {name!r}; there are: {', '.join(METHODS)}. "
            "If another package brings it, install that package"
        )
    return found


def describe_methods() -> dict[str, str]:
    """Every method with one line about it, the default first, those of other packages last."""
    brought = {}
    for name in _brought():
        try:
            brought[name] = (METHODS[name].__doc__ or "").strip().partition("\n")[0]
        except VocabularyError as error:
            brought[name] = str(error)
    return dict(ABOUT) | brought


def make_method(name: str, arguments: Mapping[str, Any] | None = None) -> Method:
    """A method ready to run.

    Args:
        name: a key of `METHODS` or of `ALIASES`.
        arguments: those that differ from the method's defaults.

    Raises:
        VocabularyError: the method or an argument is unknown, or an argument has a value that the method
            cannot work with; the message says what is allowed.
    """
    name = method_id(name)
    given = current_names(arguments or {})
    known = [f.name for f in fields(METHODS[name]) if f.init]
    for argument in given:
        if argument not in known:
            takes = ", ".join(known) or "none"
            raise VocabularyError(f"the method {name!r} has no argument {argument!r}; it takes: {takes}")
    return METHODS[name](**given)


def parse_method(spec: str) -> tuple[str, dict[str, Any]]:
    """A method as it is written on a command line: ``meta-tokens?tokens=4&temperature=0.1``.

    Numbers, ``true``, ``false`` and ``null`` are read as in JSON, anything else is text.

    Raises:
        VocabularyError: an argument has no value.
    """
    name, _, rest = spec.partition("?")
    arguments: dict[str, Any] = {}
    for part in filter(None, rest.split("&")):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise VocabularyError(f"{part!r} in {spec!r} is not an argument: write NAME?ARGUMENT=VALUE&...")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return name, arguments


def _brought() -> dict[str, EntryPoint]:
    """The entry points of other packages by the id of their method; ids of this package stay ours."""
    found = entry_points(group=GROUP)
    return {e.name: e for e in found if e.name not in BUILT_IN and e.name not in ALIASES}


def _load(entry: EntryPoint) -> type[Method]:
    """The method that an entry point brings.

    Raises:
        VocabularyError: it cannot be imported, or is not a method.
    """
    where = (
        f"the method {entry.name!r} ({entry.value}, from {entry.dist.name if entry.dist else 'a package'})"
    )
    try:
        found = entry.load()
    except Exception as error:
        raise VocabularyError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Method) and is_dataclass(found)):
        raise VocabularyError(f"{where} is not a dataclass derived from thisismy.personalization.Method")
    if getattr(found, "vocabulary", Vocabulary).method != entry.name:
        raise VocabularyError(
            f"{where} needs a class attribute vocabulary, whose attribute method is {entry.name!r} too"
        )
    return found
