"""Training runs short enough for a test, and what they leave behind."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from deep_pneumonia import train
from deep_pneumonia.prediction import checkpoint

PRECISE = ["--size", "64", "--batch", "6", "--precision", "32-true", "--device", "cpu", "--initial", "random"]
SMALL = [*PRECISE, "--backbone", "resnet18", "--width", "32"]
TINY = [*PRECISE, "--backbone", "shufflenet_v2_x0_5"]
TINY_PRETRAINING = [*TINY, "--view", "48", "--queue", "24"]


def run(manifest: Path, out: Path, *options: str) -> int:
    """Train for one epoch, or for as many as the options say, with a small backbone; returns the exit status."""
    return train.main(
        ["--manifest", str(manifest), "--out", str(out), "--epochs", "1", *TINY, "--width", "32", *options]
    )


def weights(run_folder: Path) -> dict[str, torch.Tensor]:
    return load_file(run_folder / "checkpoint" / checkpoint.WEIGHTS)


def records(run_folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
