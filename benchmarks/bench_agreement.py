"""How long do all five scores of agreement take, against torchmetrics computing the average precision alone?

The average precision ranks every pixel and is the slowest of them. Prints the ratio of the times of pairs of runs.
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from torchmetrics.functional.classification import binary_average_precision

from deep_pneumonia.prediction.agreement import compare
from deep_pneumonia.prediction.model_frame import enlarge

SIDE, PAIR_COUNT = 1024, 5


def main() -> None:
    """Print both values of the average precision and the ratio of times."""
    random = np.random.default_rng(0)
    attention = np.clip(enlarge(random.random((14, 14), np.float32), (SIDE, SIDE)), 0, 1)
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[300:600, 200:450] = True
    ratios = []
    for _ in range(PAIR_COUNT):
        start = perf_counter()
        scores = compare(attention, mask, 0.5)
        middle = perf_counter()
        peer = binary_average_precision(torch.from_numpy(attention.ravel()), torch.from_numpy(mask.ravel()).long())
        ratios.append((perf_counter() - middle) / (middle - start))
    print(f"Attention against a mask at {SIDE} x {SIDE} pixels")
    print(f"  average precision ours {scores.average_precision:.6f}, torchmetrics {float(peer):.6f}")
    print(f"  torchmetrics takes {median(ratios):.1f} times as long for it alone (median of {PAIR_COUNT} pairs)")


if __name__ == "__main__":
    main()
