"""Thumbnails of radiographs: small pictures by which a person knows a case again."""

from pathlib import Path

import numpy as np
from PIL import Image

from deep_pneumonia.files import whole
from deep_pneumonia.radiographs.radiograph import Radiograph

SIDE = 96  # pixels of the longer side, for screens of twice the density


def keep_thumbnail(radiograph: Radiograph, path: Path) -> None:
    """Write a WebP picture of at most `SIDE` pixels a side, unless it is there.

    Raises:
        DeepPneumoniaError: the folder cannot be written to.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Every step-th pixel first: of 4096 x 4096 the mean over all of them would take longer than the network.
    step = max(1, min(radiograph.size) // (2 * SIDE))
    picture = Image.fromarray((radiograph.pixels[::step, ::step] * 255).astype(np.uint8))
    picture.thumbnail((SIDE, SIDE))
    with whole(path) as partial:
        picture.save(partial, "WEBP", quality=80)
