"""A map from pictures to words, so that any picture can stand in a query: pi-map.

Bruno Korbar, Andrew Zisserman: "the Return of Fluffy" (CBMI 2025; arXiv 2510.05411). What the source
misprints is read as it can work: see `pimap_losses` and `PictureMap.condition`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import VocabularyError
from thisismy.core.progress import Progress
from thisismy.encoders.base import Encoder, Features, unit
from thisismy.personalization.arguments import choice, ranged
from thisismy.personalization.base import Learned, Method, NamedInstance, Vocabulary, is_generic
from thisismy.personalization.prompts import ORDERS, check_takes_tokens, in_order, prompt_vectors

if TYPE_CHECKING:
    import torch

    from thisismy.personalization.inversion.pi_map_network import PictureMap

EPOCHS = 50
"""The paper's."""

MAP = "map/"
"""Prefix of the map's weights among a vocabulary's shared arrays."""


class PiMapVocabulary(Vocabulary):
    """Scores by the cosine to the text vector of the prompt with the word that the map made."""

    method: ClassVar[str] = "pi-map"

    def query_vectors(self, prompts: Sequence[str], name: str) -> Features:
        """One run of the text tower with the instance's word in each prompt."""
        concept = self.concept(name)
        orders = ["word" if is_generic(prompt) else self.arguments["order"] for prompt in prompts]
        asked = [in_order(p, concept.category, order) for p, order in zip(prompts, orders, strict=True)]
        return prompt_vectors(self.encoder, asked, concept.arrays["tokens"])


