"""Figures over a set of images, each with a 95% bootstrap interval over patients.

Images of one patient are not independent, so patients are drawn, not images (percentile interval, Efron and
Tibshirani 1993). A drawn set is written as the *weight* of each image, the number of times its patient was
drawn, and a statistic takes the weights of many draws at once, (draws, N): scores are sorted once and all
draws share the rest, which is 5 to 10 times as fast as calling torchmetrics on a thousand index copies.
The values equal those of torchmetrics; a test holds them to it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.estimate import Estimate

Weights = NDArray[np.float64]  # (draws, N), times that each image counts, zero or more
Statistic = Callable[[Weights], NDArray[np.float64]]  # -> (draws,), NaN where undefined

ECE_BINS = 15  # Guo et al. 2017
BLOCK = 4_000_000  # weights held at once: 32 MB


class ScoresLike(Protocol):
    """One map against one mask: each figure in [0, 1], or None where it has no meaning."""

    @property
    def hit(self) -> float | None:
        """Whether the highest point is inside."""

    @property
    def iou(self) -> float | None:
        """Overlap over union."""

    @property
    def dice(self) -> float | None:
        """Twice the overlap over the sum."""

    @property
    def share_inside(self) -> float | None:
        """Share of the map's sum inside."""

    @property
    def average_precision(self) -> float | None:
        """Of the pixels ranked by the map."""


def bootstrap(statistic: Statistic, patients: Sequence[str], *, draws: int = 1000, seed: int = 0) -> Estimate:
    """Value of `statistic` over all images, and its percentile interval over drawn patients.

    `patients` (N,) tells whose each image is. Draws in which the statistic is undefined (one class only, say)
    are left out; there is no interval with one patient or where more than half of the draws are undefined.
    A calibration error grows with any resampling, as noise adds to it: its interval may lie above its value.
    """
    if not len(patients):
        return Estimate()
    value = float(statistic(np.ones((1, len(patients))))[0])
    if np.isnan(value):
        return Estimate()
    drawn = np.concatenate([statistic(block) for block in _drawn_weights(patients, draws, seed)])
    return percentile_interval(value, drawn, len(set(patients)))


