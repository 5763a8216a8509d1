"""From a radiograph's own frame to the model's frame, and back.

The model's frame is a square of `size` pixels, 8 bit, with the contrast stretched between two percentiles. The
radiograph is stretched to fill the whole square. Padding would tell the network which hospital an image is from,
and cropping could remove a lesion. One of the public training sets is published already squeezed to a square, so
this also treats all sets alike. For the same reason a radiograph can first be reduced to the detail that all sets
have: how sharp an image is must not tell where it is from. A map returns by the inverse stretch: cell (i, j) of an
(h, w) map covers the rectangle [i H/h, (i+1) H/h) x [j W/w, (j+1) W/w) of an (H, W) radiograph.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F


@dataclass(frozen=True)
class InputRecipe:
    """How a radiograph becomes the network's input; it travels inside the checkpoint.

    size: side of the model's square frame in pixels. low, high: percentiles of the radiograph's pixels, 0 to
    100, that become black and white. detail: sides that are longer, in pixels, are first reduced to this length; 0
    for none. mean, std: of the grey levels, on the scale of [0, 1], that the network's weights expect.
    """

    size: int = 224
    low: float = 0.5
    high: float = 99.5
    detail: int = 0
    mean: float = 0.5
    std: float = 0.25


def to_model(pixels: NDArray[np.float32], recipe: InputRecipe) -> NDArray[np.uint8]:
    """Bring a radiograph (H, W) in [0, 1] into the model's frame: uint8 (size, size).

    A radiograph without contrast becomes black.
    """
    if recipe.detail:
        rows, columns = pixels.shape
        pixels = _resize(pixels, (min(rows, recipe.detail), min(columns, recipe.detail)))
    low, high = np.percentile(pixels, (recipe.low, recipe.high))
    if high - low < 1e-6:  # stretching would only show the rounding errors of the resize
        return np.zeros((recipe.size, recipe.size), np.uint8)
    scaled = (_resize(pixels, (recipe.size, recipe.size)) - low) / (high - low)
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def mask_to_model(mask: NDArray[np.bool_] | NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Bring a mask (H, W), bool or shares in [0, 1], into the model's frame.

    Returns uint8 (size, size): 255 times the covered share of each pixel.
    """
    return np.rint(_resize(mask.astype(np.float32), (size, size)) * 255).astype(np.uint8)


def to_grid(masks: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Average masks (B, 1, S, S) over the cells of a map of `shape` (h, w): (B, h, w), in the same range."""
    return F.interpolate(masks, size=shape, mode="area").squeeze(1)


def enlarge(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Enlarge a map (h, w) to `size` (H, W) bilinearly, as torch's interpolate with align_corners=False does.

    Bilinear interpolation is separable, so one matrix for the rows and one for the columns suffice.
    """
    rows, columns = (_bilinear(n, m) for n, m in zip(cells.shape, size, strict=True))
    return (rows @ cells @ columns.T).astype(np.float32)


def _bilinear(n: int, m: int) -> NDArray[np.float64]:
    """Weights (m, n) that stretch n cells over m pixels, with half-pixel centres and the border repeated."""
    place = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(n)))


def _resize(pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize (H, W) to `size` (H, W) with an anti-aliased bilinear kernel."""
    tensor = torch.tensor(pixels)[None, None]
    resized = F.interpolate(tensor, size=size, mode="bilinear", antialias=True)
    return resized[0, 0].numpy()
