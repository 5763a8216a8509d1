"""Scores of agreement between one attention map and one reader's mask, beside those of two blind controls.

A score means little alone, because a large lesion is hit by chance. Each comparison therefore includes two
controls on the same case: the model's own attention in random order, and a fixed map of the lung centres.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.masks.annotation import Annotation, check_size
from deep_pneumonia.prediction.model_frame import enlarge

CONTROL_SIDE = 128  # longest side of the frame of the controls: 64 times fewer pixels than 1024 x 1024

# The centre map, in shares of the picture's height and width. Position and spread are means over 54 chests
# whose lungs were drawn by radiologists (GeneralBlockchain masks), made symmetric from left to right.
LUNG_ROW, LUNG_ROW_SIGMA = 0.45, 0.18
LUNG_COLUMNS, LUNG_COLUMN_SIGMA = (0.29, 0.71), 0.10
LUNG_PEAKS = (1.0, 0.95)  # the single highest point lies in the patient's right lung, left in the picture


@dataclass(frozen=True)
class Scores:
    """How well one map agrees with one mask: each score in [0, 1], or None where it is undefined.

    hit: whether the map's highest point lies in the mask (pointing game, Zhang et al. 2016). iou, dice:
    overlap of the mask with the part of the map at or above a threshold. share_inside: share of the map's sum
    that lies in the mask. average_precision: of the pixels as ranked by the map; it needs no threshold.
    """

    hit: float | None = None
    iou: float | None = None
    dice: float | None = None
    share_inside: float | None = None
    average_precision: float | None = None

    @classmethod
    def mean(cls, scores: Iterable["Scores"]) -> "Scores":
        """Mean of each score over those that define it; None where none does."""
        rows = list(scores)
        columns = {f.name: [v for r in rows if (v := getattr(r, f.name)) is not None] for f in fields(cls)}
        return cls(**{name: math.fsum(v) / len(v) if v else None for name, v in columns.items()})

    def to_json(self) -> dict[str, Any]:
        """The scores of a single map as plain JSON, `hit` as a bool."""
        return {**asdict(self), "hit": None if self.hit is None else bool(self.hit)}


@dataclass(frozen=True)
class Agreement:
    """Scores of the attention and of the controls ("random", "centre") against one reader's mask.

    area_fraction: share of the picture that the mask covers, in [0, 1].
    """

    reader: str
    kind: str
    scores: Scores
    area_fraction: float
    controls: dict[str, Scores]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON without NaN. The `hit` of the attention is a bool, that of a control a mean over draws."""
        controls = {name: asdict(scores) for name, scores in self.controls.items()}
        head = {"reader": self.reader, "kind": self.kind, **self.scores.to_json()}
        return {**head, "area_fraction": self.area_fraction, "controls": controls}


def agree(
    attention: NDArray[np.float32], cells: NDArray[np.float32], annotation: Annotation, threshold: float
) -> Agreement:
    """Score the attention (H, W) and its controls against one annotation; equal input gives equal scores.

    `cells` (h, w) is the attention on the model's own grid, in [0, 1], covering the same field of view.
    `threshold` in [0, 1] is where the attention counts as lesion.

    Raises:
        MaskSizeError: the annotation has another size than the attention.
    """
    scores = compare(attention, annotation.mask, threshold)
    controls = control_scores(cells, annotation.mask, threshold)
    return Agreement(annotation.reader, annotation.kind, scores, float(annotation.mask.mean()), controls)


def compare(
    attention: NDArray[np.float32], mask: NDArray[np.bool_] | NDArray[np.floating[Any]], threshold: float
) -> Scores:
    """Score `attention` (H, W) in [0, 1] against `mask` (H, W), bool or in [0, 1]; all None if the mask is empty.

    A soft mask gives the share m of each pixel that is lesion. The pixel then counts as m inside and 1 - m
    outside, and as hit where m >= 0.5. Among equally high points the first in row order is the highest.
    Pixels of equal attention enter the average precision together, so their order does not matter.

    Raises:
        MaskSizeError: the two sizes differ.
        ValueError: a value is not in [0, 1].
    """
    check_size(mask.shape, attention.shape, "A mask")
    score, lesion = _unit(attention), _unit(mask)
    area = float(lesion.sum(dtype=np.float64))
    if area == 0:
        return Scores()
    ranked, found = _rank(score, lesion)
    selected = int(np.count_nonzero(score >= threshold))
    iou, dice = _overlap(float(found[selected - 1]) if selected else 0.0, selected, area)
    total = float(score.sum(dtype=np.float64))
    inside = float(np.multiply(score, lesion).sum(dtype=np.float64))
    return Scores(
        hit=float(lesion[score.argmax()] >= 0.5),
        iou=iou,
        dice=dice,
        share_inside=inside / total if total > 0 else None,
        average_precision=_average_precision(ranked, found),
    )