def percentile_interval(value: float, drawn: NDArray[np.floating[Any]], patients: int) -> Estimate:
    """A figure's value with the 95% interval of its values in `drawn` (draws,) sets, NaN where undefined.

    There is no interval with fewer than 2 patients or where more than half of the draws are undefined.
    """
    defined = drawn[~np.isnan(drawn)]
    if patients < 2 or 2 * len(defined) < len(drawn):
        return Estimate(value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _drawn_weights(patients: Sequence[str], draws: int, seed: int) -> Iterator[Weights]:
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    random = np.random.default_rng(seed)
    step = max(1, BLOCK // len(owner))
    for start in range(0, draws, step):
        times = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=min(step, draws - start))
        yield times[:, owner].astype(np.float64)


def mean(values: Sequence[float | None] | NDArray[np.bool_]) -> Statistic:
    """Mean of `values` (N,), None left out."""
    number = np.array([np.nan if v is None else v for v in values], np.float64)
    known = ~np.isnan(number)
    filled = np.where(known, number, 0.0)
    return lambda weights: _divide(weights @ filled, weights @ known)


def auroc(positive: NDArray[np.bool_], score: NDArray[np.floating[Any]]) -> Statistic:
    """Chance that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    order, starts = _groups(score)
    sign = positive[order]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        ordered = weights[:, order]
        hits, misses = (np.add.reduceat(ordered * side, starts, axis=1) for side in (sign, ~sign))
        below = np.cumsum(misses, axis=1) - misses / 2
        return _divide((hits * below).sum(1), hits.sum(1) * misses.sum(1))

    return statistic


def average_precision(positive: NDArray[np.bool_], score: NDArray[np.floating[Any]]) -> Statistic:
    """Sum over distinct scores, from high to low, of precision times the recall that the score adds.

    Undefined without a negative too: there is nothing to rank.
    """
    order, starts = _groups(-score)
    sign = positive[order]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        ordered = weights[:, order]
        hits, images = (np.add.reduceat(part, starts, axis=1) for part in (ordered * sign, ordered))
        precision = np.nan_to_num(_divide(np.cumsum(hits, axis=1), np.cumsum(images, axis=1)))
        found = np.where(hits.sum(1) < images.sum(1), hits.sum(1), 0.0)
        return _divide((hits * precision).sum(1), found)

    return statistic


def macro_f1(labels: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]) -> Statistic:
    """Mean F1 over the classes that the (drawn) labels hold."""
    classes = np.unique(labels)[:, None]
    true, said = (labels == classes).T, (predicted == classes).T

    def statistic(weights: Weights) -> NDArray[np.float64]:
        both, in_true, in_said = (weights @ part for part in (true & said, true, said))
        f1 = 2 * both / np.maximum(in_true + in_said, 1)
        return _divide((f1 * (in_true > 0)).sum(1), (in_true > 0).sum(1))

    return statistic


def calibration_error(confidence: NDArray[np.floating[Any]], correct: NDArray[np.bool_]) -> Statistic:
    """Expected calibration error (Guo et al. 2017): top label, 15 bins of equal width, L1, in [0, 1].

    A bin holds its lower edge, the last one also 1. A bin's share times its gap is its summed gap over N.
    """
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = (bins[:, None] == np.arange(ECE_BINS)) * (correct - confidence)[:, None]
    return lambda weights: _divide(np.abs(weights @ gap).sum(1), weights.sum(1))


def calibration_error_by_chance(confidence: NDArray[np.floating[Any]], *, draws: int = 200, seed: int = 0) -> float:
    """The calibration error to expect of `confidence` (N,) if each were the very chance of being right.

    It is not 0, since a bin of few images is off by chance; in small sources it is much of the error.
    """
    right = np.random.default_rng(seed).random((draws, len(confidence))) < confidence
    one = np.ones((1, len(confidence)))
    return float(np.mean([calibration_error(confidence, each)(one)[0] for each in right]))


def classification_scores(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    patients: Sequence[str],
    classes: Sequence[str],
    normal: str,
) -> dict[str, Any]:
    """Figures of one source, as plain JSON.

    `probabilities` (N, C) in [0, 1], rows summing to 1; `labels` (N,), indices into `classes` (C,). Abnormal
    is every class but `normal`, scored 1 - p(normal). A pair "A|B" is scored p_A / (p_A + p_B) on the images
    of A and B. A figure that needs two classes is null where the source has one. "ece_by_chance" is the
    error to expect if every probability were true. In the confusion matrix rows are labels, columns predictions.
    """
    p = np.asarray(probabilities, np.float64)
    labels = np.asarray(labels)
    predicted, confidence = p.argmax(1), p.max(1)
    abnormal, score = labels != classes.index(normal), 1 - p[:, classes.index(normal)]

    def estimate(statistic: Statistic) -> dict[str, float | None]:
        return bootstrap(statistic, patients).to_json()

    return {
        "n": len(labels),
        "patients": len(set(patients)),
        "counts": {name: int((labels == index).sum()) for index, name in enumerate(classes)},
        "accuracy": estimate(mean(predicted == labels)),
        "macro_f1": estimate(macro_f1(labels, predicted)),
        "auroc_abnormal": estimate(auroc(abnormal, score)),
        "average_precision_abnormal": estimate(average_precision(abnormal, score)),
        "pairwise_auroc": _pairwise(p, labels, patients, classes),
        "ece": estimate(calibration_error(confidence, predicted == labels)),
        "ece_by_chance": calibration_error_by_chance(confidence) if len(labels) else None,
        "confusion": {"classes": list(classes), "matrix": _confusion(labels, predicted, len(classes))},
    }


def _pairwise(
    p: NDArray[np.float64], labels: NDArray[np.integer[Any]], patients: Sequence[str], classes: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    found = {}
    for a, b in combinations(np.unique(labels).tolist(), 2):
        rows = np.flatnonzero((labels == a) | (labels == b))
        pa, pb = p[rows, a], p[rows, b]
        score = np.divide(pa, pa + pb, out=np.full(len(rows), 0.5), where=pa + pb > 0)
        estimate = bootstrap(auroc(labels[rows] == a, score), np.asarray(patients)[rows].tolist())
        found[f"{classes[a]}|{classes[b]}"] = estimate.to_json()
    return found


def _confusion(labels: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], n: int) -> list[list[int]]:
    return np.bincount(labels * n + predicted, minlength=n * n).reshape(n, n).tolist()


def localisation_scores(scores: Sequence[ScoresLike], patients: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Means over images (N) of one method's figures, as plain JSON; None is left out of its figure's mean."""
    rows: Mapping[str, list[float | None]] = {
        "hit_rate": [f.hit for f in scores],
        "iou": [f.iou for f in scores],
        "dice": [f.dice for f in scores],
        "share_inside": [f.share_inside for f in scores],
        "average_precision": [f.average_precision for f in scores],
    }
    return {name: bootstrap(mean(values), patients).to_json() for name, values in rows.items()}


def _groups(score: NDArray[np.floating[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order (N,) from low to high, and where each run of equal scores starts in it."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _divide(a: NDArray[np.float64], b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b != 0)
