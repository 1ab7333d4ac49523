"""The category word in place of the name: zero-shot retrieval ("CLIP (language)" of Yeh et al., 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features
from thisismy.personalization.base import Learned, Method, NamedInstance, Vocabulary
from thisismy.personalization.prompts import category_texts


class LanguageVocabulary(Vocabulary):
    """Scores by the category word in place of the name."""

    method: ClassVar[str] = "language"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """The text vectors of the prompts about any thing of the category."""
        return category_texts(self, prompts, name)


@dataclass(frozen=True)
class Language(Method):
    """Zero-shot retrieval with the category word."""

    vocabulary: ClassVar[type[Vocabulary]] = LanguageVocabulary
    needs_examples: ClassVar[bool] = False

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Nothing: the category is all it uses."""
        return [{} for _ in instances], {}
