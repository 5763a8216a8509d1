"""Frames with burnt-in letters, masked borders and erased corners, and frames whose own burnt-in marks are removed.

Everything has a fixed place and size in the model's frame. The letters have another typeface than the overlays of
training (`deep_pneumonia.training.overlays`), so a checkpoint trained with those cannot have memorised them.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from matplotlib.font_manager import FontProperties, findfont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import label, regionprops
from skimage.morphology import dilation, disk, footprint_rectangle, white_tophat

from deep_pneumonia.prediction.inpaint import fill

Alteration = Callable[[torch.Tensor], torch.Tensor]  # (B, 1, S, S) in [0, 1] -> the same
BORDER, CORNER, INSET = 0.05, 0.12, 0.03  # shares of the side

# What counts as a burnt-in mark; shares of the side, and of the range from black to white.
BRIGHT, RAISED = 0.6, 0.3  # as bright as this, and so much brighter than what is within half of WINDOW
SHARP = 0.25  # and so much brighter than three quarters of the pixels of a ring RING pixels wide around it
WINDOW = 0.065
RING = 2
BAND = 0.15  # its middle is as near as this to a side
LEAST, LONGEST = 0.0001, 0.12  # area of the least, extent of the longest
RIM = 0.01  # taken out around a mark, where it is blurred into its surroundings


def alterations() -> dict[str, Alteration]:
    """Each alteration by its name; the last is a harmless one, to compare with."""
    return {
        "R, upper left": lambda x: stamped(x, "R", "lt", 0.07),
        "L, upper right": lambda x: stamped(x, "L", "rt", 0.07),
        "date, lower left": lambda x: stamped(x, "14.03.2018", "lb", 0.04),
        "PORTABLE AP, upper right": lambda x: stamped(x, "PORTABLE AP", "rt", 0.05),
        "border of 5% black": lambda x: bordered(x, 0.0),
        "border of 5% white": lambda x: bordered(x, 1.0),
        "corners black": lambda x: x * (1 - corners(x.shape[-1])),
        "corners filled from around": lambda x: fill(x, corners(x.shape[-1]).expand_as(x)),
        "(moved by 2 pixels)": lambda x: torch.roll(x, (2, 2), (-2, -1)),
    }


def stamped(images: torch.Tensor, text: str, anchor: str, height: float) -> torch.Tensor:
    """Images (B, 1, S, S) in [0, 1] with `text` in white in a corner; `height` of its capitals as a share of S.

    anchor: "l" or "r", then "t" or "b".
    """
    return torch.maximum(images, letters(text, anchor, height, images.shape[-1]).to(images))


@cache
def letters(text: str, anchor: str, height: float, size: int) -> torch.Tensor:
    """`text` in a corner, float32 (size, size) in [0, 1]."""
    canvas = Image.new("L", (size, size))
    font = ImageFont.truetype(findfont(FontProperties(weight="bold")), height * size / 0.73)  # its capitals are 0.73
    x, y = (INSET * size if side in "lt" else (1 - INSET) * size for side in anchor)
    ImageDraw.Draw(canvas).text((x, y), text, fill=255, font=font, anchor=anchor)
    return torch.from_numpy(np.asarray(canvas, np.float32) / np.float32(255))


def bordered(images: torch.Tensor, level: float) -> torch.Tensor:
    """Images (B, 1, S, S) with a border of `BORDER` of the side at grey value `level`."""
    width = round(BORDER * images.shape[-1])
    masked = torch.full_like(images, level)
    inside = slice(width, -width)
    masked[..., inside, inside] = images[..., inside, inside]
    return masked


def corners(size: int) -> torch.Tensor:
    """1 in the four corners, squares of `CORNER` of the side, 0 elsewhere: float32 (size, size)."""
    side = torch.zeros(size)
    side[: round(CORNER * size)] = side[-round(CORNER * size) :] = 1
    return side[:, None] * side


def marks(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where burnt-in letters and lead markers are, bool (S, S).

    frame: uint8 (S, S), a radiograph in the model's frame. A mark is a small connected piece of thin bright strokes
    with sharp edges, whose middle lies near a side. Looked at by eye on validation radiographs: of 96 with a mark
    found (32 a source) about 5 have none but a wire, an electrode or an edge of the film; of 32 of Guangzhou with none
    found, about 18 have one. Missed are dark, faint and blurred letters, those over the lungs, and ones below some 3
    pixels.
    """
    size, margin = len(frame), RING + 1
    grey = np.pad(frame.astype(np.float32) / 255, margin, mode="reflect")
    window = 2 * round(WINDOW * size / 2) + 1
    raised = white_tophat(grey, footprint_rectangle((window, window), decomposition="separable"))
    bright = (grey >= BRIGHT) & (raised >= RAISED)
    bright[:margin] = bright[-margin:] = bright[:, :margin] = bright[:, -margin:] = False
    found = np.zeros(grey.shape, np.bool_)
    for piece in regionprops(label(bright, connectivity=2)):
        top, left, bottom, right = piece.bbox
        middle = (((a + b) / 2 - margin) / size for a, b in ((top, bottom), (left, right)))
        near = min(min(p, 1 - p) for p in middle) <= BAND
        small = piece.area >= LEAST * size**2 and max(bottom - top, right - left) <= LONGEST * size
        around = grey[top - RING : bottom + RING, left - RING : right + RING]
        if near and small and _sharpness(around, np.pad(piece.image, RING)) >= SHARP:
            found[piece.slice] |= piece.image
    return found[margin:-margin, margin:-margin]


def _sharpness(grey: NDArray[np.floating], piece: NDArray[np.bool_]) -> float:
    """How much brighter a piece is than three quarters of the ring around it."""
    ring = dilation(piece, disk(RING)) & ~piece
    return float(grey[piece].mean() - np.percentile(grey[ring], 75))


def unmarked(images: torch.Tensor, found: NDArray[np.bool_]) -> torch.Tensor:
    """Images (B, 1, S, S) in [0, 1] with the marks `found` (B, S, S) filled from around."""
    reach = disk(max(1, round(RIM * images.shape[-1])))
    wide = np.stack([dilation(one, reach) for one in found])[:, None]
    return fill(images, torch.from_numpy(wide).to(images))
