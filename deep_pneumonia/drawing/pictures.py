"""Pictures of one case: attention over the radiograph, readers' contours, and how pictures are saved.

Attention is drawn on one fixed scale from 0 to 1, never stretched to the map at hand. Its opacity grows with its
value, so the radiograph's greys stay untouched where there is no attention. The colours are matplotlib's inferno
without its near-black end. Equal steps of attention look equally large, brightness rises all the way, which serves
any colour vision, and the warm colours stand out from a grey radiograph. Contours have the cool colours of Okabe
and Ito (2008), which inferno lacks, with a black casing.
"""

import io
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from skimage.measure import find_contours

from deep_pneumonia.drawing.lettering import plain, short
from deep_pneumonia.files import PICTURE_SUFFIXES, check_suffix, write_bytes
from deep_pneumonia.masks.annotation import Annotation

NOT_A_DEVICE = "Research and teaching only. Not a medical device."
READER_COLOURS = ("#56B4E9", "#FFFFFF", "#009E73", "#CC79A7")  # sky blue, white, bluish green, reddish purple
ATTENTION_COLOURS = colormaps["inferno"](np.linspace(0.25, 1, 256))[:, :3].astype(np.float32)
OPACITY = np.linspace(0, 0.85, 256, dtype=np.float32)
DARK, PALE, FAINT = "#14171a", "#f2f4f5", "#9aa4ab"


def overlay(pixels: NDArray[np.floating[Any]], attention: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Attention (H, W) in [0, 1] over a radiograph (H, W) in [0, 1]: sRGB uint8 (H, W, 3)."""
    level = np.rint(np.clip(attention, 0, 1) * 255).astype(np.uint8)
    tint = (ATTENTION_COLOURS * OPACITY[:, None])[level]
    blend = np.clip(pixels, 0, 1)[..., None] * (1 - OPACITY)[level][..., None] + tint
    return np.rint(blend * 255).astype(np.uint8)


def contours(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed outlines of `mask` (H, W) as (N, 2) arrays of (x, y), with pixel centres at whole coordinates."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not rows.size:
        return []
    top, left = rows[0], columns[0]
    window = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.float32), 1)
    return [line[:, ::-1] + (left - 1, top - 1) for line in find_contours(window, 0.5)]


def show(axes: Axes, picture: NDArray[Any], title: str = "", size: float = 10) -> None:
    """Show a picture, (H, W) in [0, 1] or (H, W, 3), without ticks on a dark page."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    axes.set_title(plain(title), color=PALE, size=size, loc="left", pad=5, y=1)
    axes.axis("off")


def trace(axes: Axes, annotations: Sequence[Annotation], *, width: float = 1.5, legend: bool = True) -> None:
    """Draw each reader's outline over a picture, `width` points wide, with a legend below it."""
    for annotation, colour in zip(annotations, cycle(READER_COLOURS)):
        casing = [withStroke(linewidth=2 * width, foreground="black")]
        for line in contours(annotation.mask):
            axes.plot(*line.T, color=colour, linewidth=width, path_effects=casing)
        label = plain(f"{short(annotation.reader, 20)} ({annotation.kind})")
        axes.plot([], [], color=colour, linewidth=width, label=label)
    if annotations and legend:
        style = {"frameon": False, "labelcolor": PALE, "fontsize": 8}
        axes.legend(
            loc="upper left", bbox_to_anchor=(0, 0), ncols=2, borderpad=0.2, columnspacing=1, handlelength=1.6, **style
        )


def colour_bar(axes: Axes) -> None:
    """Draw the fixed scale of attention as it looks over a middle grey, with its ticks above."""
    ramp = np.tile(np.linspace(0, 1, 256), (2, 1))
    axes.imshow(overlay(np.full(ramp.shape, 0.4), ramp), extent=(0, 1, 0, 1), aspect="auto")
    axes.set(xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], yticks=[])
    axes.tick_params(colors=FAINT, labelsize=7, length=0, pad=1, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def blank(size: tuple[float, float], colour: str = "white") -> Figure:
    """An empty page of (width, height) inches, outside pyplot's global state."""
    return Figure(figsize=size, facecolor=colour)


def save_picture(figure: Figure, path: str | Path) -> None:
    """Write PNG or PDF by suffix with 150 dots per inch: whole or not at all, and the same bytes every time.

    Raises:
        DeepPneumoniaError: the suffix is neither, or the file cannot be written.
    """
    check_suffix(path, PICTURE_SUFFIXES)
    kind, stream = Path(path).suffix.lower()[1:], io.BytesIO()
    figure.savefig(stream, format=kind, dpi=150, metadata={"Software" if kind == "png" else "CreationDate": None})
    write_bytes(stream.getvalue(), path)
