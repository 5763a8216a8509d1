"""The report of a whole work list, a PDF of a few A4 pages: progress, agreement with doctors, and where it fails.

Nothing tells whose a radiograph is but its file's name as the person gave it; patients are counted, never named.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from deep_pneumonia.drawing.charts import INK
from deep_pneumonia.drawing.lettering import fitted, width_of, wrapped
from deep_pneumonia.drawing.pages import GREY, MARGIN, NOTE, WIDE, Sheet
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.files import whole
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.statistics import Plot, Row, patient
from deep_pneumonia.worklist.statistics_charts import (
    FIGURE,
    draw_bars,
    draw_grid,
    draw_histogram,
    draw_intervals,
    label_width,
)

# Inches: between blocks, a row of a plot, names beside a plot of half and of full width, a cell, the histogram.
GAP, ROW, LABEL, WIDE_LABEL, CELL, HISTOGRAM = 0.3, 0.24, 1.6, 2.4, 0.95, 1.4
MOST = 40  # cases in the table
WRONG = "#b34700"
# Plots in their order, those in one tuple side by side.
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
INTERVALS = (
    "Intervals are 95%: patients are drawn anew a thousand times, and 95% of the drawn sets give a figure within. A "
    "figure of a group says little where its interval is wide. All figures go from 0 to 1, kappa from \u22121."
)
DISAGREEMENT = (
    "Most apart first. Apart: 1 less the mean IoU over the readers who drew a lesion; where all read the radiograph as "
    "normal, the highest attention that is shown all the same. A predicted class that is not the label is in colour."
)
COLUMNS = {
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

    `name` is that of the list, `day` that of the report (ISO 8601); the checkpoint is the one that read the cases.

    Raises:
        DeepPneumoniaError: the file cannot be written.
    """
    heading = [
        name,
        f"Report of {day}. Cases: {len(rows)}, patients: {len({patient(r) for r in rows})}.",
        f"Checkpoint {checkpoint_name}, SHA-256 {checkpoint_sha256}.",
    ]
    with whole(path) as partial, PdfPages(partial, metadata={"CreationDate": None}) as file:
        for page in pages(rows, plots, heading):
            file.savefig(page)


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
    """The figures to read first, large and with what they mean."""
    width = (WIDE - 3 * GAP) / 4
    read, judged = (sum(bool(r[key]) for r in rows) for key in ("predicted", "verdicts"))
    found = [
        ("Read", f"{read}", f"of {len(rows)}", f"cases that the model has read; {judged} have a reviewer's verdict")
    ]
    for key, title, words in HEADLINES:
        one = next((b for b in plots[key]["bars"][:1]), {"n": 0, **Estimate().to_json()})
        found.append((title, *Estimate.from_json(one).parts(), words.format(n=one["n"])))
    ends = [_headline(sheet, MARGIN + n * (width + GAP), width, *one) for n, one in enumerate(found)]
    sheet.y = sheet.lines(MARGIN, max(ends) + 0.12, INTERVALS, WIDE) + GAP


def _headline(sheet: Sheet, x: float, width: float, title: str, value: str, inside: str, about: str) -> float:
    sheet.say(x, sheet.y + 0.1, title, 8.5, weight="bold")
    sheet.say(x, sheet.y + 0.42, value, 22)
    sheet.say(x + 0.08 + width_of(value, 22), sheet.y + 0.48, inside, 8.5, GREY)
    return sheet.lines(x, sheet.y + 0.68, about, width)


def _beside(sheet: Sheet, plots: Sequence[Plot]) -> None:
    """Plots side by side, one row of the page; it turns where there is no room."""
    width = (WIDE - GAP * (len(plots) - 1)) / len(plots)
    notes = max(len(wrapped(p["note"], width, 7.5)) for p in plots) * NOTE + 0.3
    sheet.room(notes + max(_tall(p) for p in plots) + 0.25)
    for number, plot in enumerate(plots):
        x = MARGIN + number * (width + GAP)
        sheet.say(x, sheet.y + 0.1, plot["title"], 10.5, weight="bold")
        sheet.lines(x, sheet.y + 0.24, plot["note"], width)
        if _tall(plot):
            _draw(sheet, plot, x, sheet.y + notes + 0.15 * (plot["kind"] == "grid"), width)
    sheet.y += notes + max(_tall(p) for p in plots) + 0.25 + GAP


