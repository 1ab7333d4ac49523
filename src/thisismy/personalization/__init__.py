"""Published methods that learn a word for one particular thing, behind one interface."""

from thisismy.personalization.arguments import choice, ranged
from thisismy.personalization.base import (
    GENERIC_PROMPT,
    Concept,
    Method,
    NamedInstance,
    Vocabulary,
)
from thisismy.personalization.quality import LeftOut, LookAlikes, leave_one_out, look_alikes
from thisismy.personalization.registry import METHODS, make_method
from thisismy.personalization.scorers import Contributions, Scorer, join_scorers
from thisismy.personalization.vocabulary_file import load_vocabulary, save_vocabulary

__all__ = [
    "GENERIC_PROMPT",
    "METHODS",
    "Concept",
    "Contributions",
    "LeftOut",
    "LookAlikes",
    "Method",
    "NamedInstance",
    "Scorer",
    "Vocabulary",
    "choice",
    "join_scorers",
    "leave_one_out",
    "load_vocabulary",
    "look_alikes",
    "make_method",
    "ranged",
    "save_vocabulary",
]
