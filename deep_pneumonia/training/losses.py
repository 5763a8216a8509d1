"""The losses of the method as pure functions, each with its paper; docs/method.md explains their use."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F


def class_balanced_weights(counts: Sequence[int], beta: float) -> torch.Tensor:
    """Weight of each class by its effective number of images (Cui et al., CVPR 2019, eq. 2).

    counts: images of each of C classes. beta: in [0, 1). Returns (1 - beta) / (1 - beta^n), normalised to sum to C,
    as float32 (C,); a class without images gets 0.

    Raises:
        ValueError: beta is outside [0, 1), or all counts are 0.
    """
    if not 0 <= beta < 1 or not any(counts):
        raise ValueError(f"beta must be in [0, 1) and at least one count above 0; got {beta} and {list(counts)}.")
    n = torch.tensor(counts, dtype=torch.float64)
    weights = torch.where(n > 0, (1 - beta) / (1 - beta ** n.clamp(min=1)), 0.0)
    return (weights / weights.sum() * len(counts)).float()


def classification_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float = 0.0
) -> torch.Tensor:
    """Class-weighted softmax cross-entropy, or focal loss for gamma > 0 (Lin et al., ICCV 2017).

    logits: (B, C). labels: (B,) int64, negative where there is no label. weights: (C,). Returns the mean of
    w_y (1 - p_y)^gamma (-log p_y) over the labelled images; 0 if there are none.
    """
    known = labels >= 0
    if not known.any():
        return logits.sum() * 0
    log_p = F.log_softmax(logits[known], dim=1).gather(1, labels[known, None]).squeeze(1)
    focus = (1 - log_p.exp()) ** gamma
    return (weights[labels[known]] * focus * -log_p).mean()


def attention_loss(attention_logits: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Difference between attention maps and doctors' masks: binary cross-entropy, plus the Dice loss on lesions.

    attention_logits: (B, h, w). masks: (B, h, w) in [0, 1], the share of each cell that is lesion. known: (B,) bool;
    images whose mask is unknown do not count. Returns the mean cross-entropy over the cells of known images plus the
    mean Dice loss (Milletari et al., 3DV 2016) over those with a lesion; 0 if no mask is known.
    """
    if not known.any():
        return attention_logits.sum() * 0
    logits, masks = attention_logits[known].flatten(1), masks[known].flatten(1)
    loss = F.binary_cross_entropy_with_logits(logits, masks)
    lesion = masks.amax(1) > 0
    if not lesion.any():
        return loss
    a, m = logits[lesion].sigmoid(), masks[lesion]
    dice = 2 * (a * m).sum(1) / ((a**2).sum(1) + (m**2).sum(1))
    return loss + (1 - dice).mean()


def contrastive_regulation(
    anchors: Sequence[torch.Tensor],
    positives: Sequence[torch.Tensor],
    negatives: Sequence[torch.Tensor],
    stage_weights: Sequence[float],
    eps: float = 1e-3,
) -> torch.Tensor:
    """Pull features towards those of the lesion alone and push them away from those with the lesion removed.

    anchors, positives, negatives: one (B, ...) tensor per stage; positives and negatives get no gradient.
    stage_weights: w_k of each stage. Returns sum_k w_k |f_k - f_k^+| / (|f_k - f_k^+| + |f_k - f_k^-| + eps), where
    |.| is the mean absolute difference over an image's features, averaged over images; in [0, sum of w_k].

    AECR-Net (Wu et al., CVPR 2021) divides by the distance from the negative alone. That ratio r is unbounded as
    long as the network does not see the lesion, and it drowned the other losses. r / (1 + r) keeps its order and its
    minimum.
    """
    total = anchors[0].new_zeros(())
    for f, plus, minus, weight in zip(anchors, positives, negatives, stage_weights, strict=True):
        near = (f - plus.detach()).abs().flatten(1).mean(1)
        far = (f - minus.detach()).abs().flatten(1).mean(1)
        total = total + weight * (near / (near + far + eps)).mean()
    return total


def info_nce(queries: torch.Tensor, keys: torch.Tensor, negatives: torch.Tensor, temperature: float) -> torch.Tensor:
    """MoCo's contrastive loss (He et al., CVPR 2020, eq. 1).

    queries, keys: (B, D), where row i of one is the positive of row i of the other. negatives: (K, D). All are
    normalised here. Keys and negatives get no gradient.
    """
    q, k, n = (F.normalize(x, dim=1) for x in (queries, keys.detach(), negatives.detach()))
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ n.T], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


def nt_xent(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """SimCLR's normalised temperature-scaled cross-entropy (Chen et al., ICML 2020, eq. 1).

    first, second: (B, D), two views of the same images. Every other view in the batch is a negative.
    """
    z = F.normalize(torch.cat([first, second]), dim=1)
    similarity = z @ z.T / temperature
    similarity.fill_diagonal_(float("-inf"))
    count = len(first)
    target = torch.arange(2 * count, device=z.device).roll(count)
    return F.cross_entropy(similarity, target)