@dataclass(frozen=True)
class PiMap(Method):
    """A pre-trained map, tuned on all instances of a vocabulary together.

    What a vocabulary is extended with comes through the map it has, unchanged: any picture can be a query
    without learning. Learning everything again tunes the map again.

    Ablations of Table 5.1: ``picture_weight=0``, ``phrases=0``, ``pretrained=False``, ``condition="ones"``;
    localisation is a property of the examples' pictures (``boxes``; `thisismy.personalization.boxes`).

    Attributes:
        picture_map: file of `train-inversion`; empty takes the package's own for the encoder.
        pretrained: False begins with a fresh map. So it does where no file is at hand.
        epochs: times every example is seen (paper: 50); 0 uses the map as it is, and where there is none,
            tunes a fresh one for 50.
        batch: examples per step; not given in the paper.
        learning_rate: the largest (AdamW, cosine).
        warm_up: steps over which it rises, at most a fifth of all.
        weight_decay: not given in the paper.
        temperature: of both losses.
        picture_weight: part of the regularisation in the loss, 0 to 1 (the paper's alpha).
        regularise: what stays near the picture: the "text" of the prompt with the word, or the "word" itself
            as printed, where it is as long as a feature.
        with_positive: whether denominators hold the positive (usual) or not (printed).
        phrases: attributes in the specific caption; 0 is the ablation without caption augmentation.
        captions: JSON file of instance names and descriptions to use instead, from any captioning model.
        condition: of a map that is not pre-trained.
        average: several examples as the mean of their "words" or the word of their mean "features".
        order: what stands for ``*`` in a query with a context: "word" as published, "word type", "type word".
        boxes: what is learned from where a person drew a box: the "crop" inside it, an "ellipse" around it as
            published, or "ignore" it. Not the paper's by default, because an ellipse means nothing to the
            embedded encoder.
    """

    vocabulary: ClassVar[type[Vocabulary]] = PiMapVocabulary

    picture_map: str = ""
    pretrained: bool = True
    epochs: int = ranged(0, 0, 100_000)
    batch: int = ranged(128, 1, 1_000_000)
    learning_rate: float = ranged(1e-4, 0, 10, open_low=True)
    warm_up: int = ranged(200, 0, 1_000_000)
    weight_decay: float = ranged(0.01, 0, 10)
    temperature: float = ranged(0.07, 0, 100, open_low=True)
    picture_weight: float = ranged(0.25, 0, 1)
    regularise: str = choice("text", ("word", "text"))
    with_positive: bool = True
    phrases: int = ranged(3, 0, 100)
    captions: str = ""
    condition: str = choice("zeroed", ("raised", "zeroed", "ones"))
    average: str = choice("words", ("words", "features"))
    order: str = choice("word", ORDERS)
    boxes: str = choice("crop", ("ignore", "crop", "ellipse"))

    def learn(
        self,
        vocabulary: Vocabulary,
        instances: Sequence[NamedInstance],
        negatives: Features,
        progress: Progress,
    ) -> Learned:
        """Tune the map unless the vocabulary has one, and put the examples through it."""
        import torch

        from thisismy.personalization.inversion.pi_map_training import map_from

        if not instances:
            return [], {}
        encoder = vocabulary.encoder
        check_takes_tokens(encoder)
        known = {k.removeprefix(MAP): v for k, v in vocabulary.shared.items() if k.startswith(MAP)}
        network = map_from(known) if known else self._tuned(vocabulary, instances, progress)
        concepts = []
        with torch.no_grad():
            for instance in instances:
                rows = instance.examples
                mean = unit(rows.mean(axis=0))
                shown = rows if self.average == "words" else mean[None]
                word = network(torch.from_numpy(shown)).mean(dim=0, keepdim=True)
                concepts.append({"tokens": word.numpy(), "mean": mean})
        weights = {MAP + key: value.detach().numpy().copy() for key, value in network.state_dict().items()}
        return concepts, weights

    def _tuned(
        self, vocabulary: Vocabulary, instances: Sequence[NamedInstance], progress: Progress
    ) -> PictureMap:
        from thisismy.personalization.inversion.pi_map_training import trained_map
        from thisismy.personalization.inversion.weights import find_inversion
        from thisismy.personalization.training import Plan, Training

        encoder = vocabulary.encoder
        found = find_inversion(self.picture_map, "pi-map", encoder) if self.pretrained else None
        if found is not None and self.epochs == 0:
            return trained_map(found)
        examples = np.concatenate([i.examples for i in instances])
        things = np.repeat(np.arange(len(instances)), [len(i.examples) for i in instances])
        specific, generic = self._captions(instances, encoder)
        if found is not None:
            network = trained_map(found)
        else:
            network = self._fresh(encoder, examples, specific[things], vocabulary.seed)
        losses = self._losses(network, encoder, examples, things, specific, generic)
        plan = Plan(
            self.epochs or EPOCHS,
            self.batch,
            self.learning_rate,
            self.weight_decay,
            decoupled=True,
            warm_up=self.warm_up,
        )
        training = Training(list(network.parameters()), plan, len(examples), seed=vocabulary.seed)
        training.run(losses, progress=progress, stage="picture map")
        return network

    def _fresh(self, encoder: Encoder, pictures: Features, texts: Features, seed: int) -> PictureMap:
        """The map before any training."""
        import torch

        from thisismy.personalization.inversion.pi_map_network import PictureMap

        width = check_takes_tokens(encoder)
        network = PictureMap(encoder.embed_dim, width, torch.Generator().manual_seed(seed))
        network.condition(pictures, texts, self.condition)
        return network

    def _captions(self, instances: Sequence[NamedInstance], encoder: Encoder) -> tuple[Features, Features]:
        """``(n_instances, embed_dim)`` vectors of the specific captions, and of the generic ones."""
        from thisismy.personalization.attributes import describe, specific_caption

        given = _read_captions(Path(self.captions)) if self.captions else {}
        phrases = describe(
            encoder, [i.category for i in instances], [i.examples for i in instances], self.phrases
        )
        specific = [
            f"A photo of {i.name}, {given[i.name]}" if i.name in given else specific_caption(i.name, own)
            for i, own in zip(instances, phrases, strict=True)
        ]
        generic = [f"A photo of a {i.category}" for i in instances]
        return encoder.encode_texts(specific), encoder.encode_texts(generic)

    def _losses(
        self,
        network: PictureMap,
        encoder: Encoder,
        examples: Features,
        things: NDArray[np.int64],
        specific: Features,
        generic: Features,
    ) -> Any:
        import torch
        from torch.nn import functional

        from thisismy.personalization.inversion.pi_map_losses import picture_loss, text_loss
        from thisismy.personalization.inversion.pi_map_training import PROMPT

        pictures, labels = torch.from_numpy(examples), torch.from_numpy(things)
        captions, plain = torch.from_numpy(specific), torch.from_numpy(generic)
        if self.picture_weight and self.regularise == "word" and encoder.embed_dim != encoder.token_dim:
            raise VocabularyError(
                f"words of {encoder.id!r} have {encoder.token_dim} numbers and features "
                f"{encoder.embed_dim}, so they cannot be compared: give pi-map regularise='text'"
            )

        def losses(batch: NDArray[Any], _rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
            rows = torch.from_numpy(batch)
            seen = labels[rows]
            words = network(pictures[rows])
            texts = encoder.encode_prompts([PROMPT] * len(rows), words[:, None, :])
            plainly = plain[torch.unique(seen)]
            of_text = text_loss(
                texts, captions[seen], plainly, seen, self.temperature, with_positive=self.with_positive
            )
            found = {"text": (1 - self.picture_weight) * of_text}
            if self.picture_weight:
                near = functional.normalize(words, dim=-1) if self.regularise == "word" else texts
                of_picture = picture_loss(
                    near, pictures[rows], seen, self.temperature, with_positive=self.with_positive
                )
                found["picture"] = self.picture_weight * of_picture
            return found

        return losses


def _read_captions(path: Path) -> dict[str, str]:
    """Descriptions by instance name.

    Raises:
        VocabularyError: the file cannot be read, or is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VocabularyError(f"cannot read the captions {path}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise VocabularyError(f'{path} is not an object of names and descriptions: {{"my dog": "brown"}}')
    return found
