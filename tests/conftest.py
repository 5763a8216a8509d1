"""What several tests share: a drawn data set, and a network trained on it once."""

import signal
from pathlib import Path

import pytest
import torch

from deep_pneumonia import train
from tests.phantom import make_set

torch.set_num_threads(1)

# A shell that runs the tests in the background has them ignore Ctrl-C, and the viewers they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

SMALL = ["--size", "64", "--batch", "6", "--precision", "32-true", "--device", "cpu", "--width", "32"]


@pytest.fixture(scope="session")
def drawn_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of 24 drawn patients in three splits."""
    return make_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def trained(drawn_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training run on the drawn set; its checkpoint is in checkpoint/."""
    out = tmp_path_factory.mktemp("runs") / "trained"
    assert train.main(["--manifest", str(drawn_set), "--out", str(out), "--epochs", "8", "--lr", "2e-3", *SMALL]) == 0
    return out
