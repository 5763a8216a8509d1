"""Many figures of one set of cases, each with its 95% bootstrap interval over patients, fast enough to wait for.

Cases of one patient are not independent, so patients are drawn, not cases (percentile interval, Efron and Tibshirani
1993). They are drawn once for all figures. Each figure is computed from sums over cases, such as hits and cases that
can be hit: sums of a thousand drawn sets are one matrix product. `metrics.bootstrap` draws anew for each figure and
takes any statistic; intervals of the two differ by the noise of drawing only.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.metrics import percentile_interval

DRAWS = 1000
SEED = 0
BLOCK = 20_000  # cases whose draws are held at once: 80 MB

Sums = NDArray[np.floating[Any]]  # (K, sets), sums over the cases of a set
Figure = Callable[[Sums], NDArray[np.float64]]  # -> (sets,), NaN where undefined


class Resampling:
    """A set of cases whose patients are drawn with replacement, `DRAWS` times, always the same."""

    def __init__(self, patients: Sequence[str]) -> None:
        """`patients` (N,): whose each case is."""
        names, owner = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
        self.owner: NDArray[np.intp] = owner
        random = np.random.default_rng(SEED)
        # No patient of 256 or more comes 256 times in a draw: it would be drawn about once.
        times = np.zeros((DRAWS, len(names)), np.uint8)
        for row in times:
            row[:] = np.bincount(random.integers(max(1, len(names)), size=len(names)), minlength=len(names))
        self.times = np.ascontiguousarray(times.T)  # (patients, draws): those of a few cases are taken quickly

    def estimate(self, figure: Figure, cases: Sequence[int], columns: NDArray[np.floating[Any]]) -> Estimate:
        """A figure of some cases, by their places in the set, from the sums of their `columns` (cases, K).

        Draws in which it is undefined are left out; None where it is undefined for all the cases.
        """
        if not len(cases):
            return Estimate()
        value = float(figure(columns.sum(0, dtype=np.float64)[:, None])[0])
        if np.isnan(value):
            return Estimate()
        owner = self.owner[np.asarray(cases)]
        starts = range(0, len(owner), BLOCK)
        parts = ((columns[i : i + BLOCK], self.times[owner[i : i + BLOCK]]) for i in starts)
        drawn = np.sum([c.T.astype(np.float32) @ t.astype(np.float32) for c, t in parts], axis=0)
        return percentile_interval(value, figure(drawn), len(np.unique(owner)))

    def mean(self, cases: Sequence[int], values: Sequence[float]) -> Estimate:
        """Mean of a value a case."""
        return self.estimate(_ratio, cases, np.stack([np.asarray(values, np.float64), np.ones(len(values))], axis=1))

    def kappa(self, cases: Sequence[int], first: Sequence[int], second: Sequence[int], categories: int) -> Estimate:
        """Cohen's kappa of two people who put each case into one of `categories`, numbered from 0; see `kappa`."""
        cells = np.eye(categories * categories)[np.asarray(first, int) * categories + np.asarray(second, int)]
        return self.estimate(kappa, cases, cells)


def kappa(cells: Sums) -> NDArray[np.float64]:
    """Cohen's kappa (1960), unweighted, in [-1, 1], of counts (C * C, sets) of first times second in row order.

    1 where both always agree, 0 where no more than chance would have them; NaN where both only used one and the same
    category, for then chance alone makes them agree.
    """
    side = round(len(cells) ** 0.5)
    table = cells.reshape(side, side, -1).astype(np.float64)
    total = table.sum((0, 1))
    agreed = _divide(np.trace(table), total)
    chance = _divide((table.sum(0) * table.sum(1)).sum(0), total**2)
    return _divide(agreed - chance, np.where(chance < 1, 1 - chance, 0.0))


def _ratio(sums: Sums) -> NDArray[np.float64]:
    return _divide(sums[0].astype(np.float64), sums[1].astype(np.float64))


def _divide(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b != 0)
