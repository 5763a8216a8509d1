"""Mask-guided training: classes from features that the doctor's mask has taught the network to look at.

L = class-balanced classification + attention_weight * attention loss + regulation_weight * contrastive
regulation (docs/method.md); every term is switched off by its option. The epoch with the best validation score
is kept, its temperature and thresholds are chosen on the validation split, and it is written to
OUT/checkpoint. The same command goes on after it was stopped. Several processes:
`torchrun --nproc-per-node N -m deep_pneumonia.train ...`.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from deep_pneumonia.cli import add_data_options, config_from, guarded, option, parser_for
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.drawing.charts import curves
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction.checkpoint import save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training import validation
from deep_pneumonia.training.data import Material, gather, with_weak_labels
from deep_pneumonia.training.final_checkpoint import finish
from deep_pneumonia.training.initial_weights import averaged, load_encoder, load_network, named
from deep_pneumonia.training.losses import class_balanced_weights
from deep_pneumonia.training.run import (
    Run,
    channels_last,
    generator_at,
    launch,
    learning_rate,
    load_tree,
    optimizer_tree,
    restore_optimizer,
    save_tree,
    shuffled,
)  # fmt: skip
from deep_pneumonia.training.step import Guidance, step_losses


@dataclass(frozen=True)
class TrainConfig:
    """Options of one training run."""

    backbone: str = option("resnet18", "torchvision backbone by name")
    pretrained: str = option("", "folder of a pre-training run; empty = from scratch")
    start: str = option("", "checkpoint folder to start from, with all its weights; empty = none")
    size: int = option(224, "side of the model's frame, pixels", low=32)
    read_size: int = option(0, "side at which it reads when trained, for which validation decides; 0 = --size", low=0)
    width: int = option(256, "channels of the fused features", low=2)
    epochs: int = option(10, "passes over the training split", low=1)
    batch: int = option(32, "images a step and process", low=2)
    lr: float = option(5e-4, "peak learning rate of AdamW", low=0)
    weight_decay: float = option(0.05, "weight decay of AdamW", low=0)
    class_balance: bool = option(True, "weigh classes by their effective number of images")
    beta: float = option(0.999, "beta of the class balance, 0 to 1", low=0, high=0.999999)
    gamma: float = option(0.0, "focus of the focal loss; 0 = cross-entropy", low=0)
    attention_weight: float = option(1.0, "weight of the loss that holds the map to the mask; 0 = off", low=0)
    hard_probability: float = option(0.5, "share of lesion images pooled by the mask itself; 0 = off", low=0, high=1)
    regulation_weight: float = option(0.2, "weight of contrastive regulation; 0 = off", low=0)
    regulation_images: int = option(4, "lesion images a step that contrastive regulation reads", low=1)
    box_weight: float = option(1.0, "weight in the attention loss of lesions drawn as boxes only", low=0)
    cleared_weight: float = option(0.0, "weight of areas that are known to be no lesion, else unknown; 0 = off", low=0)
    average: float = option(0.0, "share that the average of the weights keeps a step; 0 = off", low=0, high=0.9999)
    keep: str = option(
        "best", "epoch whose weights are kept: of the best validation score, or the last", ("best", "last")
    )
    weak_labels: bool = option(False, "learn from weak labels, which no doctor gave, where there is no other")
    overlays: float = option(
        0.0, "share of images with text-like overlays, masked borders and erased corners; 0 = off", low=0, high=1
    )
    lesion_repeats: int = option(3, "times an image with a drawn lesion stands in an epoch", low=1)
    seed: int = option(0, "seed of everything random", low=0)
    precision: str = option("bf16-mixed", "arithmetic", ("bf16-mixed", "32-true"))
    device: str = option("auto", "where to compute", ("auto", "cpu", "cuda"))
    save_every: int = option(100, "steps between saved states", low=1)


def train(config: TrainConfig, manifests: Sequence[str], out: Path, cache: Path, normal: str = "") -> None:
    """Run or go on with one training.

    Raises:
        ManifestError, RadiographError, AnnotationError: the data cannot be read.
        TrainingError: `out` holds another run, the data do not suffice, or an option is out of range.
    """
    if 0 < config.read_size < 32:
        raise TrainingError(f"--read-size is {config.read_size}; expected 32 or more, or 0 for that of --size.")
    fabric = launch(config.device, config.precision)
    with fabric.rank_zero_first():
        cases, recipe = read_manifests(manifests), InputRecipe(config.size)
        cases = with_weak_labels(cases, normal) if config.weak_labels else cases
        data = gather(cases, normal, recipe, config.lesion_repeats, cache, progress=fabric.is_global_zero)
    facts = {"classes": list(data.classes), "normal": data.normal, "processes": fabric.world_size}
    run = Run(out, config, facts, main=fabric.is_global_zero)
    steps = len(data.epoch) // (config.batch * fabric.world_size)
    if steps == 0:
        raise TrainingError(
            f"{len(data.epoch)} training images are fewer than a batch of {config.batch}; lower --batch."
        )

    torch.manual_seed(config.seed)
    network = AttentionNet(ModelConfig(config.backbone, len(data.classes), config.width))
    channels_last(network)
    if config.pretrained:
        load_encoder(network, Path(config.pretrained))
    if config.start:
        load_network(network, data.classes, Path(config.start))
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    state = run.load()
    if state is not None:
        network.load_state_dict(state["network"])
    average = averaged(network, config.average).to(fabric.device)
    if state is not None:
        average.load_state_dict(state["average"])
    model, optimizer = fabric.setup(network, optimizer)
    if state is not None:
        restore_optimizer(optimizer, state["optimizer"])
    told = _told(config)  # before the hours in which the folder it starts from may go away
    _loop(fabric, run, model, average, optimizer, data, config, steps)
    if fabric.is_global_zero:
        network.load_state_dict(load_tree(out / "best.safetensors"))
        if config.read_size not in (0, config.size):
            data = gather(cases, normal, InputRecipe(config.read_size), 1, cache, progress=True)
        folder = out / "checkpoint"
        save(finish(network, data, told, run.out.name, fabric.device), folder)
        print(f"Wrote {folder}")


def _loop(
    fabric: Fabric,
    run: Run,
    model: nn.Module,
    average: AveragedModel,
    optimizer: Any,
    data: Material,
    config: TrainConfig,
    steps: int,
) -> None:
    """Train from the run's saved step to the end; keeps the best epoch, or the last, in best.safetensors."""
    network = cast(AttentionNet, model.module)
    weights = (
        class_balanced_weights(data.counts, config.beta) if config.class_balance else torch.ones(len(data.classes))
    )
    weights = weights.to(fabric.device)
    guidance = Guidance(
        config.attention_weight, config.hard_probability, config.regulation_weight, config.regulation_images,
        config.overlays, config.cleared_weight,
    )  # fmt: skip
    trust = torch.from_numpy(np.where(data.training.boxed, config.box_weight, data.training.known)).float()
    total = config.epochs * steps
    best = max((r["score"] for r in run.records() if "score" in r), default=-1.0)
    bar = tqdm(total=total, initial=run.step, desc="Training", unit="step", disable=not fabric.is_global_zero)
    for step in range(run.step, total):
        order = data.epoch[shuffled(len(data.epoch), config.seed, step // steps)]
        start = (step % steps * fabric.world_size + fabric.global_rank) * config.batch
        rows = order[start : start + config.batch]
        images, masks = data.training.batch(rows, fabric.device)
        cleared = data.training.cleared_areas(rows, fabric.device)
        known = trust[torch.from_numpy(rows)].to(fabric.device)
        labels = data.labels[torch.from_numpy(rows)].to(fabric.device)
        terms = step_losses(
            model, images, masks, cleared, known, labels, weights, config.gamma, guidance,
            generator_at(config.seed, step, fabric.global_rank),
        )  # fmt: skip
        optimizer.zero_grad()
        fabric.backward(terms["loss"])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, total, config.lr)
        optimizer.step()
        average.update_parameters(network)
        scores = {k: round(v.item(), 6) for k, v in terms.items()}
        bar.update()
        bar.set_postfix(scores, refresh=False)
        done, last = step + 1, (step + 1) % steps == 0
        if last or done % 20 == 0:
            run.log({"step": done, "epoch": done / steps} | scores)
        if last:
            found = validation.scores(_held_out(fabric, cast(AttentionNet, average.module), data))
            run.log({"step": done, "epoch": done / steps} | {k: round(v, 6) for k, v in found.items()})
            if (found["score"] > best or config.keep == "last") and fabric.is_global_zero:
                save_tree(average.module.state_dict(), run.out / "best.safetensors")
            best = max(best, found["score"])
        if last or done % config.save_every == 0:
            tree = {"network": network.state_dict(), "average": average.state_dict()}
            run.save(done, tree | {"optimizer": optimizer_tree(optimizer)})
        if last and fabric.is_global_zero:
            curves(run.records(), run.out / "curves.png")
    bar.close()


def _held_out(fabric: Fabric, network: AttentionNet, data: Material) -> validation.Predictions:
    with fabric.autocast():
        return validation.predict(network, data.held_out, data.held_out_labels, fabric.device)


def _told(config: TrainConfig) -> dict[str, Any]:
    """The options as a checkpoint tells them: folders by their names alone, a start by its weights as well."""
    return asdict(replace(config, pretrained=Path(config.pretrained).name, start=named(config.start)))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of training; returns the exit status."""
    parser = parser_for(TrainConfig, __doc__, "train")
    add_data_options(parser)
    parser.add_argument(
        "--normal-class",
        default="",
        metavar="NAME",
        help="class without pneumonia; default: that of images read as normal",
    )
    arguments = parser.parse_args(argv)
    config, out = config_from(TrainConfig, arguments), Path(arguments.out)
    cache = Path(arguments.cache or out.parent / "cache")
    return guarded(lambda: train(config, arguments.manifest, out, cache, arguments.normal_class))


if __name__ == "__main__":
    sys.exit(main())
