"""The end of a training run: what validation images decide, and the checkpoint that is made of it all."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from deep_pneumonia.prediction.checkpoint import Checkpoint, Thresholds
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training import validation
from deep_pneumonia.training.data import Material, images_by_source
from deep_pneumonia.training.gate_fitting import gate_of


def finish(
    network: AttentionNet, data: Material, options: Mapping[str, Any], name: str, device: torch.device
) -> Checkpoint:
    """Choose temperature, thresholds and gate, in the precision that readings use. `options`: of the run."""
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
