"""One case on one page: what a person sees on the Inspect screen, to print, to send and to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from deep_pneumonia.drawing.lettering import fitted, plain, short, wrapped
from deep_pneumonia.drawing.pictures import (
    DARK,
    FAINT,
    NOT_A_DEVICE,
    PALE,
    READER_COLOURS,
    AnnotationLike,
    blank,
    colour_bar,
    overlay,
    show,
    trace,
)
from deep_pneumonia.prediction.scores import SCORES

BAR, TROUGH, RULE = "#56B4E9", "#262b30", "#3a4147"
# Inches: page, its margin, a picture, a frame of what if, a line of the table, a line of text.
PAGE, MARGIN, PANEL, FRAME, LINE, NOTE = 13.0, 0.25, 4.4, 1.35, 0.235, 0.2
MOST = 5  # classes beside a frame
ABOUT_WHAT_IF = "What if: when what readers drew is filled from around it, and when all else is."


class AgreementLike(Protocol):
    """What is written of an agreement."""

    def to_json(self) -> dict[str, Any]:
        """Reader, kind, figures, area_fraction and the controls' figures."""


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One frame (S, S) in [0, 1] that the model saw, what was done to it, and its probabilities by class."""

    name: str
    frame: NDArray[np.floating[Any]]
    probabilities: Mapping[str, float]


def case_picture(
    pixels: NDArray[np.floating[Any]],
    attention: NDArray[np.floating[Any]] | None,
    annotations: Sequence[AnnotationLike],
    *,
    title: Sequence[str],
    probabilities: Mapping[str, float],
    agreement: Sequence[AgreementLike] = (),
    what_if: Sequence[WhatIf] = (),
    warnings: Sequence[str] = (),
) -> Figure:
    """One case on one page: radiograph, attention with contours, what if, probabilities, agreement and warnings.

    `pixels` and `attention` (H, W) in [0, 1]; attention None: no map is shown. `title`: the first line is the
    heading. `probabilities` in [0, 1] by class. Colours follow the order of `annotations` and of `agreement`.
    """
    notes = [line for text in warnings for line in wrapped(f"\u26a0 {text}", PAGE - 2 * MARGIN, 8.5)]
    tall = float(np.clip(PANEL * pixels.shape[0] / pixels.shape[1], 0.6 * PANEL, 1.4 * PANEL))
    under = tall + 0.1 + 0.19 * -(-len(annotations) // 2)  # the legend
    body = max(under + (FRAME + 0.85 if what_if else 0), (len(probabilities) + 2.8 + 7.8 * len(agreement)) * LINE)
    above, below = 0.75 + NOTE * (len(title) - 1), 0.5 + NOTE * len(notes)
    sheet = _Sheet(blank((PAGE, above + body + below), DARK), above)
    _pictures(sheet, tall, pixels, attention, annotations)
    _what_if(sheet, under, what_if)
    panel = sheet.place(0.75 + 2 * PANEL, 0, PAGE - 2 * PANEL - 1.05, body)
    panel.set(xlim=(0, 1), ylim=(body / LINE, 0))
    panel.axis("off")
    top = _bars(panel, probabilities)
    if agreement:
        _say(panel, 0, top + 0.5, "Agreement with what readers drew", PALE, bold=True)
    for one, colour in zip(agreement, cycle(READER_COLOURS)):
        top = _table(panel, one.to_json(), colour, top + 1.2) - 1.2
    _words(sheet.figure, title, [*notes, NOT_A_DEVICE])
    return sheet.figure


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A page whose content begins `above` inches from its top."""

    figure: Figure
    above: float

    def place(self, x: float, y: float, width: float, tall: float) -> Axes:
        """Axes whose upper left corner lies `x` inches from the left and `y` inches below the title."""
        height = self.figure.get_figheight()
        bottom = height - self.above - y - tall
        return self.figure.add_axes((x / PAGE, bottom / height, width / PAGE, tall / height), anchor="NW")


def _pictures(
    sheet: _Sheet,
    tall: float,
    pixels: NDArray[np.floating[Any]],
    attention: NDArray[np.floating[Any]] | None,
    annotations: Sequence[AnnotationLike],
) -> None:
    show(sheet.place(MARGIN, 0, PANEL, tall), pixels, "Radiograph")
    seen = sheet.place(0.45 + PANEL, 0, PANEL, tall)
    if attention is None:
        show(seen, pixels, "No attention map is shown")
    else:
        show(seen, overlay(pixels, attention), "Attention")
        colour_bar(seen.inset_axes((0.68, 1.012, 0.32, 0.02)))
    trace(seen, annotations)


