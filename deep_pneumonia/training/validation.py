"""What validation images decide: which epoch is kept, the temperature, and the thresholds of the maps."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.evaluation.bootstrap import overall
from deep_pneumonia.evaluation.metrics import auroc
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training.cache import Cache

GRID = np.arange(0.05, 1.0, 0.05).round(2)


@dataclass(frozen=True)
class Predictions:
    """A network's answers on a cache.

    logits (N, C), labels (N,) with -1 for none, sources (N,), maps (N, h, w) attention in [0, 1],
    lesions (M,) row numbers of images with a drawn mask, masks (M, h, w) those masks averaged over cells.
    """

    logits: torch.Tensor
    labels: torch.Tensor
    sources: NDArray[np.str_]
    maps: torch.Tensor
    lesions: NDArray[np.int64]
    masks: torch.Tensor


@torch.no_grad()
def predict(
    network: AttentionNet, data: Cache, labels: torch.Tensor, device: torch.device, batch: int = 64
) -> Predictions:
    """Read every image of `data` once, in evaluation mode; the network's mode is put back."""
    was_training = network.training
    network.eval()
    logits, maps, masks = [], [], []
    for start in range(0, len(data.cases), batch):
        rows = np.arange(start, min(start + batch, len(data.cases)))
        images, drawn = data.batch(rows, device)
        output = network(images)
        logits.append(output.logits.float().cpu())
        maps.append(output.attention.float().cpu())
        shape = (maps[-1].shape[-2], maps[-1].shape[-1])
        masks.append(F.interpolate(drawn, size=shape, mode="area")[:, 0].cpu())
    network.train(was_training)
    lesions = np.flatnonzero(data.mask_rows >= 0)
    sources = np.array([c.source for c in data.cases])
    return Predictions(torch.cat(logits), labels, sources, torch.cat(maps), lesions, torch.cat(masks)[lesions])


def scores(p: Predictions) -> dict[str, float]:
    """The figures that choose an epoch: `auroc`, the mean over sources of the mean one-against-one AUROC of the
    classes found there; `iou` and `hit` of the map on drawn masks, over cells; `score`, the mean of auroc and iou.
    A figure without images is left out.
    """
    found: dict[str, float] = {}
    per_source = [a for s in np.unique(p.sources) if (a := _pairwise(p, p.sources == s)) is not None]
    if per_source:
        found["auroc"] = float(np.mean(per_source))
    if len(p.lesions):
        found["iou"], _ = best_iou(p.maps[p.lesions], p.masks)
        peak = p.maps[p.lesions].flatten(1).argmax(1, keepdim=True)
        found["hit"] = float((p.masks.flatten(1).gather(1, peak) >= 0.5).float().mean())
    chosen = [found[k] for k in ("auroc", "iou") if k in found]
    found["score"] = float(np.mean(chosen)) if chosen else 0.0
    return found


def _pairwise(p: Predictions, rows: NDArray[np.bool_]) -> float | None:
    logits, labels = p.logits[rows], p.labels[rows]
    classes = labels[labels >= 0].unique().tolist()
    values = []
    for i, a in enumerate(classes):
        for b in classes[i + 1 :]:
            pair = (labels == a) | (labels == b)
            odds = (logits[pair, a] - logits[pair, b]).sigmoid()
            values.append(overall(auroc((labels[pair] == a).numpy(), odds.numpy()), len(odds)))
    return float(np.mean(values)) if values else None


def best_iou(maps: torch.Tensor, masks: torch.Tensor) -> tuple[float, float]:
    """The highest mean IoU over thresholds 0.05 to 0.95, and its threshold.

    maps, masks (M, h, w) in [0, 1]; a cell's share of lesion counts as that share of a cell.
    """
    means = []
    for threshold in GRID:
        chosen = (maps >= float(threshold)).float()
        overlap = (chosen * masks).sum(dim=(1, 2))
        union = chosen.sum(dim=(1, 2)) + masks.sum(dim=(1, 2)) - overlap
        means.append(float((overlap / union.clamp(min=1e-9)).mean()))
    best = int(np.argmax(means))
    return means[best], float(GRID[best])


def temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The one number by which logits are divided so that validation images are likeliest (Guo et al., ICML 2017).

    logits (N, C); labels (N,), -1 = none. 1.0 without labels. Found by search in [0.05, 20].
    """
    known = labels >= 0
    if not known.any():
        return 1.0
    candidates = torch.logspace(-1.3, 1.3, 521)
    losses = [float(F.cross_entropy(logits[known] / t, labels[known])) for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def finding_threshold(p: Predictions, normal: int, temperature: float, share: float = 0.05) -> float:
    """The calibrated probability of any finding that all but a `share` of the images with a drawn lesion reach, 0
    without such images. `normal`: the class that means none."""
    if not len(p.lesions):
        return 0.0
    found = 1 - (p.logits[p.lesions].double() / temperature).softmax(1)[:, normal]
    return round(float(found.quantile(share)), 4)
