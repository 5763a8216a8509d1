"""Explanations: any two maps of one radiograph side by side, from a checkpoint, from chance or from a reader.

comparison = compare(radiograph, annotations, a="attention", b="grad_cam", predictor=predictor)
comparison.a.map, comparison.b.map, comparison.difference.iou, comparison.to_json("chest.png")

The keys are "attention", "grad_cam" and "random" for checkpoint A, "attention_b" and "grad_cam_b" for a second
checkpoint B, and "doctor:NAME" for each reader's mask. All maps are compared on the radiograph's own pixels,
each at its own threshold.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deep_pneumonia.errors import ExplanationError
from deep_pneumonia.masks.annotation import Annotation, check_size
from deep_pneumonia.prediction.agreement import Scores, between_readers, random_map
from deep_pneumonia.prediction.agreement import compare as scores_of
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.model_frame import enlarge
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph

METHODS = {"attention": "Attention", "grad_cam": "Grad-CAM", "random": "Attention in random order"}
DOCTOR_PREFIX = "doctor:"
RANDOM_SEED = 0  # of the one random order that is shown, so that it stays the same picture
MIN_VARIATION = 1e-6  # a map that varies less holds only rounding errors


@dataclass(frozen=True, eq=False)
class Explanation:
    """One map of a radiograph, and how well it agrees with each annotation.

    key: stable identifier. name, note: for people. map: float32 (H, W) in [0, 1]; a reader's mask is 0 and 1.
    cells: the map (h, w) on the model's grid, None for a reader. threshold: where the map counts as lesion.
    shows_map: whether a finding is likely enough for the map to be shown. predicted, probabilities: of its
    checkpoint, None for a reader. agreement: each annotation with the scores of this map. A reader's mask has
    no `hit`, because no point of a mask is higher than the others.
    """

    key: str
    name: str
    note: str
    map: NDArray[np.float32]
    cells: NDArray[np.float32] | None
    threshold: float
    shows_map: bool
    predicted: str | None
    probabilities: dict[str, float] | None
    agreement: tuple[tuple[Annotation, Scores], ...]

    @property
    def marked(self) -> NDArray[np.bool_]:
        """Where the map counts as lesion, (H, W)."""
        return self.map >= self.threshold

    def to_json(self) -> dict[str, Any]:
        """Plain JSON without NaN. `cells` have four decimals and are None for a reader, and where no map is shown."""
        cells = self.cells if self.shows_map else None
        return {
            "key": self.key,
            "name": self.name,
            "note": self.note,
            "threshold": self.threshold,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "cells": None if cells is None else cells.astype(np.float64).round(4).tolist(),
            "shows_map": self.shows_map,
            "agreement": [{"reader": a.reader, "kind": a.kind, **scores.to_json()} for a, scores in self.agreement],
        }


@dataclass(frozen=True)
class Difference:
    """How alike two maps are.

    iou, dice: of the parts that the maps mark, in [0, 1], None if neither marks anything. correlation:
    Pearson's over all pixels, in [-1, 1], None if a map is flat.
    """

    iou: float | None
    dice: float | None
    correlation: float | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two explanations of one radiograph of `size` (H, W), and how alike they are."""

    size: tuple[int, int]
    a: Explanation
    b: Explanation
    difference: Difference

    def to_json(self, file: str) -> dict[str, Any]:
        """The comparison on `file` as plain JSON without NaN."""
        sides = {"a": self.a.to_json(), "b": self.b.to_json()}
        return {"file": file, "size": list(self.size), **sides, "difference": asdict(self.difference)}


def compare(
    radiograph: Radiograph,
    annotations: Sequence[Annotation],
    a: str,
    b: str,
    *,
    predictor: Predictor,
    other: Predictor | None = None,
) -> Comparison:
    """Compare the explanations with the keys `a` and `b` of one radiograph; `other` holds checkpoint B.

    Raises:
        ExplanationError: there is no explanation with such a key.
        MaskSizeError: an annotation has another size than the radiograph.
    """
    predictors = [predictor] if other is None else [predictor, other]
    first, second = explain([a, b], radiograph, annotations, predictors)
    marked = between_readers(first.marked, second.marked)
    difference = Difference(marked.iou, marked.dice, _correlation(first.map, second.map))
    return Comparison(radiograph.size, first, second, difference)


def available(predictors: Sequence[Predictor], annotations: Sequence[Annotation]) -> list[tuple[str, str]]:
    """Key and name of each available explanation, given checkpoint A, or A and B, and the annotations."""
    learned = [(key, name) for key, (name, _, _) in _learned(predictors).items()]
    return learned + [(key, key.removeprefix(DOCTOR_PREFIX)) for key in _doctors(annotations)]


