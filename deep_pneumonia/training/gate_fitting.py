"""Fitting a gate to radiographs: nothing else is needed, no picture of anything else is seen.

The covariance is shrunk as Ledoit and Wolf (2004) have it: there are about as many features as radiographs of a source.
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
from deep_pneumonia.training.gate_negatives import WAYS, altered

LEAST = 200  # training radiographs: of fewer the covariance says little, and everything else would be refused
KEPT = 0.9975  # share of each source's validation radiographs within each of the two limits: 99.5% within both
TIMES = 2  # in how many ways each training radiograph is altered; in three it tells no more
SOFTNESS = 1.0  # C of the logistic regression; from 1e-4 to 1 more tells more, 10 no more


@torch.no_grad()
def all_features(
    network: AttentionNet, data: Cache, device: torch.device, *, altered_times: int = 0, batch: int = 32
) -> torch.Tensor:
    """What the gate looks at, of every image of `data`: float32 (N, D, 3, 3); or of each altered in so many ways,
    float32 (altered_times N, D, 3, 3).

    The network is put into evaluation mode, and computes in bf16 as in training: its rounding is far below what tells
    one radiograph from another.
    """
    network.eval()
    found, count = [], len(data.cases)
    end = count * max(altered_times, 1)
    turn = int(count % len(WAYS) == 0)  # or the second time would be in the same way as the first
    for start in tqdm(range(0, end, batch), "Gate, altered" if altered_times else "Gate", unit="batch"):
        numbers = range(start, min(start + batch, end))
        images, _ = data.batch([number % count for number in numbers], device)
        if altered_times:
            asked = [number + turn * (number // count) for number in numbers]
            made = [altered(image[0].cpu(), n, data.recipe) for image, n in zip(images, asked, strict=True)]
            images = torch.stack(made)[:, None].to(device)
        with torch.autocast(device.type, torch.bfloat16):
            stages = network.backbone(images)
        found.append(features(stages).cpu())
    return torch.cat(found)


def fit(training: torch.Tensor, wrong: torch.Tensor, held_out: torch.Tensor, sources: NDArray[np.str_]) -> Gate | None:
    """A gate from features (N, D, h, w) of training radiographs, (K, D, h, w) of `wrong`, altered, ones, and
    (M, D, h, w) of validation ones with their `sources` (M,).

    None with fewer than `LEAST` training radiographs, or without validation ones.

    Each limit is the largest over sources of that within which `KEPT` of its validation radiographs are: no source is
    refused more than the others because it is small.
    """
    if len(training) < LEAST or not len(held_out):
        return None
    estimate = LedoitWolf().fit(training.mean(dim=(2, 3)).double().numpy())
    mean, precision = (torch.from_numpy(np.asarray(x, np.float32)) for x in (estimate.location_, estimate.precision_))
    weights, bias = _plane(training.flatten(1).numpy(), wrong.flatten(1).numpy())
    wide = Gate(mean, precision, 1.0, weights, bias)
    far, odds = wide.distance(held_out).numpy(), wide.odds(held_out).log().numpy()
    return Gate(mean, precision, _largest(far, sources), weights, bias - _largest(odds, sources))


def _plane(training: NDArray[np.float32], wrong: NDArray[np.float32]) -> tuple[torch.Tensor, float]:
    """Weights and bias of the logistic regression that tells `wrong` (K, F) from `training` (N, F)."""
    both = np.concatenate([training, wrong])
    is_wrong = np.arange(len(both)) >= len(training)
    scale = StandardScaler().fit(both)
    model = LogisticRegression(C=SOFTNESS, class_weight="balanced", max_iter=500).fit(scale.transform(both), is_wrong)
    weights = model.coef_[0] / scale.scale_
    bias = float(model.intercept_[0] - weights @ scale.mean_)
    return torch.from_numpy(weights.astype(np.float32)), bias


def _largest(values: NDArray[np.floating], sources: NDArray[np.str_]) -> float:
    """The largest over `sources` of what `KEPT` of a source's `values` (M,) do not exceed."""
    return max(float(np.quantile(values[sources == source], KEPT)) for source in np.unique(sources))


def gate_of(network: AttentionNet, training: Cache, held_out: Cache, device: torch.device) -> Gate | None:
    """`fit` on the radiographs of two caches, as the network sees them."""
    if len(training.cases) < LEAST or not held_out.cases:
        return None
    wrong = all_features(network, training, device, altered_times=TIMES)
    seen, unseen = (all_features(network, part, device) for part in (training, held_out))
    return fit(seen, wrong, unseen, np.array([c.source for c in held_out.cases]))
