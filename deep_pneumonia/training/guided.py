"""Mask-guided training: what the loop calls at each step and epoch, and the options of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from deep_pneumonia.cli import option
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training import validation
from deep_pneumonia.training.data import TrainingData
from deep_pneumonia.training.initial_weights import averaged, initial_network
from deep_pneumonia.training.loop import RunConfig, channels_last
from deep_pneumonia.training.losses import class_balanced_weights
from deep_pneumonia.training.run import Run, Tree, save_tree
from deep_pneumonia.training.step import LossConfig, step_losses

BEST_WEIGHTS = "best.safetensors"


@dataclass(frozen=True)
class TrainConfig(LossConfig, RunConfig):
    """Options of one training run."""

    width: int = option(256, "channels of the fused features", low=2)
    class_balance: bool = option(True, "weight classes by their effective number of images")
    beta: float = option(0.999, "beta of the class balance, 0 to 1", low=0, high=0.999999)
    average: float = option(
        0.0, "share of the running average of the weights that each step keeps; 0 = no averaging", low=0, high=0.9999
    )
    keep: str = option(
        "best", "epoch whose weights are kept: the best by validation score, or the last", ("best", "last")
    )
    weak_labels: bool = option(False, "train on weak labels, which no doctor gave, where there is no other label")
    lesion_repeats: int = option(3, "times that an image with a drawn lesion appears in an epoch", low=1)


def seeded_network(config: TrainConfig, classes: Sequence[str]) -> AttentionNet:
    """The network that a run starts with, which depends on the arguments alone.

    Raises:
        CheckpointError, TrainingError: the backbone is unknown, or the weights to start from are missing or do not fit.
    """
    torch.manual_seed(config.seed)
    network = initial_network(ModelConfig(config.backbone, len(classes), config.width), config.initial, classes)
    channels_last(network)
    return network


class GuidedLearner:
    """The attention network with the running average of its weights, which is what is validated and kept.

    The weights of the kept epoch are written to best.safetensors in the folder of the run.

    Raises:
        CheckpointError, TrainingError: the weights to start from are missing or do not fit.
    """

    def __init__(self, config: TrainConfig, data: TrainingData, run: Run, fabric: Fabric) -> None:
        self.config, self.data, self.run, self.fabric = config, data, run, fabric
        self.network = seeded_network(config, data.classes)
        self.average = averaged(self.network, config.average).to(fabric.device)
        balanced = class_balanced_weights(data.counts, config.beta) if config.class_balance else None
        self.class_weights = (torch.ones(len(data.classes)) if balanced is None else balanced).to(fabric.device)

    def losses(self, model: nn.Module, rows: NDArray[np.int64], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """The loss terms of the training images `rows` (B,); see `step_losses`."""
        batch = self.data.batch(rows, self.fabric.device)
        return step_losses(model, batch, self.config, self.class_weights, generator)

    def after_step(self) -> None:
        """Move the average of the weights."""
        self.average.update_parameters(self.network)

    def after_epoch(self) -> Mapping[str, float]:
        """Validate the averaged network, and keep it if it is the best so far, or if the last epoch is to be kept."""
        network = cast(AttentionNet, self.average.module)
        with self.fabric.autocast():
            answers = validation.predict(network, self.data.held_out, self.data.held_out_labels, self.fabric.device)
        scores = validation.scores(answers)
        best = max((r["score"] for r in self.run.records() if "score" in r), default=-1.0)
        if (round(scores["score"], 6) > best or self.config.keep == "last") and self.fabric.is_global_zero:
            save_tree(network.state_dict(), self.run.out / BEST_WEIGHTS)
        return scores

    def state(self) -> Tree:
        """The weights and their average."""
        return {"network": self.network.state_dict(), "average": self.average.state_dict()}

    def restore(self, state: Tree) -> None:
        """Put back what `state` returned."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
