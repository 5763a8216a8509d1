"""Small pictures encoded in memory, for the tests of radiographs and masks."""

import io

import numpy as np
from PIL import Image

RAMP = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)  # (24, 32), 0 to 239, no symmetry
FORMATS = ["PNG", "JPEG", "TIFF", "WEBP", "BMP"]


def encode(picture: Image.Image | np.ndarray, source: str = "PNG", **options: object) -> bytes:
    """A picture's file in a format that Pillow writes, as good as the format allows."""
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if source in ("WEBP", "JPEG"):
        options = {"lossless": True, "quality": 95, **options}
    stream = io.BytesIO()
    picture.save(stream, source, **options)
    return stream.getvalue()


def rgba(colour: tuple[int, int, int], alpha: np.ndarray) -> np.ndarray:
    """Pixels (H, W, 4) of one colour and of the given alpha (H, W)."""
    return np.dstack([np.full(alpha.shape, c, np.uint8) for c in colour] + [alpha.astype(np.uint8)])
