"""Bands of rows, so that temporary copies of a large image take a few megabytes instead of hundreds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND_PIXELS = 2**18


def bands(size: tuple[int, ...]) -> Iterator[slice]:
    """Slices of rows, from the top, that cover an image of size (H, W) in bands of a quarter of a million pixels."""
    rows = max(1, BAND_PIXELS // size[1])
    return (slice(top, min(top + rows, size[0])) for top in range(0, size[0], rows))


def image_bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The rows of each band, and a copy of the band as an image of the same mode."""
    for rows in bands((image.height, image.width)):
        yield rows, image.crop((0, rows.start, image.width, rows.stop))


def image_values(image: Image.Image) -> NDArray[Any]:
    """The values (H, W) of a loaded image with one channel, copied without the two further copies that Pillow makes."""
    values = np.empty((image.height, image.width), np.asarray(image.crop((0, 0, 1, 1))).dtype)
    for rows, band in image_bands(image):
        values[rows] = np.asarray(band)
    return values