def between_readers(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Scores:
    """IoU and Dice of two readers' masks (H, W) of one radiograph; None if both are empty.

    Raises:
        MaskSizeError: the two sizes differ.
    """
    check_size(b.shape, a.shape, "A mask")
    in_a, in_b, in_both = (int(np.count_nonzero(part)) for part in (a, b, a & b))
    if not in_a + in_b:
        return Scores()
    iou, dice = _overlap(in_both, in_a, in_b)
    return Scores(iou=iou, dice=dice)


def control_scores(
    cells: NDArray[np.float32], mask: NDArray[np.bool_], threshold: float, *, draws: int = 16, seed: int = 0
) -> dict[str, Scores]:
    """Score maps that have not seen the radiograph against `mask` (H, W).

    "random" is the mean over `draws` random orders of the attention's `cells` (h, w): the amount of attention
    stays, its place is lost. "centre" is the fixed `centre_map`. Both are compared on a frame of at most 128
    pixels a side, to which the mask is averaged as a soft mask. This takes a fraction of the time and gives
    the same scores to about 0.01 for lesions much larger than a pixel of that frame.
    """
    shrink = max(1.0, max(mask.shape) / CONTROL_SIDE)
    frame = max(1, round(mask.shape[0] / shrink)), max(1, round(mask.shape[1] / shrink))
    soft = _shrink(mask, frame)
    random = (compare(random_map(cells, frame, seed + draw), soft, threshold) for draw in range(draws))
    return {"random": Scores.mean(random), "centre": compare(centre_map(frame), soft, threshold)}


def random_map(cells: NDArray[np.float32], size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """The attention's `cells` (h, w) in random order, enlarged to `size` (H, W) as the attention is."""
    return enlarge(np.random.default_rng(seed).permutation(cells.ravel()).reshape(cells.shape), size)


def centre_map(size: tuple[int, int]) -> NDArray[np.float32]:
    """A map (H, W) in [0, 1] with a Gaussian bump at the usual centre of each lung (`LUNG_*`)."""
    row, column = ((np.arange(n) + 0.5) / n for n in size)
    lungs = zip(LUNG_PEAKS, LUNG_COLUMNS, strict=True)
    across = [peak * np.exp(-0.5 * ((column - centre) / LUNG_COLUMN_SIGMA) ** 2) for peak, centre in lungs]
    down = np.exp(-0.5 * ((row - LUNG_ROW) / LUNG_ROW_SIGMA) ** 2)
    return np.outer(down, np.maximum(*across)).astype(np.float32)


def _shrink(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    """Average `mask` over the area of each pixel of a smaller frame of `size` (H, W)."""
    rows, columns = (_areas(n, m) for n, m in zip(mask.shape, size, strict=True))
    return np.minimum(rows @ mask.astype(np.float32) @ columns.T, 1)


def _areas(n: int, m: int) -> NDArray[np.float32]:
    """Weights (m, n): the share of each of n pixels in the mean over each of m larger ones."""
    start, pixel = np.arange(m)[:, None] * n / m, np.arange(n)
    overlap = np.minimum(start + n / m, pixel + 1) - np.maximum(start, pixel)
    return (np.maximum(overlap, 0) * m / n).astype(np.float32)


def _rank(score: NDArray[np.float32], lesion: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Scores (N,) from high to low, and how much lesion lies in the k + 1 highest pixels.

    Non-negative floats sort in the order of their bits. A 64-bit word with the score in its high half and the
    lesion in its low half can therefore be sorted directly, which is faster than an indirect sort and two
    gathers.
    """
    pairs = np.stack([lesion, score], axis=1).astype("<f4", copy=False)
    pairs.view("<u8").ravel().sort()
    return pairs[::-1, 1], np.cumsum(pairs[::-1, 0], dtype=np.float64)


def _average_precision(ranked: NDArray[np.float32], found: NDArray[np.float64]) -> float:
    """Sum over distinct scores of precision times the recall that the score adds."""
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    found_by = found[last]
    return min(float(np.dot(np.diff(found_by, prepend=0.0), found_by / (last + 1)) / found_by[-1]), 1.0)


def _overlap(common: float, a: float, b: float) -> tuple[float, float]:
    return common / (a + b - common), 2 * common / (a + b)


def _unit(values: NDArray[Any]) -> NDArray[np.float32]:
    """Flat float32 values. Adding 0 turns -0.0, whose bits would rank highest, into 0.0."""
    flat = values.ravel().astype(np.float32) + np.float32(0)
    if not (flat.size and flat.min() >= 0 and flat.max() <= 1):
        raise ValueError("Attention and masks must not be empty and must lie in [0, 1]; scale them first.")
    return flat
