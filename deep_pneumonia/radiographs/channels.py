"""Turn decoded channels of any depth into grey pixels in [0, 1] and the share of clearly coloured pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.radiographs.grey_levels import full_scale, scaled_floats, scaled_integers

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow
MIN_COLOUR_RANGE = 24  # of 255, between the channels of a pixel; JPEG noise in a grey image stays below


def over_black(colours: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    """Grey (H, W) of colours (H, W, 1 or 3), blended with black where `alpha` (H, W) is not opaque.

    Integers stay integers of the same type; an integer alpha is opaque at the highest value of its type.
    """
    wide: np.dtype[Any] = np.dtype(np.float32 if colours.dtype.itemsize <= 2 else np.float64)
    grey = np.zeros(colours.shape[:2], wide)
    for index, weight in enumerate(LUMA if colours.shape[2] == 3 else (1.0,)):
        grey += wide.type(weight) * colours[..., index]
    if alpha is not None:
        grey *= alpha.astype(wide) / wide.type(1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max)
    return grey.astype(colours.dtype) if colours.dtype.kind == "f" else np.rint(grey).astype(colours.dtype)


def scaled(grey: NDArray[Any]) -> NDArray[np.float32]:
    """Grey values (H, W) as pixels in [0, 1]; see `scaled_integers` and `scaled_floats`.

    Raises:
        ValueError: a value is not finite.
    """
    return scaled_floats(grey) if grey.dtype.kind == "f" else scaled_integers(grey)


def colour_share(colours: NDArray[Any], grey: NDArray[Any]) -> float:
    """The share of pixels in [0, 1] whose channels (H, W, C) differ by more than 24 of 255 of the scale of `grey`."""
    if colours.shape[2] == 1:
        return 0.0
    low, high = float(grey.min()), float(grey.max())
    if colours.dtype.kind == "f":
        scale = 1.0 if low >= 0 and high <= 1 else high - low
    else:
        scale = full_scale(int(high)) if low >= 0 and high < 2**16 else high - low
    spread = np.ptp(colours, axis=2) if colours.dtype.kind == "u" else np.ptp(colours.astype(np.float64), axis=2)
    return float(np.mean(spread / max(scale, np.finfo(float).tiny) * 255 > MIN_COLOUR_RANGE))
