"""Contrastive pre-training: the network with its momentum encoder and queue, and the options of a run.

MoCo v2 (He et al., CVPR 2020; Chen et al., 2020) works with small batches, as it keeps a queue of negatives. SimCLR
(Chen et al., ICML 2020) needs batches of 256 or more.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from deep_pneumonia.cli import option
from deep_pneumonia.training.augment import views
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.initial_weights import initial_backbone
from deep_pneumonia.training.loop import RunConfig, channels_last
from deep_pneumonia.training.losses import info_nce, nt_xent
from deep_pneumonia.training.run import Tree


@dataclass(frozen=True)
class PretrainConfig(RunConfig):
    """Options of one pre-training run."""

    size: int = option(224, "side of the cached images, pixels", low=32)
    epochs: int = option(12, "passes over the training split", low=1)
    batch: int = option(64, "images per step and process", low=4)
    lr: float = option(3e-4, "peak learning rate of AdamW", low=0)
    weight_decay: float = option(1e-4, "weight decay of AdamW", low=0)
    method: str = option("moco", "contrastive method", ("moco", "simclr"))
    view: int = option(128, "side of the random views, pixels", low=32)
    temperature: float = option(0.2, "temperature of the contrastive loss", low=1e-3)
    queue: int = option(4096, "negatives that MoCo keeps", low=1)
    momentum: float = option(0.996, "momentum of MoCo's key encoder, 0 to 1", low=0, high=1)
    dimension: int = option(128, "length of the projected vectors", low=1)


class Contrast(nn.Module):
    """Backbone and projection head; with MoCo also their momentum copies and the queue of past keys."""

    queue: torch.Tensor

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.config = config
        backbone = initial_backbone(config.backbone, config.initial)
        wide = backbone.channels[1]
        projection = nn.Sequential(nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, config.dimension))
        self.query = nn.ModuleDict({"backbone": backbone, "projection": projection})
        if config.method == "moco":
            self.key = copy.deepcopy(self.query).requires_grad_(False)
            start = torch.randn(config.queue, config.dimension)
            self.register_buffer("queue", nn.functional.normalize(start, dim=1))

    def forward(self, first: torch.Tensor, second: torch.Tensor, order: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Projections (B, D) of two views (B, 1, S, S); `order` (B,) shuffles MoCo's batch of keys."""
        if self.config.method == "simclr":
            return self._encode(self.query, torch.cat([first, second])).chunk(2)
        with torch.no_grad():
            self._follow()
            # Shuffling batch normalisation (He et al. 2020, 3.3): keys are normalised in other groups than queries,
            # or the network would recognise its own batch.
            parts = [self._encode(self.key, part) for part in second[order].chunk(2)]
            keys = torch.cat(parts)[order.argsort()]
        return self._encode(self.query, first), keys

    @staticmethod
    def _encode(encoder: nn.ModuleDict, images: torch.Tensor) -> torch.Tensor:
        coarse = encoder["backbone"](images)[1]
        return encoder["projection"](coarse.mean(dim=(2, 3))).float()

    def _follow(self) -> None:
        """Move the key encoder towards the query encoder; its batch statistics come from its own forward passes."""
        for slow, fast in zip(self.key.parameters(), self.query.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.config.momentum)

    @torch.no_grad()
    def enqueue(self, keys: torch.Tensor) -> None:
        """Replace the oldest negatives by `keys` (B, D)."""
        keys = nn.functional.normalize(keys, dim=1)
        self.queue = torch.cat([keys, self.queue])[: self.config.queue]


class ContrastLearner:
    """The contrastive network and the images that it learns from."""

    def __init__(self, config: PretrainConfig, data: Cache, fabric: Fabric) -> None:
        self.config, self.data, self.fabric = config, data, fabric
        torch.manual_seed(config.seed)
        self.network = Contrast(config)
        channels_last(self.network)

    def losses(self, model: nn.Module, rows: NDArray[np.int64], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """The contrastive loss of two random views of the images `rows` (B,)."""
        images, _ = self.data.batch(rows, self.fabric.device)
        first, second = (views(images, self.config.view, generator) for _ in range(2))
        order = torch.randperm(len(images), generator=generator).to(images.device)
        one, two = model(first, second, order)
        if self.config.method == "simclr":
            return {"loss": nt_xent(one, two, self.config.temperature)}
        loss = info_nce(one, two, self.network.queue, self.config.temperature)
        self.network.enqueue(self.fabric.all_gather(two).view(-1, self.config.dimension))
        return {"loss": loss}

    def after_step(self) -> None:
        """Nothing follows the weights here; the key encoder moves in the forward pass."""

    def after_epoch(self) -> Mapping[str, float]:
        """There are no scores without labels."""
        return {}

    def state(self) -> Tree:
        """The weights, with the key encoder and the queue."""
        return {"network": self.network.state_dict()}

    def restore(self, state: Tree) -> None:
        """Put back what `state` returned."""
        self.network.load_state_dict(state["network"])
