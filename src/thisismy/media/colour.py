"""From coded values to pictures on an ordinary screen: matrices, ranges and high dynamic range."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thisismy.media.pictures import Picture

PQ = 16
HLG = 18
"""Transfer characteristics of high dynamic range (ITU-T H.273, table 3)."""

BT709, BT601, BT2020 = 1, 5, 9
"""The three luma-chroma matrices, by the numbers the scaler uses."""

FULL_RANGE = 2

_MATRICES = {1: BT709, 4: BT601, 5: BT601, 6: BT601, 7: BT601, 9: BT2020, 10: BT2020}
_LUMA_WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}

# BT.2408: the brightness of white paper in graded high dynamic range, and the peak of HLG's reference
# display.
_WHITE_NITS = 203.0
_HLG_PEAK_NITS = 1000.0
_PQ_PEAK_NITS = 4000.0
_KNEE = 0.6

# BT.2087: linear BT.2020 to linear BT.709.
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def matrix_of(colorspace: int, width: int, height: int) -> int:
    """The luma-chroma matrix of a stream; players take BT.709 for untagged pictures of 720 lines or more."""
    known = _MATRICES.get(colorspace)
    if known is not None:
        return known
    return BT709 if width >= 1280 or height > 576 else BT601


@lru_cache(maxsize=16)
def yuv_tables(matrix: int, full_range: bool) -> tuple[NDArray[np.int16], ...]:
    """Tables of 256 that turn 8-bit codes into RGB by sums: ``(y, v->r, u->g, v->g, u->b)``."""
    kr, kb = _LUMA_WEIGHTS[matrix]
    kg = 1 - kr - kb
    codes = np.arange(256, dtype=np.float64)
    y = codes if full_range else (codes - 16) * 255 / 219
    c = codes - 128 if full_range else (codes - 128) * 255 / 224
    terms = (y, 2 * (1 - kr) * c, -2 * (1 - kb) * kb / kg * c, -2 * (1 - kr) * kr / kg * c, 2 * (1 - kb) * c)
    return tuple(np.round(t).astype(np.int16) for t in terms)


def tone_mapped(coded: NDArray[np.uint16], transfer: int) -> Picture:
    """An ordinary picture of a high-dynamic-range one.

    Reference white (203 cd/m2, BT.2408) becomes nearly white, what is brighter is compressed into the rest,
    and BT.2020 colours are moved to BT.709.

    Args:
        coded: ``(height, width, 3)`` non-linear BT.2020 RGB, full 16-bit range.
        transfer: :data:`PQ` or :data:`HLG`.
    """
    linear = _linear_table(transfer)[coded >> 4]
    peak = _PQ_PEAK_NITS / _WHITE_NITS
    if transfer == HLG:
        # BT.2100: HLG codes the light of the scene; a display of 1000 cd/m2 shows it with a gamma of 1.2.
        scene = linear @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        linear *= np.power(np.maximum(scene, 1e-6), np.float32(0.2))[..., None]
        linear *= np.float32(_HLG_PEAK_NITS / _WHITE_NITS)
        peak = _HLG_PEAK_NITS / _WHITE_NITS
    brightest = np.maximum(linear.max(axis=-1), np.float32(1e-6))
    linear *= (_compressed(brightest, peak) / brightest)[..., None]
    shown = np.clip(linear @ _TO_709.T, 0, 1)
    codes: Picture = _srgb_table()[(shown * np.float32(4095) + np.float32(0.5)).astype(np.uint16)]
    return codes


def roughly_tone_mapped(coded: NDArray[np.uint16], transfer: int) -> Picture:
    """`tone_mapped` many times faster, for moving pictures: half a code off on average, more in the dark.

    Args:
        coded: as there.
        transfer: as there.
    """
    steps = coded >> 9
    picture: Picture = _rough_table(transfer)[steps[..., 0], steps[..., 1], steps[..., 2]]
    return picture


@lru_cache(maxsize=2)
def _rough_table(transfer: int) -> Picture:
    """``(128, 128, 128, 3)``: the tone-mapped picture of every colour in steps of 7 bits, 6 MB."""
    codes = (np.arange(128, dtype=np.uint16) << 9) + 256
    slices = [
        tone_mapped(np.stack(np.meshgrid(red, codes, codes, indexing="ij"), axis=-1)[0], transfer)
        for red in codes[:, None]
    ]
    return np.stack(slices)


def _compressed(light: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Light relative to white: unchanged up to a knee, then bent smoothly so that ``peak`` arrives at 1."""
    top = (peak - _KNEE) / (1 - _KNEE)
    over = np.clip((light - _KNEE) / (1 - _KNEE), 0, top)
    bent = over * (1 + over / top**2) / (1 + over)
    return np.where(light <= _KNEE, light, _KNEE + (1 - _KNEE) * bent).astype(np.float32)


@lru_cache(maxsize=2)
def _linear_table(transfer: int) -> NDArray[np.float32]:
    """Light of each 12-bit code (BT.2100): HLG, of the scene, 0 to 1; PQ, of the display, white = 1."""
    code = np.linspace(0, 1, 4096)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = code ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10000 / _WHITE_NITS
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _srgb_table() -> Picture:
    """8-bit sRGB code of each of 4096 steps of linear light."""
    light = np.linspace(0, 1, 4096)
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(code * 255).astype(np.uint8)
