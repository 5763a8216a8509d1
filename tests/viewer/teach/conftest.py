"""What the tests of the Teach screen share; each is read or computed once in a session."""

from pathlib import Path

import pytest

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import TeachingCase, load_cases
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.teach.lesson_steps import Steps


@pytest.fixture(scope="session")
def predictor(trained: Path) -> Predictor:
    """A small network that was trained on drawn radiographs."""
    return Predictor.load(trained / "checkpoint", "cpu")


@pytest.fixture(scope="session")
def cases() -> list[TeachingCase]:
    """The shipped teaching cases."""
    return load_cases(shipped.CASES)


@pytest.fixture(scope="session")
def steps(predictor: Predictor, cases: list[TeachingCase]) -> Steps:
    """The lesson with two checkpoints; a step is computed by the first test that opens it."""
    return Steps(predictor, predictor, cases)
