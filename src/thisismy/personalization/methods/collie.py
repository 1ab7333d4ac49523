"""An adapter that decides how strongly it applies: the baseline COLLIE of PALAVRA.

Skantze and Willemsen: "COLLIE: Continual learning of language grounding from language-image embeddings",
JAIR 2022 (arXiv 2111.07993): a difference vector and a scaling factor between 0 and 1, which should be 1 for
a learned name and 0 for everything else, so that old words keep their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thisismy.personalization.base import Vocabulary
from thisismy.personalization.methods.adapter import Adapter, AdapterVocabulary


class CollieVocabulary(AdapterVocabulary):
    """Scores as the adapter does, with its move scaled."""

    method: ClassVar[str] = "collie"


@dataclass(frozen=True)
class Collie(Adapter):
    """The adapter with a learned scale, taught on the tags (1) and on plain types (0)."""

    vocabulary: ClassVar[type[Vocabulary]] = CollieVocabulary
    scaled: ClassVar[bool] = True
