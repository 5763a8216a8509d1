"""The folder of a training run: its options, log and state, from which a killed run resumes exactly.

config.json         the options; a run resumes only with the same ones
log.jsonl           one JSON object per record of losses or of an epoch's scores
state.safetensors   the tensors of the last saved step, written beside and renamed, never pickled

Random numbers depend on the seed and the step alone, so the state holds no generator.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.files import whole, write_json

Tree = dict[str, Any]


class Run:
    """The folder `out` of one run.

    config: a dataclass of options. facts: what else a resumed run must agree on. main: whether this process writes,
    which only rank 0 does. `step` counts the steps of the saved state.

    Raises:
        TrainingError: the folder holds a run with other options or facts, or its config.json is damaged.
    """

    def __init__(self, out: Path, config: Any, facts: Mapping[str, Any], *, main: bool = True) -> None:
        self.out, self.main, self.step = out, main, 0
        asked = {"config": asdict(config), **facts}
        if (out / "config.json").exists():
            try:
                before = json.loads((out / "config.json").read_text())
            except ValueError as error:
                raise TrainingError(f"{out / 'config.json'} is damaged ({error}); choose another --out.") from error
            changed = [k for k in asked["config"] if before.get("config", {}).get(k) != asked["config"][k]]
            changed += [k for k in facts if before.get(k) != facts[k]]
            if changed:
                raise TrainingError(
                    f"{out} holds a run with another {', '.join(changed)}; repeat its options to resume it, or "
                    "choose another --out."
                )
        elif main:
            out.mkdir(parents=True, exist_ok=True)
            write_json(asked, out / "config.json")

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one record, which has a "step", to log.jsonl."""
        if self.main:
            with (self.out / "log.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")

    def records(self) -> list[dict[str, Any]]:
        """The records of the log up to the saved step, without a half-written last line."""
        try:
            lines = (self.out / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        records = [json.loads(line) for line in lines if line.endswith("\n")]
        return [r for r in records if r["step"] <= self.step]

    def save(self, step: int, tree: Tree) -> None:
        """Save a tree of tensors as the state after `step` steps; it replaces the previous one."""
        self.step = step
        if self.main:
            save_tree(tree | {"step": torch.tensor(step)}, self.out / "state.safetensors")

    def load(self) -> Tree | None:
        """The last saved state, or None for a new run; later records are removed from the log.

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
    """Write nested dicts of tensors as one safetensors file, whole or not at all."""
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
        raise TrainingError(f"{path} is missing or damaged ({error}); delete it to start the run again.") from error
    tree: Tree = {}
    for key, value in flat.items():
        *parents, leaf = key.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def optimizer_tree(optimizer: torch.optim.Optimizer) -> Tree:
    """The tensors of an optimiser's state by the number of the parameter; its options come from the configuration."""
    return {str(i): dict(state) for i, state in optimizer.state_dict()["state"].items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tree: Tree) -> None:
    """Put back what `optimizer_tree` returned."""
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": {int(i): s for i, s in tree.items()}, "param_groups": groups})


def _flatten(tree: Tree, prefix: str = "") -> list[tuple[str, torch.Tensor]]:
    flat: list[tuple[str, torch.Tensor]] = []
    for key, value in tree.items():
        flat += _flatten(value, f"{prefix}{key}/") if isinstance(value, dict) else [(prefix + key, value)]
    return flat
