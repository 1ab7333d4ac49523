"""The category's word moved by pictures: text of the type, minus its mean image, plus the instance's.

Trager, Perera, Zancato, Achille, Bhatia, Soatto: "Linear Spaces of Meanings: Compositional Structures in
Vision-Language Models", ICCV 2023; means are not normalised, as in its better row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.personalization.arguments import ranged
from thisismy.personalization.base import Learned, Method, NamedInstance, Vocabulary
from thisismy.personalization.prompts import category_anchors, category_texts


class IdealWordsVocabulary(Vocabulary):
    """Scores by the cosine to the moved text vector."""

    method: ClassVar[str] = "ideal-words"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """Category texts plus the step from the type to the instance."""
        return unit(category_texts(self, prompts, name) + self.concept(name).arrays["step"])


@dataclass(frozen=True)
class IdealWords(Method):
    """Ideal words.

    Attributes:
        type_part: part of the negatives taken as pictures of the type: those most like the category's text.
    """

    vocabulary: ClassVar[type[Vocabulary]] = IdealWordsVocabulary

    type_part: float = ranged(0.05, 0, 1)

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """The step of each instance from the mean of its type.

        Pictures of the type are the examples of the other instances of the category and the negatives most
        like it; where there are none, the mean of everything else stands for it.
        """
        if not instances:
            return [], {}
        anchors = category_anchors(vocabulary.encoder, [i.category for i in instances])
        learned = []
        for instance, anchor in zip(instances, anchors, strict=True):
            count = int(np.ceil(self.type_part * len(negatives)))
            like = negatives[np.argsort(-(negatives @ anchor), kind="stable")[:count]]
            same = [i.examples for i in instances if i.category == instance.category and i is not instance]
            rest = [i.examples for i in instances if i is not instance]
            pictures = np.concatenate([like, *(same or (rest if len(like) == 0 else []))])
            mean = pictures.mean(axis=0) if len(pictures) else np.zeros(len(anchor), np.float32)
            learned.append({"step": np.asarray(instance.examples.mean(axis=0) - mean, np.float32)})
        return learned, {}
