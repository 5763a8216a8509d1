"""What the browser-side viewer receives of a case: grey values at full depth, the map and the masks.

All of it travels in the answer itself, so no image of a visitor is written to disk for it.
"""

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.radiographs.grey_levels import stored_integers
from deep_pneumonia.viewer.opened_case import Case, Opened, runs

MAX_PIXELS = 16_000_000  # larger radiographs are averaged over squares; 16 megapixels fill a wall of screens
ZLIB_LEVEL = 1  # the fastest: rows of differences are small already


def scene(case: Case, file: str, masks: list[str], threshold: float, place: int | None = None) -> dict[str, Any]:
    """A case that was opened from files, as plain JSON for the viewer.

    threshold: of the attention, in [0, 1]. place: the index of the teaching case, None for other cases. The files are
    included so that reloading the page opens them again.
    """
    files = {"file": file, "masks": masks}
    return {"key": sha256(Path(file)), **picture(case, threshold), "place": place, "files": files}


def picture(case: Opened, threshold: float) -> dict[str, Any]:
    """The visible part of a case as plain JSON, without its files; a case without a prediction has no map.

    pixels: see `pack`. size: (H, W) of what is shown. cells: the map on the model's grid, null if a finding is too
    unlikely for a map to be shown. masks: run lengths in row order.
    """
    radiograph = case.radiograph
    prediction = case.prediction if isinstance(case, Case) else None
    step = _step(radiograph.size)
    pixels = smaller(radiograph.pixels, step)
    bits, packed = pack(pixels)
    return {
        "name": case.name,
        "stem": Path(case.name).stem,
        "size": list(pixels.shape),
        "step": step,
        "spacing_mm": [mm * step for mm in radiograph.spacing_mm] if radiograph.spacing_mm else None,
        "bits": bits,
        "pixels": packed,
        "cells": prediction.cells.astype(float).tolist() if prediction and prediction.shows_map else None,
        "threshold": threshold,
        "masks": [_mask(a, step) for a in case.masks],
    }


def _step(size: tuple[int, int]) -> int:
    """The side, in pixels, of the squares that become one shown pixel."""
    step = 1
    while size[0] * size[1] > MAX_PIXELS * step * step:
        step += 1
    return step


def _mask(annotation: Annotation, step: int) -> dict[str, Any]:
    mask = annotation.mask
    if step > 1:
        mask = smaller(mask.astype(np.float32), step) >= 0.5
    return {"reader": annotation.reader, "kind": annotation.kind, "counts": runs(mask)}


def smaller(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means over squares of `step` pixels a side; taking every step-th pixel would give moiré."""
    return np.asarray(Image.fromarray(values).reduce(step)) if step > 1 else values


def pack(pixels: NDArray[np.float32]) -> tuple[int, str]:
    """Grey values (H, W) in [0, 1] packed as (bits, base64 text): 8 bits if they hold the values exactly, else 16.

    Each row is stored as its differences modulo 2^bits (with 16 bits, all high bytes before all low bytes), compressed
    by zlib. That halves the size and takes a hundredth of a second per megapixel.
    """
    stored = stored_integers(pixels)
    deep = np.diff(stored, axis=1, prepend=stored.dtype.type(0)).astype(stored.dtype)
    if stored.dtype == np.uint8:
        return 8, _text(deep.tobytes())
    planes = (deep >> 8).astype(np.uint8).tobytes() + (deep & 255).astype(np.uint8).tobytes()
    return 16, _text(planes)


def _text(data: bytes) -> str:
    """Bytes compressed by zlib as base64 text; only runs are searched for, since noise has no other repeats."""
    packer = zlib.compressobj(ZLIB_LEVEL, strategy=zlib.Z_RLE)
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()
