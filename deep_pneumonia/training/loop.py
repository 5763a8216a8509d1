"""The loop that training and pre-training share: steps, learning rate, log, saved states and curves.

A verb hands `fit` a `Learner`, which knows the network and its losses. Every random number of a step is a function
of the seed, the step and the process, so a run that was killed ends with the same weights.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from deep_pneumonia.cli import option
from deep_pneumonia.drawing.charts import curves
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction.backbone import grey_statistics
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training.run import STATE, Run, Tree, damaged, optimizer_tree, restore_optimizer

LOG_INTERVAL = 20  # steps between two records of the losses


@dataclass(frozen=True)
class RunConfig:
    """Options that every run has."""

    backbone: str = option("efficientnet_lite0", "efficientnet_lite0, _lite1 or _lite2, or a classifier of torchvision")
    initial: str = option(
        "imagenet",
        "weights to start from: imagenet (EfficientNet-Lite only), random, or the folder of a pre-training run, of a "
        "checkpoint, or of published weights of torchvision",
    )
    size: int = option(192, "side of the model's frame, pixels", low=32)
    detail: int = option(
        224, "longer sides of a radiograph are first reduced to this length, so that all have one sharpness; 0 = none",
        low=0,
    )  # fmt: skip
    epochs: int = option(10, "passes over the training split", low=1)
    batch: int = option(32, "images per step and process", low=2)
    lr: float = option(5e-4, "peak learning rate of AdamW", low=0)
    weight_decay: float = option(0.05, "weight decay of AdamW", low=0)
    seed: int = option(0, "seed of all random numbers", low=0)
    precision: str = option("bf16-mixed", "arithmetic", ("bf16-mixed", "32-true"))
    device: str = option("auto", "where to compute", ("auto", "cpu", "cuda"))
    save_every: int = option(100, "steps between saved states", low=1)


def input_recipe(config: RunConfig) -> InputRecipe:
    """How radiographs reach the network of a run."""
    mean, std = grey_statistics(config.backbone)
    return InputRecipe(config.size, detail=config.detail, mean=mean, std=std)


class Learner(Protocol):
    """What differs between one kind of run and another; `fit` calls it."""

    @property
    def network(self) -> nn.Module:
        """The network, whose parameters that require a gradient are trained."""

    def losses(self, model: nn.Module, rows: NDArray[np.int64], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """The loss terms of one batch, scalars; the term "loss" is minimised.

        model: the network as Fabric wraps it. rows: (B,) row numbers of the images. generator: on the CPU, seeded
        for this step.
        """

    def after_step(self) -> None:
        """Update whatever follows the weights after each step of the optimiser."""

    def after_epoch(self) -> Mapping[str, float]:
        """The scores of the epoch, which go into the log; empty if there are none."""

    def state(self) -> Tree:
        """The tensors that a resumed run needs, apart from the optimiser's."""

    def restore(self, state: Tree) -> None:
        """Put back what `state` returned."""