def _what_if(sheet: _Sheet, y: float, frames: Sequence[WhatIf]) -> None:
    highest = {name: max(f.probabilities[name] for f in frames) for f in frames for name in f.probabilities}
    shown = sorted(highest, key=lambda name: -highest[name])[:MOST]
    for number, one in enumerate(frames):
        x = MARGIN + 3.05 * number
        show(sheet.place(x, y + 0.7, FRAME, FRAME), one.frame, one.name.capitalize(), size=9)
        answers = {name: p for name, p in one.probabilities.items() if name in shown}
        _answers(sheet.place(x + FRAME + 0.1, y + 0.7, 1.5, FRAME), answers)
    if frames:
        height = 1 - (sheet.above + y + 0.25) / sheet.figure.get_figheight()
        sheet.figure.text(MARGIN / PAGE, height, ABOUT_WHAT_IF, size=9, color=FAINT, va="center")


def _words(page: Figure, title: Sequence[str], notes: Sequence[str]) -> None:
    wide = PAGE - 2 * MARGIN
    left, inch = MARGIN / PAGE, 1 / page.get_figheight()
    page.text(
        left,
        1 - 0.28 * inch,
        plain(fitted(title[0], wide, 13, bold=True)),
        weight="bold",
        size=13,
        color=PALE,
        va="center",
    )
    for row, line in enumerate(title[1:], start=1):
        page.text(left, 1 - (0.32 + NOTE * row) * inch, plain(fitted(line, wide, 9)), size=9, color=FAINT, va="center")
    for row, line in enumerate(reversed(notes)):
        page.text(left, (0.22 + NOTE * row) * inch, plain(line), color=PALE if row else FAINT, size=8.5, va="center")


def _answers(axes: Axes, probabilities: Mapping[str, float]) -> None:
    """Probabilities beside a frame, the highest one bright."""
    axes.set(xlim=(0, 1), ylim=(FRAME / LINE, 0))
    axes.axis("off")
    for row, (name, p) in enumerate(probabilities.items()):
        top = max(probabilities.values()) == p
        _say(axes, 0, row + 0.5, short(name, 20), PALE if top else FAINT, size=7.5)
        _say(axes, 1, row + 0.5, f"{p:.2f}", PALE if top else FAINT, size=7.5, bold=top)


def _bars(axes: Axes, probabilities: Mapping[str, float]) -> float:
    _say(axes, 0, 0.5, "Probability", PALE, bold=True)
    for row, (name, p) in enumerate(probabilities.items(), start=1):
        top = max(probabilities.values()) == p
        _say(axes, 0, row + 0.5, short(name, 23), PALE if top else FAINT)
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36, 0.56, color=TROUGH))
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36 * p, 0.56, color=BAR if top else FAINT))
        _say(axes, 1, row + 0.5, f"{p:.2f}", PALE if top else FAINT)
    return len(probabilities) + 1.6


def _table(axes: Axes, agreement: Mapping[str, Any], colour: str, top: float) -> float:
    columns = {"attention": agreement, **agreement["controls"]}
    places = {"attention": 0.62, "random": 0.81, "centre": 1.0}
    reader = f"{short(agreement['reader'], 26)} ({agreement['kind']})"
    _say(axes, 0, top + 0.5, reader, colour, bold=True)
    _say(axes, 0, top + 1.5, f"mask: {agreement['area_fraction']:.1%} of picture", size=8)
    axes.plot([0, 1], [top + 2.05] * 2, color=RULE, linewidth=0.8)
    for name, x in places.items():
        _say(axes, x, top + 1.5, name, size=8)
    for y, score in enumerate(SCORES):
        _say(axes, 0, top + y + 2.6, score.name, PALE)
        for name, x in places.items():
            own = name == "attention"
            _say(axes, x, top + y + 2.6, cell(columns[name][score.key]), PALE if own else FAINT, bold=own)
    return top + 7.8


def _say(
    axes: Axes, x: float, y: float, text: str, colour: str = FAINT, *, size: float = 9, bold: bool = False
) -> None:
    axes.text(
        x, y, plain(text), color=colour, size=size, weight="bold" if bold else "normal",
        va="center", ha="right" if x > 0 else "left",
    )  # fmt: skip


def cell(value: float | bool | None) -> str:
    """A figure as text; one without meaning is a dash."""
    if value is None:
        return "\u2013"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.2f}"
