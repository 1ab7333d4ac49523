"""Published methods that learn a word for one particular thing, behind one interface."""

from thisismy.personalization.base import (
    GENERIC_PROMPT,
    Concept,
    Contributions,
    Method,
    NamedInstance,
    Vocabulary,
    score_together,
)
from thisismy.personalization.registry import METHODS, make_method

__all__ = [
    "GENERIC_PROMPT",
    "METHODS",
    "Concept",
    "Contributions",
    "Method",
    "NamedInstance",
    "Vocabulary",
    "make_method",
    "score_together",
]
