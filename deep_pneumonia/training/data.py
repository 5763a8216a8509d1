"""What a training run learns from: the classes, the decoded images of both splits, and the batches of an epoch."""

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


@dataclass(frozen=True, eq=False)
class Batch:
    """The images of one step, before augmentation, on the device that computes.

    images: float32 (B, 1, S, S) in [0, 1]. masks: float32 (B, 1, S, S) in [0, 1], the mean over readers, 0 where
    nothing is drawn. known: bool (B,), whether a reader drew a mask or read the image as normal. labels: int64 (B,),
    the number of the class, -1 without a label.
    """

    images: torch.Tensor
    masks: torch.Tensor
    known: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The images of a run.

    classes: names in the order of their numbers. normal: the class without pneumonia. labels, held_out_labels: int64,
    one class number per image of `training` and of `held_out`, the validation split; -1 without a label. epoch:
    int64 (E,), the row numbers of the training images, some of them several times.
    """

    classes: tuple[str, ...]
    normal: str
    training: Cache
    labels: torch.Tensor
    epoch: NDArray[np.int64]
    held_out: Cache
    held_out_labels: torch.Tensor

    @property
    def counts(self) -> list[int]:
        """Images of each class in an epoch, including repeats."""
        drawn = self.labels[torch.from_numpy(self.epoch)]
        return [int((drawn == i).sum()) for i in range(len(self.classes))]

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> Batch:
        """The training images of these row numbers (B,)."""
        images, masks = self.training.batch(rows, device)
        known = torch.from_numpy(self.training.known[rows])
        return Batch(images, masks, known.to(device), self.labels[torch.from_numpy(rows)].to(device))


@dataclass(frozen=True)
class Chosen:
    """The cases of a run, before any image is decoded.

    classes, normal: as in `TrainingData`. training, held_out: the cases of the two splits. repeats: how often an image
    with a drawn lesion appears in an epoch.
    """

    classes: tuple[str, ...]
    normal: str
    training: tuple[Case, ...]
    held_out: tuple[Case, ...]
    repeats: int

    @property
    def epoch_length(self) -> int:
        """Images in an epoch, repeats included."""
        return sum(self.repeats if c.has_lesion else 1 for c in self.training)


def choose(cases: Sequence[Case], normal: str, repeats: int) -> Chosen:
    """The cases that a run can use; images with neither a label nor a known mask are left out.

    normal: the class without pneumonia, "" to find it.

    Raises:
        TrainingError: a split has no labelled image, or the normal class is unknown.
    """
    useful = [c for c in cases if c.label or c.masks]
    classes = tuple(sorted({c.label for c in useful if c.label and c.split == "train"}))
    if len(classes) < 2:
        raise TrainingError(
            f"The training split has the classes {list(classes)}, expected two or more; add labelled images."
        )
    normal = _given_or_found(normal, useful, classes)
    training, held_out = (tuple(c for c in useful if c.split == split) for split in ("train", "val"))
    for split, chosen in (("train", training), ("val", held_out)):
        if not any(c.label in classes for c in chosen):
            raise TrainingError(f"The split {split!r} has no labelled image; add some, or prepare the data again.")
    return Chosen(classes, normal, training, held_out, repeats)


def gather(chosen: Chosen, recipe: InputRecipe, cache: Path, *, progress: bool) -> TrainingData:
    """Decode the images of a run. cache: folder of the decoded images.

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
        TrainingError: the cache cannot be written.
    """
    classes = chosen.classes
    labels, held_out_labels = (
        torch.tensor([classes.index(c.label) if c.label in classes else -1 for c in cases])
        for cases in (chosen.training, chosen.held_out)
    )
    training, held_out = (
        Cache(cases, recipe, cache, progress=progress) for cases in (chosen.training, chosen.held_out)
    )
    times = np.where(training.mask_rows >= 0, chosen.repeats, 1)
    epoch = np.repeat(np.arange(len(training.cases)), times)
    return TrainingData(classes, chosen.normal, training, labels, epoch, held_out, held_out_labels)


def with_weak_labels(cases: Sequence[Case], normal: str) -> list[Case]:
    """The same cases, where unlabelled ones of the training split take their weak label.

    Weak labels reach no other split, so they decide nothing. A case whose weak label is the normal class (`normal`,
    "" to find it) counts as read as normal.
    """
    normal = normal or _normal_class(cases)
    read_as_normal = (MaskRef(None, "normal", "report"),)

    def labelled(case: Case) -> Case:
        if case.split != "train" or case.label or not case.weak_label:
            return case
        masks = case.masks or read_as_normal * (case.weak_label == normal)
        return replace(case, label=case.weak_label, masks=masks)

    return [labelled(c) for c in cases]


def _given_or_found(normal: str, cases: Sequence[Case], classes: Sequence[str]) -> str:
    normal = normal or _normal_class(cases)
    if not normal:
        raise TrainingError(
            "The class without pneumonia is unknown, as no labelled image was read as normal; give --normal-class, "
            f"one of {', '.join(classes)}, or add images whose mask_kind is normal."
        )
    if normal not in classes:
        raise TrainingError(
            f"The normal class {normal!r} is not among the classes of the training split ({', '.join(classes)}); give "
            "another --normal-class."
        )
    return normal


def _normal_class(cases: Sequence[Case]) -> str:
    """The most frequent label of images that a doctor read as normal, "" if there are none."""
    votes = Counter(c.label for c in cases if c.label and c.masks and not c.has_lesion)
    return votes.most_common(1)[0][0] if votes else ""


def images_by_source(data: TrainingData) -> dict[str, dict[str, dict[str, int]]]:
    """Numbers of images by split, source and label; those with a drawn lesion also count under "lesion drawn"."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for split, cache in (("train", data.training), ("val", data.held_out)):
        for case in cache.cases:
            row = counts.setdefault(split, {}).setdefault(case.source, {})
            for key in (case.label or "not labelled", *(["lesion drawn"] if case.has_lesion else [])):
                row[key] = row.get(key, 0) + 1
    return counts