def fit(
    fabric: Fabric, run: Run, config: RunConfig, learner: Learner, epoch: NDArray[np.int64], description: str
) -> None:
    """Train from the run's saved step to the end.

    epoch: (N,) the row numbers of one epoch, repeats included. description: name of the progress bar.

    Raises:
        TrainingError: an epoch is shorter than one batch, the saved state is damaged, or the loss is not finite.
    """
    steps = steps_per_epoch(len(epoch), config.batch, fabric.world_size)
    model, optimizer = _set_up(fabric, run, config, learner)
    total = config.epochs * steps
    bar = tqdm(total=total, initial=run.step, desc=description, unit="step", disable=not fabric.is_global_zero)
    for step in range(run.step, total):
        order = epoch[shuffled(len(epoch), config.seed, step // steps)]
        start = (step % steps * fabric.world_size + fabric.global_rank) * config.batch
        generator = generator_at(config.seed, step, fabric.global_rank)
        terms = learner.losses(model, order[start : start + config.batch], generator)
        _update(fabric, optimizer, terms["loss"], learning_rate(step, total, config.lr))
        learner.after_step()

        losses = _numbers(terms, step, config.lr)
        bar.update()
        bar.set_postfix(losses, refresh=False)
        done, ends_epoch = step + 1, (step + 1) % steps == 0
        place = {"step": done, "epoch": done / steps}
        if ends_epoch or done % LOG_INTERVAL == 0:
            run.log(place | losses)
        if ends_epoch and (scores := learner.after_epoch()):
            run.log(place | {name: round(score, 6) for name, score in scores.items()})
        if ends_epoch or done % config.save_every == 0:
            run.save(done, learner.state() | {"optimizer": optimizer_tree(optimizer)})
        if ends_epoch and fabric.is_global_zero:
            curves(run.records(), run.out / "curves.png")
    bar.close()


def _set_up(fabric: Fabric, run: Run, config: RunConfig, learner: Learner) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model and its optimiser on the device, as the saved state left them."""
    trained = [p for p in learner.network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=config.lr, weight_decay=config.weight_decay)
    state = run.load()
    try:
        if state is not None:
            learner.restore(state)
        model, wrapped = fabric.setup(learner.network, optimizer)
        if state is not None:
            restore_optimizer(wrapped, state["optimizer"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if state is None:
            raise
        raise damaged(run.out / STATE, f"{type(error).__name__} when it was restored") from error
    return model, wrapped


def _update(fabric: Fabric, optimizer: torch.optim.Optimizer, loss: torch.Tensor, lr: float) -> None:
    optimizer.zero_grad()
    fabric.backward(loss)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()


def _numbers(terms: Mapping[str, torch.Tensor], step: int, lr: float) -> dict[str, float]:
    """The terms of the loss for the log.

    Raises:
        TrainingError: one is not finite, so the weights are lost; the state of the last save is not.
    """
    losses = {name: round(term.item(), 6) for name, term in terms.items()}
    if bad := next((name for name, value in losses.items() if not math.isfinite(value)), None):
        raise TrainingError(
            f'The term "{bad}" of the loss is {losses[bad]} in step {step + 1}; begin a new run with a lower --lr than '
            f"{lr:g}, or with --precision 32-true."
        )
    return losses


def steps_per_epoch(images: int, batch: int, processes: int) -> int:
    """Full batches in an epoch of `images` over all processes.

    Raises:
        TrainingError: there is not one.
    """
    steps = images // (batch * processes)
    if steps == 0:
        raise TrainingError(
            f"An epoch has {images} training images, fewer than one batch of {batch} on each of {processes} "
            "process(es); lower --batch."
        )
    return steps


def learning_rate(step: int, total: int, peak: float, warmup: float = 0.05) -> float:
    """Learning rate of a step: linear warm-up, then a half cosine to zero (Loshchilov and Hutter, ICLR 2017).

    warmup: share of the `total` steps in [0, 1).
    """
    if step < warmup * total:
        return peak * min(1.0, (step + 1) / (warmup * total))
    progress = (step - warmup * total) / max(1, (1 - warmup) * total)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def launch(device: str, precision: str) -> Fabric:
    """Start Fabric on one device, or on one device per process under torchrun.

    device: "auto" (CUDA if there is a GPU, else the CPU), "cpu" or "cuda".
    """
    accelerator = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    world, local = (int(os.environ.get(k, 1)) for k in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    # A step runs the network more than once before its gradient; batch statistics must not be overwritten in between.
    strategy = DDPStrategy(broadcast_buffers=False) if world > 1 else "auto"
    fabric = Fabric(
        accelerator=accelerator, strategy=strategy, devices=local, num_nodes=world // local, precision=precision
    )
    fabric.launch()
    return fabric


def channels_last(network: nn.Module) -> None:
    """Lay the network's weights out as (N, H, W, C), in place; convolutions on a CPU then run twice as fast."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order (count,) of an epoch's items, a permutation that depends on the arguments alone."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def generator_at(seed: int, step: int, rank: int = 0) -> torch.Generator:
    """The random generator of one step of one process, on the CPU; it depends on the arguments alone.

    NumPy's SeedSequence makes the streams of different steps and ranks independent.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(step, rank))
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0]))
