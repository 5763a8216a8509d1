"""Training: learns, resumes exactly, switches its parts off, says what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deep_pneumonia import pretrain, train
from deep_pneumonia.prediction import checkpoint
from deep_pneumonia.training.run import Run, load_tree
from tests.short_training import SMALL, TINY, TINY_PRETRAINING, records, run, same, weights


def test_a_short_run_learns_classes_and_where_to_look(trained: Path) -> None:
    losses = [r["attention"] for r in records(trained) if "attention" in r]
    found = [r for r in records(trained) if "score" in r]
    assert losses[-1] < 0.8 * losses[0]
    assert len(found) == 12
    assert all(0 <= r["hit"] <= 1 for r in found)
    assert (trained / "curves.png").stat().st_size > 5000
    facts = json.loads((trained / "checkpoint" / "model.json").read_text())
    assert facts["classes"] == ["Clear", "Opacity"]
    assert facts["normal"] == "Clear"
    assert facts["training"]["counts"]["train"]["drawn"]["lesion drawn"] == 6


def test_a_run_killed_at_a_random_moment_ends_with_the_same_weights(drawn_set: Path, tmp_path: Path) -> None:
    def options(out: str) -> list[str]:
        cache = ["--save-every", "1", "--cache", str(tmp_path / "cache")]
        return ["--manifest", str(drawn_set), "--out", str(tmp_path / out), "--epochs", "4", *TINY, *cache]

    command = [sys.executable, "-m", "deep_pneumonia.train", *options("killed")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "killed" / "state.safetensors").exists():
        time.sleep(0.005)
    assert process.poll() is None, "the run was too short to be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "checkpoint").exists()

    for out in ("whole", "killed"):
        assert train.main(options(out)) == 0
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))
    assert records(tmp_path / "whole") == records(tmp_path / "killed")


@pytest.mark.parametrize("stopped_at", [1, 2, 3])
def test_a_pre_training_stopped_while_it_saves_ends_with_the_same_weights(
    stopped_at: int, drawn_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pre_train(out: str) -> int:
        options = ["--epochs", "2", "--save-every", "1", "--cache", str(tmp_path / "cache")]
        return pretrain.main(["--manifest", str(drawn_set), "--out", str(tmp_path / out), *options, *TINY_PRETRAINING])

    assert pre_train("whole") == 0
    save: Callable[..., None] = Run.save

    def stop(self: Run, step: int, tree: dict[str, torch.Tensor]) -> None:
        if step > stopped_at:
            raise KeyboardInterrupt
        save(self, step, tree)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", stop)
        assert pre_train("stopped") == 130
    assert not (tmp_path / "stopped" / "encoder.safetensors").exists()
    assert pre_train("stopped") == 0
    whole, stopped = (load_file(tmp_path / out / "encoder.safetensors") for out in ("whole", "stopped"))
    assert same(whole, stopped)
    assert records(tmp_path / "whole") == records(tmp_path / "stopped")


def test_pretrained_backbone_is_where_training_starts(drawn_set: Path, tmp_path: Path) -> None:
    for method in ("moco", "simclr"):
        options = ["--manifest", str(drawn_set), "--epochs", "1", *TINY_PRETRAINING, "--method", method]
        assert pretrain.main([*options, "--out", str(tmp_path / method)]) == 0
    assert run(drawn_set, tmp_path / "t", "--initial", str(tmp_path / "moco"), "--lr", "0") == 0
    key = "fine.0.0.weight"
    moco, simclr = (load_tree(tmp_path / method / "encoder.safetensors")[key] for method in ("moco", "simclr"))
    assert torch.equal(load_tree(tmp_path / "t" / "best.safetensors")[f"backbone.{key}"], moco)
    assert not torch.equal(moco, simclr)


def test_every_term_can_be_switched_off(drawn_set: Path, tmp_path: Path) -> None:
    weights = ["--attention-weight", "0", "--hard-probability", "0", "--regulation-weight", "0"]
    assert run(drawn_set, tmp_path, *weights, "--no-class-balance") == 0
    step = next(r for r in records(tmp_path) if "loss" in r)
    assert step["loss"] == step["classification"]
    assert "attention" not in step
    assert "regulation" not in step


def test_a_folder_of_an_earlier_version_is_resumed_whatever_options_are_gone(drawn_set: Path, tmp_path: Path) -> None:
    assert run(drawn_set, tmp_path) == 0
    for path, place in ((tmp_path / "config.json", ()), (tmp_path / "checkpoint" / "model.json", ("training",))):
        facts = json.loads(path.read_text())
        options = facts["config"] if not place else facts["training"]["options"]
        options |= {"read_size": 0, "box_weight": 1.0, "cleared_weight": 0.0}
        path.write_text(json.dumps(facts))
    assert checkpoint.load(tmp_path / "checkpoint").training["options"]["box_weight"] == 1.0
    before = weights(tmp_path)
    assert run(drawn_set, tmp_path) == 0
    assert same(weights(tmp_path), before)


def test_two_processes_train_one_network(drawn_set: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "deep_pneumonia.train",
        "--manifest", str(drawn_set), "--out", str(tmp_path / "run"), "--epochs", "1", *TINY, "--batch", "3",
    ]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert checkpoint.load(tmp_path / "run" / "checkpoint").classes == ("Clear", "Opacity")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["processes"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--epochs", "9"], "another epochs"),
        (["--normal-class", "Healthy"], "'Healthy'"),
        (["--batch", "1000", "--out", "elsewhere"], "fewer than one batch"),
        (["--initial", "nowhere", "--out", "elsewhere"], "--initial nowhere is not a folder"),
        (["--manifest", "missing.csv"], "missing.csv"),
        (["--backbone", "squeezenet1_1", "--out", "elsewhere"], "squeezenet1_1"),
        (["--backbone", "nonsense", "--out", "elsewhere"], "nonsense"),
    ],
)
def test_what_cannot_run_is_one_line_and_status_2(
    change: list[str], words: str, trained: Path, drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    base = ["--manifest", str(drawn_set), "--out", str(trained), "--epochs", "8", "--lr", "2e-3", *SMALL]
    assert train.main([*base, *change]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert words in error
