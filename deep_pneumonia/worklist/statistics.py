"""Statistics of a work list, each as JSON from which a plot is drawn and the cases behind any part of it are found.

A row is a case as `worklist.row` gives it. A plot is {"key", "title", "note", "kind", ...}:
"grid"       rows, columns: names; cells[i][j] = {"n", "ids"}
"bars"       bars: [{"name", "n", "value": None, "low": None, "high": None, "ids"}], n is the length
"intervals"  the same, value in [low, high] is the point, each in `range`, or None where there is none
`ids` are the ids of the rows behind a part, in their order, and n is how many; `note` is a sentence or two of ours
and of the names in the list. Intervals are 95%, by drawing patients anew (`resampling`); equal rows give equal plots.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import Resampling
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.worklist.records import VERDICTS

Row = Mapping[str, Any]
Plot = dict[str, Any]

BINS = 10
MOST = 12  # classes or readers in a plot, and 8 reviewers: with more, no plot can be read
MOST_REVIEWERS = 8
OTHER, NO_LABEL, ALL = "others", "no label", "all"
SAID = 3  # reasons that a note gives
HIT, IOU = SCORE_BY_KEY["hit"], SCORE_BY_KEY["iou"]
# Key, title and explanation of each score that is plotted.
MEANS = (
    (HIT.key, HIT.name, "Share of cases in which the highest point of the attention lies in the mask"),
    (IOU.key, f"Mean {IOU.name}", "Mean intersection over union of attention and mask"),
)


def tally(rows: Sequence[Row]) -> list[Plot]:
    """Every plot of a work list: progress, confusion, accuracy, iou, hit_by_class, iou_by_class, hit_by_reader,
    iou_by_reader, verdicts and kappa, by their keys and in this order. 10,000 rows take about half a second."""
    patients = Resampling([patient(r) for r in rows])
    labels = _classes(r["label"] or NO_LABEL for r in rows)
    readers = _names((a["reader"] for r in rows for a in r["agreement"]), MOST)
    reviewers = _names((name for r in rows for name in r["verdicts"]), MOST_REVIEWERS)
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


def progress(rows: Sequence[Row], reviewers: Sequence[str]) -> Plot:
    """How many cases are read, and how many each reviewer judged."""
    read = [r for r in rows if _is_predicted(r)]
    broken = [r for r in rows if r.get("problem")]
    judged = [r for r in rows if r["verdicts"]]
    bars = [_bar("in the list", rows), _bar("read by the model", read)]
    bars += [_bar("cannot be read", broken)] if broken else []
    bars += [_bar("reviewed", judged)]
    bars += [_bar(f"reviewed by {name}", [r for r in rows if name in r["verdicts"]]) for name in reviewers]
    bars += [_bar("not reviewed yet", [r for r in rows if not r["verdicts"]])]
    note = f"{len(read)} of {_cases(rows)} are read by the model, {len(judged)} have a verdict of a reviewer."
    return {"key": "progress", "title": "Progress", "note": note, "kind": "bars", "bars": bars}


def confusion(rows: Sequence[Row]) -> Plot:
    """Labels (rows of the grid) against predicted classes (columns), of the cases that are read."""
    read = [r for r in rows if _is_predicted(r)]
    names = _classes([r["predicted"] for r in read] + [r["label"] for r in read if r["label"]])
    labels = list(dict.fromkeys([*names, NO_LABEL])) if any(not r["label"] for r in read) else names
    cells: dict[tuple[str, str], list[Row]] = {}
    for r in read:
        cells.setdefault((_among(r["label"] or NO_LABEL, labels), _among(r["predicted"], names)), []).append(r)
    right = sum(len(found) for (label, predicted), found in cells.items() if label == predicted != OTHER)
    note = "Rows are labels, columns what the model predicts. "
    note += f"{right} of {_cases(read)} stand on the diagonal." if read else "No case is read yet."
    grid = [[_cell(cells.get((label, predicted), [])) for predicted in names] for label in labels]
    head = {"key": "confusion", "title": "Predicted class against label", "note": note, "kind": "grid"}
    return {**head, "rows": labels, "columns": names, "cells": grid}


def accuracy(rows: Sequence[Row], labels: Sequence[str], patients: Resampling) -> Plot:
    """Share of the cases whose label is predicted, over all and by label."""
    right = {i: float(r["label"] == r["predicted"]) for i, r in enumerate(rows) if _is_predicted(r) and r["label"]}
    note = "Share of the cases of each label that the model puts into that class."
    return _intervals("accuracy", "Label predicted", note, _label_bars(rows, labels, right, patients))


def overlap(rows: Sequence[Row]) -> Plot:
    """How many cases have which IoU, the mean over readers, and how many have none because nothing is drawn."""
    bins: list[list[Row]] = [[] for _ in range(BINS)]
    nothing = []
    for r in rows:
        if r["iou"] is not None:
            bins[min(int(r["iou"] * BINS), BINS - 1)].append(r)
        elif _is_predicted(r):
            nothing.append(r)
    bars = [_bar(f"{i / BINS:.1f} to {(i + 1) / BINS:.1f}", found) for i, found in enumerate(bins)]
    known = [r["iou"] for r in rows if r["iou"] is not None]
    said = f"The mean is {math.fsum(known) / len(known):.2f} over {_cases(known)}." if known else "None is known yet."
    note = f"Intersection over union of attention and mask, the mean over a case's readers. {said}"
    head = {"key": "iou", "title": "Overlap of attention and mask", "note": note, "kind": "bars"}
    return {**head, "bars": [*bars, _bar("nothing drawn", nothing)]}


def _by_class(rows: Sequence[Row], labels: Sequence[str], patients: Resampling) -> list[Plot]:
    plots = []
    for key, title, what in MEANS:
        known = {i: float(r[key]) for i, r in enumerate(rows) if r[key] is not None}
        bars = _label_bars(rows, labels, known, patients)
        note = f"{what}, the mean over a case's readers."
        plots.append(_intervals(f"{key}_by_class", f"{title} by class", note, bars))
    return plots


def _by_reader(rows: Sequence[Row], readers: Sequence[str], patients: Resampling) -> list[Plot]:
    plots = []
    for key, title, what in MEANS:
        known: dict[str, dict[int, float]] = {name: {} for name in readers}
        for i, r in enumerate(rows):
            for a in r["agreement"]:
                if a[key] is not None:
                    known.setdefault(a["reader"], {})[i] = float(a[key])
        bars = [_point(name, rows, known[name], patients) for name in readers if known[name]]
        note = f"{what}, for each doctor who drew masks."
        plots.append(_intervals(f"{key}_by_reader", f"{title} by reader", note, bars))
    return plots


def verdicts(rows: Sequence[Row], reviewers: Sequence[str]) -> Plot:
    """How often each reviewer gave each verdict."""
    cells = [
        [_cell([r for r in rows if name in r["verdicts"] and r["verdicts"][name]["verdict"] == v]) for v in VERDICTS]
        for name in reviewers
    ]
    note = "Does the attention agree with the doctor, in the reviewer's eyes?"
    note += "" if reviewers else " No one has judged a case yet."
    head = {"key": "verdicts", "title": "Verdicts by reviewer", "note": note, "kind": "grid"}
    return {**head, "rows": list(reviewers), "columns": list(VERDICTS), "cells": cells}


def kappas(rows: Sequence[Row], reviewers: Sequence[str], patients: Resampling) -> Plot:
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
        bars.append(_bar(f"{a} and {b}", [rows[i] for i in both], found))
    more = [f"The same holds for {len(reasons) - SAID} other pairs."] if len(reasons) > SAID else []
    note = "Cohen's kappa: 1 where two reviewers always give the same verdict, 0 where no more often than by chance."
    note = " ".join([note, *reasons[:SAID], *more])
    return _intervals("kappa", "Agreement of reviewers", note, bars, "It needs two reviewers.")


def _label_bars(
    rows: Sequence[Row], labels: Sequence[str], known: Mapping[int, float], patients: Resampling
) -> list[Plot]:
    """A point over all known values, by place in `rows`, and one for each label that has any."""
    groups: dict[str, dict[int, float]] = {name: {} for name in labels}
    for i, value in known.items():
        groups[_among(rows[i]["label"] or NO_LABEL, labels)][i] = value
    return [_point(name, rows, group, patients) for name, group in [(ALL, known), *groups.items()] if group]


def _point(name: str, rows: Sequence[Row], known: Mapping[int, float], patients: Resampling) -> Plot:
    return _bar(name, [rows[i] for i in known], patients.mean(list(known), list(known.values())))


def _intervals(key: str, title: str, note: str, bars: list[Plot], nothing: str = "None is known yet.") -> Plot:
    below = any(end is not None and end < 0 for b in bars for end in (b["value"], b["low"]))
    head = {"key": key, "title": title, "note": note if bars else f"{note} {nothing}", "kind": "intervals"}
    return {**head, "range": [-1, 1] if below else [0, 1], "bars": bars}


def _bar(name: str, rows: Sequence[Row], estimate: Estimate | None = None) -> Plot:
    return {"name": name, **_cell(rows), **(estimate or Estimate()).to_json()}


def _cell(rows: Sequence[Row]) -> Plot:
    return {"n": len(rows), "ids": [r["id"] for r in rows]}


def _names(found: Iterable[str], most: int) -> list[str]:
    """The `most` most frequent names, in alphabetical order."""
    ranked = sorted(Counter(found).items(), key=lambda item: (-item[1], item[0]))
    return sorted(name for name, _ in ranked[:most])


def _classes(found: Iterable[str]) -> list[str]:
    """Names of classes, `OTHER` for those that are too many, and `NO_LABEL` last."""
    every = list(found)
    names = [name for name in _names(every, MOST) if name != NO_LABEL]
    return names + [OTHER] * bool(set(every) - {*names, NO_LABEL, OTHER}) + [NO_LABEL] * (NO_LABEL in every)


def _among(name: str, names: Sequence[str]) -> str:
    return name if name in names else OTHER


def patient(row: Row) -> str:
    """Whose a case is, over all sources; a case of nobody known is a patient of its own."""
    return f"{row['source']}/{row['patient']}" if row["patient"] else f"case {row['id']}"


def _is_predicted(row: Row) -> bool:
    return row["predicted"] is not None


def _cases(items: Sequence[Any]) -> str:
    return f"{len(items)} case" + ("s" if len(items) != 1 else "")
