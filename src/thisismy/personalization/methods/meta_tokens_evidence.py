"""Learned words for the context, visual evidence for the instance: `meta-tokens` and the default combined.

A learned word has two jobs: to say which thing is meant, and to let language say the rest. An encoder that
understands little does the first far better by pictures. So the instance's part is that of
`PrototypeContext`; the word does the second job: what the rest of a prompt adds to the text of its name is
looked for in the surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from thisismy.core.progress import Progress
from thisismy.encoders.base import Features, unit
from thisismy.personalization.base import (
    GENERIC_PROMPT,
    Learned,
    NamedInstance,
    Vocabulary,
)
from thisismy.personalization.context import context_words
from thisismy.personalization.methods.meta_tokens import MetaTokens, MetaTokensVocabulary
from thisismy.personalization.methods.prototype_context import PrototypeContext, PrototypeContextVocabulary


class MetaTokensPrototypeContextVocabulary(PrototypeContextVocabulary, MetaTokensVocabulary):
    """Scores as the default does, with a context that the learned words have read."""

    method: ClassVar[str] = "meta-tokens-evidence"

    def context_query(self, prompt: str, name: str) -> Features | None:
        """``(embed_dim,)``: the step from the text of the name alone to that of the prompt; None for none."""
        if not context_words(prompt):
            return None
        asked, alone = self.query_vectors((prompt, GENERIC_PROMPT), name)
        return unit(asked - alone)


@dataclass(frozen=True)
class MetaTokensEvidence(MetaTokens, PrototypeContext):
    """Learns what `MetaTokens` and what `PrototypeContext` learns; the arguments are those of both."""

    vocabulary: ClassVar[type[Vocabulary]] = MetaTokensPrototypeContextVocabulary

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Words, then mean, scale, rivals and cut-off of each instance."""
        words, shared = MetaTokens.learn(self, vocabulary, instances, negatives, progress)
        seen, _ = PrototypeContext.learn(self, vocabulary, instances, negatives, progress)
        return [word | evidence for word, evidence in zip(words, seen, strict=True)], shared
