"""Explanations: any two maps of one radiograph side by side, from a checkpoint, from chance or from a doctor.

comparison = compare(radiograph, annotations, a="attention", b="grad_cam", reader=reader)
comparison.a.map, comparison.b.map, comparison.difference.iou, comparison.to_json("chest.png")

Keys: attention, grad_cam and random of checkpoint A; attention_b and grad_cam_b of a second one, where there is one;
doctor:NAME for each reader's mask. All are compared on the radiograph's own pixels, each at its own threshold.
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
DOCTOR = "doctor:"
SEED = 0  # of the one random order that is shown, so that it stays the same picture
FLAT = 1e-6  # a map that varies less holds nothing but rounding errors


@dataclass(frozen=True, eq=False)
class Explanation:
    """One map of a radiograph, and how well it agrees with each annotation.

    key: stable; name, note: for people. map: float32 (H, W) in [0, 1], a doctor's mask as 0 and 1; cells: the same
    (h, w) on the model's grid, None for a doctor. threshold: where the map counts as lesion. shows_map: whether a
    finding is likely enough for it to be shown. predicted, probabilities: of its checkpoint, None for a doctor.
    agreement: each annotation with the figures of this very map; a doctor's has no `hit`, because no point of a mask
    is highest.
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
        """Plain JSON without NaN; `cells`, to four decimals, are None for a doctor and where no map is shown."""
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
            "agreement": [
                {"reader": a.reader, "kind": a.kind, **asdict(f), "hit": None if f.hit is None else bool(f.hit)}
                for a, f in self.agreement
            ],
        }


@dataclass(frozen=True)
class Difference:
    """How alike two maps are. iou, dice: of what each marks, in [0, 1], None if neither marks anything.
    correlation: Pearson's, in [-1, 1], over all pixels, None if a map is flat."""

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
    """The explanations with the keys `a` and `b` of one radiograph; `other` is the second checkpoint, B.

    Raises:
        ExplanationError: there is no explanation with such a key.
        MaskSizeError: an annotation has another size than the radiograph.
    """
    readers = [predictor] if other is None else [predictor, other]
    first, second = explain([a, b], radiograph, annotations, readers)
    marked = between_readers(first.marked, second.marked)
    difference = Difference(marked.iou, marked.dice, _correlation(first.map, second.map))
    return Comparison(radiograph.size, first, second, difference)


def available(readers: Sequence[Predictor], annotations: Sequence[Annotation]) -> list[tuple[str, str]]:
    """Key and name of each explanation there is, given checkpoint A or A and B, and the annotations."""
    learned = [(key, name) for key, (name, _, _) in _learned(readers).items()]
    return learned + [(key, key.removeprefix(DOCTOR)) for key in _doctors(annotations)]


def explain(
    keys: Sequence[str], radiograph: Radiograph, annotations: Sequence[Annotation], readers: Sequence[Predictor]
) -> list[Explanation]:
    """The explanation of each key, with one forward pass a checkpoint at most; Grad-CAM adds its own, with gradients.

    Raises:
        ExplanationError: there is no explanation with such a key.
        MaskSizeError: an annotation has another size than the radiograph.
    """
    names = dict(available(readers, annotations))
    _check(keys, names, radiograph, annotations)
    learned, doctors = _learned(readers), _doctors(annotations)
    once = cache(lambda reader: _Pass(reader, radiograph))

    def one(key: str) -> Explanation:
        if key in doctors:
            return _doctors_own(key, names[key], doctors[key])
        _, method, reader = learned[key]
        return once(reader).explain(key, names[key], method, radiograph.size)

    return [_held_to(annotations, one(key)) for key in keys]


class _Pass:
    """One radiograph, seen once by the network of one checkpoint."""

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
            cells, note = random_map(cells, (cells.shape[0], cells.shape[1]), SEED), "one draw, by the same seed always"
        elif method == "grad_cam":  # it explains the predicted class, whatever that is
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


def _held_to(annotations: Sequence[Annotation], one: Explanation) -> Explanation:
    """The explanation with its figures against each annotation."""
    found = [(a, scores_of(one.map, a.mask, one.threshold)) for a in annotations]
    if one.cells is None:  # of a mask's pixels, all equally high, the first would count as its highest point
        found = [(a, replace(scores, hit=None)) for a, scores in found]
    return replace(one, agreement=tuple(found))


def _learned(readers: Sequence[Predictor]) -> dict[str, tuple[str, str, Predictor]]:
    """Name, method and checkpoint of each map that needs a network, by key."""
    found = {}
    for method, name in METHODS.items():
        for letter, ending, reader in zip("AB", ("", "_b"), readers, strict=False):
            whose = f" ({letter}: {reader.checkpoint.name})" if len(readers) > 1 else ""
            found[method + ending] = (name + whose, method, reader)
    found.pop("random_b", None)  # chance needs to be seen once
    return found


def _doctors(annotations: Sequence[Annotation]) -> dict[str, Annotation]:
    """Each annotation by key; a reader's second one is numbered."""
    found: dict[str, Annotation] = {}
    for annotation in annotations:
        key, number = DOCTOR + annotation.reader, 1
        while key in found:
            number += 1
            key = f"{DOCTOR}{annotation.reader} ({number})"
        found[key] = annotation
    return found


def _check(
    keys: Sequence[str], names: dict[str, str], radiograph: Radiograph, annotations: Sequence[Annotation]
) -> None:
    if unknown := [key for key in keys if key not in names]:
        raise ExplanationError(
            f"There is no explanation {unknown[0]!r} of this radiograph; choose from {', '.join(names)}."
        )
    for a in annotations:
        check_size(a.size, radiograph.size, f"The mask of {a.reader}")


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float | None:
    if min(np.ptp(a), np.ptp(b)) < FLAT:
        return None
    x, y = (m.ravel() - m.mean(dtype=np.float64) for m in (a, b))
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
