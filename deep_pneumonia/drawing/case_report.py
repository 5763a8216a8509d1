"""The one-page report of a case, to print, send and keep. Command line and browser give the same page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

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
    blank,
    colour_bar,
    overlay,
    show,
    trace,
)
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.agreement import Agreement
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.prediction.scores import SCORES, score_text
from deep_pneumonia.radiographs.radiograph import Radiograph

BAR_COLOUR, TROUGH_COLOUR, RULE_COLOUR = "#56B4E9", "#262b30", "#3a4147"
# Inches: width of the page, its margin, side of a picture and of a what-if frame, line of the table, line of text.
PAGE, MARGIN, PANEL, FRAME, LINE, NOTE = 13.0, 0.25, 4.4, 1.35, 0.235, 0.2
MAX_CLASSES = 5  # beside a what-if frame
MAX_NAME_LETTERS = 64  # of a file or checkpoint in the heading
ABOUT_WHAT_IF = "What if the lesion is filled from its surroundings, or everything else is?"


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One input (S, S) in [0, 1] of the model, what was done to it, and its probabilities by class."""

    name: str
    frame: NDArray[np.floating[Any]]
    probabilities: Mapping[str, float]


def page(
    name: str, radiograph: Radiograph, annotations: Sequence[Annotation], prediction: Prediction, *, day: str
) -> Figure:
    """The one-page report of a prediction, written on `day` (ISO 8601).

    Only `name` can identify the patient: nothing of the file's own header is written.
    """
    height, width = prediction.size
    p = prediction.probabilities[prediction.predicted]
    said = f"{short(prediction.predicted, 32)} {'over 99%' if p > 0.99 else f'{p:.0%}'}"
    title = [
        f"{short(name, MAX_NAME_LETTERS)}: {'rejected, no prediction' if prediction.is_refused else said}",
        f"{height} x {width} pixels. Report of {day}.",
        f"Checkpoint {short(prediction.checkpoint_name, MAX_NAME_LETTERS)}, SHA-256 {prediction.checkpoint_sha256}.",
    ]
    return case_picture(
        radiograph.pixels,
        prediction.attention if prediction.shows_map else None,
        annotations,
        title=title,
        probabilities=prediction.probabilities,
        agreement=prediction.agreement,
        what_if=what_if(prediction),
        warnings=[w.message for w in prediction.warnings],
    )


def what_if(prediction: Prediction) -> list[WhatIf]:
    """The model's inputs as they are, with the lesion removed and with the lesion only; none without a lesion."""
    if prediction.what_if is None or prediction.what_if_frames is None:
        return []
    answers = {"as it is": prediction.probabilities}
    answers |= {name.replace("_", " "): p for name, p in prediction.what_if.items()}
    frames = prediction.what_if_frames / 255.0
    return [WhatIf(name, frame, p) for (name, p), frame in zip(answers.items(), frames, strict=True)]


