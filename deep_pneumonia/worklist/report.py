"""The report of a whole work list, a PDF of a few A4 pages: progress, agreement with doctors, and failures.

Patients are counted and never named. Only file names, as the user gave them, could identify a person.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from deep_pneumonia.drawing.charts import INK
from deep_pneumonia.drawing.lettering import fitted, width_of, wrapped
from deep_pneumonia.drawing.pages import GREY, MARGIN, NOTE, WIDE, Sheet
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.files import write_bytes
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.worklist.plots import Plot, bar
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.rows import Row
from deep_pneumonia.worklist.statistics import patient_key
from deep_pneumonia.worklist.statistics_charts import (
    VALUE_WIDTH,
    draw_bars,
    draw_grid,
    draw_histogram,
    draw_intervals,
    label_width,
)

# Inches. Labels stand beside plots of half and of full width.
BLOCK_GAP, ROW_HEIGHT, CELL_WIDTH, HISTOGRAM_HEIGHT = 0.3, 0.24, 0.95, 1.4
LABEL_WIDTH, WIDE_LABEL_WIDTH = 1.6, 2.4
MAX_TABLE_ROWS = 40
WRONG_COLOUR = "#b34700"
HISTOGRAM_KEY = "iou"  # the plot that is drawn as a histogram
# Plots in their order; those in one tuple stand side by side.
LAYOUT = (
    ("progress", "accuracy"), ("confusion",), ("iou",), ("hit_by_class", "iou_by_class"),
    ("hit_by_reader", "iou_by_reader"), ("verdicts",), ("kappa",),
)  # fmt: skip
HEADLINES = (
    ("accuracy", "Label predicted", "share of the {n} labelled cases in which the model predicts the label"),
    (
        "hit_by_class",
        SCORE_BY_KEY["hit"].name,
        "share of the {n} cases with a mask in which the attention's highest point lies in it",
    ),
    (
        "iou_by_class",
        f"Mean {SCORE_BY_KEY['iou'].name}",
        "overlap of attention and mask over their union, the mean of {n} cases",
    ),
)
INTERVAL_NOTE = (
    "Intervals are 95%, from a thousand bootstrap samples of the patients. A score of a group says little where its "
    "interval is wide. All scores go from 0 to 1, kappa from \u22121."
)
DISAGREEMENT_NOTE = (
    "Furthest apart first. Apart: 1 minus the mean IoU over the readers who drew a lesion; where all readers read the "
    "radiograph as normal, the highest attention that is shown all the same. A predicted class that is not the label "
    "is in colour."
)
COLUMN_WIDTHS = {
    "Case": 1.95, "Label": 1.05, "Predicted": 1.05, "Prob.": 0.42, "Apart": 0.42, "IoU": 0.42, "Hit": 0.42,
    "Verdicts": 1.5,
}  # fmt: skip


def set_report(
    path: str | Path,
    rows: Sequence[Row],
    plots: Sequence[Plot],
    *,
    name: str,
    checkpoint_name: str,
    checkpoint_sha256: str,
    day: str,
) -> None:
    """Write the report of `rows` and their `tally`, whole or not at all, and the same bytes every time.

    name: the list's. day: the report's, ISO 8601. The checkpoint is the one that made the predictions.

    Raises:
        DeepPneumoniaError: the file cannot be written.
    """
    heading = [
        name,
        f"Report of {day}. Cases: {len(rows)}, patients: {len({patient_key(r) for r in rows})}.",
        f"Checkpoint {checkpoint_name}, SHA-256 {checkpoint_sha256}.",
    ]
    stream = io.BytesIO()  # matplotlib leaves half a file, and an error of its own, where a disk is full
    with PdfPages(stream, metadata={"CreationDate": None}) as file:
        for page in pages(rows, plots, heading):
            file.savefig(page)
    write_bytes(stream.getvalue(), path)


def pages(rows: Sequence[Row], plots: Sequence[Plot], heading: Sequence[str]) -> list[Figure]:
    """The pages, A4; the first line of `heading` names the list."""
    by_key = {p["key"]: p for p in plots}
    sheet = Sheet()
    sheet.heading(heading)
    _headlines(sheet, rows, by_key)
    for keys in LAYOUT:
        _beside(sheet, [by_key[key] for key in keys])
    _table(sheet, rows)
    sheet.finish()
    return sheet.pages


def _headlines(sheet: Sheet, rows: Sequence[Row], plots: Mapping[str, Plot]) -> None:
    """The scores to read first, large, with their meaning."""
    width = (WIDE - 3 * BLOCK_GAP) / 4
    predicted, judged = sum(bool(r["predicted"]) for r in rows), sum(bool(r["verdicts"]) for r in rows)
    about = f"cases that have a prediction; {judged} have a reviewer's verdict"
    found = [("Predicted", f"{predicted}", f"of {len(rows)}", about)]
    for key, title, about in HEADLINES:
        plot = plots[key]
        first = plot["bars"][0] if plot["kind"] != "grid" and plot["bars"] else bar(title, [])
        found.append((title, *Estimate.from_json(first).parts(), about.format(n=first["n"])))
    ends = [_headline(sheet, MARGIN + n * (width + BLOCK_GAP), width, *one) for n, one in enumerate(found)]
    sheet.y = sheet.lines(MARGIN, max(ends) + 0.12, INTERVAL_NOTE, WIDE) + BLOCK_GAP


def _headline(sheet: Sheet, x: float, width: float, title: str, value: str, inside: str, about: str) -> float:
    sheet.say(x, sheet.y + 0.1, title, 8.5, weight="bold")
    sheet.say(x, sheet.y + 0.42, value, 22)
    sheet.say(x + 0.08 + width_of(value, 22), sheet.y + 0.48, inside, 8.5, GREY)
    return sheet.lines(x, sheet.y + 0.68, about, width)


def _beside(sheet: Sheet, plots: Sequence[Plot]) -> None:
    """Plots side by side, one row of the page; it turns where there is no room."""
    width = (WIDE - BLOCK_GAP * (len(plots) - 1)) / len(plots)
    notes = max(len(wrapped(p["note"], width, 7.5)) for p in plots) * NOTE + 0.3
    sheet.room(notes + max(_height(p) for p in plots) + 0.25)
    for number, plot in enumerate(plots):
        x = MARGIN + number * (width + BLOCK_GAP)
        sheet.say(x, sheet.y + 0.1, plot["title"], 10.5, weight="bold")
        sheet.lines(x, sheet.y + 0.24, plot["note"], width)
        if _height(plot):
            _draw(sheet, plot, x, sheet.y + notes + 0.15 * (plot["kind"] == "grid"), width)
    sheet.y += notes + max(_height(p) for p in plots) + 0.25 + BLOCK_GAP


def _height(plot: Plot) -> float:
    """Inches that a plot takes; 0 where it has nothing to show, and its note says why."""
    counts = (
        [line["n"] for line in plot["bars"]] if plot["kind"] != "grid" else [c["n"] for r in plot["cells"] for c in r]
    )
    if not any(counts):
        return 0
    if plot["key"] == HISTOGRAM_KEY:
        return HISTOGRAM_HEIGHT
    return ROW_HEIGHT * len(plot["bars"]) if plot["kind"] != "grid" else ROW_HEIGHT * len(plot["cells"]) + 0.15


def _draw(sheet: Sheet, plot: Plot, x: float, y: float, width: float) -> None:
    label = label_width(plot, LABEL_WIDTH if width < WIDE else WIDE_LABEL_WIDTH)
    height = _height(plot)
    if plot["kind"] == "intervals":
        draw_intervals(sheet.axes(x + label, y, width - label - VALUE_WIDTH, height), plot, label)
    elif plot["kind"] == "grid":
        across = min(CELL_WIDTH, (width - label) / len(plot["columns"]))
        axes = sheet.axes(x + label, y, across * len(plot["columns"]), height - 0.15)
        draw_grid(axes, plot, label, across - 0.06)
    elif plot["key"] == HISTOGRAM_KEY:
        draw_histogram(sheet.axes(x, y, width, height), plot)
    else:
        draw_bars(sheet.axes(x + label, y, width - label - 0.5, height), plot, label)


def _table(sheet: Sheet, rows: Sequence[Row]) -> None:
    """The cases where attention and doctors are furthest apart, on a page of their own."""
    known = sorted(
        (r for r in rows if r["disagreement"] is not None), key=lambda r: (-(r["disagreement"] or 0), r["id"])
    )
    sheet.turn()
    sheet.say(MARGIN, sheet.y + 0.1, "Where attention and doctors are furthest apart", 10.5, weight="bold")
    if not known:
        sheet.lines(MARGIN, sheet.y + 0.24, "No case has both a prediction and a doctor's mask.", WIDE)
        return
    count = f"{min(MAX_TABLE_ROWS, len(known))} of {len(known)} cases."
    sheet.y = sheet.lines(MARGIN, sheet.y + 0.24, f"{count} {DISAGREEMENT_NOTE}", WIDE) + 0.2
    _line(sheet, {name: name for name in COLUMN_WIDTHS}, head=True)
    for row in known[:MAX_TABLE_ROWS]:
        _line(sheet, _cells(row), wrong=bool(row["label"]) and row["label"] != row["predicted"])


def _cells(row: Row) -> dict[str, str]:
    said = Counter(v["verdict"] for v in row["verdicts"].values())
    scores = {"Prob.": row["probability"], "Apart": row["disagreement"], "IoU": row["iou"], "Hit": row["hit"]}
    texts = {name: "\u2013" if value is None else f"{value:.2f}" for name, value in scores.items()}
    if row["hit"] in (0, 1):
        texts["Hit"] = "yes" if row["hit"] else "no"
    return {
        "Case": row["name"],
        "Label": row["label"],
        "Predicted": row["predicted"] or "",
        **texts,
        "Verdicts": ", ".join(f"{said[v]} {v}" for v in VERDICTS if said[v]),
    }


def _line(sheet: Sheet, cells: Mapping[str, str], *, head: bool = False, wrong: bool = False) -> None:
    x, weight = MARGIN, "bold" if head else "normal"
    for name, width in COLUMN_WIDTHS.items():
        number = width < 0.5
        colour = WRONG_COLOUR if wrong and name == "Predicted" else INK
        text = fitted(cells[name], width - 0.14, 7, bold=head)
        place = x + width - 0.12 if number else x
        sheet.say(place, sheet.y + 0.1, text, 7, colour, weight=weight, ha="right" if number else "left")
        x += width
    sheet.y += 0.215
    sheet.rule(sheet.y - 0.01)
