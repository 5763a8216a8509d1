"""Mask-guided training: classes from features that the doctor's mask has taught the network to look at.

L = class-balanced classification + attention_weight * attention loss + regulation_weight * contrastive
regulation (docs/method.md); every term is switched off by its option. The epoch with the best validation score
is kept, its temperature and thresholds are chosen on the validation split, and it is written to
OUT/checkpoint. The same command goes on after it was stopped. Several processes:
`torchrun --nproc-per-node N -m deep_pneumonia.train ...`.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from lightning.fabric import Fabric
from torch import nn
from tqdm import tqdm

from deep_pneumonia import validation
from deep_pneumonia.charts import curves
from deep_pneumonia.checkpoint import Checkpoint, Thresholds, save
from deep_pneumonia.configuration import add_data_options, config_from, guarded, option, parser_for
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.gate_fit import gate_of
from deep_pneumonia.geometry import InputRecipe
from deep_pneumonia.gradcam import grad_cam
from deep_pneumonia.guidance import Guidance, step_losses
from deep_pneumonia.losses import class_balanced_weights
from deep_pneumonia.manifest import read_manifests
from deep_pneumonia.material import Material, gather, images_by_source
from deep_pneumonia.model import AttentionNet, ModelConfig
from deep_pneumonia.run import (
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


@dataclass(frozen=True)
class TrainConfig:
    """Options of one training run."""

    backbone: str = option("resnet18", "torchvision backbone by name")
    pretrained: str = option("", "folder of a pre-training run; empty = from scratch")
    size: int = option(224, "side of the model's frame, pixels", low=32)
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
        TrainingError: `out` holds another run, or the data do not suffice.
    """
    fabric = launch(config.device, config.precision)
    with fabric.rank_zero_first():
        cases, recipe = read_manifests(manifests), InputRecipe(config.size)
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
        _load_encoder(network, Path(config.pretrained))
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    state = run.load()
    if state is not None:
        network.load_state_dict(state["network"])
    model, optimizer = fabric.setup(network, optimizer)
    if state is not None:
        restore_optimizer(optimizer, state["optimizer"])
    _loop(fabric, run, model, optimizer, data, config, steps)
    if fabric.is_global_zero:
        network.load_state_dict(load_tree(out / "best.safetensors"))
        folder = out / "checkpoint"
        save(_finish(fabric, network, data, config, run), folder)
        print(f"Wrote {folder}")


def _loop(
    fabric: Fabric,
    run: Run,
    model: nn.Module,
    optimizer: Any,
    data: Material,
    config: TrainConfig,
    steps: int,
) -> None:
    """Train from the run's saved step to the end; keeps the best epoch in best.safetensors."""
    network = cast(AttentionNet, model.module)
    weights = (
        class_balanced_weights(data.counts, config.beta) if config.class_balance else torch.ones(len(data.classes))
    )
    weights = weights.to(fabric.device)
    guidance = Guidance(
        config.attention_weight, config.hard_probability, config.regulation_weight, config.regulation_images,
        config.overlays,
    )  # fmt: skip
    total = config.epochs * steps
    best = max((r["score"] for r in run.records() if "score" in r), default=-1.0)
    bar = tqdm(total=total, initial=run.step, desc="Training", unit="step", disable=not fabric.is_global_zero)
    for step in range(run.step, total):
        order = data.epoch[shuffled(len(data.epoch), config.seed, step // steps)]
        start = (step % steps * fabric.world_size + fabric.global_rank) * config.batch
        rows = order[start : start + config.batch]
        images, masks = data.training.batch(rows, fabric.device)
        known = torch.from_numpy(data.training.known[rows]).to(fabric.device)
        labels = data.labels[torch.from_numpy(rows)].to(fabric.device)
        terms = step_losses(
            model, images, masks, known, labels, weights, config.gamma, guidance,
            generator_at(config.seed, step, fabric.global_rank),
        )  # fmt: skip
        optimizer.zero_grad()
        fabric.backward(terms["loss"])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, total, config.lr)
        optimizer.step()
        figures = {k: round(v.item(), 6) for k, v in terms.items()}
        bar.update()
        bar.set_postfix(figures, refresh=False)
        done, last = step + 1, (step + 1) % steps == 0
        if last or done % 20 == 0:
            run.log({"step": done, "epoch": done / steps} | figures)
        if last:
            found = validation.scores(_held_out(fabric, network, data))
            run.log({"step": done, "epoch": done / steps} | {k: round(v, 6) for k, v in found.items()})
            if found["score"] > best and fabric.is_global_zero:
                save_tree(network.state_dict(), run.out / "best.safetensors")
            best = max(best, found["score"])
        if last or done % config.save_every == 0:
            run.save(done, {"network": network.state_dict(), "optimizer": optimizer_tree(optimizer)})
        if last and fabric.is_global_zero:
            curves(run.records(), run.out / "curves.png")
    bar.close()


def _held_out(fabric: Fabric, network: AttentionNet, data: Material) -> validation.Predictions:
    with fabric.autocast():
        return validation.predict(network, data.held_out, data.held_out_labels, fabric.device)


def _load_encoder(network: AttentionNet, folder: Path) -> None:
    """Start the backbone from a pre-training run."""
    path = folder / "encoder.safetensors"
    if not path.exists():
        raise TrainingError(f"{folder} holds no encoder.safetensors; finish `pretrain --out {folder}` first.")
    try:
        network.backbone.load_state_dict(load_tree(path))
    except RuntimeError as error:
        raise TrainingError(
            f"{path} is not of the backbone {network.config.backbone!r}; give the same --backbone."
        ) from error


def _finish(fabric: Fabric, network: AttentionNet, data: Material, config: TrainConfig, run: Run) -> Checkpoint:
    """Choose temperature and thresholds on the validation split, in the precision that readings use."""
    network.eval()
    p = validation.predict(network, data.held_out, data.held_out_labels, fabric.device)
    cams = _grad_cams(network, data, p, fabric.device)
    thresholds = Thresholds(
        attention=validation.best_iou(p.maps[p.lesions], p.masks)[1] if len(p.lesions) else 0.5,
        grad_cam=validation.best_iou(cams, p.masks)[1] if len(p.lesions) else 0.5,
        evidence=validation.evidence_threshold(p),
    )
    training = {
        "options": asdict(replace(config, pretrained=Path(config.pretrained).name)),
        "counts": images_by_source(data),
        "commit": _commit(),
        "validation": {k: round(v, 4) for k, v in validation.scores(p).items()},
    }
    temperature = validation.temperature(p.logits, p.labels)
    recipe = data.training.recipe
    gate = gate_of(network, data.training, data.held_out, fabric.device)
    return Checkpoint(
        network, data.classes, data.normal, recipe, thresholds, temperature, training, run.out.name, gate=gate
    )


def _grad_cams(network: AttentionNet, data: Material, p: validation.Predictions, device: torch.device) -> torch.Tensor:
    """Grad-CAM of the likeliest class that is not normal, on the drawn validation images (M, h, w)."""
    abnormal = p.logits.clone()
    abnormal[:, data.classes.index(data.normal)] = float("-inf")
    maps = [
        grad_cam(network, data.held_out.batch([row], device)[0], abnormal[row].argmax()[None].to(device)).cpu()
        for row in p.lesions
    ]
    return torch.cat(maps) if maps else p.masks


def _commit() -> str:
    """The package's git commit, "" outside a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return done.stdout.strip()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of training; returns the exit status."""
    parser = parser_for(TrainConfig, __doc__)
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
