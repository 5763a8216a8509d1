"""Fitting a gate to radiographs alone; no photo, document or other input is needed.

The covariance is shrunk (Ledoit and Wolf, Journal of Multivariate Analysis, 2004), as there are about as many features
as radiographs of a source.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from deep_pneumonia.prediction.gate import Gate, features
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.gate_negatives import ALTERED_BY, altered

MIN_RADIOGRAPHS = 200  # for training; with fewer the covariance is unreliable and too much would be rejected
ACCEPTED_SHARE = 0.9975  # share of each source's validation radiographs within each of the two limits; both: 99.5%
ALTERATIONS = 2  # of each training radiograph; three did not improve the gate
INVERSE_REGULARISATION = 1.0  # C of the logistic regression; it improved from 1e-4 to 1, and 10 was no better


@torch.no_grad()
def all_features(
    network: AttentionNet, data: Cache, device: torch.device, *, altered_times: int = 0, batch: int = 32
) -> torch.Tensor:
    """The features that the gate uses, float32 (N, D, 3, 3), of the N images of `data`.

    altered_times: if above 0, how many alterations of each image to take instead of the image itself; the features
    are then (altered_times * N, D, 3, 3). batch: images at a time. The network is put into evaluation mode and computes
    in bf16 as in training, whose rounding is far below the differences between radiographs.
    """
    network.eval()
    found, count = [], len(data.cases)
    end = count * max(altered_times, 1)
    turn = int(count % len(ALTERED_BY) == 0)  # otherwise the second alteration would be the same as the first
    for start in tqdm(range(0, end, batch), "Gate, altered" if altered_times else "Gate", unit="batch"):
        numbers = range(start, min(start + batch, end))
        images, _ = data.batch([number % count for number in numbers], device)
        if altered_times:
            seeds = [number + turn * (number // count) for number in numbers]
            changed = [altered(image[0].cpu(), seed, data.recipe) for image, seed in zip(images, seeds, strict=True)]
            images = torch.stack(changed)[:, None].to(device)
        with torch.autocast(device.type, torch.bfloat16):
            stages = network.backbone(images)
        found.append(features(stages).cpu())
    return torch.cat(found)


def fit(training: torch.Tensor, wrong: torch.Tensor, held_out: torch.Tensor, sources: NDArray[np.str_]) -> Gate | None:
    """Fit a gate to features.

    training: (N, D, h, w), of radiographs. wrong: (K, D, h, w), of altered radiographs. held_out: (M, D, h, w), of
    validation radiographs, with their `sources` (M,), names. Returns None with fewer than `MIN_RADIOGRAPHS` training
    radiographs or without validation radiographs.

    Each limit is computed per source, such that it accepts `ACCEPTED_SHARE` of the source's validation radiographs,
    and the largest one is taken; so a small source is not rejected more often than a large one.
    """
    if len(training) < MIN_RADIOGRAPHS or not len(held_out):
        return None
    estimate = LedoitWolf().fit(training.mean(dim=(2, 3)).double().numpy())
    mean, precision = (torch.from_numpy(np.asarray(x, np.float32)) for x in (estimate.location_, estimate.precision_))
    weights, bias = _plane(training.flatten(1).numpy(), wrong.flatten(1).numpy())
    wide = Gate(mean, precision, 1.0, weights, bias)
    far, odds = wide.distance(held_out).numpy(), wide.odds(held_out).log().numpy()
    return Gate(mean, precision, _largest(far, sources), weights, bias - _largest(odds, sources))


def _plane(training: NDArray[np.float32], wrong: NDArray[np.float32]) -> tuple[torch.Tensor, float]:
    """Weights (F,) and bias of the logistic regression that separates `wrong` (K, F) from `training` (N, F)."""
    both = np.concatenate([training, wrong])
    is_wrong = np.arange(len(both)) >= len(training)
    scale = StandardScaler().fit(both)
    model = LogisticRegression(C=INVERSE_REGULARISATION, class_weight="balanced", max_iter=500)
    model.fit(scale.transform(both), is_wrong)
    weights = model.coef_[0] / scale.scale_
    bias = float(model.intercept_[0] - weights @ scale.mean_)
    return torch.from_numpy(weights.astype(np.float32)), bias


def _largest(values: NDArray[np.floating], sources: NDArray[np.str_]) -> float:
    """The largest over sources of the quantile `ACCEPTED_SHARE` of a source's `values` (M,)."""
    return max(float(np.quantile(values[sources == source], ACCEPTED_SHARE)) for source in np.unique(sources))


def gate_of(network: AttentionNet, training: Cache, held_out: Cache, device: torch.device) -> Gate | None:
    """Fit a gate to the radiographs of two caches; None with too few of them, as in `fit`."""
    if len(training.cases) < MIN_RADIOGRAPHS or not held_out.cases:
        return None
    wrong = all_features(network, training, device, altered_times=ALTERATIONS)
    seen, unseen = (all_features(network, part, device) for part in (training, held_out))
    return fit(seen, wrong, unseen, np.array([c.source for c in held_out.cases]))
