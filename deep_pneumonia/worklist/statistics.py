"""Statistics of a work list: progress, agreement of model, doctors and reviewers, each as a plot in JSON.

Intervals are 95%, from a bootstrap over patients (`evaluation.bootstrap`), so equal rows give equal plots.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import Resampling
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.worklist.plots import Bar, BarPlot, GridPlot, IntervalPlot, Plot, bar, cell, interval_plot
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.rows import Row

IOU_BINS = 10
MAX_NAMES = 12  # classes or readers in a plot; with more, no plot can be read
MAX_REVIEWERS = 8
OTHER, NO_LABEL, ALL_CASES = "others", "no label", "all"
MAX_REASONS = 3  # reasons in one note
ScoreKey = Literal["hit", "iou"]
# Key, title and explanation of each score that is plotted.
PLOTTED_SCORES: tuple[tuple[ScoreKey, str, str], ...] = (
    ("hit", SCORE_BY_KEY["hit"].name, "Share of cases in which the highest point of the attention lies in the mask"),
    ("iou", f"Mean {SCORE_BY_KEY['iou'].name}", "Mean intersection over union of attention and mask"),
)


def tally(rows: Sequence[Row]) -> list[Plot]:
    """Every plot of a work list: progress, confusion, accuracy, iou, hit_by_class, iou_by_class, hit_by_reader,
    iou_by_reader, verdicts and kappa, with these keys and in this order. 10,000 rows take about half a second."""
    patients = Resampling([patient_key(r) for r in rows])
    labels = _classes(r["label"] or NO_LABEL for r in rows)
    readers = _frequent((a["reader"] for r in rows for a in r["agreement"]), MAX_NAMES)
    reviewers = _frequent((name for r in rows for name in r["verdicts"]), MAX_REVIEWERS)
    return [
        progress(rows, reviewers),
        confusion(rows),
        accuracy(rows, labels, patients),
        overlap(rows),
        *_by_class(rows, labels, patients),
        *_by_reader(rows, readers, patients),
        verdicts(rows, reviewers),
        kappas(rows, reviewers, patients),
    ]


def progress(rows: Sequence[Row], reviewers: Sequence[str]) -> BarPlot:
    """How many cases have a prediction, and how many each reviewer judged."""
    predicted = [r for r in rows if _is_predicted(r)]
    broken = [r for r in rows if r["problem"]]
    judged = [r for r in rows if r["verdicts"]]
    bars = [bar("in the list", rows), bar("predicted", predicted)]
    bars += [bar("cannot be read", broken)] if broken else []
    bars += [bar("reviewed", judged)]
    bars += [bar(f"reviewed by {name}", [r for r in rows if name in r["verdicts"]]) for name in reviewers]
    bars += [bar("not reviewed yet", [r for r in rows if not r["verdicts"]])]
    note = f"{len(predicted)} of {_cases(rows)} have a prediction, {len(judged)} have a verdict of a reviewer."
    return {"key": "progress", "title": "Progress", "note": note, "kind": "bars", "bars": bars}


def confusion(rows: Sequence[Row]) -> GridPlot:
    """Labels (rows of the grid) against predicted classes (columns), for the predicted cases."""
    known = [(r, r["predicted"]) for r in rows if r["predicted"] is not None]
    names = _classes([predicted for _, predicted in known] + [r["label"] for r, _ in known if r["label"]])
    labels = list(dict.fromkeys([*names, NO_LABEL])) if any(not r["label"] for r, _ in known) else names
    cells: dict[tuple[str, str], list[Row]] = {}
    for r, predicted in known:
        cells.setdefault((_among(r["label"] or NO_LABEL, labels), _among(predicted, names)), []).append(r)
    right = sum(len(found) for (label, predicted), found in cells.items() if label == predicted != OTHER)
    note = "Rows are labels, columns what the model predicts. "
    note += f"{right} of {_cases(known)} stand on the diagonal." if known else "No case has a prediction yet."
    return {
        "key": "confusion",
        "title": "Predicted class against label",
        "note": note,
        "kind": "grid",
        "rows": labels,
        "columns": names,
        "cells": [[cell(cells.get((label, predicted), [])) for predicted in names] for label in labels],
    }


def accuracy(rows: Sequence[Row], labels: Sequence[str], patients: Resampling) -> IntervalPlot:
    """Share of the cases whose label is predicted, over all and by label."""
    right = {i: float(r["label"] == r["predicted"]) for i, r in enumerate(rows) if _is_predicted(r) and r["label"]}
    note = "Share of the cases of each label that the model puts into that class."
    return interval_plot("accuracy", "Label predicted", note, _label_bars(rows, labels, right, patients))


def overlap(rows: Sequence[Row]) -> BarPlot:
    """How many cases have which IoU, the mean over readers, and in how many nothing is drawn."""
    bins: list[list[Row]] = [[] for _ in range(IOU_BINS)]
    nothing, known = [], []
    for r in rows:
        iou = r["iou"]
        if iou is not None:
            known.append(iou)
            bins[min(int(iou * IOU_BINS), IOU_BINS - 1)].append(r)
        elif _is_predicted(r):
            nothing.append(r)
    bars = [bar(f"{i / IOU_BINS:.1f} to {(i + 1) / IOU_BINS:.1f}", found) for i, found in enumerate(bins)]
    mean = f"The mean is {math.fsum(known) / len(known):.2f} over {_cases(known)}." if known else "None is known yet."
    note = f"Intersection over union of attention and mask, the mean over a case's readers. {mean}"
    bars.append(bar("nothing drawn", nothing))
    return {"key": "iou", "title": "Overlap of attention and mask", "note": note, "kind": "bars", "bars": bars}


def _by_class(rows: Sequence[Row], labels: Sequence[str], patients: Resampling) -> list[Plot]:
    plots: list[Plot] = []
    for key, title, meaning in PLOTTED_SCORES:
        known = {i: float(score) for i, r in enumerate(rows) if (score := r[key]) is not None}
        bars = _label_bars(rows, labels, known, patients)
        note = f"{meaning}, the mean over a case's readers."
        plots.append(interval_plot(f"{key}_by_class", f"{title} by class", note, bars))
    return plots


def _by_reader(rows: Sequence[Row], readers: Sequence[str], patients: Resampling) -> list[Plot]:
    plots: list[Plot] = []
    for key, title, meaning in PLOTTED_SCORES:
        known: dict[str, dict[int, float]] = {name: {} for name in readers}
        for i, r in enumerate(rows):
            for scores in r["agreement"]:
                if (score := scores[key]) is not None:
                    known.setdefault(scores["reader"], {})[i] = float(score)
        bars = [_point(name, rows, known[name], patients) for name in readers if known[name]]
        note = f"{meaning}, for each doctor who drew masks."
        plots.append(interval_plot(f"{key}_by_reader", f"{title} by reader", note, bars))
    return plots


def verdicts(rows: Sequence[Row], reviewers: Sequence[str]) -> GridPlot:
    """How often each reviewer gave each verdict."""
    cells = [
        [cell([r for r in rows if name in r["verdicts"] and r["verdicts"][name]["verdict"] == v]) for v in VERDICTS]
        for name in reviewers
    ]
    note = "Does the attention agree with the doctor, in the reviewer's eyes?"
    return {
        "key": "verdicts",
        "title": "Verdicts by reviewer",
        "note": note if reviewers else f"{note} No one has judged a case yet.",
        "kind": "grid",
        "rows": list(reviewers),
        "columns": list(VERDICTS),
        "cells": cells,
    }


def kappas(rows: Sequence[Row], reviewers: Sequence[str], patients: Resampling) -> IntervalPlot:
    """Cohen's kappa of each pair of reviewers over the four verdicts, unweighted, on the cases that both judged."""
    bars, reasons = [], []
    for a, b in combinations(reviewers, 2):
        both = [i for i, r in enumerate(rows) if a in r["verdicts"] and b in r["verdicts"]]
        first, second = ([VERDICTS.index(rows[i]["verdicts"][name]["verdict"]) for i in both] for name in (a, b))
        found = patients.kappa(both, first, second, len(VERDICTS)) if len(both) > 1 else Estimate()
        if len(both) < 2:
            reasons.append(f"{a} and {b} have judged {_cases(both)} in common, and kappa needs 2.")
        elif found.value is None:
            reasons.append(f"{a} and {b} gave all {_cases(both)} the same verdict, so chance alone would agree.")
        bars.append(bar(f"{a} and {b}", [rows[i] for i in both], found))
    more = [f"The same holds for {len(reasons) - MAX_REASONS} other pairs."] if len(reasons) > MAX_REASONS else []
    note = "Cohen's kappa: 1 where two reviewers always give the same verdict, 0 where no more often than by chance."
    note = " ".join([note, *reasons[:MAX_REASONS], *more])
    return interval_plot("kappa", "Agreement of reviewers", note, bars, "It needs two reviewers.")


