"""What the browser-side viewer is given: every grey value, the map only where it may be shown, and the masks."""

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.cautions import Caution
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import scene as scenes
from deep_pneumonia.viewer.opened_case import Case, drawn, open_case
from deep_pneumonia.viewer.scene import pack, scene
from tests.phantom import draw, save_png


def unpacked(bits: int, text: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """As deep_pneumonia/viewer/static/pixels.js unfolds it."""
    data = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    if bits == 8:
        rows = data.reshape(size).astype(np.uint64)
    else:
        high, low = data.reshape(2, *size).astype(np.uint64)
        rows = high * 256 + low
    return np.cumsum(rows, axis=1) % 2**bits / (2**bits - 1)


@given(arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_8_bit_greys_come_back_exactly(levels: NDArray[np.uint8]) -> None:
    pixels = levels.astype(np.float32) / np.float32(255)
    bits, text = pack(pixels)
    assert bits == 8
    assert np.array_equal(np.rint(unpacked(bits, text, levels.shape) * 255), levels)


@pytest.mark.parametrize("depth", [10, 12, 14, 16])
def test_deeper_greys_keep_every_level(depth: int) -> None:
    full = 2**depth - 1
    levels = np.random.default_rng(depth).integers(0, full + 1, (40, 50))
    levels[0, 0], levels[0, 1] = full, 1
    bits, text = pack((levels / full).astype(np.float32))
    assert bits == 16
    assert np.array_equal(np.rint(unpacked(bits, text, (40, 50)) * full), levels)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    pixels, mask = draw(101, (300, 260), lesion=True)
    save_png(pixels, folder / "chest.x.png")
    write_mask(mask, folder / "doctor.png")
    return folder / "chest.x.png"


@pytest.fixture(scope="module")
def case(file: Path, trained: Path) -> Case:
    return open_case(
        Predictor.load(trained / "checkpoint", "cpu").predict, str(file), [str(file.with_name("doctor.png"))]
    )


def test_a_scene_is_plain_json_with_all_that_the_viewer_draws(case: Case, file: Path) -> None:
    found = json.loads(json.dumps(scene(case, str(file), ["m"], 0.35, 2), allow_nan=False))
    assert found["size"] == [300, 260]
    assert (found["name"], found["stem"], found["place"], found["threshold"]) == ("chest.x.png", "chest.x", 2, 0.35)
    assert np.allclose(unpacked(found["bits"], found["pixels"], (300, 260)), case.radiograph.pixels, atol=1e-6)
    assert np.array_equal(np.array(found["cells"], np.float32), case.prediction.cells)
    assert np.array_equal(drawn(found["masks"][0], (300, 260)).mask, case.masks[0].mask)
    assert found["masks"][0]["reader"] == "doctor"
    assert found["files"] == {"file": str(file), "masks": ["m"]}


def test_a_map_without_evidence_never_reaches_the_browser(case: Case, file: Path) -> None:
    prediction = replace(case.prediction, warnings=(Caution("unlikely_finding", "It is too low."),))
    assert scene(replace(case, prediction=prediction), str(file), [], 0.35)["cells"] is None


def test_the_key_is_the_files_own_whatever_it_is_called(case: Case, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.png"
    copy.write_bytes(file.read_bytes())
    keys = [scene(case, str(f), [], 0.35)["key"] for f in (file, copy, file.with_name("doctor.png"))]
    assert keys[0] == keys[1] != keys[2]


def test_beyond_what_a_browser_can_hold_means_over_squares_are_sent(
    case: Case, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "MAX_PIXELS", 300 * 260 // 5)
    radiograph = replace(case.radiograph, spacing_mm=(0.2, 0.1))
    found = scene(replace(case, radiograph=radiograph), str(file), [], 0.35)
    assert (found["step"], found["size"]) == (3, [100, 87])
    assert found["spacing_mm"] == pytest.approx([0.6, 0.3])
    wanted = np.asarray(Image.fromarray(case.radiograph.pixels).reduce(3))
    assert np.allclose(unpacked(16, found["pixels"], (100, 87)), wanted, atol=1e-5)
    # What is drawn on the smaller picture fits the radiograph again.
    assert drawn({**found["masks"][0], "size": found["size"]}, (300, 260)).size == (300, 260)
