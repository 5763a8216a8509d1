"""What all tests share: settings for machines of any speed, marks, a drawn data set and a trained network."""

import os
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, settings

from deep_pneumonia import train
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs import dicom_frames
from tests.paths import ROOT
from tests.phantom import make_set
from tests.short_training import SMALL

torch.set_num_threads(1)

# A shell that runs the tests in the background has them ignore Ctrl-C, and the viewers they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow, and that is no failure. CI and mutation testing draw the same examples in every run; the
# latter (`make mutants`) asks only whether a test fails, not for the smallest example.
MUTATED = "MUTANT_UNDER_TEST" in os.environ
settings.register_profile(
    "any-machine",
    deadline=None,
    derandomize=MUTATED or "CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate] if MUTATED else list(Phase),
)
settings.load_profile("any-machine")
dicom_frames.MAX_DECODING_SECONDS = 600

# Where the tests lie that start a server or a browser, and those that train networks of their own.
BROWSER = (ROOT / "tests" / "browser", ROOT / "tests" / "hosting")
TRAINING = (ROOT / "tests" / "training" / "test_train",)
LONG = {"browser", "training", "slow"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark long tests by their folder and by the fixture `trained`, for `make test-fast`, and run them first."""
    for item in items:
        path = str(item.path)
        if path.startswith(tuple(map(str, BROWSER))):
            item.add_marker(pytest.mark.browser)
        if path.startswith(tuple(map(str, TRAINING))) or "trained" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.training)
    # Files with long tests go first, so that several workers finish at about the same time.
    items.sort(key=lambda item: not LONG & {mark.name for mark in item.iter_markers()})


@pytest.fixture(scope="session")
def drawn_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of 24 drawn patients in three splits."""
    return make_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def trained(drawn_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training run on the drawn set; its checkpoint is in checkpoint/."""
    out = tmp_path_factory.mktemp("runs") / "trained"
    assert train.main(["--manifest", str(drawn_set), "--out", str(out), "--epochs", "12", "--lr", "2e-3", *SMALL]) == 0
    return out


@pytest.fixture(scope="session")
def predictor(trained: Path) -> Predictor:
    """The checkpoint of the short training run on the CPU."""
    return Predictor.load(trained / "checkpoint", "cpu")
