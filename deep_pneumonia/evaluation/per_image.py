"""What evaluation keeps of one image: its prediction, and the scores of attention, Grad-CAM and controls."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.files import whole
from deep_pneumonia.prediction.agreement import Scores, between_readers, compare
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.model_frame import enlarge
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode

METHODS = ("attention", "grad_cam", "random", "centre")


@dataclass(frozen=True)
class Row:
    """What is kept of one image.

    probabilities: by class, in [0, 1]. evidence: the map's highest value. scores: by method, the mean over readers;
    empty without a drawn lesion. pairs: by pair of readers, "A | B", the scores between their masks and the mean IoU
    of the attention with the two.
    """

    case: Case
    predicted: str
    probabilities: dict[str, float]
    evidence: float
    shows_map: bool
    scores: dict[str, Scores] = field(default_factory=dict)
    pairs: dict[str, tuple[Scores, float]] = field(default_factory=dict)


def measure(predictor: Predictor, case: Case) -> Row:
    """Predict one case from its file, as the viewer does, and score its maps against every drawn mask.

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """
    radiograph = decode(case.image)
    annotations = case.annotations(radiograph.size)
    prediction = predictor.predict(radiograph, annotations)
    drawn = [(a, g) for a, g in zip(annotations, prediction.agreement, strict=True) if not a.is_empty]
    row = Row(case, prediction.predicted, prediction.probabilities, prediction.evidence, prediction.shows_map)
    if drawn:
        cam = enlarge(_grad_cam(predictor, radiograph, prediction), radiograph.size).clip(0, 1)
        level = predictor.checkpoint.thresholds.grad_cam
        row.scores["attention"] = Scores.mean(g.scores for _, g in drawn)
        row.scores["grad_cam"] = Scores.mean(compare(cam, a.mask, level) for a, _ in drawn)
        for control in ("random", "centre"):
            row.scores[control] = Scores.mean(g.controls[control] for _, g in drawn)
    for (a, first), (b, second) in combinations(drawn, 2):
        own = Scores.mean([first.scores, second.scores]).iou or 0.0
        row.pairs[" | ".join(sorted((a.reader, b.reader)))] = (between_readers(a.mask, b.mask), own)
    return row


def _grad_cam(predictor: Predictor, radiograph: Radiograph, prediction: Prediction) -> NDArray[np.float32]:
    """Grad-CAM (h, w) of the most likely finding, which a map of the finding should explain."""
    classes, normal = predictor.checkpoint.classes, predictor.checkpoint.normal
    target = max((c for c in classes if c != normal), key=lambda c: prediction.probabilities[c])
    targets = torch.tensor([classes.index(target)], device=predictor.device)
    return grad_cam(predictor.network, predictor.model_input(radiograph), targets)[0].cpu().numpy()


def write_table(rows: Sequence[Row], classes: Sequence[str], path: Path) -> None:
    """Write per_image.csv: one line for each image, with an empty cell for an undefined score."""
    names = [f"{m}_{f}" for m in METHODS for f in asdict(Scores())]
    head = ["image", "source", "patient", "split", "label", "predicted"]
    head += [*(f"p({c})" for c in classes), "evidence", *names]
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        for r in rows:
            c = r.case
            values = [v for m in METHODS for v in asdict(r.scores.get(m, Scores())).values()]
            cells = [f"{v:.6g}" if v is not None else "" for v in [*r.probabilities.values(), r.evidence, *values]]
            writer.writerow([c.image, c.source, c.patient, c.split, c.label, r.predicted, *cells])
