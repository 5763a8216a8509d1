"""Every loss of the method: pure functions, one paper each. How they are read: docs/method.md."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F


def class_balanced_weights(counts: Sequence[int], beta: float) -> torch.Tensor:
    """Weight of each class by its effective number of images (Cui et al., CVPR 2019, eq. 2).

    (1 - beta) / (1 - beta^n), normalised to sum to the number of classes; a class without images gets 0.
    counts: images of each class; beta in [0, 1). Returns float32 (C,).

    Raises:
        ValueError: beta is outside [0, 1) or every count is zero.
    """
    if not 0 <= beta < 1 or not any(counts):
        raise ValueError(f"beta must lie in [0, 1) and a count be above 0, got beta {beta}, counts {list(counts)}.")
    n = torch.tensor(counts, dtype=torch.float64)
    weights = torch.where(n > 0, (1 - beta) / (1 - beta ** n.clamp(min=1)), 0.0)
    return (weights / weights.sum() * len(counts)).float()


def classification_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float = 0.0
) -> torch.Tensor:
    """Class-weighted softmax cross-entropy, or focal loss for gamma > 0 (Lin et al., ICCV 2017).

    logits (B, C); labels (B,) int64, negative = not labelled; weights (C,). The mean over labelled images of
    w_y (1 - p_y)^gamma (-log p_y); 0 when none is labelled.
    """
    known = labels >= 0
    if not known.any():
        return logits.sum() * 0
    log_p = F.log_softmax(logits[known], dim=1).gather(1, labels[known, None]).squeeze(1)
    focus = (1 - log_p.exp()) ** gamma if gamma > 0 else 1.0
    return (weights[labels[known]] * focus * -log_p).mean()


def attention_loss(attention_logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Hold the map to the doctor's mask: binary cross-entropy over cells, plus Dice where there is a lesion.

    attention_logits (B, h, w); masks (B, h, w) in [0, 1], averaged over cells; weights (B, h, w), 0 and more: how much
    each cell counts, 0 where nobody knows what it holds. An image's Dice counts as its heaviest cell does. 0 when no
    cell counts. Dice as in Milletari et al., 3DV 2016.
    """
    total = weights.sum()
    if not total:
        return attention_logits.sum() * 0
    loss = (F.binary_cross_entropy_with_logits(attention_logits, masks, reduction="none") * weights).sum() / total
    heaviest = weights.flatten(1).amax(1) * (masks.flatten(1).amax(1) > 0)
    if not heaviest.any():
        return loss
    a, m = attention_logits.sigmoid().flatten(1), masks.flatten(1)
    dice = 2 * (a * m).sum(1) / ((a**2).sum(1) + (m**2).sum(1))
    return loss + ((1 - dice) * heaviest).sum() / heaviest.sum()


def contrastive_regulation(
    anchors: Sequence[torch.Tensor],
    positives: Sequence[torch.Tensor],
    negatives: Sequence[torch.Tensor],
    stage_weights: Sequence[float],
    eps: float = 1e-3,
) -> torch.Tensor:
    """Pull features towards those of the lesion alone, away from those with the lesion removed.

    sum_k w_k |f_k - f_k^+| / (|f_k - f_k^+| + |f_k - f_k^-| + eps), mean absolute differences over an image's
    features, then the mean over images; in [0, sum of w_k]. AECR-Net (Wu et al., CVPR 2021) divides by the distance
    from the negative alone; that ratio is without bound while the network does not yet see the lesion, and was seen
    to drown the other losses. r / (1 + r) of it keeps its order and its minimum. Each sequence has one (B, ...)
    tensor a stage; positives and negatives get no gradient.
    """
    total = anchors[0].new_zeros(())
    for f, plus, minus, weight in zip(anchors, positives, negatives, stage_weights, strict=True):
        near = (f - plus.detach()).abs().flatten(1).mean(1)
        far = (f - minus.detach()).abs().flatten(1).mean(1)
        total = total + weight * (near / (near + far + eps)).mean()
    return total


def info_nce(queries: torch.Tensor, keys: torch.Tensor, negatives: torch.Tensor, temperature: float) -> torch.Tensor:
    """MoCo's contrastive loss (He et al., CVPR 2020, eq. 1).

    queries, keys (B, D), row i of one the positive of row i of the other; negatives (K, D); all are normalised
    here. Keys and negatives get no gradient.
    """
    q, k, n = (F.normalize(x, dim=1) for x in (queries, keys.detach(), negatives.detach()))
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ n.T], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


def nt_xent(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """SimCLR's normalised temperature-scaled cross-entropy (Chen et al., ICML 2020, eq. 1).

    first, second (B, D): two views of the same images; every other view of the batch is a negative.
    """
    z = F.normalize(torch.cat([first, second]), dim=1)
    similarity = z @ z.T / temperature
    similarity.fill_diagonal_(float("-inf"))
    count = len(first)
    target = torch.arange(2 * count, device=z.device).roll(count)
    return F.cross_entropy(similarity, target)
