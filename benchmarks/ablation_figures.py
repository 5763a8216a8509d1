"""The figures of an ablation: from what each run read, a table with intervals over patients and a chart of it.

A figure is the mean over seeds of that of one seed, in which every patient is in test once, over the folds. Its
interval draws patients anew, all seeds of a patient together. Sources are never pooled: class follows source.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.charts import INK
from deep_pneumonia.figures import blank, save_figure
from deep_pneumonia.metrics import (
    Estimate,
    Statistic,
    auroc,
    average_precision,
    bootstrap,
    calibration_error,
    macro_f1,
    mean,
)

Rows = list[dict[str, Any]]
FIGURES = {
    "macro-F1": True, "recall of the rarest class": True, "AUROC": True, "average precision": True, "hit rate": True,
    "IoU": True, "calibration error": False,
}  # fmt: skip
FIRST, WHOLE = "cross-entropy", "+ regulation (the whole)"


def report(folders: Mapping[str, Path], out: Path) -> str:
    """Write OUT/ablation.md and OUT/ablation.png of what is there, and return the text."""
    seeds = {name: _seeds(folder) for name, folder in folders.items()}
    found = {name: rows for name, rows in seeds.items() if rows}
    if not found:
        return "No run is done yet."
    sources = sorted({r["source"] for rows in next(iter(found.values()))[0][1:] for r in rows})
    tables = {source: {name: figures(runs, source) for name, runs in found.items()} for source in sources}
    text = "\n".join(_table(source, table, found) for source, table in tables.items())
    gained = _gained(found)
    text += f"\nRecall of the rarest class, {WHOLE} less {FIRST}: {_said(gained)}\n" if gained else ""
    (out / "ablation.md").write_text(text, encoding="utf-8")
    save_figure(_chart(tables), out / "ablation.png")
    return text


def _seeds(folder: Path) -> list[tuple[dict[str, Any], Rows]]:
    """Of each seed that has every fold of the seed with most: the facts, and the rows of all folds by patient."""
    runs: dict[int, dict[int, dict[str, Any]]] = {}
    for path in sorted(folder.glob("*-*.json")):
        fold, seed = (int(n) for n in path.stem.split("-"))
        runs.setdefault(seed, {})[fold] = json.loads(path.read_text(encoding="utf-8"))
    most = max((len(folds) for folds in runs.values()), default=0)
    whole = [folds for folds in runs.values() if len(folds) == most]
    return [(folds[min(folds)], [r for f in sorted(folds) for r in folds[f]["rows"]]) for folds in whole]


def figures(runs: Sequence[tuple[dict[str, Any], Rows]], source: str) -> dict[str, Estimate]:
    """Each figure of one variant on one source."""
    rows = runs[0][1]
    chosen = [i for i, r in enumerate(rows) if r["source"] == source]
    patients = [rows[i]["patient"] for i in chosen]
    parts = [_statistics(facts, [run[i] for i in chosen]) for facts, run in runs]
    return {
        name: bootstrap(_mean_of([part[name] for part in parts]), patients)
        for name in FIGURES
        if all(name in part for part in parts)
    }


def _statistics(facts: Mapping[str, Any], rows: Rows) -> dict[str, Statistic]:
    """Statistics over the images `rows`, those without a label or a mask left out where they do not count."""
    classes, normal = facts["classes"], facts["classes"].index(facts["normal"])
    labelled = np.array([r["label"] in classes for r in rows])
    labels = np.array([classes.index(r["label"]) for r in rows if r["label"] in classes])
    made: dict[str, Statistic] = {}
    if labelled.any():
        p = np.array([r["p"] for r in rows])[labelled]
        predicted, score = p.argmax(1), 1 - p[:, normal]
        rarest = min(np.unique(labels), key=lambda c: int((labels == c).sum()))
        recall = [bool(a == b) if a == rarest else None for a, b in zip(labels, predicted, strict=True)]
        named = {
            "macro-F1": macro_f1(labels, predicted), "recall of the rarest class": mean(recall),
            "AUROC": auroc(labels != normal, score), "average precision": average_precision(labels != normal, score),
            "calibration error": calibration_error(p.max(1), predicted == labels),
        }  # fmt: skip
        made |= {name: _on(statistic, labelled) for name, statistic in named.items()}
    if any("iou" in r for r in rows):
        made |= {"hit rate": mean([r.get("hit") for r in rows]), "IoU": mean([r.get("iou") for r in rows])}
    return made


def _on(statistic: Statistic, chosen: NDArray[np.bool_]) -> Statistic:
    return lambda weights: statistic(weights[:, chosen])


def _mean_of(statistics: Sequence[Statistic]) -> Statistic:
    return lambda weights: np.mean([statistic(weights) for statistic in statistics], axis=0)


def _gained(found: Mapping[str, list[tuple[dict[str, Any], Rows]]]) -> Estimate | None:
    """How much recall of the rarest class of all sources together the whole method has over cross-entropy."""
    if FIRST not in found or WHOLE not in found:
        return None
    n = min(len(found[FIRST]), len(found[WHOLE]))
    name = "recall of the rarest class"
    sides: list[Callable[[Any], Any]] = [
        _mean_of([_statistics(facts, rows)[name] for facts, rows in found[v][:n]]) for v in (WHOLE, FIRST)
    ]
    rows = found[FIRST][0][1]
    return bootstrap(lambda weights: sides[0](weights) - sides[1](weights), [r["patient"] for r in rows])


def _table(source: str, table: Mapping[str, Mapping[str, Estimate]], found: Mapping[str, Sequence[Any]]) -> str:
    names = [name for name in FIGURES if any(name in figures for figures in table.values())]
    head = f"| {source} | seeds | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}\n"
    lines = [
        f"| {variant} | {len(found[variant])} | {' | '.join(_said(figures.get(n)) for n in names)} |"
        for variant, figures in table.items()
    ]
    return head + "\n".join(lines) + "\n"


def _said(e: Estimate | None) -> str:
    if e is None or e.value is None:
        return "-"
    return f"{e.value:.3f}" + ("" if e.low is None else f" ({e.low:.3f} to {e.high:.3f})")


def _chart(tables: Mapping[str, Mapping[str, Mapping[str, Estimate]]]) -> Any:
    """A row of plots a source: each figure's estimate and interval by variant."""
    variants = list(next(iter(tables.values())))
    figure = blank((2.1 * len(FIGURES) + 2, (0.34 * len(variants) + 0.9) * len(tables)))
    grid = figure.subplots(len(tables), len(FIGURES), sharey=True, squeeze=False)
    for line, (source, table) in zip(grid, tables.items(), strict=True):
        for axes, (name, more) in zip(line, FIGURES.items(), strict=True):
            for y, variant in enumerate(variants):
                e = table[variant].get(name)
                if e is not None and e.value is not None:
                    axes.plot([e.low or e.value, e.high or e.value], [y, y], color="#9aa4ab", linewidth=3)
                    axes.plot(e.value, y, "o", color=INK, markersize=5)
            axes.set_title(name + ("" if more else ", lower is better"), fontsize=8, loc="left")
            axes.tick_params(labelsize=7)
            axes.grid(axis="x", alpha=0.3)
        line[0].set_yticks(range(len(variants)), variants, fontsize=8)
        line[0].invert_yaxis()
        line[0].set_ylabel(source, fontsize=9)
    figure.tight_layout()
    return figure