def case_picture(
    pixels: NDArray[np.floating[Any]],
    attention: NDArray[np.floating[Any]] | None,
    annotations: Sequence[Annotation],
    *,
    title: Sequence[str],
    probabilities: Mapping[str, float],
    agreement: Sequence[Agreement] = (),
    what_if: Sequence[WhatIf] = (),
    warnings: Sequence[str] = (),
) -> Figure:
    """One case on one page: radiograph, attention with contours, what-if frames, probabilities, scores, warnings.

    pixels, attention: (H, W) in [0, 1]; attention is None where no map is shown. title: lines, the first of which
    is the heading. probabilities: by class, in [0, 1]. Colours follow the order of `annotations` and `agreement`.
    """
    notes = [line for text in warnings for line in wrapped(f"\u26a0 {text}", PAGE - 2 * MARGIN, 8.5)]
    height = float(np.clip(PANEL * pixels.shape[0] / pixels.shape[1], 0.6 * PANEL, 1.4 * PANEL))
    under = height + 0.1 + 0.19 * -(-len(annotations) // 2)  # the legend
    body = max(under + (FRAME + 0.85 if what_if else 0), (len(probabilities) + 2.8 + 7.8 * len(agreement)) * LINE)
    above, below = 0.75 + NOTE * (len(title) - 1), 0.5 + NOTE * len(notes)
    sheet = _Sheet(blank((PAGE, above + body + below), DARK), above)
    _pictures(sheet, height, pixels, attention, annotations)
    _what_if_row(sheet, under, what_if)
    panel = sheet.place(0.75 + 2 * PANEL, 0, PAGE - 2 * PANEL - 1.05, body)
    panel.set(xlim=(0, 1), ylim=(body / LINE, 0))
    panel.axis("off")
    top = _bars(panel, probabilities)
    if agreement:
        _say(panel, 0, top + 0.5, "Agreement with readers' masks", PALE, bold=True)
    for one, colour in zip(agreement, cycle(READER_COLOURS)):
        top = _table(panel, one.to_json(), colour, top + 1.2) - 1.2
    _words(sheet.figure, title, [*notes, NOT_A_DEVICE])
    return sheet.figure


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A page whose content begins `above` inches from its top."""

    figure: Figure
    above: float

    def place(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes whose upper left corner lies `x` inches from the left and `y` inches below the title."""
        total = self.figure.get_figheight()
        bottom = total - self.above - y - height
        return self.figure.add_axes((x / PAGE, bottom / total, width / PAGE, height / total), anchor="NW")


def _pictures(
    sheet: _Sheet,
    height: float,
    pixels: NDArray[np.floating[Any]],
    attention: NDArray[np.floating[Any]] | None,
    annotations: Sequence[Annotation],
) -> None:
    show(sheet.place(MARGIN, 0, PANEL, height), pixels, "Radiograph")
    axes = sheet.place(0.45 + PANEL, 0, PANEL, height)
    if attention is None:
        show(axes, pixels, "No attention map is shown")
    else:
        show(axes, overlay(pixels, attention), "Attention")
        colour_bar(axes.inset_axes((0.68, 1.012, 0.32, 0.02)))
    trace(axes, annotations)


def _what_if_row(sheet: _Sheet, y: float, frames: Sequence[WhatIf]) -> None:
    highest = {name: max(f.probabilities[name] for f in frames) for f in frames for name in f.probabilities}
    shown = sorted(highest, key=lambda name: -highest[name])[:MAX_CLASSES]
    for number, one in enumerate(frames):
        x = MARGIN + 3.05 * number
        show(sheet.place(x, y + 0.7, FRAME, FRAME), one.frame, one.name.capitalize(), size=9)
        answers = {name: p for name, p in one.probabilities.items() if name in shown}
        _answers(sheet.place(x + FRAME + 0.1, y + 0.7, 1.5, FRAME), answers)
    if frames:
        height = 1 - (sheet.above + y + 0.25) / sheet.figure.get_figheight()
        sheet.figure.text(MARGIN / PAGE, height, ABOUT_WHAT_IF, size=9, color=FAINT, va="center")


def _words(figure: Figure, title: Sequence[str], notes: Sequence[str]) -> None:
    """The title on top of the page, the notes at its foot."""
    width = PAGE - 2 * MARGIN
    left, inch = MARGIN / PAGE, 1 / figure.get_figheight()
    heading, style = plain(fitted(title[0], width, 13, bold=True)), dict[str, Any](va="center")
    figure.text(left, 1 - 0.28 * inch, heading, weight="bold", size=13, color=PALE, **style)
    for row, line in enumerate(title[1:], start=1):
        figure.text(left, 1 - (0.32 + NOTE * row) * inch, plain(fitted(line, width, 9)), size=9, color=FAINT, **style)
    for row, line in enumerate(reversed(notes)):
        colour = PALE if row else FAINT
        figure.text(left, (0.22 + NOTE * row) * inch, plain(line), color=colour, size=8.5, **style)


def _answers(axes: Axes, probabilities: Mapping[str, float]) -> None:
    """Probabilities beside a frame, the highest one bright."""
    axes.set(xlim=(0, 1), ylim=(FRAME / LINE, 0))
    axes.axis("off")
    for row, (name, p) in enumerate(probabilities.items()):
        top = max(probabilities.values()) == p
        _say(axes, 0, row + 0.5, short(name, 20), PALE if top else FAINT, size=7.5)
        _say(axes, 1, row + 0.5, f"{p:.2f}", PALE if top else FAINT, size=7.5, bold=top)


def _bars(axes: Axes, probabilities: Mapping[str, float]) -> float:
    """Probabilities as bars; returns the line on which the next part begins."""
    _say(axes, 0, 0.5, "Probability", PALE, bold=True)
    for row, (name, p) in enumerate(probabilities.items(), start=1):
        top = max(probabilities.values()) == p
        _say(axes, 0, row + 0.5, short(name, 23), PALE if top else FAINT)
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36, 0.56, color=TROUGH_COLOUR))
        axes.add_patch(Rectangle((0.5, row + 0.22), 0.36 * p, 0.56, color=BAR_COLOUR if top else FAINT))
        _say(axes, 1, row + 0.5, f"{p:.2f}", PALE if top else FAINT)
    return len(probabilities) + 1.6


def _table(axes: Axes, agreement: Mapping[str, Any], colour: str, top: float) -> float:
    """The scores against one reader's mask; returns the line on which the next table begins."""
    columns = {"attention": agreement, **agreement["controls"]}
    places = {"attention": 0.62, "random": 0.81, "centre": 1.0}
    reader = f"{short(agreement['reader'], 26)} ({agreement['kind']})"
    _say(axes, 0, top + 0.5, reader, colour, bold=True)
    _say(axes, 0, top + 1.5, f"mask: {agreement['area_fraction']:.1%} of picture", size=8)
    axes.plot([0, 1], [top + 2.05] * 2, color=RULE_COLOUR, linewidth=0.8)
    for name, x in places.items():
        _say(axes, x, top + 1.5, name, size=8)
    for y, score in enumerate(SCORES):
        _say(axes, 0, top + y + 2.6, score.name, PALE)
        for name, x in places.items():
            own = name == "attention"
            _say(axes, x, top + y + 2.6, score_text(columns[name][score.key]), PALE if own else FAINT, bold=own)
    return top + 7.8


def _say(
    axes: Axes, x: float, y: float, text: str, colour: str = FAINT, *, size: float = 9, bold: bool = False
) -> None:
    axes.text(
        x, y, plain(text), color=colour, size=size, weight="bold" if bold else "normal",
        va="center", ha="right" if x > 0 else "left",
    )  # fmt: skip
