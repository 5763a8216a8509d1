"""95% bootstrap intervals over patients.

Images of one patient are not independent, so patients are drawn with replacement, not images (percentile
interval, Efron and Tibshirani 1993). There are two ways to an interval. They differ only by the noise of drawing:

- `bootstrap` takes any statistic and draws anew for each one.
- `Resampling` draws once for many means over subsets of one set of cases, and is fast enough for a screen. It
  computes each value from sums over cases, so a thousand drawn sets are one matrix product.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.estimate import Estimate

# How often each image counts: (draws, N), zero or more. An image counts as often as its patient was drawn.
Weights = NDArray[np.float64]
Statistic = Callable[[Weights], NDArray[np.float64]]  # -> (draws,), NaN where undefined
Sums = NDArray[np.floating[Any]]  # (K, sets), sums over the cases of each set
SumStatistic = Callable[[Sums], NDArray[np.float64]]  # -> (sets,), NaN where undefined

DRAW_COUNT = 1000
SEED = 0
MAX_WEIGHTS = 4_000_000  # held in memory at once: 32 MB
MAX_CASES = 20_000  # whose draws are held in memory at once: 80 MB


def bootstrap(statistic: Statistic, patients: Sequence[str], *, draws: int = DRAW_COUNT, seed: int = SEED) -> Estimate:
    """Value of `statistic` over all images, with its percentile interval over drawn patients.

    `patients` (N,) names the patient of each image. Draws in which the statistic is undefined (those with
    one class only, say) are left out. There is no interval with one patient, or where more than half of the
    draws are undefined.

    Resampling adds noise, and noise raises a calibration error: its interval may lie above its value.
    """
    if not len(patients):
        return Estimate()
    value = overall(statistic, len(patients))
    if np.isnan(value):
        return Estimate()
    drawn = np.concatenate([statistic(block) for block in _drawn_weights(patients, draws, seed)])
    return percentile_interval(value, drawn, len(set(patients)))


def overall(statistic: Statistic, n: int) -> float:
    """Value of `statistic` over `n` images that count once each; NaN where it is undefined."""
    return float(statistic(np.ones((1, n)))[0])


def percentile_interval(value: float, drawn: NDArray[np.floating[Any]], patients: int) -> Estimate:
    """A value with the 95% interval of the values `drawn` (draws,), which are NaN where undefined.

    There is no interval with fewer than two patients, or where more than half of the draws are undefined.
    """
    defined = drawn[~np.isnan(drawn)]
    if patients < 2 or 2 * len(defined) < len(drawn):
        return Estimate(value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _drawn_weights(patients: Sequence[str], draws: int, seed: int) -> Iterator[Weights]:
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    random = np.random.default_rng(seed)
    step = max(1, MAX_WEIGHTS // len(owner))
    for start in range(0, draws, step):
        times = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=min(step, draws - start))
        yield times[:, owner].astype(np.float64)


class Resampling:
    """A set of cases whose patients are drawn with replacement `DRAW_COUNT` times, always the same draws."""

    def __init__(self, patients: Sequence[str]) -> None:
        """`patients` (N,) names the patient of each case."""
        names, owner = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
        self.owner: NDArray[np.intp] = owner
        random = np.random.default_rng(SEED)
        # One byte is enough: a patient is drawn about once per draw, never 256 times.
        times = np.zeros((DRAW_COUNT, len(names)), np.uint8)
        for row in times:
            row[:] = np.bincount(random.integers(max(1, len(names)), size=len(names)), minlength=len(names))
        self.times = np.ascontiguousarray(times.T)  # (patients, draws): the rows of a few cases are taken quickly

    def estimate(self, statistic: SumStatistic, cases: Sequence[int], columns: NDArray[np.floating[Any]]) -> Estimate:
        """A statistic of some cases, given by their places in the set, from the sums of `columns` (cases, K).

        Draws in which it is undefined are left out. The value is None where it is undefined for all cases.
        """
        if not len(cases):
            return Estimate()
        value = float(statistic(columns.sum(0, dtype=np.float64)[:, None])[0])
        if np.isnan(value):
            return Estimate()
        owner = self.owner[np.asarray(cases)]
        starts = range(0, len(owner), MAX_CASES)
        parts = ((columns[i : i + MAX_CASES], self.times[owner[i : i + MAX_CASES]]) for i in starts)
        drawn = np.sum([c.T.astype(np.float32) @ t.astype(np.float32) for c, t in parts], axis=0)
        return percentile_interval(value, statistic(drawn), len(np.unique(owner)))

    def mean(self, cases: Sequence[int], values: Sequence[float]) -> Estimate:
        """Mean of one value per case."""
        columns = np.stack([np.asarray(values, np.float64), np.ones(len(values))], axis=1)
        return self.estimate(lambda sums: ratio(sums[0].astype(np.float64), sums[1]), cases, columns)

    def kappa(self, cases: Sequence[int], first: Sequence[int], second: Sequence[int], categories: int) -> Estimate:
        """Cohen's kappa of two people who each put every case into one of `categories`, numbered from 0."""
        cells = np.eye(categories * categories)[np.asarray(first, int) * categories + np.asarray(second, int)]
        return self.estimate(kappa, cases, cells)


def kappa(cells: Sums) -> NDArray[np.float64]:
    """Cohen's kappa (1960), unweighted, in [-1, 1].

    `cells` (C * C, sets) counts first by second category, in row order. Kappa is 1 where both always agree
    and 0 where they agree no more often than by chance. It is NaN where both used one and the same category
    only, because chance alone would then make them agree.
    """
    side = round(len(cells) ** 0.5)
    table = cells.reshape(side, side, -1).astype(np.float64)
    total = table.sum((0, 1))
    agreed = ratio(np.trace(table), total)
    chance = ratio((table.sum(0) * table.sum(1)).sum(0), total**2)
    return ratio(agreed - chance, np.where(chance < 1, 1 - chance, 0.0))


def ratio(a: NDArray[np.float64], b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b != 0)
