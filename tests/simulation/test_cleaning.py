"""Cleaning the CT: table, contrast agent, streaks, tumour and grain go, and what belongs to the chest stays."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation.chest_ct import AIR, HEART, LOBES, TRACHEA, VENA_CAVA
from deep_pneumonia.simulation.cleaning import (
    BLOOD,
    BONES,
    FAT,
    MAX_SOFT_HU,
    body_of,
    crisp,
    even,
    healthy,
    healthy_chest,
    without_contrast,
    without_masses,
)
from tests import chest_phantom
from tests.chest_phantom import STEP, Ids, Volume, Where, ball, chest, draw

FINE = (0.7, 0.7, 2.5)  # mm, as the real CT has them


@pytest.fixture(scope="module")
def clean() -> Volume:
    return healthy(*draw(), STEP)


def flesh(hu: float = 40.0, shape: tuple[int, int, int] = (40, 40, 24)) -> tuple[Volume, Ids, Where]:
    """A block of one HU that is all body and no structure."""
    return np.full(shape, hu, np.float32), np.zeros(shape, np.uint8), np.ones(shape, bool)


def test_the_table_goes_and_air_around_the_body_is_air(clean: Volume) -> None:
    hu, _ = draw()
    body = body_of(hu)
    table = (hu == chest_phantom.TABLE) & ~body
    assert table[8:-8, :3].all()
    assert (clean[~body] == AIR).all()


def test_a_body_holds_its_lungs_and_not_the_thin_table() -> None:
    hu, ids = draw()
    body = body_of(hu)
    assert body[np.isin(ids, LOBES)].all()
    assert not body[:, :3].any()
    assert not (body & (hu <= -400) & (ids == 0)).any()  # no air from around it
    assert body[hu > 0].all()


def test_a_table_that_the_body_lies_on_goes_beside_it() -> None:
    hu = np.full((60, 40, 6), AIR, np.float32)
    hu[:, 2:6] = chest_phantom.TABLE  # four voxels thick
    hu[15:45, 6:36] = 40
    body = body_of(hu)
    assert body[15:45, 6:36].all()
    assert not body[:14].any()
    assert not body[46:].any()


def test_contrast_agent_comes_down_to_blood(clean: Volume) -> None:
    hu, ids = draw()
    for vessel in (HEART, VENA_CAVA):
        assert hu[ids == vessel].mean() > 200
        # The heart leans on the lung: taking back the blur between slices raises its edge a little.
        assert np.median(clean[ids == vessel]) == pytest.approx(BLOOD, abs=5)
        assert without_contrast(hu, ids, body_of(hu))[ids == vessel].max() <= BLOOD


def test_contrast_agent_off_the_map_comes_down_to_soft_tissue() -> None:
    hu, ids, body = flesh()
    hu[20, 20, 5:15] = 300
    hu[30, 10:12, 10] = 2500  # the bolus
    found = without_contrast(hu, ids, body)
    assert found.max() == MAX_SOFT_HU
    assert (found[hu == 40] == 40).all()


def test_bones_are_kept(clean: Volume) -> None:
    hu, ids = draw()
    bone = np.isin(ids, BONES)
    np.testing.assert_array_equal(without_contrast(hu, ids, body_of(hu))[bone], hu[bone])
    assert (clean[bone] > 400).mean() > 0.99


def test_the_rim_of_a_bone_is_kept_and_a_vessel_beside_it_is_not() -> None:
    hu, ids, body = flesh()
    hu[18:23, 18:23] = 500
    ids[19:22, 19:22] = BONES[0]  # the map is drawn a voxel too small
    ids[23:26, 20] = VENA_CAVA
    hu[23:26, 20] = 400
    hu[17, 20, 20] = 2000  # the bolus is denser than any bone, so what is around it is no rim
    found = without_contrast(hu, ids, body)
    assert (found[18:23, 18:23, :19] == 500).all()
    assert (found[19:22, 19:22] == 500).all()
    assert (found[17:19, 20, 20] == MAX_SOFT_HU).all()
    assert (found[23:26, 20] == BLOOD).all()


def test_dark_streaks_beside_the_bolus_rise_to_fat_but_no_air_does() -> None:
    hu, ids, body = flesh()
    ids[3, 3, 10:], hu[3, 3, 10:] = TRACHEA, AIR  # from slice 10 on it is the upper chest
    ids[30:38, 30:38], hu[30:38, 30:38] = LOBES[0], -900
    hu[20, 10:30, 4], hu[20, 10:30, 16] = -600, -600
    found = without_contrast(hu, ids, body)
    assert (found[20, 10:30, 16] == FAT).all()
    assert (found[20, 10:30, 4] == -600).all()  # below the arch there is none, so what is dark is gas
    assert (found[ids == TRACHEA] == AIR).all()
    assert (found[ids == LOBES[0]] == -900).all()


def with_mass() -> tuple[Volume, Ids, Where, Where]:
    """The phantom with a solid ball in the left lower lobe, and in the right two vessels."""
    hu, ids = (array.copy() for array in draw())
    mass = ball((75, -25, 190), 20) & np.isin(ids, LOBES)
    vessel = np.zeros_like(mass)
    vessel[15:35, 60, 26] = True
    vessel[20:26, 68:73, 18:21] = True  # where it forks, its core is 155 mm3
    vessel &= np.isin(ids, LOBES)
    hu[mass], hu[vessel] = 40, 30
    return hu, ids, mass, vessel


def test_a_mass_is_filled_with_lung_and_a_vessel_stays() -> None:
    hu, ids, mass, vessel = with_mass()
    assert mass.sum() * np.prod(STEP) > 25_000
    assert vessel.sum() >= 100
    found = without_masses(hu, ids, STEP)
    assert found[mass].max() < -600
    assert (found[vessel] == 30).all()
    far = ~ball((75, -25, 190), (60, 60, 75))
    np.testing.assert_array_equal(found[far], hu[far])


def test_a_chest_without_a_mass_is_left_as_it_is() -> None:
    hu, ids = draw()
    np.testing.assert_array_equal(without_masses(hu, ids, STEP), hu)


def test_grain_is_evened_in_soft_tissue_only() -> None:
    random = np.random.default_rng(0)
    hu, _, _ = flesh(shape=(60, 60, 10))
    hu[:30] = -850
    hu += random.normal(0, 25, hu.shape).astype(np.float32)
    bone = np.zeros(hu.shape, bool)
    bone[45:50, 20:25] = True
    found = even(hu, bone, FINE)
    inner = found[54:, 30:]
    assert inner.std() < 25 / 3
    assert inner.mean() == pytest.approx(hu[54:, 30:].mean(), abs=3)
    np.testing.assert_array_equal(found[:30], hu[:30])
    np.testing.assert_array_equal(found[44:51, 19:26], hu[44:51, 19:26])  # bone and its rim


@settings(max_examples=10)
@given(st.floats(-190, 1000, width=32), st.integers(3, 17))
def test_evening_moves_no_edge(soft: float, edge: int) -> None:
    hu = np.full((20, 8, 4), soft, np.float32)
    hu[:edge] = -850
    found = even(hu, np.zeros(hu.shape, bool), FINE)
    np.testing.assert_allclose(found, hu, rtol=1e-4, atol=1e-2)


def test_crisp_takes_back_part_of_the_blur_between_slices() -> None:
    sharp = np.where(np.arange(30) < 15, -850.0, 40.0).astype(np.float32)[None, None]
    blurred = gaussian_filter1d(sharp, 1.0, axis=2)
    found = crisp(blurred)
    assert found[0, 0, 15] - found[0, 0, 14] > 1.2 * (blurred[0, 0, 15] - blurred[0, 0, 14])
    assert np.abs(found - sharp).mean() < 0.8 * np.abs(blurred - sharp).mean()
    np.testing.assert_allclose(found[..., [0, 5, 25, 29]], sharp[..., [0, 5, 25, 29]], atol=1)


def test_crisp_leaves_what_is_even_from_slice_to_slice() -> None:
    hu = np.random.default_rng(0).normal(0, 300, (8, 8, 1)).astype(np.float32).repeat(12, axis=2)
    np.testing.assert_allclose(crisp(hu), hu, atol=1e-2)
    ramp = np.arange(20, dtype=np.float32)[None, None] * 10
    np.testing.assert_allclose(crisp(ramp)[..., 4:-4], ramp[..., 4:-4], atol=1e-2)


def test_a_chest_on_disk_is_the_chest_in_memory(tmp_path: Path) -> None:
    found = healthy_chest(chest_phantom.write_ct(tmp_path))
    assert found.voxel == pytest.approx(chest().voxel)
    assert (found.hu - chest().hu).abs().max() < 1
    assert (found.structures == chest().structures).all()


def test_a_chest_without_lungs_is_refused(tmp_path: Path) -> None:
    chest_phantom.write_ct(tmp_path)
    nothing = np.zeros(chest_phantom.SHAPE, np.uint8)
    nibabel.save(nibabel.Nifti1Image(nothing, np.eye(4)), tmp_path / "mask.nii.gz")
    with pytest.raises(SimulationError, match="has no lobe"):
        healthy_chest(tmp_path)
