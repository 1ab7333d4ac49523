"""The methods by the names they have on the command line, in the order of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from thisismy.errors import VocabularyError
from thisismy.personalization.average import Average
from thisismy.personalization.base import Method
from thisismy.personalization.evidence import Evidence
from thisismy.personalization.ideal_words import IdealWords
from thisismy.personalization.language import Language
from thisismy.personalization.linear_head import LinearHead
from thisismy.personalization.meta_tokens import MetaTokens
from thisismy.personalization.palavra import Palavra
from thisismy.personalization.pimap import Pimap
from thisismy.personalization.product import Product
from thisismy.personalization.product_contexts import SeparatedProduct
from thisismy.personalization.random_order import Random
from thisismy.personalization.visual import Visual

METHODS: Mapping[str, type[Method]] = {
    "random": Random,
    "language": Language,
    "visual": Visual,
    "vl": Average,
    "product": Product,
    "product-contexts": SeparatedProduct,
    "ideal-words": IdealWords,
    "linear-head": LinearHead,
    "meta-tokens": MetaTokens,
    "palavra": Palavra,
    "pi-map": Pimap,
    "default": Evidence,
}


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