def _tall(plot: Plot) -> float:
    """Inches that a plot takes, 0 where it has nothing to show: then its note says why."""
    parts = plot["bars"] if "bars" in plot else [cell for line in plot["cells"] for cell in line]
    if not any(part["n"] for part in parts):
        return 0
    if plot["key"] == "iou":
        return HISTOGRAM
    return ROW * len(plot["cells"]) + 0.15 if plot["kind"] == "grid" else ROW * len(plot["bars"])


def _draw(sheet: Sheet, plot: Plot, x: float, y: float, width: float) -> None:
    label, tall = label_width(plot, LABEL if width < WIDE else WIDE_LABEL), _tall(plot)
    if plot["key"] == "iou":
        draw_histogram(sheet.axes(x, y, width, tall), plot)
    elif plot["kind"] == "bars":
        draw_bars(sheet.axes(x + label, y, width - label - 0.5, tall), plot, label)
    elif plot["kind"] == "intervals":
        draw_intervals(sheet.axes(x + label, y, width - label - FIGURE, tall), plot, label)
    else:
        across = min(CELL, (width - label) / len(plot["columns"]))
        axes = sheet.axes(x + label, y, across * len(plot["columns"]), tall - 0.15)
        draw_grid(axes, plot, label, across - 0.06)


def _table(sheet: Sheet, rows: Sequence[Row]) -> None:
    """The cases where attention and doctors are furthest apart, on a page of their own."""
    known = sorted((r for r in rows if r["disagreement"] is not None), key=lambda r: (-r["disagreement"], r["id"]))
    sheet.turn()
    sheet.say(MARGIN, sheet.y + 0.1, "Where attention and doctors are furthest apart", 10.5, weight="bold")
    if not known:
        sheet.lines(MARGIN, sheet.y + 0.24, "No case is read that a doctor has judged.", WIDE)
        return
    many = f"{min(MOST, len(known))} of {len(known)} cases."
    sheet.y = sheet.lines(MARGIN, sheet.y + 0.24, f"{many} {DISAGREEMENT}", WIDE) + 0.2
    _line(sheet, {name: name for name in COLUMNS}, head=True)
    for row in known[:MOST]:
        _line(sheet, _cells(row), wrong=bool(row["label"]) and row["label"] != row["predicted"])


def _cells(row: Row) -> dict[str, str]:
    said = Counter(v["verdict"] for v in row["verdicts"].values())
    scores = {"Prob.": row["probability"], "Apart": row["disagreement"], "IoU": row["iou"], "Hit": row["hit"]}
    texts = {name: "\u2013" if value is None else f"{value:.2f}" for name, value in scores.items()}
    return {
        "Case": row["name"],
        "Label": row["label"],
        "Predicted": row["predicted"],
        **texts,
        "Hit": {1: "yes", 0: "no"}.get(row["hit"], texts["Hit"]),
        "Verdicts": ", ".join(f"{said[v]} {v}" for v in VERDICTS if said[v]),
    }


def _line(sheet: Sheet, cells: Mapping[str, str], *, head: bool = False, wrong: bool = False) -> None:
    x, weight = MARGIN, "bold" if head else "normal"
    for name, width in COLUMNS.items():
        number = width < 0.5
        colour = WRONG if wrong and name == "Predicted" else INK
        text = fitted(cells[name], width - 0.14, 7, bold=head)
        place = x + width - 0.12 if number else x
        sheet.say(place, sheet.y + 0.1, text, 7, colour, weight=weight, ha="right" if number else "left")
        x += width
    sheet.y += 0.215
    sheet.rule(sheet.y - 0.01)
