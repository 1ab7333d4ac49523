"""Builds the constants of the embedded encoder: ``python -m thisismy.encoders.embedded_build``.

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

from thisismy.encoders.efficientnet import load_network
from thisismy.encoders.embedded import CONSTANTS, load_text_tower

RIDGE = 1.0
TEMPLATE = "a photo of a {}"


def class_names() -> list[str]:
    """Names of the 1,000 classes of ImageNet in the order of the classifier's rows."""
    text = resources.files("thisismy.encoders").joinpath("data/imagenet_classes.txt").read_text("utf-8")
    return text.splitlines()


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
    directions = network._fc.weight.detach().double()
    directions = directions - directions.mean(0)
    directions = directions / directions.norm(dim=1, keepdim=True)
    texts = (
        load_text_tower(torch.device("cpu"))
        .encode([TEMPLATE.format(name) for name in class_names()])
        .double()
    )
    texts = texts / texts.norm(dim=1, keepdim=True)
    text_mean = texts.mean(0)
    texts = texts - text_mean
    gram = texts.T @ texts + RIDGE * torch.eye(texts.shape[1], dtype=torch.float64)
    bridge = torch.linalg.solve(gram, texts.T @ directions)
    basis, triangle = torch.linalg.qr(bridge.T)
    sign = torch.where(torch.diagonal(triangle) < 0, -1.0, 1.0)
    basis = basis * sign
    head = network._bn1
    constants = {
        "text_mean": text_mean,
        "text_map": bridge @ basis,
        "image_mean": expected_feature(head.weight.detach(), head.bias.detach()),
        "image_map": basis,
    }
    return {name: value.float().contiguous() for name, value in constants.items()}


def main() -> None:
    """Write the constants into the package."""
    path = Path(__file__).with_name("data") / CONSTANTS
    save_file(build_constants(), path)


if __name__ == "__main__":
    main()
