"""Fitting a gate to radiographs: nothing else is needed, no picture of anything else is seen.

The covariance is shrunk as Ledoit and Wolf (2004) have it: there are about as many features as radiographs of a source.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from deep_pneumonia.cache import Cache
from deep_pneumonia.gate import Gate, features
from deep_pneumonia.model import AttentionNet

LEAST = 200  # training radiographs: of fewer the covariance says little, and everything else would be refused
KEPT = 0.995  # share of each source's validation radiographs that stay within the limit


@torch.no_grad()
def all_features(network: AttentionNet, data: Cache, device: torch.device, batch: int = 64) -> torch.Tensor:
    """What the gate looks at, of every image of `data`, in evaluation mode: float32 (N, D)."""
    network.eval()
    found = []
    for start in range(0, len(data.cases), batch):
        images, _ = data.batch(np.arange(start, min(start + batch, len(data.cases))), device)
        found.append(features(network(images).features).cpu())
    return torch.cat(found)


def fit(training: torch.Tensor, held_out: torch.Tensor, sources: NDArray[np.str_]) -> Gate | None:
    """A gate from features (N, D) of training radiographs and (M, D) of validation ones with their `sources` (M,).

    None with fewer than `LEAST` training radiographs, or without validation ones.

    The limit is the largest over sources of the distance within which `KEPT` of its validation radiographs are: no
    source is refused more than the others because it is small.
    """
    if len(training) < LEAST or not len(held_out):
        return None
    estimate = LedoitWolf().fit(training.double().numpy())
    mean, precision = (torch.from_numpy(np.asarray(x, np.float32)) for x in (estimate.location_, estimate.precision_))
    far = Gate(mean, precision, 1.0).distance(held_out).numpy()
    limit = max(float(np.quantile(far[sources == source], KEPT)) for source in np.unique(sources))
    return Gate(mean, precision, limit)


def gate_of(network: AttentionNet, training: Cache, held_out: Cache, device: torch.device) -> Gate | None:
    """`fit` on the radiographs of two caches, as the network sees them."""
    seen, unseen = (all_features(network, part, device) for part in (training, held_out))
    return fit(seen, unseen, np.array([c.source for c in held_out.cases]))
