"""One training step's losses: classification, mask-guided hard attention, contrastive regulation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.model_frame import to_grid
from deep_pneumonia.prediction.network import map_shape
from deep_pneumonia.training.augment import jitter
from deep_pneumonia.training.losses import attention_loss, classification_loss, contrastive_regulation
from deep_pneumonia.training.overlays import overlaid


@dataclass(frozen=True)
class Guidance:
    """How much each part counts; 0 switches it off. `regulation_images`: lesion images a step that it reads;
    `overlays`: share of images that get each kind of overlay; `cleared_weight`: how much a cell counts that is known
    to be no lesion where the mask is unknown."""

    attention_weight: float
    hard_probability: float
    regulation_weight: float
    regulation_images: int
    overlays: float = 0.0
    cleared_weight: float = 1.0


def step_losses(
    model: nn.Module,
    images: torch.Tensor,
    masks: torch.Tensor,
    cleared: torch.Tensor,
    known: torch.Tensor,
    labels: torch.Tensor,
    class_weights: torch.Tensor,
    gamma: float,
    guidance: Guidance,
    generator: torch.Generator,
) -> dict[str, torch.Tensor]:
    """Every term of one batch, and their weighted sum "loss".

    images, masks (B, 1, S, S) in [0, 1], not yet jittered; cleared (B, 1, S, S) in [0, 1], what is no lesion though
    the mask is unknown; known (B,) float32, how much the mask counts, 0 = unknown; labels (B,) int64, -1 = none.
    """
    images = overlaid(images, masks, guidance.overlays, generator)
    images, both = jitter(images, torch.cat([masks, cleared], dim=1), generator)
    shape = map_shape(images.shape[-1])
    masks, known_cells = both[:, :1] * (known > 0)[:, None, None, None], known[:, None, None].expand(-1, *shape)
    cells = to_grid(masks, shape)
    weights = torch.where(known_cells > 0, known_cells, guidance.cleared_weight * to_grid(both[:, 1:], shape))
    lesion = cells.flatten(1).amax(1) > 0
    drawn = torch.rand(len(images), generator=generator).to(images.device) < guidance.hard_probability
    forced = torch.where((lesion & drawn)[:, None, None], cells, torch.nan)
    output = model(images, forced)
    terms = {"classification": classification_loss(output.logits, labels, class_weights, gamma)}
    loss = terms["classification"]
    if guidance.attention_weight:
        terms["attention"] = attention_loss(output.attention_logits, cells, weights)
        loss = loss + guidance.attention_weight * terms["attention"]
    rows = lesion.nonzero().flatten()[: guidance.regulation_images]
    if guidance.regulation_weight and len(rows):
        terms["regulation"] = _regulation(model, output.pooled[rows], images[rows], masks[rows])
        loss = loss + guidance.regulation_weight * terms["regulation"]
    return {"loss": loss} | terms


def _regulation(model: nn.Module, anchor: torch.Tensor, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Contrastive regulation of lesion images, at the features that the classifier reads.

    There the map decides what counts, so the loss reaches the map as well. `anchor` (B, width) must come from the
    pass that the other losses read: with a pass of its own, on the statistics of inference, the loss taught the
    network to give an empty map in that mode alone, and every reading was empty. The altered images get no gradient
    and must not enter the statistics of real ones.
    """
    with torch.no_grad(), frozen_statistics(model):
        plus = model(lesion_only(images, masks)).pooled
        minus = model(lesion_removed(images, masks)).pooled
    return contrastive_regulation([anchor], [plus], [minus], [1.0])


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Batch normalisation with its running statistics, unchanged, while the block runs."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
