"""Category features: the matrices ``C_l`` that meta-personalization learns, and their file.

Yeh et al., sections 3 and 3.2: in each round every category gets fresh instances with codes ``z`` drawn
again, and the matrices continue from where the last round left them; at the end the codes are thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from thisismy.core.errors import EncoderMismatchError, VocabularyError
from thisismy.core.progress import Progress, silent
from thisismy.encoders.base import Encoder, Features
from thisismy.personalization.arguments import check_arguments, choice, current_names, ranged
from thisismy.personalization.array_file import read_arrays, versions, write_arrays
from thisismy.personalization.base import NamedInstance, check_instances, check_rows, instance_seed
from thisismy.personalization.meta.word_model import (
    ANY,
    Start,
    WordModel,
    draw_code,
    draw_matrix,
    start_matrix,
)
from thisismy.personalization.meta.word_training import Recipe, Samples, train_tokens
from thisismy.personalization.prompts import category_anchors, check_takes_tokens

FORMAT = "thisismy-category-features/1"


@dataclass(frozen=True)
class MetaArguments:
    """How category features are learned.

    Defaults are the paper's (section 5, appendix C), but for those that `MetaTokens` changes too.

    Attributes:
        q: columns of a category matrix; more can tell more instances apart and needs more of them.
        tokens: tokens per instance.
        rounds: times the codes are drawn again.
        epochs: per round.
        batch: samples per step.
        instances_per_category: drawn at random in each round; fewer where there are fewer.
        learning_rate: the largest of a round; not given in the paper, chosen on development data.
        weight_decay: not given in the paper.
        temperature: of the contrastive losses.
        language_weight: of the language-language loss.
        category_weight: of the category loss.
        init: "random" (the paper's) or "category": the category's own words are the first columns.
        single_category: one matrix for all categories (ablation b).
    """

    q: int = ranged(512, 1, 65536)
    tokens: int = ranged(4, 1, 32)
    rounds: int = ranged(10, 0, 100_000)
    epochs: int = ranged(20, 0, 100_000)
    batch: int = ranged(512, 1, 1_000_000)
    instances_per_category: int = ranged(32, 1, 1_000_000)
    learning_rate: float = ranged(0.005, 0, 10, open_low=True)
    weight_decay: float = ranged(0.0, 0, 10)
    temperature: float = ranged(0.2, 0, 100, open_low=True)
    language_weight: float = ranged(1.0, 0, 1000)
    category_weight: float = ranged(0.5, 0, 1000)
    init: str = choice("category", ("random", "category"))
    single_category: bool = False

    def __post_init__(self) -> None:
        check_arguments("meta-train", self)


@dataclass(frozen=True)
class CategoryFeatures:
    """Learned category matrices.

    Attributes:
        encoder_id: the encoder they belong to.
        matrices: category -> ``(token_dim, q)``.
        arguments: how they were learned.
        provenance: seed, number of instances per category, versions, and what the caller adds about the
            source.
        history: per epoch the losses, for curves.
        rounds_done: all of them, unless learning was interrupted.
    """

    encoder_id: str
    matrices: dict[str, NDArray[np.float32]]
    arguments: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    rounds_done: int = 0

    def start(self, encoder: Encoder, key: str) -> Start:
        """The words that a matrix once began with; codes must fit them."""
        arguments = MetaArguments(**self.arguments)
        categories = list(self.provenance["instances"]) if key == ANY else [key]
        return start_matrix(encoder, categories, arguments.init, arguments.q)

    def save(self, path: Path) -> None:
        """Write ``path`` (safetensors).

        Raises:
            VocabularyError: it cannot be written.
        """
        description = asdict(self)
        description.pop("matrices")
        write_arrays(path, self.matrices, {"format": FORMAT, **description})


def load_category_features(path: Path, encoder: Encoder) -> CategoryFeatures:
    """Read a file that `CategoryFeatures.save` wrote.

    Raises:
        VocabularyError: there is no such file, or it is broken.
        EncoderMismatchError: it was learned with another encoder.
    """
    arrays, description = read_arrays(path, FORMAT)
    if description["encoder_id"] != encoder.id:
        raise EncoderMismatchError(
            f"the category features {path} were learned with {description['encoder_id']!r}, "
            f"the encoder is {encoder.id!r}: learn them again or use that encoder"
        )
    description.pop("format")
    description["arguments"] = current_names(description["arguments"])
    return CategoryFeatures(matrices=arrays, **description)


def meta_train(
    corpus: Sequence[NamedInstance],
    negatives: Features,
    encoder: Encoder,
    arguments: MetaArguments | None = None,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> CategoryFeatures:
    """Learn category features from many instances, mined or pseudo (one image each).

    Args:
        corpus: instances with their categories; names are unique.
        negatives: ``(n, embed_dim)`` unit rows of no instance, all used in every step; may be empty, as in
            the paper.
        encoder: frozen; must take tokens.
        arguments: settings.
        seed: same seed, same features, interrupted or not.
        checkpoint: written after every round, and resumed from when it exists.
        source: where the corpus comes from, kept as provenance.
        progress: told epoch by epoch.

    Raises:
        VocabularyError: nothing to learn from, or the checkpoint belongs to other arguments, seed or
            instances.
        EncoderError: the encoder takes no tokens.
        EncoderMismatchError: the checkpoint was made with another encoder.
    """
    arguments = arguments or MetaArguments()
    check_takes_tokens(encoder)
    instances = check_instances(corpus, encoder, needs_examples=True)
    if not instances:
        raise VocabularyError("there is no instance to learn category features from: mine some first")
    rows = check_rows(negatives, encoder, "the negatives")
    state = _start(instances, encoder, arguments, seed, checkpoint, dict(source or {}))
    for number in range(state.rounds_done, arguments.rounds):
        history = _one_round(state, instances, rows, encoder, arguments, seed, number, progress)
        state.history.extend({"round": number + 1, **epoch} for epoch in history)
        state = CategoryFeatures(
            state.encoder_id, state.matrices, state.arguments, state.provenance, state.history, number + 1
        )
        if checkpoint is not None:
            state.save(checkpoint)
    return state


def matrix_key(category: str, single: bool) -> str:
    """The name of the matrix a category uses."""
    return ANY if single else category


def _start(
    instances: Sequence[NamedInstance],
    encoder: Encoder,
    arguments: MetaArguments,
    seed: int,
    checkpoint: Path | None,
    source: dict[str, Any],
) -> CategoryFeatures:
    """The state to continue from: the checkpoint's, or fresh matrices."""
    counts: dict[str, int] = {}
    for instance in instances:
        counts[instance.category] = counts.get(instance.category, 0) + 1
    provenance = {"seed": seed, "instances": counts, "source": source, **versions()}
    if checkpoint is not None and checkpoint.exists():
        state = load_category_features(checkpoint, encoder)
        about = {key: state.provenance.get(key) for key in ("seed", "instances", "source")}
        same = about == {"seed": seed, "instances": counts, "source": source}
        if state.arguments != asdict(arguments) or not same:
            raise VocabularyError(
                f"the checkpoint {checkpoint} was made with other settings, seed or instances: "
                "give the same ones to resume it, or another file to start again"
            )
        return state
    fresh = CategoryFeatures(encoder.id, {}, asdict(arguments), provenance)
    for key in dict.fromkeys(matrix_key(category, arguments.single_category) for category in counts):
        words = fresh.start(encoder, key).words
        fresh.matrices[key] = draw_matrix(encoder, arguments.q, words, instance_seed(seed, key))
    return fresh


def _one_round(
    state: CategoryFeatures,
    instances: Sequence[NamedInstance],
    negatives: Features,
    encoder: Encoder,
    arguments: MetaArguments,
    seed: int,
    number: int,
    progress: Progress,
) -> list[dict[str, float]]:
    """Draw instances and codes, train, and keep only the matrices, changed in place."""
    round_seed = instance_seed(seed, f"round {number}")
    chosen = _choose(instances, arguments.instances_per_category, round_seed)
    tensors = {
        key: torch.from_numpy(matrix.copy()).requires_grad_() for key, matrix in state.matrices.items()
    }
    keys = [matrix_key(i.category, arguments.single_category) for i in chosen]
    starts = {key: state.start(encoder, key) for key in dict.fromkeys(keys)}
    codes = [
        draw_code(
            arguments.q, arguments.tokens, starts[key].of(i.category), instance_seed(round_seed, i.name)
        ).requires_grad_()
        for i, key in zip(chosen, keys, strict=True)
    ]
    model = WordModel(tensors, codes, keys)
    used = [tensors[key] for key in dict.fromkeys(keys)]
    recipe = Recipe(
        arguments.epochs,
        arguments.batch,
        arguments.learning_rate,
        arguments.weight_decay,
        arguments.temperature,
        arguments.language_weight,
        arguments.category_weight,
        len(negatives),
    )
    samples = Samples(
        np.concatenate([i.examples for i in chosen]),
        np.repeat(np.arange(len(chosen)), [len(i.examples) for i in chosen]),
        category_anchors(encoder, [i.category for i in chosen]),
        negatives,
    )
    stage = f"category features, round {number + 1} of {arguments.rounds}"
    history = train_tokens(
        model.tokens, used + codes, samples, encoder, recipe, seed=round_seed, progress=progress, stage=stage
    )
    for key, tensor in tensors.items():
        state.matrices[key] = tensor.detach().numpy()
    return history


def _choose(instances: Sequence[NamedInstance], per_category: int, seed: int) -> list[NamedInstance]:
    """Up to so many instances of each category, at random."""
    rng = np.random.default_rng(seed)
    by_category: dict[str, list[NamedInstance]] = {}
    for instance in instances:
        by_category.setdefault(instance.category, []).append(instance)
    chosen: list[NamedInstance] = []
    for group in by_category.values():
        picked = rng.permutation(len(group))[:per_category]
        chosen.extend(group[i] for i in sorted(picked))
    return chosen
