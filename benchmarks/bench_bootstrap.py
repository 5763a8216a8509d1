"""How much faster is our bootstrap of an AUROC over patients than torchmetrics called on resampled copies?

Both give the 95% interval from the same number of draws over the same patients. Prints the ratio of the times of
pairs of runs, one after the other, so a busy machine slows both.
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from torchmetrics.functional.classification import binary_auroc

from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import auroc

DRAW_COUNT, IMAGE_COUNT, PATIENT_COUNT, PAIR_COUNT = 300, 624, 428, 5


def peer(positive: np.ndarray, score: np.ndarray, owner: np.ndarray) -> tuple[float, float]:
    """Percentile interval with torchmetrics.functional.classification.binary_auroc, one call a draw."""
    random = np.random.default_rng(1)
    members = [np.flatnonzero(owner == p) for p in range(PATIENT_COUNT)]
    target, p = torch.from_numpy(positive.astype(np.int64)), torch.from_numpy(score)
    values = []
    for _ in range(DRAW_COUNT):
        rows = np.concatenate([members[k] for k in random.integers(PATIENT_COUNT, size=PATIENT_COUNT)])
        values.append(float(binary_auroc(p[rows], target[rows])))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Print both intervals and the ratio of times."""
    random = np.random.default_rng(0)
    owner = np.concatenate([np.arange(PATIENT_COUNT), random.integers(PATIENT_COUNT, size=IMAGE_COUNT - PATIENT_COUNT)])
    positive = random.random(IMAGE_COUNT) < 0.6
    score = random.normal(size=IMAGE_COUNT) + 1.5 * positive
    names = [str(o) for o in owner]
    ratios = []
    for _ in range(PAIR_COUNT):
        start = perf_counter()
        ours = bootstrap(auroc(positive, score), names, draws=DRAW_COUNT)
        middle = perf_counter()
        theirs = peer(positive, score, owner)
        ratios.append((perf_counter() - middle) / (middle - start))
    print(f"AUROC of {IMAGE_COUNT} images of {PATIENT_COUNT} patients, {DRAW_COUNT} draws")
    print(f"  interval ours {ours.low:.3f} to {ours.high:.3f}, torchmetrics {theirs[0]:.3f} to {theirs[1]:.3f}")
    print(f"  torchmetrics takes {median(ratios):.1f} times as long (median of {PAIR_COUNT} pairs)")


if __name__ == "__main__":
    main()
