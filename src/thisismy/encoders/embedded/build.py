"""Builds the constants of the embedded encoder: ``python -m thisismy.encoders.embedded.build``.

Nothing is trained. The classifier of the image network says where each of its 1,000 classes lies in its
feature space, the text network says where the name of the class lies in its own, and a ridge regression leads
from the second to the first. Both towers then meet in the row space of that map.
"""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from thisismy.core.atomic_files import replacing
from thisismy.encoders.embedded.efficientnet import load_network
from thisismy.encoders.embedded.encoder import load_text_tower
from thisismy.encoders.embedded.identity import CONSTANTS

RIDGE = 1.0
"""Raising it trusts the names of classes less and their common direction more."""

EVERYDAY_WEIGHT = 3.0
"""How many classes an everyday word counts for: people ask for a dog more often than for a breed."""

TEMPLATE = "a photo of a {}"


def class_names() -> list[str]:
    """Names of the 1,000 classes of ImageNet in the order of the classifier's rows."""
    return _lines("imagenet_classes.txt")


def everyday_words() -> dict[str, list[int]]:
    """Everyday words and the ImageNet classes that a picture of each is taken for.

    ImageNet names breeds and tools but neither "dog" nor "kitchen" nor "man". The table says by hand which
    classes make up a kind of thing, and which things are seen in a place or on a person.
    """
    words = {}
    for line in _lines("everyday_words.txt"):
        if not line.startswith("#"):
            word, spans = line.split("\t")
            words[word] = sorted({i for span in spans.split() for i in _numbers(span)})
    return words


def _numbers(span: str) -> range:
    """ "7-9" -> 7, 8, 9; "7" -> 7."""
    first, _, last = span.partition("-")
    return range(int(first), int(last or first) + 1)


def _lines(name: str) -> list[str]:
    return (
        resources.files("thisismy.encoders.embedded").joinpath("data", name).read_text("utf-8").splitlines()
    )


def expected_feature(weight: Tensor, bias: Tensor) -> Tensor:
    """Mean pooled feature over the pictures the image network was trained on, without a picture.

    Batch normalisation makes each channel ``bias + weight * z`` with z of mean 0 and variance 1 over the
    training pictures; the mean of that after ReLU6, with z taken as normal, is a closed form.

    Args:
        weight: ``(channels,)`` scale of the last batch normalisation.
        bias: ``(channels,)`` its offset.
    """
    mean, std = bias.double(), weight.double().abs().clamp(min=1e-6)

    def above(limit: float) -> Tensor:
        """``E[max(mean + std z - limit, 0)]``."""
        u = (mean - limit) / std
        density = torch.exp(-u * u / 2) / math.sqrt(2 * math.pi)
        area: Tensor = torch.special.ndtr(u)
        return (mean - limit) * area + std * density

    return (above(0.0) - above(6.0)).float()


def build_constants() -> dict[str, Tensor]:
    """``text_mean (384,)``, ``text_map (384, 384)``, ``image_mean (1280,)`` and ``image_map (1280, 384)``."""
    network = load_network()
    words = everyday_words()
    classes = network._fc.weight.detach().double()
    classes = functional.normalize(classes - classes.mean(0), dim=1)
    groups = functional.normalize(
        torch.stack([classes[members].mean(0) for members in words.values()]), dim=1
    )
    directions = torch.cat([classes, groups])
    weights = torch.ones(len(directions), 1, dtype=torch.float64)
    weights[len(classes) :] = EVERYDAY_WEIGHT
    names = [TEMPLATE.format(name) for name in (*class_names(), *words)]
    texts = functional.normalize(load_text_tower(torch.device("cpu")).encode(names).double(), dim=1)
    text_mean = (texts * weights).sum(0) / weights.sum()
    bridge = _ridge(texts - text_mean, directions, weights)
    basis, triangle = torch.linalg.qr(bridge.T)
    # QR leaves signs open; fixing them makes two builds comparable.
    basis = basis * torch.where(torch.diagonal(triangle) < 0, -1.0, 1.0)
    head = network._bn1
    constants = {
        "text_mean": text_mean,
        "text_map": bridge @ basis,
        "image_mean": expected_feature(head.weight.detach(), head.bias.detach()),
        "image_map": basis,
    }
    return {name: value.float().contiguous() for name, value in constants.items()}


def _ridge(given: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted ridge regression from rows ``(n, a)`` to rows ``(n, b)``: a matrix ``(a, b)``."""
    gram = given.T @ (weights * given) + RIDGE * torch.eye(given.shape[1], dtype=given.dtype)
    solved: Tensor = torch.linalg.solve(gram, given.T @ (weights * wanted))
    return solved


def main() -> None:
    """Write the constants into the package."""
    path = Path(__file__).with_name("data") / CONSTANTS
    with replacing(path) as part:
        save_file(build_constants(), part)
    path.chmod(0o644)


if __name__ == "__main__":
    main()
