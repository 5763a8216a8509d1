"""Pictures of one case: attention over the radiograph, readers' contours, and the page that joins them.

Attention is drawn on one fixed scale from 0 to 1, never stretched to the map at hand, and its opacity grows
with it: where there is no attention the radiograph's greys are untouched. The colours are matplotlib's
inferno without its near-black end: equal steps of attention look equally large, brightness rises all the
way, so it reads with any colour vision, and the warm colours stand out from a grey radiograph.
Contours take the cool colours of Okabe and Ito (2008), which inferno lacks, cased in black.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw
from skimage.measure import find_contours

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.files import whole

NOT_A_DEVICE = "Research and teaching only. Not a medical device."
READER_COLOURS = ("#56B4E9", "#FFFFFF", "#009E73", "#CC79A7")  # sky blue, white, bluish green, reddish purple
ATTENTION_COLOURS = colormaps["inferno"](np.linspace(0.25, 1, 256))[:, :3].astype(np.float32)
OPACITY = np.linspace(0, 0.85, 256, dtype=np.float32)
DARK, PALE, FAINT, BAR = "#14171a", "#f2f4f5", "#9aa4ab", "#56B4E9"
ROWS = {
    "hit": "Hit", "iou": "IoU", "dice": "Dice",
    "share_inside": "Share inside", "average_precision": "Average precision",
}  # fmt: skip
PAGE, PANEL, LINE, NOTE = 13.0, 4.4, 0.235, 0.2  # inches: page, picture, line of the table, line of text
SMOOTH = 3  # contours are drawn this many times larger and averaged down


class AnnotationLike(Protocol):
    """What is drawn of an annotation."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Lesion, (H, W)."""

    @property
    def reader(self) -> str:
        """Who drew it."""

    @property
    def kind(self) -> str:
        """How it was drawn."""


class AgreementLike(Protocol):
    """What is written of an agreement."""

    def to_json(self) -> dict[str, Any]:
        """Reader, kind, figures, area_fraction and the controls' figures."""


def overlay(pixels: NDArray[np.floating[Any]], attention: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Attention (H, W) in [0, 1] over a radiograph (H, W) in [0, 1], as sRGB uint8 (H, W, 3)."""
    level = np.rint(np.clip(attention, 0, 1) * 255).astype(np.uint8)
    tint = (ATTENTION_COLOURS * OPACITY[:, None])[level]
    blend = np.clip(pixels, 0, 1)[..., None] * (1 - OPACITY)[level][..., None] + tint
    return np.rint(blend * 255).astype(np.uint8)


def contours(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed outlines of `mask` (H, W) as (N, 2) arrays of (x, y); a pixel's centre has whole coordinates."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not rows.size:
        return []
    top, left = rows[0], columns[0]
    window = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.float32), 1)
    return [line[:, ::-1] + (left - 1, top - 1) for line in find_contours(window, 0.5)]


def draw_contours(
    rgb: NDArray[np.uint8], annotations: Sequence[AnnotationLike], width: float = 2.0
) -> NDArray[np.uint8]:
    """Each reader's outline in its colour on a copy of `rgb` (H, W, 3); lines are `width` pixels wide."""
    picture = Image.fromarray(rgb)
    frame = picture.width * SMOOTH, picture.height * SMOOTH
    for annotation, colour in zip(annotations, cycle(READER_COLOURS)):
        lines = [((line + 0.5) * SMOOTH).ravel().tolist() for line in contours(annotation.mask)]
        for ink, stroke in (("#000000", 2 * width), (colour, width)):
            canvas = Image.new("L", frame)
            for line in lines:
                ImageDraw.Draw(canvas).line(line, fill=255, width=round(stroke * SMOOTH), joint="curve")
            picture.paste(ImageColor.getrgb(ink), mask=canvas.reduce(SMOOTH))
    return np.asarray(picture)


def case_figure(
    pixels: NDArray[np.floating[Any]],
    attention: NDArray[np.floating[Any]] | None,
    annotations: Sequence[AnnotationLike],
    *,
    title: Sequence[str],
    probabilities: Mapping[str, float],
    agreement: Sequence[AgreementLike] = (),
    warnings: Sequence[str] = (),
) -> Figure:
    """One case on one page: radiograph, attention with contours, probabilities, agreement and warnings.

    `pixels` and `attention` (H, W) in [0, 1]; attention None: no map is shown. `title`: the first line is the
    heading. `probabilities` in [0, 1] by class. Colours follow the order of `annotations` and of `agreement`.
    """
    notes = [line for text in warnings for line in textwrap.wrap(plain(text), 150, initial_indent="\u26a0 ")]
    tall = float(np.clip(PANEL * pixels.shape[0] / pixels.shape[1], 0.6 * PANEL, 1.4 * PANEL))
    tall = max(tall, (len(probabilities) + 1 + 7.8 * len(agreement)) * LINE)
    below, above = 0.75 + NOTE * len(notes), 0.75 + NOTE * (len(title) - 1)
    page = blank((PAGE, below + tall + above), DARK)

    def place(left: float, width: float) -> Axes:
        height = below + tall + above
        return page.add_axes((left / PAGE, below / height, width / PAGE, tall / height), anchor="NW")

    show(place(0.25, PANEL), pixels, "Radiograph")
    seen = place(0.45 + PANEL, PANEL)
    if attention is None:
        show(seen, pixels, "No attention map is shown")
    else:
        show(seen, overlay(pixels, attention), "Attention")
        colour_bar(seen.inset_axes((0.68, 1.012, 0.32, 0.02)))
    trace(seen, annotations)
    panel = place(0.75 + 2 * PANEL, PAGE - 2 * PANEL - 1.05)
    panel.set(xlim=(0, 1), ylim=(tall / LINE, 0))
    panel.axis("off")
    top = _bars(panel, probabilities)
    for one, colour in zip(agreement, cycle(READER_COLOURS)):
        top = _table(panel, one.to_json(), colour, top)
    _words(page, title, [*notes, NOT_A_DEVICE])
    return page


def _words(page: Figure, title: Sequence[str], notes: Sequence[str]) -> None:
    left, inch = 0.25 / PAGE, 1 / page.get_figheight()
    page.text(left, 1 - 0.28 * inch, plain(title[0]), weight="bold", size=13, color=PALE, va="center")
    for row, line in enumerate(title[1:], start=1):
        page.text(left, 1 - (0.32 + NOTE * row) * inch, plain(line), size=9, color=FAINT, va="center")
    for row, line in enumerate(reversed(notes)):
        page.text(left, (0.22 + NOTE * row) * inch, line, color=PALE if row else FAINT, size=8.5, va="center")


def _bars(axes: Axes, probabilities: Mapping[str, float]) -> float:
    _say(axes, 0, 0.5, "Probability", PALE, bold=True)
    for row, (name, p) in enumerate(probabilities.items(), start=1):
        top = max(probabilities.values()) == p
        _say(axes, 0, row + 0.5, _short(name, 23), PALE if top else FAINT)
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36, 0.56, color="#262b30"))
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36 * p, 0.56, color=BAR if top else FAINT))
        _say(axes, 1, row + 0.5, f"{p:.2f}", PALE if top else FAINT)
    return len(probabilities) + 1.6


