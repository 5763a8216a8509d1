"""Draws the plots of a work list on a page: bars, counts in a grid, and points with their intervals.

Each function takes axes and a plot from `statistics`. Names of rows stand left of the axes, in `label` inches, and so
do the numbers of cases behind points; values with their intervals stand right of the axes, in `VALUE_WIDTH` inches.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from deep_pneumonia.drawing.charts import GRID, INK, SOURCE_COLOURS
from deep_pneumonia.drawing.lettering import fitted, plain, width_of, wrapped
from deep_pneumonia.drawing.pictures import FAINT
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.worklist.plots import BarPlot, GridPlot, IntervalPlot, Plot

VALUE_WIDTH, COUNT_WIDTH = 1.1, 0.4  # inches beside the axes; a count takes its width from the label
FONT_SIZE, SMALL_FONT_SIZE = 7.5, 7.0  # points
BAR_COLOUR, GREY = SOURCE_COLOURS[0], "#5f686f"


def draw_bars(axes: Axes, plot: BarPlot, label: float) -> None:
    """Counts as horizontal bars, one below the other."""
    bars = plot["bars"]
    counts = [b["n"] for b in bars]
    axes.barh(range(len(bars)), counts, height=0.62, color=BAR_COLOUR)
    for y, n in enumerate(counts):
        axes.annotate(
            f"{n}", (n, y), (3, 0), textcoords="offset points", va="center_baseline", size=FONT_SIZE, color=INK
        )
    _labels(axes, [b["name"] for b in bars], label)
    _rows(axes, len(bars))
    axes.set(xlim=(0, max([1, *counts])), xticks=[])
    axes.spines[:].set_visible(False)


def draw_histogram(axes: Axes, plot: BarPlot) -> None:
    """Counts as vertical bars, side by side."""
    bars = plot["bars"]
    counts = [b["n"] for b in bars]
    places = [x + 0.3 * (x == len(bars) - 1) for x in range(len(bars))]  # cases without a value stand apart
    axes.bar(places, counts, width=0.86, color=[BAR_COLOUR] * (len(bars) - 1) + [FAINT])
    for x, n in zip(places, counts, strict=True):
        axes.annotate(f"{n}", (x, n), (0, 2), textcoords="offset points", ha="center", size=FONT_SIZE, color=INK)
    axes.set_xticks(places, ["\n".join(map(plain, wrapped(b["name"], 0.6, FONT_SIZE))) for b in bars])
    axes.set(ylim=(0, 1.12 * max([1, *counts])), yticks=[], xlim=(-0.5, len(bars) - 0.2))
    axes.tick_params(labelsize=FONT_SIZE, colors=INK, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def draw_intervals(axes: Axes, plot: IntervalPlot, label: float) -> None:
    """Points with their intervals, and the same as numbers beside them."""
    bars, (low, high) = plot["bars"], plot["range"]
    for y, b in enumerate(bars):
        value = b["value"]
        if value is not None:
            axes.plot([value], [y], "o", color=BAR_COLOUR, markersize=4.5, clip_on=False)
        if b["low"] is not None and b["high"] is not None:
            axes.plot([b["low"], b["high"]], [y, y], color=BAR_COLOUR, linewidth=1.6, solid_capstyle="butt")
        _beside(axes, 1, 6, y, str(Estimate.from_json(b)), INK if value is not None else GREY, "left")
        _beside(axes, 0, -6, y, f"{b['n']}", GREY, "right")
    _labels(axes, [b["name"] for b in bars], label - COUNT_WIDTH, COUNT_WIDTH)
    _rows(axes, len(bars))
    middle = (low + high) / 2
    axes.set(xlim=(low, high))
    axes.set_xticks([low, middle, high], [f"{t:g}" for t in (low, middle, high)])
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.tick_params(axis="x", labelsize=SMALL_FONT_SIZE, colors=GREY, length=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def draw_grid(axes: Axes, plot: GridPlot, label: float, across: float) -> None:
    """Counts in cells, shaded by their share of the row. The names of columns stand above, each in `across` inches."""
    counts = np.array([[cell["n"] for cell in line] for line in plot["cells"]]).reshape(len(plot["rows"]), -1)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    if counts.size:
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), n in np.ndenumerate(counts):
        ink = "white" if share[row, column] > 0.55 else INK
        axes.text(column, row, f"{n}", ha="center", va="center_baseline", size=FONT_SIZE, color=ink)
    _labels(axes, plot["rows"], label)
    names = [plain(fitted(name, across, SMALL_FONT_SIZE)) for name in plot["columns"]]
    axes.set_xticks(range(len(names)), names)
    axes.tick_params(axis="x", labelsize=SMALL_FONT_SIZE, colors=INK, length=0, labeltop=True, labelbottom=False, pad=2)
    axes.spines[:].set_visible(False)


def label_width(plot: Plot, limit: float) -> float:
    """Inches, at most `limit`, that the names of a plot's rows and the counts of its points need beside it."""
    names = plot["rows"] if plot["kind"] == "grid" else [b["name"] for b in plot["bars"]]
    count = COUNT_WIDTH if plot["kind"] == "intervals" else 0
    return min(limit, max((width_of(name, FONT_SIZE) for name in names), default=0) + count + 0.15)


def _labels(axes: Axes, names: Sequence[str], inches: float, away: float = 0.0) -> None:
    axes.set_yticks(range(len(names)), [plain(fitted(name, inches - 0.1, FONT_SIZE)) for name in names])
    axes.tick_params(axis="y", labelsize=FONT_SIZE, colors=INK, length=0, pad=4 + 72 * away)


def _rows(axes: Axes, count: int) -> None:
    axes.set_ylim(max(count, 1) - 0.5, -0.5)


def _beside(axes: Axes, x: float, away: float, y: float, text: str, colour: str, side: str) -> None:
    """Text `away` points from an end (0 left, 1 right) of a row."""
    axes.annotate(
        text, (x, y), (away, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
        va="center_baseline", ha=side, size=SMALL_FONT_SIZE, color=colour, annotation_clip=False,
    )  # fmt: skip
