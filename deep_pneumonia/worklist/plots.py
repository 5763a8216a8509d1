"""Plots of a work list as JSON: what the page and the report draw, and the cases behind every part of it.

Each part of a plot names the `ids` of its rows, in their order, and `n`, their number. A plot's `note` is one or two
sentences that may include names from the list.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.worklist.rows import Row


class Cell(TypedDict):
    """Rows that are counted together."""

    n: int
    ids: list[int]


class Bar(Cell):
    """Named rows, drawn as a bar of length `n` or as a point at `value` in its interval; None if undefined."""

    name: str
    value: float | None
    low: float | None
    high: float | None


class BarPlot(TypedDict):
    """Counts, one bar each."""

    key: str
    title: str
    note: str
    kind: Literal["bars"]
    bars: list[Bar]


class IntervalPlot(TypedDict):
    """Values with their intervals, all within `range`."""

    key: str
    title: str
    note: str
    kind: Literal["intervals"]
    range: list[float]
    bars: list[Bar]


class GridPlot(TypedDict):
    """Counts in a table; `cells` has one list per name in `rows`, with one cell per name in `columns`."""

    key: str
    title: str
    note: str
    kind: Literal["grid"]
    rows: list[str]
    columns: list[str]
    cells: list[list[Cell]]


Plot = BarPlot | IntervalPlot | GridPlot


def interval_plot(
    key: str, title: str, note: str, bars: list[Bar], empty_note: str = "None is known yet."
) -> IntervalPlot:
    """An interval plot whose range goes below zero only where a bar does. `empty_note` is added if it has no bars."""
    below = any(end is not None and end < 0 for b in bars for end in (b["value"], b["low"]))
    return {
        "key": key,
        "title": title,
        "note": note if bars else f"{note} {empty_note}",
        "kind": "intervals",
        "range": [-1, 1] if below else [0, 1],
        "bars": bars,
    }


def bar(name: str, rows: Sequence[Row], estimate: Estimate = Estimate()) -> Bar:  # noqa: B008 (frozen)
    """Rows under a name, with an estimate where the bar is a point."""
    return {"name": name, **cell(rows), "value": estimate.value, "low": estimate.low, "high": estimate.high}


def cell(rows: Sequence[Row]) -> Cell:
    """Rows that are counted together."""
    return {"n": len(rows), "ids": [r["id"] for r in rows]}
