"""Evaluate a checkpoint on one split of prepared data: metrics per source, with intervals over patients.

Writes OUT/metrics.json, per_image.csv, roc.png, calibration.png, confusion.png, agreement.png and overlays.png.
Every image is predicted from its file, as in the viewer. Sources are never pooled, because class follows source.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("evaluate", sys.argv[1:]))


import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from deep_pneumonia import shipped
from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import SPLITS, Case, read_manifests
from deep_pneumonia.drawing.charts import (
    Tile,
    agreement_chart,
    calibration_chart,
    confusion_chart,
    overlay_sheet,
    roc_chart,
)
from deep_pneumonia.drawing.pictures import save_picture
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import classification_scores, localisation_scores, mean
from deep_pneumonia.evaluation.per_image import METHODS, Row, measure, write_table
from deep_pneumonia.evaluation.subgroups import Member, described, subgroups
from deep_pneumonia.evaluation.weak_labels import weak_scores
from deep_pneumonia.files import check_new_folder, write_json
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.agreement import Scores
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.radiographs.radiograph import decode

MAX_TILES = 16  # on the sheet of overlays


def evaluate(predictor: Predictor, cases: Sequence[Case], out: Path) -> dict[str, Any]:
    """Predict every case and write metrics, table and charts to `out`; returns the content of metrics.json.

    Raises:
        ManifestError: no case has a label of the checkpoint or a known mask.
        RadiographError, AnnotationError: a file cannot be read.
    """
    classes = predictor.checkpoint.classes
    useful = [c for c in cases if c.label in classes or c.masks or c.weak_label == predictor.checkpoint.normal]
    if not useful:
        raise ManifestError(
            f"No image of this split has a mask or one of the labels {', '.join(classes)}; choose another split."
        )
    out.mkdir(parents=True, exist_ok=True)
    rows = [measure(predictor, case) for case in tqdm(useful, "Predicting", unit="image")]
    sources = sorted({c.source for c in useful})
    metrics = {
        "checkpoint": {"name": predictor.checkpoint.name, "sha256": predictor.checkpoint.sha256},
        "classification": _classification(rows, sources, predictor),
        "localisation": _localisation(rows, sources, predictor),
        "subgroups": _subgroups(rows, sources, predictor),
        "weak": weak_scores(rows, sources, predictor.checkpoint.normal),
    }
    write_json(metrics, out / "metrics.json")
    write_table(rows, classes, out / "per_image.csv")
    _draw(rows, metrics, predictor, out)
    return metrics


def _classification(rows: Sequence[Row], sources: Iterable[str], predictor: Predictor) -> dict[str, Any]:
    classes = predictor.checkpoint.classes
    found = {}
    for source in sources:
        chosen = _labelled(rows, source, classes)
        if chosen:
            probabilities = np.array([[r.probabilities[c] for c in classes] for r in chosen])
            labels = np.array([classes.index(r.case.label) for r in chosen])
            patients = [r.case.group for r in chosen]
            found[source] = classification_scores(probabilities, labels, patients, classes, predictor.checkpoint.normal)
    return found


def _labelled(rows: Sequence[Row], source: str, classes: Sequence[str]) -> list[Row]:
    return [r for r in rows if r.case.source == source and r.case.label in classes]


def _localisation(rows: Sequence[Row], sources: Iterable[str], predictor: Predictor) -> dict[str, Any]:
    found = {}
    for source in sources:
        chosen = [r for r in rows if r.case.source == source and r.scores]
        if chosen:
            patients = [r.case.group for r in chosen]
            found[source] = {
                "n": len(chosen),
                "patients": len(set(patients)),
                "threshold": predictor.checkpoint.thresholds.attention,
                **{m: localisation_scores([r.scores[m] for r in chosen], patients) for m in METHODS},
                "readers": _readers(chosen),
                "map_shown": _map_shown(rows, source),
            }
    return found


def _readers(rows: Sequence[Row]) -> dict[str, Any] | None:
    """For each pair of readers their agreement on the images that both drew on, and the attention's with the two."""
    found = {}
    for name in sorted({name for r in rows for name in r.pairs}):
        chosen = [r for r in rows if name in r.pairs]
        patients = [r.case.group for r in chosen]
        columns: dict[str, list[float | None]] = {
            "iou": [r.pairs[name][0].iou for r in chosen],
            "dice": [r.pairs[name][0].dice for r in chosen],
            "attention_iou": [r.pairs[name][1] for r in chosen],
        }
        estimates = {key: bootstrap(mean(values), patients).to_json() for key, values in columns.items()}
        found[name] = {"n": len(chosen), "patients": len(set(patients)), **estimates}
    return found or None


def _map_shown(rows: Sequence[Row], source: str) -> dict[str, Any]:
    """Share of images whose map is shown: of those with a drawn lesion, and of those that readers found normal."""
    groups = {
        "lesion": [r for r in rows if r.case.source == source and r.scores],
        "normal": [r for r in rows if r.case.source == source and r.case.masks and not r.scores],
    }
    return {
        key: {"n": len(g)} | bootstrap(mean([float(r.shows_map) for r in g]), [r.case.group for r in g]).to_json()
        for key, g in groups.items()
    }


