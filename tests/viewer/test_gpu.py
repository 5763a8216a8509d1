"""ZeroGPU without a GPU: a package `spaces` that does to a call what the real one does, and the place without it."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import app
from deep_pneumonia.errors import MaskSizeError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.viewer import gpu
from tests.phantom import draw, save_png

# What is given and returned goes through a pipe to another process, and an error comes back as its class's name.
SPACES = """
import pickle

wrapped = []

def GPU(duration):
    def decorator(task):
        def handler(*args, **kwargs):
            args, kwargs = pickle.loads(pickle.dumps((args, kwargs)))
            try:
                sent = pickle.dumps(task(*args, **kwargs))
            except Exception as error:
                raise RuntimeError(type(error).__name__) from None
            return pickle.loads(sent)
        wrapped.append(duration)
        return handler
    return decorator
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in can be imported for one test."""
    (tmp_path / "spaces.py").write_text(SPACES)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("spaces", None)


@pytest.fixture
def spaces(installed: None) -> ModuleType:  # noqa: ARG001
    found = gpu.prepare()
    assert found is not None
    return found


@pytest.fixture
def radiograph(tmp_path: Path) -> Radiograph:
    return decode(save_png(draw(7, (300, 260), lesion=True)[0], tmp_path / "chest.png"))


def test_elsewhere_a_function_takes_its_turn() -> None:
    def turn_is_taken() -> bool:
        with ThreadPoolExecutor(1) as another:
            return not another.submit(gpu.TURN.acquire, blocking=False).result()

    assert gpu.on_gpu(turn_is_taken)() is True
    assert gpu.on_gpu(len)("abc") == 3
    assert gpu.TURN.acquire(blocking=False)
    gpu.TURN.release()
    assert "spaces" not in sys.modules


def test_a_prediction_comes_back_whole_from_the_gpu(spaces: ModuleType, radiograph: Radiograph) -> None:
    predictor = Predictor.load(device="cpu")
    mask = Annotation(draw(7, (300, 260), lesion=True)[1], "A", "pixel")
    away = gpu.on_gpu(predictor.predict)
    assert spaces.wrapped == [gpu.GPU_SECONDS]
    there, here = away(radiograph, annotations=[mask]), predictor.predict(radiograph, [mask])
    assert there.to_json("chest.png") == here.to_json("chest.png")
    assert np.array_equal(there.attention, here.attention)
    assert away.__name__ == "predict"


@pytest.mark.usefixtures("spaces")
def test_an_error_keeps_its_class_and_its_sentence(radiograph: Radiograph) -> None:
    predictor = Predictor.load(device="cpu")
    other = Annotation(np.zeros((30, 26), np.bool_), "A", "pixel")
    with pytest.raises(MaskSizeError) as here:
        predictor.predict(radiograph, [other])
    with pytest.raises(MaskSizeError) as there:
        gpu.on_gpu(predictor.predict)(radiograph, [other])
    assert str(there.value) == str(here.value)


@pytest.mark.usefixtures("spaces")
def test_what_is_no_error_of_ours_is_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        gpu.on_gpu(divmod)(1, 0)


@pytest.mark.usefixtures("installed")
def test_torch_is_prepared_before_weights_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = []

    def load(*_: object) -> None:
        prepared.append("spaces" in sys.modules)
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "load", load)
    assert app.main([]) == 130
    assert prepared == [True]
