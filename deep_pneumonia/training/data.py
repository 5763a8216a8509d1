"""What a training run learns from: the classes, the decoded images of both splits, and the order of an epoch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training.cache import Cache


@dataclass(frozen=True)
class Material:
    """The data of a run: classes, the training and validation caches with their labels (-1 = none), and
    `epoch`, the row numbers of the training images with repeats."""

    classes: tuple[str, ...]
    normal: str
    training: Cache
    labels: torch.Tensor
    epoch: NDArray[np.int64]
    held_out: Cache
    held_out_labels: torch.Tensor

    @property
    def counts(self) -> list[int]:
        """Images of each class in an epoch, repeats counted."""
        drawn = self.labels[torch.from_numpy(self.epoch)]
        return [int((drawn == i).sum()) for i in range(len(self.classes))]


def gather(
    cases: Sequence[Case], normal: str, recipe: InputRecipe, repeats: int, cache: Path, *, progress: bool
) -> Material:
    """Split `cases` into the material of a run; images with neither label nor known mask are left out.

    normal: the class without pneumonia, "" to find it. repeats: times an image with a drawn lesion stands in an
    epoch. cache: folder of the decoded images.

    Raises:
        TrainingError: there is no labelled training or validation image, or no normal class.
    """
    useful = [c for c in cases if c.label or c.masks]
    classes = tuple(sorted({c.label for c in useful if c.label and c.split == "train"}))
    if len(classes) < 2:
        raise TrainingError(f"The training split has the classes {list(classes)}; at least two are needed.")
    normal = _given_or_found(normal, useful, classes)
    parts: list[tuple[Cache, torch.Tensor]] = []
    for split in ("train", "val"):
        chosen = [c for c in useful if c.split == split]
        if not any(c.label in classes for c in chosen):
            raise TrainingError(f"The manifests have no labelled image in the split {split!r}.")
        labels = torch.tensor([classes.index(c.label) if c.label in classes else -1 for c in chosen])
        parts.append((Cache(chosen, recipe, cache, progress=progress), labels))
    (training, labels), (held_out, held_out_labels) = parts
    times = np.where(training.mask_rows >= 0, repeats, 1)
    epoch = np.repeat(np.arange(len(training.cases)), times)
    return Material(classes, normal, training, labels, epoch, held_out, held_out_labels)


def with_weak_labels(cases: Sequence[Case], normal: str) -> list[Case]:
    """The same cases, the unlabelled ones of the training split with their weak labels, which decide nothing else.

    One whose weak label is the normal class (`normal`, "" to find it) is taken to hold no lesion, as if it was read.
    """
    normal = normal or _normal_class(cases)
    nothing = (MaskRef(None, "normal", "report"),)

    def taught(case: Case) -> Case:
        if case.split != "train" or case.label or not case.weak_label:
            return case
        return replace(case, label=case.weak_label, masks=case.masks or nothing * (case.weak_label == normal))

    return [taught(c) for c in cases]


def _given_or_found(normal: str, cases: Sequence[Case], classes: Sequence[str]) -> str:
    normal = normal or _normal_class(cases)
    if not normal:
        raise TrainingError(
            "No labelled image was read as normal, so nothing tells which class is without pneumonia; give "
            f"--normal-class, one of {', '.join(classes)}, or add images whose mask_kind is normal."
        )
    if normal not in classes:
        raise TrainingError(
            f"The normal class {normal!r} is no class of the training split ({', '.join(classes)}); give another "
            "--normal-class."
        )
    return normal


def _normal_class(cases: Sequence[Case]) -> str:
    """The label that most images which a doctor read as normal bear, "" if there is none."""
    votes = Counter(c.label for c in cases if c.label and c.masks and not c.has_lesion)
    return votes.most_common(1)[0][0] if votes else ""


def images_by_source(data: Material) -> dict[str, dict[str, dict[str, int]]]:
    """Images by split, source and label; those with a drawn lesion stand under "lesion drawn"."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for split, cache in (("train", data.training), ("val", data.held_out)):
        for case in cache.cases:
            row = counts.setdefault(split, {}).setdefault(case.source, {})
            for key in (case.label or "not labelled", *(["lesion drawn"] if case.has_lesion else [])):
                row[key] = row.get(key, 0) + 1
    return counts
