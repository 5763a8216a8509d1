"""Charts of a training run and of an evaluation, from plain arrays or from the dicts of metrics.json.

The colours are those of Okabe and Ito (2008), which differ for any colour vision. Intervals are 95%, over patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deep_pneumonia.drawing.lettering import plain
from deep_pneumonia.drawing.pictures import (
    DARK,
    FAINT,
    blank,
    overlay,
    save_picture,
    show,
    trace,
)
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.scores import SCORES

SOURCE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
METHODS = {
    "attention": ("Attention", "#0072B2"),
    "grad_cam": ("Grad-CAM", "#E69F00"),
    "random": ("Random map", "#BBBBBB"),
    "centre": ("Lung centres", "#777777"),
}
INK, GRID = "#22272b", "#e3e6e8"
BIN_COUNT = 10


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a sheet: radiograph and attention, both (H, W) in [0, 1], readers' masks and a caption."""

    pixels: NDArray[np.floating[Any]]
    attention: NDArray[np.floating[Any]] | None
    annotations: Sequence[Annotation]
    caption: str


def curves(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write one small panel for each number in the log's records, against the epoch.

    Every record has "epoch", which need not be whole. Other numbers may be in some records only.
    """
    names = [k for k in dict.fromkeys(k for record in log for k in record) if k not in ("epoch", "step")]
    names = [k for k in names if any(_is_number(record.get(k)) for record in log)]
    columns = min(4, max(1, len(names)))
    rows = max(1, -(-len(names) // columns))
    figure = blank((3.1 * columns, 2.3 * rows))
    for number, name in enumerate(names, start=1):
        axes = figure.add_subplot(rows, columns, number)
        points = [(r["epoch"], r[name]) for r in log if _is_number(r.get(name))]
        axes.plot(*zip(*points, strict=True), color=SOURCE_COLOURS[0], linewidth=1.3, marker=".", markersize=3)
        style(axes, plain(name), "epoch" if number > len(names) - columns else "")
    figure.tight_layout()
    save_picture(figure, path)


def roc_chart(
    scores: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.floating[Any]]]], auroc: Mapping[str, Estimate]
) -> Figure:
    """Receiver operating characteristic of each source.

    scores: by source, whether each image is positive (N,) and its score (N,). auroc: by source.
    """
    figure = blank((5.2, 5.0))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle=(0, (4, 3)))
    for (source, (positive, score)), colour in zip(scores.items(), cycle(SOURCE_COLOURS)):
        if positive.all() or not positive.any():
            continue
        label = f"{plain(source)}: {auroc[source]:.3f}"
        axes.plot(*_roc(positive, score), color=colour, linewidth=1.8, label=label, clip_on=False)
    style(axes, "ROC, abnormal against normal", "1 \u2212 specificity", "sensitivity")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    if axes.get_legend_handles_labels()[0]:
        words = {"fontsize": 8.5, "title_fontsize": 8.5, "frameon": False, "alignment": "left"}
        axes.legend(loc="lower right", title="AUROC (95% interval)", **words)
    figure.tight_layout()
    return figure


def _roc(
    positive: NDArray[np.bool_], score: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    hits, misses = (np.append(0, np.cumsum(side[order])[last]) for side in (positive, ~positive))
    return misses / misses[-1], hits / hits[-1]


def calibration_chart(
    answers: Mapping[str, tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]], ece: Mapping[str, Estimate]
) -> Figure:
    """Share of correct predictions against their probability, in ten bins, with one panel for each source.

    answers: by source, the probability of the predicted class (N,) and whether that class is the label (N,).
    ece: the calibration error by source. The area of a point grows with its number of images. Its line is
    Wilson's 95% interval, which shows how little a bin with one image tells.
    """
    figure = blank((3.6 * len(answers) + 0.6, 4.3))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    for number, ((source, (confidence, correct)), colour) in enumerate(zip(answers.items(), cycle(SOURCE_COLOURS))):
        axes = figure.add_subplot(1, len(answers), number + 1)
        axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle=(0, (4, 3)))
        bins = np.minimum((confidence * BIN_COUNT).astype(int), BIN_COUNT - 1)
        count, right, said = (np.bincount(bins, w, BIN_COUNT) for w in (None, correct, confidence))
        used = count > 0
        x, y = said[used] / count[used], right[used] / count[used]
        axes.vlines(x, *_wilson(right[used], count[used]), color=colour, linewidth=1.2, alpha=0.6)
        axes.plot(x, y, color=colour, linewidth=1.4)
        axes.scatter(x, y, s=12 + 160 * count[used] / count.sum(), color=colour, alpha=0.75, linewidth=0, zorder=3)
        style(axes, f"{plain(source)}: {ece[source]:.3f}", "predicted probability", "" if number else "share correct")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    figure.suptitle("Calibration of the predicted class: error (95% interval)", size=10.5, color=INK)
    return figure


def _wilson(right: NDArray[Any], count: NDArray[Any]) -> NDArray[np.float64]:
    """Ends (2, N) of the 95% interval of the shares right / count, both (N,) (Wilson 1927)."""
    z = 1.959964
    centre, half = right + z**2 / 2, z * np.sqrt(right * (count - right) / count + z**2 / 4)
    return np.stack([centre - half, centre + half]) / (count + z**2)


def confusion_chart(confusions: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Counts of labels (rows) and predictions (columns) of each source, shaded by the share of the row.

    confusions: by source, {"classes": [...], "matrix": [[...]]}.
    """
    figure = blank((3.9 * len(confusions) + 1.3, 5.0))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    for number, (source, confusion) in enumerate(confusions.items(), start=1):
        axes = figure.add_subplot(1, len(confusions), number)
        matrix, names = np.asarray(confusion["matrix"]), [plain(c) for c in confusion["classes"]]
        share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(matrix):
            ink = "white" if share[row, column] > 0.55 else INK
            axes.text(column, row, f"{count}", ha="center", va="center", size=10, color=ink)
        ticks = range(len(names))
        axes.set_xticks(ticks, names, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, names if number == 1 else [""] * len(names))
        style(axes, f"{plain(source)}, {matrix.sum()} images", "predicted", "label" if number == 1 else "")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def agreement_chart(localisation: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Each score of agreement by method and source, from the "localisation" of metrics.json."""
    figure = blank((2.6 * len(SCORES) + 0.6, 3.4))
    for number, score in enumerate(SCORES, start=1):
        axes = figure.add_subplot(1, len(SCORES), number)
        for place, (method, (label, colour)) in enumerate(METHODS.items()):
            found = [
                (i, Estimate.from_json(s[method][score.key_of_mean]))
                for i, s in enumerate(localisation.values())
                if method in s
            ]
            for i, estimate in found:
                _bar(axes, i + 0.2 * (place - 1.5), estimate, colour)
            axes.bar([0], [0], color=colour, label=label)
        sources = [f"{plain(name)}\n{s['n']} images" for name, s in localisation.items()]
        axes.set_xticks(range(len(sources)), sources)
        style(axes, score.name, "", "mean over images" if number == 1 else "")
        axes.set(ylim=(0, 1), xlim=(-0.5, len(sources) - 0.5))
        axes.grid(visible=False, axis="x")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.legend(handles, labels, loc="lower center", ncols=len(METHODS), frameon=False, fontsize=9)
    return figure


def _bar(axes: Axes, x: float, estimate: Estimate, colour: str) -> None:
    if estimate.value is not None:
        axes.bar(x, estimate.value, width=0.18, color=colour)
    if estimate.low is not None and estimate.high is not None:
        axes.plot([x, x], [estimate.low, estimate.high], color=INK, linewidth=1.1)


def overlay_sheet(tiles: Sequence[Tile], columns: int = 4) -> Figure:
    """A grid of overlays with contours and captions on a dark page, `columns` wide at most."""
    columns = max(1, min(columns, len(tiles)))
    rows = -(-len(tiles) // columns)
    figure = blank((2.6 * columns, 2.95 * rows), DARK)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.3 / (2.95 * rows), wspace=0.03, hspace=0.14)
    for axes in grid[len(tiles) :]:
        axes.axis("off")
    for axes, tile in zip(grid, tiles, strict=False):
        shown = tile.pixels if tile.attention is None else overlay(tile.pixels, tile.attention)
        show(axes, shown, tile.caption, size=7.5)
        trace(axes, tile.annotations, width=0.9, legend=False)
    return figure


def style(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Set the title, labels, grid and spines that all charts share."""
    axes.set_title(title, loc="left", size=10.5, color=INK, weight="bold")
    axes.set_xlabel(x, size=9, color=INK)
    axes.set_ylabel(y, size=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK, length=3, color=FAINT)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
