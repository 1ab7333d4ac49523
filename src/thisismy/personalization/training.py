"""The one training loop of the methods that learn: batches, losses, optimiser, history, resuming."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from thisismy.core.errors import VocabularyError
from thisismy.core.progress import Progress
from thisismy.personalization.base import Arrays

Losses = Callable[[np.ndarray, np.random.Generator], Mapping[str, torch.Tensor]]
"""Numbers of a batch's samples and a source of chance to the losses by name, which are added up."""


@dataclass(frozen=True)
class Plan:
    """How parameters are optimised.

    Attributes:
        epochs: times every sample is seen.
        batch: samples per step.
        learning_rate: the largest.
        weight_decay: pulls the learned numbers to zero.
        decoupled: AdamW, whose decay does not pass through the gradient's scale, instead of Adam.
        warm_up: steps over which the rate rises in a straight line, at most a fifth of all steps.
        decay: "cosine" falls to zero; "steps" is multiplied by 0.2 at two, four, six and eight ninths;
            "none" stays.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    decoupled: bool = False
    warm_up: int = 0
    decay: str = "cosine"

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0, of all steps.

        Raises:
            VocabularyError: no such ``decay``.
        """
        warm_up = min(self.warm_up, steps // 5)
        if step < warm_up:
            return self.learning_rate * (step + 1) / (warm_up + 1)
        part = (step - warm_up) / max(1, steps - warm_up)
        falls = {
            "cosine": (1 + math.cos(math.pi * part)) / 2,
            "steps": 0.2 ** int(4.5 * part),
            "none": 1.0,
        }
        if self.decay not in falls:
            raise VocabularyError(f"no decay called {self.decay!r}; there are: {', '.join(falls)}")
        return self.learning_rate * falls[self.decay]


class Training:
    """A run of optimisation that can be stopped after any epoch and resumed, with the same result.

    Attributes:
        history: per epoch the mean of each loss and the learning rate it began with.

    Args:
        parameters: leaf tensors, changed in place.
        plan: the settings.
        samples: how many there are; batches are made of their numbers.
        seed: of the order of the samples and of every draw that the losses make.
    """

    def __init__(self, parameters: Sequence[torch.Tensor], plan: Plan, samples: int, *, seed: int) -> None:
        self.history: list[dict[str, float]] = []
        self._parameters, self._plan, self._samples = list(parameters), plan, samples
        self._rng = np.random.default_rng(seed)
        kind = torch.optim.AdamW if plan.decoupled else torch.optim.Adam
        self._optimiser = kind(
            self._parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
        )

    def run(
        self,
        losses: Losses,
        *,
        progress: Progress,
        stage: str,
        after_epoch: Callable[[], None] | None = None,
    ) -> list[dict[str, float]]:
        """Train the epochs that are left and give the history of all.

        Args:
            losses: of a batch; their sum is what is made smaller.
            progress: called once an epoch with ``stage``.
            stage: what is being learned, as a person reads it.
            after_epoch: called after each epoch, to keep `state` for instance.

        Raises:
            VocabularyError: a loss is not finite, so the settings cannot work.
        """
        while len(self.history) < self._plan.epochs:
            self.history.append(self._epoch(losses, stage))
            progress(stage, len(self.history), self._plan.epochs)
            if after_epoch is not None:
                after_epoch()
        return self.history

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """All there is to know after an epoch: arrays by name, and what fits in JSON."""
        arrays: Arrays = {}
        for number, parameter in enumerate(self._parameters):
            arrays[f"{number}/value"] = parameter.detach().cpu().numpy().copy()
            for name, value in self._optimiser.state.get(parameter, {}).items():
                arrays[f"{number}/{name}"] = value.detach().cpu().numpy().copy()
        return arrays, {"history": list(self.history), "rng": self._rng.bit_generator.state}

    def restore(self, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Go back to a `state`.

        Raises:
            VocabularyError: it belongs to other parameters.
        """
        for number, parameter in enumerate(self._parameters):
            value = arrays.get(f"{number}/value")
            if value is None or value.shape != tuple(parameter.shape):
                raise VocabularyError("what was kept of the training has other sizes: start it again")
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value))
            kept = {
                name: torch.from_numpy(arrays[f"{number}/{name}"].copy())
                for name in ("step", "exp_avg", "exp_avg_sq")
                if f"{number}/{name}" in arrays
            }
            if kept:
                self._optimiser.state[parameter] = kept
        self.history = [dict(epoch) for epoch in about["history"]]
        self._rng.bit_generator.state = about["rng"]

    def _epoch(self, losses: Losses, stage: str) -> dict[str, float]:
        batch = self._plan.batch
        order = self._rng.permutation(self._samples)
        starts = range(0, self._samples, batch)
        steps = self._plan.epochs * len(starts)
        first = len(self.history) * len(starts)
        sums: dict[str, float] = {}
        for step, start in enumerate(starts, start=first):
            rows = order[start : start + batch]
            for group in self._optimiser.param_groups:
                group["lr"] = self._plan.rate(step, steps)
            found = losses(rows, self._rng)
            total = torch.stack(list(found.values())).sum()
            if not torch.isfinite(total):
                raise VocabularyError(
                    f"{stage} came to a loss of {total.item()} in epoch {len(self.history) + 1}: try a "
                    f"learning rate below {self._plan.learning_rate:g}"
                )
            self._optimiser.zero_grad()
            torch.autograd.backward(total)
            self._optimiser.step()
            for name, loss in [*found.items(), ("total", total)]:
                sums[name] = sums.get(name, 0.0) + loss.item() * len(rows) / self._samples
        return {"epoch": len(self.history) + 1.0, "learning_rate": self._plan.rate(first, steps), **sums}
