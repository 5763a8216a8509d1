"""A run's folder: state there and back, a log that fits it, and one set of options."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from deep_pneumonia.errors import DeepPneumoniaError, TrainingError
from deep_pneumonia.files import write_json
from deep_pneumonia.prediction import tensor_file
from deep_pneumonia.training.run import Run, Tree, load_tree, optimizer_tree, restore_optimizer, save_tree


@dataclass(frozen=True)
class Options:
    """Options of a run that does not exist."""

    lr: float = 0.1
    epochs: int = 3


FACTS = {"classes": ["A", "B"], "processes": 1}


def leaves(tree: Tree, prefix: str = "") -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for key, value in tree.items():
        found |= leaves(value, f"{prefix}{key} / ") if isinstance(value, dict) else {prefix + key: value}
    return found


def same(a: Tree, b: Tree) -> bool:
    one, two = leaves(a), leaves(b)
    return one.keys() == two.keys() and all(one[k].dtype == two[k].dtype and torch.equal(one[k], two[k]) for k in one)


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    shared = torch.arange(6.0).view(2, 3)
    tree = {
        "network": {"a.weight": shared, "a.turned": shared.T, "tied": shared, "b": torch.ones(1, requires_grad=True)},
        "optimizer": {"0": {"step": torch.tensor(7.0), "deep": {"er": torch.tensor([1.5], dtype=torch.bfloat16)}}},
        "step": torch.tensor(2**40),
        "mask": torch.tensor([True, False]),
    }
    save_tree(tree, tmp_path / "state.safetensors")
    assert same(load_tree(tmp_path / "state.safetensors"), tree)
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]


def test_an_optimizer_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def step(weights: torch.Tensor, optimizer: torch.optim.Optimizer, target: float) -> torch.Tensor:
        optimizer.zero_grad()
        ((weights - target) ** 2).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return weights.detach().clone()

    def fresh(values: torch.Tensor) -> tuple[torch.Tensor, torch.optim.Optimizer]:
        weights = values.clone().requires_grad_()
        return weights, torch.optim.AdamW([weights], lr=0.1)

    weights, optimizer = fresh(torch.tensor([1.0, -2.0]))
    for target in (3.0, -1.0):
        stopped_at = step(weights, optimizer, target)
    save_tree(optimizer_tree(optimizer), tmp_path / "o")
    resumed, other = fresh(stopped_at)
    restore_optimizer(other, load_tree(tmp_path / "o"))
    forgetful = step(*fresh(stopped_at), 0.5)
    goes_on = step(weights, optimizer, 0.5)
    assert torch.equal(step(resumed, other, 0.5), goes_on)
    assert not torch.allclose(forgetful, goes_on)


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(p.read_bytes()[:-3]), lambda p: p.unlink()])
def test_a_damaged_tree_is_named(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_tree({"a": torch.ones(4)}, path)
    damage(path)
    with pytest.raises(
        TrainingError, match=r"state\.safetensors is missing or damaged .*delete it to start the run again"
    ):
        load_tree(path)


def test_an_error_while_saving_leaves_the_former_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    run = Run(tmp_path / "run", Options(), FACTS)
    run.save(4, {"a": torch.ones(2)})
    monkeypatch.setattr(tensor_file, "save_file", stop)
    with pytest.raises(KeyboardInterrupt):
        run.save(8, {"a": torch.zeros(2)})
    again = Run(tmp_path / "run", Options(), FACTS)
    assert same(again.load() or {}, {"a": torch.ones(2)})
    assert again.step == 4
    assert not list((tmp_path / "run").glob(".*"))


def test_the_log_is_cut_back_to_the_saved_step(tmp_path: Path) -> None:
    run = Run(tmp_path, Options(), FACTS)
    for step in (1, 2, 3, 4):
        run.log({"step": step, "loss": 1 / step})
        if step == 3:
            run.save(step, {"a": torch.ones(1)})
            run.log({"step": step, "score": 0.5})
    log = tmp_path / "log.jsonl"
    with log.open("a") as stream:
        stream.write('{"step": 3, "sco')  # killed while it wrote

    resumed = Run(tmp_path, Options(), FACTS)
    assert resumed.step == 0
    assert same(resumed.load() or {}, {"a": torch.ones(1)})
    assert resumed.step == 3
    resumed.log({"step": 4, "loss": 0.25})
    kept = [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}, {"step": 3, "loss": 1 / 3}, {"step": 3, "score": 0.5}]
    assert [json.loads(line) for line in log.read_text().splitlines()] == [*kept, {"step": 4, "loss": 0.25}]
    assert resumed.records() == kept


def test_a_run_without_a_state_starts_anew(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", Options(), FACTS)
    assert run.records() == []
    run.log({"step": 1})
    again = Run(tmp_path / "run", Options(), FACTS)
    assert again.load() is None
    assert again.step == 0
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["config.json"]


def test_other_options_are_refused_by_name(tmp_path: Path) -> None:
    Run(tmp_path, Options(), FACTS)
    written = (tmp_path / "config.json").read_text()
    assert json.loads(written) == {"config": {"lr": 0.1, "epochs": 3}, "classes": ["A", "B"], "processes": 1}
    for options, facts, names in (
        (Options(lr=0.2), FACTS, "lr"),
        (Options(0.2, 9), FACTS, "lr, epochs"),
        (Options(), FACTS | {"processes": 2}, "processes"),
        (Options(epochs=4), FACTS | {"classes": ["A"]}, "epochs, classes"),
    ):
        with pytest.raises(TrainingError, match=f"holds a run with another {names}; repeat its options"):
            Run(tmp_path, options, facts)
    Run(tmp_path, Options(), FACTS)
    assert (tmp_path / "config.json").read_text() == written
    (tmp_path / "config.json").write_text(written[:-9])
    with pytest.raises(TrainingError, match=r"config\.json is damaged .*choose another --out"):
        Run(tmp_path, Options(), FACTS)


def test_a_second_process_writes_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", Options(), FACTS, main=False)
    run.log({"step": 1})
    run.save(1, {"a": torch.ones(1)})
    assert run.step == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), [1, float("inf")], {"a": object()}])
def test_json_that_cannot_be_leaves_no_trace(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_json({"iou": 0.5, "dice": None}, path)
    with pytest.raises((ValueError, TypeError), match="JSON"):
        write_json({"iou": value}, path)
    assert json.loads(path.read_text()) == {"iou": 0.5, "dice": None}
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]


def test_json_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_the_disk(path: Path, text: str, **_: Any) -> None:
        path.write_bytes(text[:9].encode())
        raise OSError(28, "No space left on device")

    path = tmp_path / "metrics.json"
    write_json({"iou": 0.5}, path)
    monkeypatch.setattr(Path, "write_text", fill_the_disk)
    with pytest.raises(DeepPneumoniaError, match="No space left on device"):
        write_json({"iou": 0.75}, path)
    assert json.loads(path.read_text()) == {"iou": 0.5}
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]
