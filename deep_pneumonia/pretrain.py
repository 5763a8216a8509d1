"""Contrastive pre-training of the backbone on the training split, without labels or any other data.

MoCo v2 (He et al., CVPR 2020; Chen et al., 2020) by default: a momentum encoder and a queue of negatives, so that
small batches on a CPU work. SimCLR (Chen et al., ICML 2020) when a batch of 256 or more fits.

Writes OUT/encoder.safetensors (for `train --pretrained OUT`), log.jsonl and curves.png. The same command goes on
after it was stopped. Several processes: `torchrun --nproc-per-node N -m deep_pneumonia.pretrain ...`.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from lightning.fabric import Fabric
from torch import nn
from tqdm import tqdm

from deep_pneumonia.cli import add_data_options, config_from, guarded, option, parser_for
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.drawing.charts import curves
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import Backbone
from deep_pneumonia.training.augment import views
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.losses import info_nce, nt_xent
from deep_pneumonia.training.run import (
    Run,
    channels_last,
    generator_at,
    launch,
    learning_rate,
    optimizer_tree,
    restore_optimizer,
    save_tree,
    shuffled,
)  # fmt: skip


@dataclass(frozen=True)
class PretrainConfig:
    """Options of one pre-training run."""

    method: str = option("moco", "contrastive method", ("moco", "simclr"))
    backbone: str = option("resnet18", "torchvision backbone by name")
    size: int = option(224, "side of the cached images, pixels", low=32)
    view: int = option(128, "side of the random views, pixels", low=32)
    epochs: int = option(12, "passes over the training split", low=1)
    batch: int = option(64, "images a step and process", low=4)
    lr: float = option(3e-4, "peak learning rate of AdamW", low=0)
    weight_decay: float = option(1e-4, "weight decay of AdamW", low=0)
    temperature: float = option(0.2, "temperature of the contrastive loss", low=1e-3)
    queue: int = option(4096, "negatives that MoCo keeps", low=1)
    momentum: float = option(0.996, "momentum of MoCo's key encoder, 0 to 1", low=0, high=1)
    dimension: int = option(128, "length of the compared vectors", low=1)
    seed: int = option(0, "seed of everything random", low=0)
    precision: str = option("bf16-mixed", "arithmetic", ("bf16-mixed", "32-true"))
    device: str = option("auto", "where to compute", ("auto", "cpu", "cuda"))
    save_every: int = option(100, "steps between saved states", low=1)


class Contrast(nn.Module):
    """Backbone and projection head; with MoCo also their slow copies and the queue of past keys."""

    queue: torch.Tensor

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.config = config
        backbone = Backbone(config.backbone)
        wide = backbone.channels[1]
        projection = nn.Sequential(nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, config.dimension))
        self.query = nn.ModuleDict({"backbone": backbone, "projection": projection})
        if config.method == "moco":
            self.key = copy.deepcopy(self.query).requires_grad_(False)
            start = torch.randn(config.queue, config.dimension)
            self.register_buffer("queue", nn.functional.normalize(start, dim=1))

    def forward(self, first: torch.Tensor, second: torch.Tensor, order: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Projections of two views (B, 1, S, S): loss inputs (B, D). `order` (B,) shuffles MoCo's key batch."""
        if self.config.method == "simclr":
            return self._encode(self.query, torch.cat([first, second])).chunk(2)
        with torch.no_grad():
            self._follow()
            # Shuffling batch normalisation (He 2020, 3.3): keys are normalised in other groups than queries, or
            # the network would recognise its own batch.
            parts = [self._encode(self.key, part) for part in second[order].chunk(2)]
            keys = torch.cat(parts)[order.argsort()]
        return self._encode(self.query, first), keys

    @staticmethod
    def _encode(encoder: nn.ModuleDict, images: torch.Tensor) -> torch.Tensor:
        coarse = encoder["backbone"](images)[1]
        return encoder["projection"](coarse.mean(dim=(2, 3))).float()

    def _follow(self) -> None:
        """Move the key encoder towards the query encoder; batch statistics are copied by their own forward."""
        for slow, fast in zip(self.key.parameters(), self.query.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.config.momentum)

    @torch.no_grad()
    def enqueue(self, keys: torch.Tensor) -> None:
        """Replace the oldest negatives by `keys` (B, D)."""
        keys = nn.functional.normalize(keys, dim=1)
        self.queue = torch.cat([keys, self.queue])[: self.config.queue]


