"""The end of a training run: the validation split decides what is left open, and a checkpoint holds it all."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from deep_pneumonia.prediction.checkpoint import Checkpoint, Thresholds
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training import validation
from deep_pneumonia.training.data import TrainingData, images_by_source
from deep_pneumonia.training.gate_fitting import gate_of


def finish(
    network: AttentionNet, data: TrainingData, options: Mapping[str, Any], name: str, device: torch.device
) -> Checkpoint:
    """The checkpoint of a trained network; its temperature, thresholds and gate come from the validation split.

    All is computed in the precision of predictions, float32. options: of the run, for the checkpoint's training
    facts. name: of the checkpoint.
    """
    network.eval()
    p = validation.predict(network, data.held_out, data.held_out_labels, device)
    cams = _grad_cams(network, data, p, device)
    temperature = validation.temperature(p.logits, p.labels)
    thresholds = Thresholds(
        attention=validation.best_iou(p.maps[p.lesions], p.masks)[1] if len(p.lesions) else 0.5,
        grad_cam=validation.best_iou(cams, p.masks)[1] if len(p.lesions) else 0.5,
        finding=validation.finding_threshold(p, data.classes.index(data.normal), temperature),
    )
    training = {
        "options": dict(options),
        "counts": images_by_source(data),
        "commit": _commit(),
        "validation": {k: round(v, 4) for k, v in validation.scores(p).items()},
    }
    gate = gate_of(network, data.training, data.held_out, device)
    recipe = data.training.recipe
    return Checkpoint(network, data.classes, data.normal, recipe, thresholds, temperature, training, name, gate=gate)


def _grad_cams(
    network: AttentionNet, data: TrainingData, p: validation.Predictions, device: torch.device
) -> torch.Tensor:
    """Grad-CAM (M, h, w) of the most probable abnormal class on the validation images with a drawn lesion."""
    abnormal = p.logits.clone()
    abnormal[:, data.classes.index(data.normal)] = float("-inf")
    maps = [
        grad_cam(network, data.held_out.batch([row], device)[0], abnormal[row].argmax()[None].to(device)).cpu()
        for row in p.lesions
    ]
    return torch.cat(maps) if maps else p.masks


def _commit() -> str:
    """The git commit of the package, "" outside a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return done.stdout.strip()
