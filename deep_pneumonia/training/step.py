"""The losses of one training step: classification, mask-guided attention and contrastive regulation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from deep_pneumonia.cli import option
from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.model_frame import to_grid
from deep_pneumonia.prediction.network import map_shape
from deep_pneumonia.training.augment import jitter
from deep_pneumonia.training.data import Batch
from deep_pneumonia.training.losses import attention_loss, classification_loss, contrastive_regulation
from deep_pneumonia.training.overlays import overlaid


@dataclass(frozen=True)
class LossConfig:
    """How much each part of the loss counts; a weight of 0 switches the part off."""

    attention_weight: float = option(1.0, "weight of the loss that compares map and mask; 0 = off", low=0)
    hard_probability: float = option(
        0.5, "share of lesion images whose features are pooled by the mask instead of the map; 0 = off", low=0, high=1
    )
    regulation_weight: float = option(0.2, "weight of contrastive regulation; 0 = off", low=0)
    regulation_images: int = option(4, "lesion images per step that contrastive regulation uses", low=1)
    overlays: float = option(
        0.0, "share of images with text-like overlays, masked borders and erased corners; 0 = off", low=0, high=1
    )
    gamma: float = option(0.0, "focusing parameter of the focal loss; 0 = off", low=0)


def step_losses(
    model: nn.Module, batch: Batch, config: LossConfig, class_weights: torch.Tensor, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """The terms of one batch's loss and their weighted sum "loss", all scalars.

    batch: before augmentation. class_weights: (C,). generator: the source of all random numbers, on the CPU. A term
    that is switched off is absent, and so is regulation in a batch without a drawn lesion.
    """
    images = overlaid(batch.images, batch.masks, config.overlays, generator)
    images, masks = jitter(images, batch.masks, generator)
    masks = masks * batch.known[:, None, None, None]
    cells = to_grid(masks, map_shape(images.shape[-1]))
    lesion = cells.flatten(1).amax(1) > 0
    drawn = torch.rand(len(images), generator=generator).to(images.device) < config.hard_probability
    forced = torch.where((lesion & drawn)[:, None, None], cells, torch.nan)
    output = model(images, forced)
    terms = {"classification": classification_loss(output.logits, batch.labels, class_weights, config.gamma)}
    loss = terms["classification"]
    if config.attention_weight:
        terms["attention"] = attention_loss(output.attention_logits, cells, batch.known)
        loss = loss + config.attention_weight * terms["attention"]
    rows = lesion.nonzero().flatten()[: config.regulation_images]
    if config.regulation_weight and len(rows):
        terms["regulation"] = _regulation(model, output.pooled[rows], images[rows], masks[rows])
        loss = loss + config.regulation_weight * terms["regulation"]
    return {"loss": loss} | terms


def _regulation(model: nn.Module, anchor: torch.Tensor, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Contrastive regulation of lesion images at the pooled features, which the classifier uses.

    The map decides what is pooled, so the loss reaches the map as well. `anchor` (B, width) must come from the pass
    that the other losses use. With a pass of its own, on the statistics of inference, the network learned to give an
    empty map in that mode alone, and every prediction had an empty map. The altered images get no gradient and stay
    out of the batch statistics of real ones.
    """
    with torch.no_grad(), frozen_statistics(model):
        plus = model(lesion_only(images, masks)).pooled
        minus = model(lesion_removed(images, masks)).pooled
    return contrastive_regulation([anchor], [plus], [minus], [1.0])


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Let batch normalisation use its running statistics, and leave them unchanged, inside the block."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