def pretrain(config: PretrainConfig, manifests: Sequence[str], out: Path, cache: Path) -> None:
    """Run or go on with one pre-training.

    Raises:
        ManifestError, RadiographError: the data cannot be read.
        TrainingError: `out` holds another run, or there is too little data.
    """
    fabric = launch(config.device, config.precision)
    cases = [c for c in read_manifests(manifests) if c.split == "train"]
    steps = len(cases) // (config.batch * fabric.world_size)
    if steps == 0:
        raise TrainingError(f"{len(cases)} training images are fewer than a batch of {config.batch}; lower --batch.")
    with fabric.rank_zero_first():
        data = Cache(cases, InputRecipe(config.size), cache, progress=fabric.is_global_zero)
    run = Run(out, config, {"images": len(cases), "processes": fabric.world_size}, main=fabric.is_global_zero)

    torch.manual_seed(config.seed)
    network = Contrast(config)
    channels_last(network)
    optimizer = torch.optim.AdamW(network.query.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    state = run.load()
    if state is not None:
        network.load_state_dict(state["network"])
    model, optimizer = fabric.setup(network, optimizer)
    if state is not None:
        restore_optimizer(optimizer, state["optimizer"])

    total = config.epochs * steps
    bar = tqdm(total=total, initial=run.step, desc="Pre-training", unit="step", disable=not fabric.is_global_zero)
    for step in range(run.step, total):
        order = shuffled(len(cases), config.seed, step // steps)
        start = (step % steps * fabric.world_size + fabric.global_rank) * config.batch
        images, _ = data.batch(order[start : start + config.batch], fabric.device)
        loss = _step(fabric, model, optimizer, images, step, learning_rate(step, total, config.lr))
        bar.update()
        bar.set_postfix(loss=f"{loss:.3f}")
        last = (step + 1) % steps == 0
        if last or (step + 1) % 20 == 0:
            run.log({"step": step + 1, "epoch": (step + 1) / steps, "loss": round(loss, 6)})
        if last or (step + 1) % config.save_every == 0:
            run.save(step + 1, {"network": network.state_dict(), "optimizer": optimizer_tree(optimizer)})
        if last and fabric.is_global_zero:
            curves(run.records(), out / "curves.png")
    bar.close()
    if fabric.is_global_zero:
        save_tree(network.query["backbone"].state_dict(), out / "encoder.safetensors")
        print(f"Wrote {out / 'encoder.safetensors'}")


def _step(
    fabric: Fabric,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: torch.Tensor,
    step: int,
    lr: float,
) -> float:
    """One optimiser step on images (B, 1, S, S); returns the loss."""
    network = cast(Contrast, model.module)
    config = network.config
    generator = generator_at(config.seed, step, fabric.global_rank)
    first, second = (views(images, config.view, generator) for _ in range(2))
    order = torch.randperm(len(images), generator=generator).to(images.device)
    one, two = model(first, second, order)
    if config.method == "moco":
        loss = info_nce(one, two, network.queue, config.temperature)
        network.enqueue(fabric.all_gather(two).view(-1, config.dimension))
    else:
        loss = nt_xent(one, two, config.temperature)
    optimizer.zero_grad()
    fabric.backward(loss)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    return loss.item()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of pre-training; returns the exit status."""
    parser = parser_for(PretrainConfig, __doc__, "pretrain")
    add_data_options(parser)
    arguments = parser.parse_args(argv)
    config, out = config_from(PretrainConfig, arguments), Path(arguments.out)
    return guarded(lambda: pretrain(config, arguments.manifest, out, Path(arguments.cache or out.parent / "cache")))


if __name__ == "__main__":
    sys.exit(main())