def _label_bars(
    rows: Sequence[Row], labels: Sequence[str], known: Mapping[int, float], patients: Resampling
) -> list[Bar]:
    """A point over all known values, which are given by place in `rows`, and one for each label that has any."""
    groups: dict[str, dict[int, float]] = {name: {} for name in labels}
    for i, value in known.items():
        groups[_among(rows[i]["label"] or NO_LABEL, labels)][i] = value
    return [_point(name, rows, group, patients) for name, group in [(ALL_CASES, known), *groups.items()] if group]


def _point(name: str, rows: Sequence[Row], known: Mapping[int, float], patients: Resampling) -> Bar:
    return bar(name, [rows[i] for i in known], patients.mean(list(known), list(known.values())))


def _frequent(names: Iterable[str], limit: int) -> list[str]:
    """The `limit` most frequent names, in alphabetical order."""
    ranked = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return sorted(name for name, _ in ranked[:limit])


def _classes(labels: Iterable[str]) -> list[str]:
    """Names of classes, `OTHER` in place of those beyond the limit, and `NO_LABEL` last."""
    found = list(labels)
    names = [name for name in _frequent(found, MAX_NAMES) if name != NO_LABEL]
    return names + [OTHER] * bool(set(found) - {*names, NO_LABEL, OTHER}) + [NO_LABEL] * (NO_LABEL in found)


def _among(name: str, names: Sequence[str]) -> str:
    return name if name in names else OTHER


def patient_key(row: Row) -> str:
    """The patient of a case, unique over sources; a case without a patient counts as a patient of its own."""
    return f"{row['source']}/{row['patient']}" if row["patient"] else f"case {row['id']}"


def _is_predicted(row: Row) -> bool:
    return row["predicted"] is not None


def _cases(found: Sequence[object]) -> str:
    return f"{len(found)} case" + ("s" if len(found) != 1 else "")
