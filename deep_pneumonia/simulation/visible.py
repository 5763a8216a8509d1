"""The mask of a simulated lesion: where it can be seen, and how a doctor would outline that.

The rule: a pixel belongs to the mask where the lesion takes `VISIBLE` or more of the quanta that would reach it,
scattered ones included, averaged over `LOOK` mm. So lung behind the heart, where few quanta arrive, is in the mask
only where the lesion is dense enough to be seen there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import remove_small_holes, remove_small_objects

from deep_pneumonia.simulation.film import Exposure, intensity

VISIBLE = 0.1
LOOK = 1.5  # mm, standard deviation
SPECK = 40.0  # mm2; smaller islands and holes are not told apart from the lung's own texture

Mask = NDArray[np.bool_]


def contrast(path: torch.Tensor, added: torch.Tensor, exposure: Exposure, pixel: float) -> NDArray[np.float32]:
    """Share of the quanta at each pixel (H, W) that the lesion's optical path `added` takes from what the healthy
    `path` lets through, in [0, 1). `pixel`: its side in mm. Scattered radiation is left as it is."""
    taken = (torch.exp(-path) * -torch.expm1(-added)).numpy()
    share = taken / intensity(path, exposure, pixel)
    return np.asarray(ndimage.gaussian_filter(share, LOOK / pixel), np.float32)


def visible(share: NDArray[np.float32], pixel: float) -> Mask:
    """The true mask (H, W), bool, of a lesion that takes this share of the quanta."""
    return _without_specks(share >= VISIBLE, pixel, SPECK)


@dataclass(frozen=True)
class Hand:
    """How one simulated reader outlines: `bias` mm outside (below 0: inside) of the true edge, wavering by `spread` mm
    over a `grain` of mm; islands below `least` mm2 are passed over."""

    name: str
    bias: float
    spread: float = 4.0
    grain: float = 30.0
    least: float = 200.0


HANDS = (Hand("Simulated reader A", 2.5), Hand("Simulated reader B", -2.0, 5.0, least=350.0))


def outline(mask: Mask, hand: Hand, pixel: float, random: np.random.Generator) -> Mask:
    """What that hand draws around a true mask (H, W), bool; never empty where the truth is not."""
    if not mask.any():
        return mask.copy()
    inside, outside = (ndimage.distance_transform_edt(m) * pixel for m in (mask, ~mask))
    edge = ndimage.gaussian_filter(inside - outside, 3 / pixel)  # a hand rounds corners
    knots = [max(2, round(n * pixel / hand.grain) + 1) for n in mask.shape]
    waver = ndimage.zoom(
        random.standard_normal(knots), np.array(mask.shape) / knots, order=3, grid_mode=True, mode="nearest"
    )
    drawn = edge + hand.bias + hand.spread * waver > 0
    kept = _without_specks(drawn, pixel, hand.least)
    if kept.any():
        return kept
    return _largest(drawn) if drawn.any() else _largest(mask)


def _without_specks(mask: Mask, pixel: float, least: float) -> Mask:
    most = max(1, int(least / pixel**2))
    filled = remove_small_holes(mask, max_size=most)
    return np.asarray(remove_small_objects(filled, max_size=most), np.bool_)


def _largest(mask: Mask) -> Mask:
    parts, _ = ndimage.label(mask)
    return np.asarray(parts == np.bincount(parts.ravel())[1:].argmax() + 1)
