"""Training: learns, resumes exactly, switches its parts off, says what is wrong."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deep_pneumonia import pretrain, train
from deep_pneumonia.prediction import checkpoint
from deep_pneumonia.training.run import load_tree
from tests.short_training import SMALL


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoint" / checkpoint.WEIGHTS)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_short_run_learns_classes_and_where_to_look(trained: Path) -> None:
    records = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    losses = [r["attention"] for r in records if "attention" in r]
    found = [r for r in records if "score" in r]
    assert losses[-1] < 0.8 * losses[0]
    assert len(found) == 8
    assert all(0 <= r["hit"] <= 1 for r in found)
    assert (trained / "curves.png").stat().st_size > 5000
    facts = json.loads((trained / "checkpoint" / "model.json").read_text())
    assert facts["classes"] == ["Clear", "Opacity"]
    assert facts["normal"] == "Clear"
    assert facts["training"]["counts"]["train"]["drawn"]["lesion drawn"] == 6


@pytest.mark.parametrize("verb", ["train", "pretrain"])
def test_a_run_killed_at_a_random_moment_ends_with_the_same_weights(verb: str, drawn_set: Path, tmp_path: Path) -> None:
    def command(out: str) -> list[str]:
        module = f"deep_pneumonia.{verb}"
        options = [o for o in SMALL if verb == "train" or o not in ("--width", "32")]
        extra = ["--view", "48", "--queue", "24"] if verb == "pretrain" else []
        options += ["--epochs", "3", "--save-every", "1", "--cache", str(tmp_path / "cache"), *extra]
        return [
            sys.executable,
            "-m",
            module,
            "--manifest",
            str(drawn_set),
            "--out",
            str(tmp_path / out),
            *options,
        ]

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command("whole"), check=True, env=environment, capture_output=True)
    killed = 0
    moment = random.Random(os.getpid())
    for _ in range(3):
        process = subprocess.Popen(
            command("killed"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        state = tmp_path / "killed" / "state.safetensors"
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.01)
        time.sleep(moment.uniform(0, 0.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed, "the run was too short to be killed"
    subprocess.run(command("killed"), check=True, env=environment, capture_output=True)

    if verb == "train":
        assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))
    else:
        whole, resumed = (load_file(tmp_path / o / "encoder.safetensors") for o in ("whole", "killed"))
        assert same(whole, resumed)
    logs = [(tmp_path / o / "log.jsonl").read_text() for o in ("whole", "killed")]
    assert logs[0] == logs[1]


def test_pretrained_backbone_is_where_training_starts(drawn_set: Path, tmp_path: Path) -> None:
    small = [o for o in SMALL if o not in ("--width", "32")]
    arguments = ["--manifest", str(drawn_set), "--epochs", "1", *small]
    for method in ("moco", "simclr"):
        out = tmp_path / method
        extra = ["--view", "48", "--queue", "24", "--method", method]
        assert pretrain.main([*arguments, "--out", str(out), *extra]) == 0
    again = [
        *arguments,
        "--out",
        str(tmp_path / "t"),
        "--pretrained",
        str(tmp_path / "moco"),
        "--lr",
        "0",
        "--width",
        "32",
    ]
    assert train.main(again) == 0
    first = load_tree(tmp_path / "moco" / "encoder.safetensors")
    best = load_tree(tmp_path / "t" / "best.safetensors")
    assert torch.equal(best["backbone.fine.0.weight"], first["fine.0.weight"])
    assert not torch.equal(
        first["fine.0.weight"], load_tree(tmp_path / "simclr" / "encoder.safetensors")["fine.0.weight"]
    )


def test_every_term_can_be_switched_off(drawn_set: Path, tmp_path: Path) -> None:
    off = [
        "--attention-weight",
        "0",
        "--hard-probability",
        "0",
        "--regulation-weight",
        "0",
        "--no-class-balance",
    ]
    assert train.main(["--manifest", str(drawn_set), "--out", str(tmp_path), "--epochs", "1", *off, *SMALL]) == 0
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    step = next(r for r in records if "loss" in r)
    assert step["loss"] == step["classification"]
    assert "attention" not in step
    assert "regulation" not in step


def test_two_processes_train_one_network(drawn_set: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "deep_pneumonia.train",
        "--manifest", str(drawn_set), "--out", str(tmp_path / "run"), "--epochs", "1", *SMALL, "--batch", "3",
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
        (["--batch", "1000", "--out", "elsewhere"], "fewer than a batch"),
        (["--pretrained", "nowhere", "--out", "elsewhere"], "encoder.safetensors"),
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