def _subgroups(rows: Sequence[Row], sources: Iterable[str], predictor: Predictor) -> dict[str, Any]:
    classes, normal = predictor.checkpoint.classes, predictor.checkpoint.normal

    def member(r: Row) -> Member:
        abnormal = r.case.label != normal if r.case.label in classes else None
        on_lesion = r.scores.get("attention", Scores())
        return Member(
            r.case.group, r.case.sex, r.case.age, r.case.view, abnormal, 1 - r.probabilities[normal],
            r.predicted != normal, r.predicted == r.case.label, on_lesion.hit, on_lesion.iou,
        )  # fmt: skip

    known = [r for r in rows if r.case.label in classes or r.case.masks]
    found = {s: subgroups([member(r) for r in known if r.case.source == s]) for s in sources}
    return {source: groups for source, groups in found.items() if groups}


def _draw(rows: Sequence[Row], metrics: dict[str, Any], predictor: Predictor, out: Path) -> None:
    classes, normal = predictor.checkpoint.classes, predictor.checkpoint.normal
    by_source = {s: _labelled(rows, s, classes) for s in metrics["classification"]}
    if by_source:
        scores = {
            s: (
                np.array([r.case.label != normal for r in g]),
                np.array([1 - r.probabilities[normal] for r in g]),
            )
            for s, g in by_source.items()
        }
        answers = {
            s: (
                np.array([max(r.probabilities.values()) for r in g]),
                np.array([r.predicted == r.case.label for r in g]),
            )
            for s, g in by_source.items()
        }
        found = metrics["classification"]
        save_picture(
            roc_chart(scores, {s: Estimate.from_json(f["auroc_abnormal"]) for s, f in found.items()}), out / "roc.png"
        )
        save_picture(
            calibration_chart(answers, {s: Estimate.from_json(f["ece"]) for s, f in found.items()}),
            out / "calibration.png",
        )
        save_picture(confusion_chart({s: f["confusion"] for s, f in found.items()}), out / "confusion.png")
    if metrics["localisation"]:
        save_picture(agreement_chart(metrics["localisation"]), out / "agreement.png")
        save_picture(overlay_sheet([_tile(r, predictor) for r in _spread(rows)]), out / "overlays.png")


def _spread(rows: Sequence[Row]) -> list[Row]:
    """Images with a drawn lesion, spread evenly from the lowest IoU to the highest."""
    ranked = sorted((r for r in rows if r.scores), key=lambda r: r.scores["attention"].iou or 0.0)
    picks = np.unique(np.linspace(0, len(ranked) - 1, min(MAX_TILES, len(ranked))).round().astype(int))
    return [ranked[i] for i in picks]


def _tile(row: Row, predictor: Predictor) -> Tile:
    radiograph = decode(row.case.image)
    annotations: list[Annotation] = row.case.annotations(radiograph.size)
    prediction = predictor.predict(radiograph)
    return Tile(radiograph.pixels, prediction.attention, annotations, f"IoU {row.scores['attention'].iou:.2f}")


def report(metrics: dict[str, Any]) -> str:
    """The main metrics as text, one line each."""

    def show(e: dict[str, float | None]) -> str:
        return f"{Estimate.from_json(e):.3f}"

    lines = []
    for source, c in metrics["classification"].items():
        lines.append(f"{source}: {c['n']} labelled images of {c['patients']} patients")
        lines += [f"  {key:<28}{show(c[key])}" for key in ("auroc_abnormal", "accuracy", "macro_f1", "ece")]
        lines[-1] += f", {c['ece_by_chance']:.3f} by chance if every probability were true"
        lines += [f"  AUROC {pair:<22} {show(e)}" for pair, e in c["pairwise_auroc"].items()]
    for source, found in metrics["localisation"].items():
        lines.append(f"{source}: {found['n']} images with a drawn lesion, of {found['patients']} patients")
        for m in METHODS:
            hit, iou = (f"{s.name} {show(found[m][s.key_of_mean])}" for s in (SCORE_BY_KEY["hit"], SCORE_BY_KEY["iou"]))
            lines.append(f"  {m:<12} {hit}, {iou}")
        for pair, e in (found["readers"] or {}).items():
            lines.append(f"  {pair}, {e['n']} images: IoU {show(e['iou'])}, attention {show(e['attention_iou'])}")
    for source, w in metrics["weak"].items():
        lines.append(
            f"{source}: {w['n']} images of {w['patients']} patients, normal by report alone, read by no doctor"
        )
        lines += [f"  {key:<28}{show(w[key])}" for key in ("auroc_abnormal", "called_abnormal", "map_shown")]
    for source, groups in metrics["subgroups"].items():
        lines += [f"{source} by group:", *described(groups)]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of evaluation; returns the exit status."""
    p = argparse.ArgumentParser(prog="deep-pneumonia evaluate", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--split", default="test", choices=(*SPLITS, "all"), help="images to measure on")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for metrics, table and charts")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    arguments = p.parse_args(argv)

    def run() -> None:
        check_new_folder(arguments.out)
        cases = [c for c in read_manifests(arguments.manifest) if arguments.split in (c.split, "all")]
        predictor = Predictor.load(arguments.checkpoint, arguments.device)
        print(report(evaluate(predictor, cases, Path(arguments.out))))

    return guarded(run)