def explain(
    keys: Sequence[str], radiograph: Radiograph, annotations: Sequence[Annotation], predictors: Sequence[Predictor]
) -> list[Explanation]:
    """The explanation of each key, with at most one forward pass per checkpoint. Grad-CAM adds a pass of its own.

    Raises:
        ExplanationError: there is no explanation with such a key.
        MaskSizeError: an annotation has another size than the radiograph.
    """
    names = dict(available(predictors, annotations))
    _check(keys, names, radiograph, annotations)
    learned, doctors = _learned(predictors), _doctors(annotations)
    once = cache(lambda predictor: _Pass(predictor, radiograph))

    def one(key: str) -> Explanation:
        if key in doctors:
            return _doctors_own(key, names[key], doctors[key])
        _, method, predictor = learned[key]
        return once(predictor).explain(key, names[key], method, radiograph.size)

    return [_with_scores(annotations, one(key)) for key in keys]


class _Pass:
    """One forward pass of one checkpoint's network over one radiograph."""

    def __init__(self, predictor: Predictor, radiograph: Radiograph) -> None:
        self.predictor = predictor
        self.images = predictor.model_input(radiograph)
        logits, cells = predictor.forward(self.images)
        self.cells: NDArray[np.float32] = cells[0]
        self.probabilities = predictor.probabilities(logits)[0]
        self.predicted = max(self.probabilities, key=lambda name: self.probabilities[name])

    def explain(self, key: str, name: str, method: str, size: tuple[int, int]) -> Explanation:
        """The map of one of `METHODS`, enlarged to `size` (H, W)."""
        limits = self.predictor.checkpoint.thresholds
        shown = self.predictor.finding(self.probabilities) >= limits.finding
        cells, threshold = self.cells, limits.attention
        note = "on a fixed scale from 0 to 1"
        if method == "random":
            cells, note = (
                random_map(cells, (cells.shape[0], cells.shape[1]), RANDOM_SEED),
                "one draw, always with the same seed",
            )
        elif method == "grad_cam":  # it explains the predicted class, even the normal one
            cells, threshold, shown = self._grad_cam(), limits.grad_cam, True
            note = f"for {self.predicted}, scaled to its own highest value"
        heat = np.clip(enlarge(cells, size), 0, 1)
        return Explanation(key, name, note, heat, cells, threshold, shown, self.predicted, self.probabilities, ())

    def _grad_cam(self) -> NDArray[np.float32]:
        """Grad-CAM (h, w) of the predicted class."""
        target = torch.tensor([self.predictor.checkpoint.classes.index(self.predicted)], device=self.predictor.device)
        return grad_cam(self.predictor.network, self.images, target)[0].cpu().numpy()


def _doctors_own(key: str, name: str, annotation: Annotation) -> Explanation:
    note = "nothing drawn" if annotation.is_empty else "1 in the mask, 0 outside"
    return Explanation(key, name, note, annotation.mask.astype(np.float32), None, 0.5, True, None, None, ())


def _with_scores(annotations: Sequence[Annotation], one: Explanation) -> Explanation:
    """The explanation with its scores against each annotation."""
    found = [(a, scores_of(one.map, a.mask, one.threshold)) for a in annotations]
    if one.cells is None:  # the pixels of a mask are equally high, and the first would count as the highest
        found = [(a, replace(scores, hit=None)) for a, scores in found]
    return replace(one, agreement=tuple(found))


def _learned(predictors: Sequence[Predictor]) -> dict[str, tuple[str, str, Predictor]]:
    """Name, method and predictor of each map that needs a network, by key."""
    found = {}
    for method, name in METHODS.items():
        for letter, ending, predictor in zip("AB", ("", "_b"), predictors, strict=False):
            whose = f" ({letter}: {predictor.checkpoint.name})" if len(predictors) > 1 else ""
            found[method + ending] = (name + whose, method, predictor)
    found.pop("random_b", None)  # one random map is enough
    return found


def _doctors(annotations: Sequence[Annotation]) -> dict[str, Annotation]:
    """Each annotation by key; a reader's second one is numbered."""
    found: dict[str, Annotation] = {}
    for annotation in annotations:
        key, number = DOCTOR_PREFIX + annotation.reader, 1
        while key in found:
            number += 1
            key = f"{DOCTOR_PREFIX}{annotation.reader} ({number})"
        found[key] = annotation
    return found


def _check(
    keys: Sequence[str], names: dict[str, str], radiograph: Radiograph, annotations: Sequence[Annotation]
) -> None:
    if unknown := [key for key in keys if key not in names]:
        raise ExplanationError(
            f"This radiograph has no explanation {unknown[0]!r:.60}; choose from {', '.join(names)}."
        )
    for a in annotations:
        check_size(a.size, radiograph.size, f"The mask of {a.reader}")


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float | None:
    if min(np.ptp(a), np.ptp(b)) < MIN_VARIATION:
        return None
    x, y = (m.ravel() - m.mean(dtype=np.float64) for m in (a, b))
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
