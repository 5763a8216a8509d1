"""Turn decoded channels of any depth into grey pixels in [0, 1] and the share of clearly coloured pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.radiographs.bands import bands
from deep_pneumonia.radiographs.grey_levels import full_scale, scaled_floats, scaled_integers

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow
MIN_COLOUR_RANGE = 24  # of 255, between the channels of a pixel; JPEG noise in a grey image stays below


def over_black(colours: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    """Grey (H, W) of colours (H, W, 1 or 3), blended with black where `alpha` (H, W) is not opaque.

    Integers stay integers of the same type; an integer alpha is opaque at the highest value of its type.
    """
    if colours.shape[2] == 1 and alpha is None:
        return colours[..., 0]
    grey = np.empty(colours.shape[:2], colours.dtype)
    for rows in bands(grey.shape):  # the sums are wider than the values
        grey[rows] = _band_over_black(colours[rows], None if alpha is None else alpha[rows])
    return grey


def _band_over_black(colours: NDArray[Any], alpha: NDArray[Any] | None) -> NDArray[Any]:
    wide: np.dtype[Any] = np.dtype(np.float32 if colours.dtype.itemsize <= 2 else np.float64)
    grey = np.zeros(colours.shape[:2], wide)
    for index, weight in enumerate(LUMA if colours.shape[2] == 3 else (1.0,)):
        grey += wide.type(weight) * colours[..., index]
    if alpha is not None:
        grey *= alpha.astype(wide) / wide.type(1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max)
    return grey if colours.dtype.kind == "f" else np.rint(grey)


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
    coloured = 0
    for rows in bands(grey.shape):
        band = colours[rows] if colours.dtype.kind == "u" else colours[rows].astype(np.float64)
        spread = np.ptp(band, axis=2) / max(scale, np.finfo(float).tiny)
        coloured += int(np.count_nonzero(spread * 255 > MIN_COLOUR_RANGE))
    return coloured / grey.size
