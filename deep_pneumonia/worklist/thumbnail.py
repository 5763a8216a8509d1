"""Thumbnails of radiographs: small pictures by which a person recognizes a case."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.files import why_unwritten, write_bytes
from deep_pneumonia.radiographs.radiograph import Radiograph

MAX_SIDE = 96  # pixels, shown at half that size on screens of double density


def keep_thumbnail(radiograph: Radiograph, path: Path) -> None:
    """Write a WebP picture of at most `MAX_SIDE` pixels a side, unless the file exists.

    Raises:
        DeepPneumoniaError: the folder cannot be written to.
    """
    if path.exists():
        return
    # Subsample first: averaging all of 4096 x 4096 pixels would take longer than the prediction.
    step = max(1, min(radiograph.size) // (2 * MAX_SIDE))
    picture = Image.fromarray((radiograph.pixels[::step, ::step] * 255).astype(np.uint8))
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=80)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(why_unwritten(path.parent.name, error)) from error
    write_bytes(stream.getvalue(), path)
