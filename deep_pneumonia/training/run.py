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

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.files import why_unwritten, write_bytes, write_json
from deep_pneumonia.partial_files import sweep
from deep_pneumonia.prediction.tensor_file import read_tensors, write_tensors

Tree = dict[str, Any]
STATE = "state.safetensors"


class Run:
    """The folder `out` of one run.

    config: a dataclass of options. facts: what else a resumed run must agree on. main: whether this process writes,
    which only rank 0 does. `step` counts the steps of the saved state.

    Raises:
        TrainingError: the folder holds a run with other options or facts, or its config.json is damaged.
        DeepPneumoniaError: the folder cannot be written to.
    """

    def __init__(self, out: Path, config: Any, facts: Mapping[str, Any], *, main: bool = True) -> None:
        self.out, self.main, self.step = out, main, 0
        asked = {"config": asdict(config), **facts}
        path = out / "config.json"
        if path.exists():
            _check_same(out, asked, _read_options(path))
        if not main:
            return
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(why_unwritten(out, error)) from error
        sweep(out)
        if not path.exists():
            write_json(asked, path)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one record, which has a "step", to log.jsonl.

        Raises:
            TrainingError: it cannot be written, as on a full disk.
        """
        if not self.main:
            return
        try:
            with self._log_path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            raise TrainingError(why_unwritten(self._log_path, error)) from error

    @property
    def _log_path(self) -> Path:
        return self.out / "log.jsonl"

    def records(self) -> list[dict[str, Any]]:
        """The records of the log up to the saved step, without damaged lines, as a kill leaves them."""
        try:
            lines = self._log_path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        records = [_record(line) for line in lines if line.endswith("\n")]
        return [r for r in records if r is not None and r["step"] <= self.step]

    def save(self, step: int, tree: Tree) -> None:
        """Save a tree of tensors as the state after `step` steps; it replaces the previous one.

        Raises:
            DeepPneumoniaError: it cannot be written, as on a full disk. The previous state stays.
        """
        self.step = step
        if self.main:
            save_tree(tree | {"step": torch.tensor(step)}, self.out / STATE)

    def load(self) -> Tree | None:
        """The last saved state, or None for a new run; later records are removed from the log.

        Raises:
            TrainingError: the state is damaged.
        """
        path = self.out / STATE
        if not path.exists():
            if self.main:
                self._log_path.unlink(missing_ok=True)
            return None
        tree = load_tree(path)
        step = tree.pop("step", None)
        if not isinstance(step, torch.Tensor) or step.shape or step.is_floating_point() or int(step) < 0:
            raise damaged(path, "it does not say after which step it was saved")
        self.step = int(step)
        if self.main:
            write_bytes("".join(json.dumps(r) + "\n" for r in self.records()).encode(), self._log_path)
        return tree


def _read_options(path: Path) -> Mapping[str, Any]:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(before, dict) or not isinstance(before.get("config"), dict):
            raise ValueError("it holds no options")
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} is damaged ({error}); choose another --out.") from error
    return before


def _check_same(out: Path, asked: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    changed = [k for k in asked["config"] if before["config"].get(k) != asked["config"][k]]
    changed += [k for k in asked if k != "config" and before.get(k) != asked[k]]
    if changed:
        raise TrainingError(
            f"{out} holds a run with another {', '.join(changed)}; repeat its options to resume it, or "
            "choose another --out."
        )


def _record(line: str) -> dict[str, Any] | None:
    """One line of the log; None for a damaged one."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None


def save_tree(tree: Tree, path: Path) -> None:
    """Write nested dicts of tensors as one safetensors file, whole or not at all.

    Raises:
        DeepPneumoniaError: it cannot be written, as on a full disk. An earlier file stays.
    """
    write_tensors({k: v.detach().cpu().contiguous().clone() for k, v in _flatten(tree)}, path)


def load_tree(path: Path) -> Tree:
    """Read what `save_tree` wrote.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    try:
        flat = read_tensors(path)
        tree: Tree = {}
        for key, value in flat.items():
            *parents, leaf = key.split("/")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[leaf] = value
    except (OSError, SafetensorError, TypeError, AttributeError) as error:  # a name that is a tensor and a folder
        raise damaged(path, str(error)) from error
    return tree


def damaged(path: Path, why: str) -> TrainingError:
    """The error for a state that a run cannot go on from."""
    return TrainingError(f"{path} is missing or damaged ({why}); delete it to start the run again.")


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
