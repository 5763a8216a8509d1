"""What the tests of the guard share: one viewer with a shared work list, and a drawn radiograph."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.serving import Options
from tests.guarded_viewer import Served, guarded
from tests.phantom import draw, save_png
from tests.work_lists import small_workspace


@pytest.fixture(scope="package")
def shared_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a work list with two cases."""
    return small_workspace(tmp_path_factory.mktemp("shared")).folder


@pytest.fixture(scope="package")
def served(shared_list: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A viewer for everybody, with one work list."""
    predictor = Predictor.load(device="cpu")
    folder = tmp_path_factory.mktemp("served")
    with guarded(predictor, folder, workspace=shared_list, options=Options(metrics=True)) as served:
        yield served


@pytest.fixture(scope="package")
def radiograph(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a drawn radiograph."""
    return save_png(draw(7, (300, 260))[0], tmp_path_factory.mktemp("radiograph") / "chest.png").read_bytes()
