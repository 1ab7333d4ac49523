"""The methods by the names they have on the command line, in the order of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from thisismy.core.errors import VocabularyError
from thisismy.personalization.base import Method
from thisismy.personalization.methods.adapter import Adapter
from thisismy.personalization.methods.clip_visual import Visual
from thisismy.personalization.methods.clip_vl import Average
from thisismy.personalization.methods.collie import Collie
from thisismy.personalization.methods.ideal_words import IdealWords
from thisismy.personalization.methods.language import Language
from thisismy.personalization.methods.linear_head import LinearHead
from thisismy.personalization.methods.meta_tokens import MetaTokens
from thisismy.personalization.methods.meta_tokens_evidence import TokenEvidence
from thisismy.personalization.methods.palavra import Palavra
from thisismy.personalization.methods.pi_map import Pimap
from thisismy.personalization.methods.product import Product
from thisismy.personalization.methods.product_contexts import SeparatedProduct
from thisismy.personalization.methods.prototype_context import Evidence
from thisismy.personalization.methods.random_order import Random
from thisismy.personalization.methods.rank_one import RankOne

METHODS: Mapping[str, type[Method]] = {
    "random": Random,
    "language": Language,
    "visual": Visual,
    "vl": Average,
    "product": Product,
    "product-contexts": SeparatedProduct,
    "ideal-words": IdealWords,
    "linear-head": LinearHead,
    "rank-one": RankOne,
    "meta-tokens": MetaTokens,
    "meta-tokens-evidence": TokenEvidence,
    "adapter": Adapter,
    "collie": Collie,
    "palavra": Palavra,
    "pi-map": Pimap,
    "default": Evidence,
}

DEFAULT = "default"
"""What is used where nobody says how."""

ABOUT: Mapping[str, str] = {
    "default": "surest on the encoder that comes with it: likeness, rivals, and what is around the thing",
    "visual": "likeness to the mean of its examples; the other words of a search do not count",
    "vl": "likeness to the examples and to the words, added",
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
    "random": "by lot: what a table is worth at least",
}
"""One line for people about each method, the default first, yardsticks last."""


def make_method(name: str, arguments: Mapping[str, Any] | None = None) -> Method:
    """A method ready to run.

    Args:
        name: a key of `METHODS`.
        arguments: those that differ from the method's defaults.

    Raises:
        VocabularyError: the method or an argument is unknown; the message lists those there are.
    """
    if name not in METHODS:
        raise VocabularyError(f"no method called {name!r}; there are: {', '.join(METHODS)}")
    known = [f.name for f in fields(METHODS[name])]
    for argument in arguments or {}:
        if argument not in known:
            takes = ", ".join(known) or "none"
            raise VocabularyError(f"the method {name!r} has no argument {argument!r}; it takes: {takes}")
    return METHODS[name](**(arguments or {}))


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
            raise VocabularyError(f"{part!r} in {spec!r} is no argument: write NAME?ARGUMENT=VALUE&...")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return name, arguments
