"""What the validation split decides: the epoch that is kept, the temperature, and the thresholds of the maps."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.evaluation.bootstrap import overall
from deep_pneumonia.evaluation.metrics import auroc
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training.cache import Cache

THRESHOLDS = np.arange(0.05, 1.0, 0.05).round(2)


@dataclass(frozen=True)
class Predictions:
    """A network's predictions on the images of a cache.

    logits: float32 (N, C). labels: int64 (N,), -1 without a label. sources: (N,), names. maps: float32 (N, h, w),
    attention in [0, 1]. lesions: int64 (M,), row numbers of the images with a drawn lesion. masks: float32 (M, h, w),
    their masks averaged over the cells of the map, in [0, 1].
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
    """Predict every image of `data` in evaluation mode; the network's mode is restored afterwards.

    labels: int64 (N,), -1 without a label. batch: images at a time.
    """
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
    """The scores that choose an epoch, each in [0, 1].

    auroc: the mean over sources of the mean AUROC of each pair of classes found there. iou, hit: of the map against
    drawn masks, over cells; see `best_iou` for iou. score: the mean of auroc and iou, which decides. A score without
    images is left out.
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
    """Mean AUROC over the pairs of classes among these rows, None if there is only one class."""
    logits, labels = p.logits[rows], p.labels[rows]
    classes = labels[labels >= 0].unique().tolist()
    values = []
    for i, a in enumerate(classes):
        for b in classes[i + 1 :]:
            pair = (labels == a) | (labels == b)
            preference = (logits[pair, a] - logits[pair, b]).numpy()
            values.append(overall(auroc((labels[pair] == a).numpy(), preference), len(preference)))
    return float(np.mean(values)) if values else None


def best_iou(maps: torch.Tensor, masks: torch.Tensor) -> tuple[float, float]:
    """The highest mean IoU of maps and masks over the thresholds 0.05, 0.1, ..., 0.95, and its threshold.

    maps, masks: (M, h, w) in [0, 1]. A cell that is partly lesion counts by its share.
    """
    means = []
    for threshold in THRESHOLDS:
        chosen = (maps >= float(threshold)).float()
        overlap = (chosen * masks).sum(dim=(1, 2))
        union = chosen.sum(dim=(1, 2)) + masks.sum(dim=(1, 2)) - overlap
        means.append(float((overlap / union.clamp(min=1e-9)).mean()))
    best = int(np.argmax(means))
    return means[best], float(THRESHOLDS[best])


def temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The divisor of the logits under which the labels are most likely (Guo et al., ICML 2017).

    logits: (N, C). labels: (N,), -1 without a label. Returns a number in [0.05, 20], found by grid search; 1.0
    without labels.
    """
    known = labels >= 0
    if not known.any():
        return 1.0
    candidates = torch.logspace(-1.3, 1.3, 521)
    losses = [float(F.cross_entropy(logits[known] / t, labels[known])) for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def finding_threshold(p: Predictions, normal: int, temperature: float, share: float = 0.05) -> float:
    """The probability of any finding that all but a `share` of the images with a drawn lesion reach.

    normal: number of the class without a finding. temperature: divisor of the logits. Returns a probability in
    [0, 1], 0 without drawn lesions.
    """
    if not len(p.lesions):
        return 0.0
    found = 1 - (p.logits[p.lesions].double() / temperature).softmax(1)[:, normal]
    return round(float(found.quantile(share)), 4)