def _table(axes: Axes, agreement: Mapping[str, Any], colour: str, top: float) -> float:
    columns = {"attention": agreement, **agreement["controls"]}
    places = {"attention": 0.62, "random": 0.81, "centre": 1.0}
    reader = f"Agreement with {_short(agreement['reader'], 16)} ({agreement['kind']})"
    _say(axes, 0, top + 0.5, reader, colour, bold=True)
    _say(axes, 0, top + 1.5, f"mask: {agreement['area_fraction']:.1%} of picture", size=8)
    axes.plot([0, 1], [top + 2.05] * 2, color="#3a4147", linewidth=0.8)
    for name, x in places.items():
        _say(axes, x, top + 1.5, name, size=8)
    for y, (key, label) in enumerate(ROWS.items()):
        _say(axes, 0, top + y + 2.6, label, PALE)
        for name, x in places.items():
            own = name == "attention"
            _say(axes, x, top + y + 2.6, _cell(columns[name][key]), PALE if own else FAINT, bold=own)
    return top + 7.8


def _say(
    axes: Axes, x: float, y: float, text: str, colour: str = FAINT, *, size: float = 9, bold: bool = False
) -> None:
    axes.text(
        x, y, plain(text), color=colour, size=size, weight="bold" if bold else "normal",
        va="center", ha="right" if x > 0 else "left",
    )  # fmt: skip


def _cell(value: float | bool | None) -> str:
    if value is None:
        return "\u2013"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.2f}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def show(axes: Axes, picture: NDArray[Any], title: str = "", size: float = 10) -> None:
    """A picture, (H, W) in [0, 1] or (H, W, 3), without ticks, on a dark page."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    axes.set_title(plain(title), color=PALE, size=size, loc="left", pad=5, y=1)
    axes.axis("off")


def trace(axes: Axes, annotations: Sequence[AnnotationLike], *, width: float = 1.5, legend: bool = True) -> None:
    """Every reader's outline over a picture, `width` points wide, with a legend below it."""
    for annotation, colour in zip(annotations, cycle(READER_COLOURS)):
        casing = [withStroke(linewidth=2 * width, foreground="black")]
        for line in contours(annotation.mask):
            axes.plot(*line.T, color=colour, linewidth=width, path_effects=casing)
        label = plain(f"{annotation.reader} ({annotation.kind})")
        axes.plot([], [], color=colour, linewidth=width, label=label)
    if annotations and legend:
        style = {"frameon": False, "labelcolor": PALE, "fontsize": 8}
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=2, borderpad=0.2, **style)


def colour_bar(axes: Axes) -> None:
    """The fixed scale of attention, as it looks over a middle grey, with its ticks above."""
    ramp = np.tile(np.linspace(0, 1, 256), (2, 1))
    axes.imshow(overlay(np.full(ramp.shape, 0.4), ramp), extent=(0, 1, 0, 1), aspect="auto")
    axes.set(xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], yticks=[])
    axes.tick_params(colors=FAINT, labelsize=7, length=0, pad=1, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def blank(size: tuple[float, float], colour: str = "white") -> Figure:
    """An empty page of (width, height) inches that belongs to no global state."""
    return Figure(figsize=size, facecolor=colour)


def plain(text: str) -> str:
    """Text that matplotlib takes as it is: a dollar sign would start a formula."""
    return text.replace("$", r"\$")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write PNG or PDF by suffix, 150 dots an inch; whole or not at all, and the same bytes every time.

    Raises:
        DeepPneumoniaError: the suffix is neither.
    """
    silent: dict[str, dict[str, None]] = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}
    path, suffix = Path(path), Path(path).suffix.lower()
    if suffix not in silent:
        raise DeepPneumoniaError(f"{path} is no name for a figure; end it in .png or .pdf.")
    with whole(path) as partial:
        figure.savefig(partial, format=suffix[1:], dpi=150, metadata=silent[suffix])
