"""The folder of a training run: its configuration, log and state, so that a killed run goes on exactly.

config.json         what was asked; a resumed run must ask the same
log.jsonl           one line a step report or epoch
state.safetensors   tensors of the last saved step, no pickle, written beside and renamed

All randomness of a run is a function of its seed and the step, so the state holds no generator.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.files import whole, write_json

Tree = dict[str, Any]


class Run:
    """One run's folder. `main` says whether this process writes (rank 0); `step` is the step saved last."""

    def __init__(self, out: Path, config: Any, facts: Mapping[str, Any], *, main: bool = True) -> None:
        self.out, self.main, self.step = out, main, 0
        asked = {"config": asdict(config), **facts}
        if (out / "config.json").exists():
            try:
                before = json.loads((out / "config.json").read_text())
            except ValueError as error:
                raise TrainingError(f"{out / 'config.json'} is damaged ({error}); give another --out.") from error
            changed = [k for k in asked["config"] if before.get("config", {}).get(k) != asked["config"][k]]
            changed += [k for k in facts if before.get(k) != facts[k]]
            if changed:
                raise TrainingError(
                    f"{out} holds a run with another {', '.join(changed)}; give the same options to go on "
                    "with it, or another --out."
                )
        elif main:
            out.mkdir(parents=True, exist_ok=True)
            write_json(asked, out / "config.json")

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one record, with its step, to log.jsonl."""
        if self.main:
            with (self.out / "log.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")

    def records(self) -> list[dict[str, Any]]:
        """All records of the log up to the saved step; a half-written last line is left out."""
        try:
            lines = (self.out / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        records = [json.loads(line) for line in lines if line.endswith("\n")]
        return [r for r in records if r["step"] <= self.step]

    def save(self, step: int, tree: Tree) -> None:
        """Save a tree of tensors as the state after `step` steps, replacing the one before."""
        self.step = step
        if self.main:
            save_tree(tree | {"step": torch.tensor(step)}, self.out / "state.safetensors")

    def load(self) -> Tree | None:
        """The state saved last, or None for a new run; the log is cut back to it.

        Raises:
            TrainingError: the state is damaged.
        """
        path = self.out / "state.safetensors"
        if not path.exists():
            (self.out / "log.jsonl").unlink(missing_ok=True)
            return None
        tree = load_tree(path)
        self.step = int(tree.pop("step"))
        if self.main:
            kept = self.records()
            with whole(self.out / "log.jsonl") as partial:
                partial.write_text("".join(json.dumps(r) + "\n" for r in kept), encoding="utf-8")
        return tree


def save_tree(tree: Tree, path: Path) -> None:
    """Write nested dicts of tensors as one safetensors file, atomically."""
    flat = {k: v.detach().cpu().contiguous().clone() for k, v in _flatten(tree)}
    with whole(path) as partial:
        save_file(flat, partial)


def load_tree(path: Path) -> Tree:
    """Read what `save_tree` wrote.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    try:
        flat = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path} is damaged ({error}); delete it to start again.") from error
    tree: Tree = {}
    for key, value in flat.items():
        *parents, leaf = key.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def optimizer_tree(optimizer: torch.optim.Optimizer) -> Tree:
    """The tensors of an optimizer's state by parameter number; its options live in the configuration."""
    return {str(i): dict(state) for i, state in optimizer.state_dict()["state"].items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tree: Tree) -> None:
    """Put back what `optimizer_tree` gave."""
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": {int(i): s for i, s in tree.items()}, "param_groups": groups})


def learning_rate(step: int, total: int, peak: float, warmup: float = 0.05) -> float:
    """Linear warm-up over a share of the steps, then a half cosine to zero (Loshchilov & Hutter, 2017)."""
    if step < warmup * total:
        return peak * min(1.0, (step + 1) / (warmup * total))
    progress = (step - warmup * total) / max(1, (1 - warmup) * total)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def launch(device: str, precision: str) -> Fabric:
    """Fabric on this process's share of the machine: one device, or one a process under torchrun.

    device: "auto" (CUDA, then CPU), "cpu" or "cuda".
    """
    accelerator = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    world, local = (int(os.environ.get(k, 1)) for k in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    # A step reads the network more than once before its gradient: batch statistics must not be overwritten between.
    strategy = DDPStrategy(broadcast_buffers=False) if world > 1 else "auto"
    fabric = Fabric(
        accelerator=accelerator, strategy=strategy, devices=local, num_nodes=world // local, precision=precision
    )
    fabric.launch()
    return fabric


def channels_last(network: nn.Module) -> None:
    """Lay the network's weights out as (N, H, W, C), in place: convolutions on a CPU run twice as fast."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `count` items in an epoch: a function of its numbers alone."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def generator_at(seed: int, step: int, rank: int = 0) -> torch.Generator:
    """The random generator of one step of one process: a function of its numbers alone."""
    return torch.Generator().manual_seed(hash((seed, step, rank)) % 2**63)


def _flatten(tree: Tree, prefix: str = "") -> list[tuple[str, torch.Tensor]]:
    flat: list[tuple[str, torch.Tensor]] = []
    for key, value in tree.items():
        flat += _flatten(value, f"{prefix}{key}/") if isinstance(value, dict) else [(prefix + key, value)]
    return flat
