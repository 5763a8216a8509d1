"""The mask of a simulated lesion: where it is visible, and how a doctor would outline it.

A pixel belongs to the mask if the lesion removes at least the share `MIN_CONTRAST` of the quanta that would reach it,
including scattered ones, averaged over `CONTRAST_BLUR` mm. Lung behind the heart, where few quanta arrive, is in the
mask only where the lesion is dense enough to be visible there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import remove_small_holes, remove_small_objects

from deep_pneumonia.simulation.film import Exposure, intensity

MIN_CONTRAST = 0.1
CONTRAST_BLUR = 1.5  # mm, standard deviation
MIN_ISLAND_AREA = 40.0  # mm2; smaller islands and holes look like the texture of the lung

Mask = NDArray[np.bool_]


def contrast(path: torch.Tensor, added: torch.Tensor, exposure: Exposure, pixel: float) -> NDArray[np.float32]:
    """Share of the quanta at each pixel that the lesion removes, float32 (H, W) in [0, 1).

    path: optical path of the healthy body (H, W). added: optical path of the lesion (H, W). pixel: side of a pixel, mm.
    Scattered radiation is taken to be unchanged.
    """
    taken = (torch.exp(-path) * -torch.expm1(-added)).numpy()
    share = taken / intensity(path, exposure, pixel)
    return np.asarray(ndimage.gaussian_filter(share, CONTRAST_BLUR / pixel), np.float32)


def visible(share: NDArray[np.float32], pixel: float) -> Mask:
    """The true mask, bool (H, W), of a lesion that removes the share (H, W) of the quanta."""
    return _without_specks(share >= MIN_CONTRAST, pixel, MIN_ISLAND_AREA)


@dataclass(frozen=True)
class Hand:
    """How one simulated reader outlines lesions.

    bias: mm outside the true edge, negative inside. spread: standard deviation around it in mm. grain: length in mm
    over which the outline wavers. least: area in mm2 below which islands are left out.
    """

    name: str
    bias: float
    spread: float = 4.0
    grain: float = 30.0
    least: float = 200.0


HANDS = (Hand("Simulated reader A", 2.5), Hand("Simulated reader B", -2.0, 5.0, least=350.0))


def outline(mask: Mask, hand: Hand, pixel: float, random: np.random.Generator) -> Mask:
    """The outline of a true mask (H, W) as the hand draws it, bool; never empty unless the truth is."""
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
