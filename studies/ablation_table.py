"""The table of an ablation: from the predictions of each run, metrics with intervals over patients, and a chart.

A value is the mean over seeds. In each seed every patient is in the test fold once. Intervals resample patients, with
all seeds of a patient together; the spread between seeds has a table of its own. Sources are never pooled, because
class follows source. The rarest class is the one with the fewest training images in a source.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.drawing.charts import INK
from deep_pneumonia.drawing.pictures import blank, save_picture
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.estimate import DASH, Estimate
from deep_pneumonia.evaluation.bootstrap import Statistic, bootstrap
from deep_pneumonia.evaluation.metrics import auroc, average_precision, calibration_error, macro_f1, mean
from deep_pneumonia.files import whole
from deep_pneumonia.prediction.scores import SCORE_BY_KEY

Run = dict[str, Any]
Rows = list[dict[str, Any]]
HIT_RATE, IOU = SCORE_BY_KEY["hit"].name.lower(), SCORE_BY_KEY["iou"].name
SCORES = {
    "macro-F1": True, "recall of the rarest class": True, "AUROC": True, "average precision": True, HIT_RATE: True,
    IOU: True, "calibration error": False,
}  # fmt: skip
FIRST, WHOLE = "cross-entropy", "+ regulation (the whole)"
CHANGES = {
    "class balance, added first": ("+ class balance", FIRST),
    "pre-training, added then": ("+ pre-training", "+ class balance"),
    "hard attention, added then": ("+ hard attention", "+ pre-training"),
    "regulation, added last": (WHOLE, "+ hard attention"),
    "class balance, of the whole": (WHOLE, "whole - class balance"),
    "pre-training, of the whole": (WHOLE, "whole - pre-training"),
    "hard attention, of the whole": (WHOLE, "whole - hard attention"),
    "all four": (WHOLE, FIRST),
}  # fmt: skip


def report(folders: Mapping[str, Path], out: Path) -> str:
    """Write OUT/ablation.md and OUT/ablation.png of what there is, and return the text."""
    found = paired({name: _runs(folder) for name, folder in folders.items()})
    if not found:
        return "No run is done yet that every variant begun has done too."
    sources = sorted({r["source"] for r in next(iter(found.values()))[0][1]})
    tables = {source: {name: scores(runs, source) for name, runs in found.items()} for source in sources}
    n = len(next(iter(found.values())))
    parts = [_table(f"{_size(found, source)}, {n} seed{'s' * (n > 1)}", table) for source, table in tables.items()]
    parts += [_table(f"{source}: what changes with", changes(found, source), "+") for source in sources]
    if n > 1:
        parts += [
            _lines(f"{source}: the same, least and most of {n} seeds", by_seed(found, source)) for source in sources
        ]
    text = "\n".join(parts)
    with whole(out / "ablation.md") as partial:
        partial.write_text(text, encoding="utf-8")
    save_picture(_chart(tables), out / "ablation.png")
    return text


def _runs(folder: Path) -> dict[tuple[int, int], Run]:
    """What each run of a variant read, by seed and fold."""
    names = {path: path.stem.split("-") for path in folder.glob("*-*.json")}
    return {(int(seed), int(fold)): _run(path) for path, (fold, seed) in names.items()}


def _run(path: Path) -> Run:
    try:
        run: Run = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DeepPneumoniaError(
            f"{path} is damaged ({error}); delete it, and the same command runs it again."
        ) from error
    if "learned" not in run:
        raise DeepPneumoniaError(
            f"{path} lacks the counts of training images, as an earlier version wrote it; delete it, and the same "
            "command runs it again."
        )
    return run


def paired(runs: Mapping[str, Mapping[tuple[int, int], Run]]) -> dict[str, list[tuple[Run, Rows]]]:
    """Of each variant that has begun, for each seed: the facts, and the rows of all folds.

    Only what every one of them has counts, so that all are measured on the same patients, and of the seeds those with
    the most folds.
    """
    begun = {name: found for name, found in runs.items() if found}
    shared = set.intersection(*(set(found) for found in begun.values())) if begun else set()
    folds = {seed: sorted(f for s, f in shared if s == seed) for seed, _ in sorted(shared)}
    most = max((len(f) for f in folds.values()), default=0)
    whole = {seed: f for seed, f in folds.items() if len(f) == most}
    return {
        name: [(found[s, f[0]], [r for n in f for r in found[s, n]["rows"]]) for s, f in whole.items()]
        for name, found in begun.items()
        if whole
    }


def scores(runs: Sequence[tuple[Run, Rows]], source: str) -> dict[str, Estimate]:
    """Each figure of one variant on one source."""
    made, patients = _of(runs, source)
    return {name: bootstrap(statistic, patients) for name, statistic in made.items()}


def changes(found: Mapping[str, Sequence[tuple[Run, Rows]]], source: str) -> dict[str, dict[str, Estimate]]:
    """By how much each figure on one source is higher with a part than without it, on the same patients."""
    told = {}
    for change, (name, less) in CHANGES.items():
        if name in found and less in found:
            (more, patients), (fewer, _) = _of(found[name], source), _of(found[less], source)
            told[change] = {n: bootstrap(_less(more[n], fewer[n]), patients) for n in more}
    return told


def by_seed(found: Mapping[str, Sequence[tuple[Run, Rows]]], source: str) -> dict[str, dict[str, str]]:
    """The same changes, each seed by itself: the least and the most of the seeds, as text. What runs differ by."""
    told = {}
    for change, (name, less) in CHANGES.items():
        if name in found and less in found:
            each = [_difference(*pair, source) for pair in zip(found[name], found[less], strict=True)]
            told[change] = {n: _span([d[n] for d in each]) for n in each[0]}
    return told


def _span(values: Sequence[float]) -> str:
    """The least and the most; a dash where a seed leaves it undefined, as the AUROC of a source with one class."""
    return f"{min(values):+.3f} to {max(values):+.3f}" if np.isfinite(values).all() else DASH


def _difference(more: tuple[Run, Rows], fewer: tuple[Run, Rows], source: str) -> dict[str, float]:
    """Each figure of one seed's run less that of another's."""
    (a, patients), (b, _) = _of([more], source), _of([fewer], source)
    once = np.ones((1, len(patients)))
    return {n: float(_less(a[n], b[n])(once)[0]) for n in a}


def _of(runs: Sequence[tuple[Run, Rows]], source: str) -> tuple[dict[str, Statistic], list[str]]:
    """Each figure, its mean over seeds, as a function of weights of the images of `source`; whose each image is."""
    rows = runs[0][1]
    chosen = [i for i, r in enumerate(rows) if r["source"] == source]
    seeds = [_statistics(facts, [run[i] for i in chosen]) for facts, run in runs]
    named = [name for name in SCORES if all(name in seed for seed in seeds)]
    return {n: _mean_of([seed[n] for seed in seeds]) for n in named}, [rows[i]["patient"] for i in chosen]


def _less(first: Statistic, second: Statistic) -> Statistic:
    return lambda weights: first(weights) - second(weights)


def _statistics(facts: Mapping[str, Any], rows: Rows) -> dict[str, Statistic]:
    """Statistics over the images `rows`, those without a label or a mask left out where they do not count."""
    classes, normal = facts["classes"], facts["classes"].index(facts["normal"])
    labelled = np.array([r["label"] in classes for r in rows])
    labels = np.array([classes.index(r["label"]) for r in rows if r["label"] in classes])
    made: dict[str, Statistic] = {}
    if labelled.any():
        p = np.array([r["p"] for r in rows])[labelled]
        predicted, score = p.argmax(1), 1 - p[:, normal]
        seen = facts["learned"].get(rows[0]["source"], {})
        rarest = min(np.unique(labels), key=lambda c: seen.get(classes[c], 0))
        recall = [bool(a == b) if a == rarest else None for a, b in zip(labels, predicted, strict=True)]
        named = {
            "macro-F1": macro_f1(labels, predicted), "recall of the rarest class": mean(recall),
            "AUROC": auroc(labels != normal, score), "average precision": average_precision(labels != normal, score),
            "calibration error": calibration_error(p.max(1), predicted == labels),
        }  # fmt: skip
        made |= {name: _on(statistic, labelled) for name, statistic in named.items()}
    if any("iou" in r for r in rows):
        made |= {HIT_RATE: mean([r.get("hit") for r in rows]), IOU: mean([r.get("iou") for r in rows])}
    return made


def _on(statistic: Statistic, chosen: NDArray[np.bool_]) -> Statistic:
    return lambda weights: statistic(weights[:, chosen])


def _mean_of(statistics: Sequence[Statistic]) -> Statistic:
    return lambda weights: np.mean([statistic(weights) for statistic in statistics], axis=0)


def _size(found: Mapping[str, Sequence[tuple[Run, Rows]]], source: str) -> str:
    rows = [r for r in next(iter(found.values()))[0][1] if r["source"] == source]
    return f"{source}, {len(rows)} images of {len({r['patient'] for r in rows})} patients"


def _table(title: str, table: Mapping[str, Mapping[str, Estimate]], sign: str = "") -> str:
    return _lines(title, {row: {n: format(e, f"{sign}.3f") for n, e in found.items()} for row, found in table.items()})


def _lines(title: str, table: Mapping[str, Mapping[str, str]]) -> str:
    """Rows of figures as a table in Markdown; a figure that a row lacks is a dash."""
    names = [name for name in SCORES if any(name in scores for scores in table.values())]
    head = f"| {title} | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
    lines = [f"| {row} | {' | '.join(scores.get(n, DASH) for n in names)} |" for row, scores in table.items()]
    return head + "\n".join(lines) + "\n"


def _chart(tables: Mapping[str, Mapping[str, Mapping[str, Estimate]]]) -> Any:
    """A row of plots a source: each figure's estimate and interval by variant."""
    variants = list(next(iter(tables.values())))
    figure = blank((2.1 * len(SCORES) + 2, (0.34 * len(variants) + 0.9) * len(tables)))
    grid = figure.subplots(len(tables), len(SCORES), sharey=True, squeeze=False)
    for line, (source, table) in zip(grid, tables.items(), strict=True):
        for axes, (name, more) in zip(line, SCORES.items(), strict=True):
            for y, variant in enumerate(variants):
                e = table[variant].get(name)
                if e is not None and e.value is not None:
                    axes.plot(e.value, y, "o", color=INK, markersize=5)
                    if e.low is not None and e.high is not None:
                        axes.plot([e.low, e.high], [y, y], color="#9aa4ab", linewidth=3, zorder=1)
            axes.set_title(name + ("" if more else ", lower is better"), fontsize=8, loc="left")
            axes.tick_params(labelsize=7)
            axes.grid(axis="x", alpha=0.3)
        line[0].set_yticks(range(len(variants)), variants, fontsize=8)
        line[0].set_ylabel(source, fontsize=9)
    grid[0][0].invert_yaxis()  # of all, as they share it
    figure.tight_layout()
    return figure
