"""Variants of the chest: each difference does what it says, and nothing else moves."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.simulation.body import Build, draw_build, vary
from deep_pneumonia.simulation.chest_ct import AIR, ARMS, HEART, LOBES, NECK_HEIGHT, ChestCT
from tests import chest_phantom
from tests.chest_phantom import APEX, BASE, SPINE

KNOTS = 64  # of the smooth field, in each of y, z and x
UNMOVED = (0.0,) * KNOTS
LUNG = torch.tensor(LOBES, dtype=torch.uint8)


@cache
def chest() -> ChestCT:
    """The phantom with lung no thinner than any build leaves it."""
    ct = chest_phantom.chest()
    return replace(ct, hu=torch.where(torch.isin(ct.structures, LUNG), ct.hu.clamp(min=-985), ct.hu))


def level(ct: ChestCT, millimetres: float) -> int:
    """The voxel along z that lies so many mm above the phantom's lowest slice, which all of its grid keeps."""
    return round(millimetres / ct.voxel[1])


def below_the_shoulders(ct: ChestCT) -> torch.Tensor:
    """HU of all that the slope of the shoulders leaves."""
    return ct.hu[:, : ct.hu.shape[1] - level(ct, NECK_HEIGHT + 45) - 1]


def volume(ct: ChestCT, ids: tuple[int, ...]) -> float:
    """Of these structures, in ml."""
    inside = torch.isin(ct.structures, torch.tensor(ids, dtype=torch.uint8))
    return float(inside.sum()) * float(np.prod(ct.voxel)) / 1000


def height(ct: ChestCT, *ids: int) -> float:
    """The mean level of these structures, in voxels along z."""
    return float(torch.isin(ct.structures, torch.tensor(ids, dtype=torch.uint8)).nonzero()[:, 1].float().mean())


def test_without_differences_only_the_shoulders_change() -> None:
    ct = chest()
    same = vary(ct, Build())
    assert same.voxel == ct.voxel
    assert torch.equal(same.structures, ct.structures)
    torch.testing.assert_close(below_the_shoulders(same), below_the_shoulders(ct), atol=1.0, rtol=0)
    lower = same.hu < ct.hu - 1
    assert lower.any()
    assert (same.hu <= ct.hu + 1).all()  # what goes is replaced by air


def test_the_shoulders_slope_from_the_neck_outwards() -> None:
    same = vary(chest(), Build())
    body = (same.hu > -500).any(dim=0)  # (Z, X)
    width = body.sum(dim=1) * same.voxel[2]
    assert width[-1] == pytest.approx(2 * 42, abs=10)
    assert (width[1:] <= width[:-1]).all()
    assert (same.hu[:, -1, :20] == AIR).all()
    spread = body[-1].nonzero()
    assert spread.float().mean() == pytest.approx(body.shape[1] / 2 - 0.5, abs=1)


@settings(max_examples=6)
@given(st.floats(0.9, 1.15), st.floats(1.02, 1.26), st.floats(0.88, 1.08))
def test_scaling_scales_the_voxel(depth: float, height: float, width: float) -> None:
    ct = chest()
    scaled = vary(ct, Build(depth=depth, height=height, width=width))
    assert scaled.voxel == pytest.approx((ct.voxel[0] * depth, ct.voxel[1] * height, ct.voxel[2] * width))
    assert torch.equal(scaled.structures, ct.structures)
    assert volume(scaled, LOBES) == pytest.approx(volume(ct, LOBES) * depth * height * width)


def test_a_larger_heart_is_larger() -> None:
    small, same, large = (volume(vary(chest(), Build(heart=h)), (HEART,)) for h in (0.85, 1.0, 1.3))
    assert 0.85**3 * same < small < 0.95 * same
    assert 1.1 * same < large < 1.3**3 * same


def test_a_larger_heart_leaves_what_lies_far_from_it() -> None:
    ct, large = chest(), vary(chest(), Build(heart=1.3))
    far = slice(level(ct, 140 + 200), None)  # four standard deviations above its middle
    torch.testing.assert_close(large.hu[:, far], vary(ct, Build()).hu[:, far], atol=2.0, rtol=0)
    assert volume(large, LOBES) < volume(ct, LOBES)


def test_shoulders_droop_and_the_spine_stays() -> None:
    ct, droop = chest(), 24.0
    hung = vary(ct, Build(droop=droop))
    arms = height(ct, *ARMS) - height(hung, *ARMS)
    assert arms * ct.voxel[1] == pytest.approx(droop, abs=4)
    spine = torch.arange(SPINE, SPINE + 13, dtype=torch.uint8)
    assert torch.equal(torch.isin(hung.structures, spine), torch.isin(ct.structures, spine))
    low = level(ct, APEX - 72)
    torch.testing.assert_close(hung.hu[:, :low], ct.hu[:, :low], atol=1.0, rtol=0)


def test_an_even_bend_moves_the_whole_body() -> None:
    ct = chest()
    up_by_one = ct.voxel[1]  # what lies one voxel higher is taken
    bent = vary(ct, Build(bend=UNMOVED + (up_by_one,) * KNOTS + UNMOVED))
    inside = below_the_shoulders(bent)
    torch.testing.assert_close(inside, ct.hu[:, 1 : inside.shape[1] + 1], atol=2.0, rtol=0)
    aside = vary(ct, Build(bend=UNMOVED + UNMOVED + (2 * ct.voxel[2],) * KNOTS))
    inside = below_the_shoulders(aside)[..., :-2]
    torch.testing.assert_close(inside, below_the_shoulders(ct)[..., 2:], atol=2.0, rtol=0)


def test_a_bend_is_smooth_and_keeps_the_lungs() -> None:
    bend = tuple(np.random.default_rng(0).normal(0, 6, 3 * KNOTS).tolist())
    bent = vary(chest(), Build(bend=bend))
    assert volume(bent, LOBES) == pytest.approx(volume(chest(), LOBES), rel=0.15)
    moved = (below_the_shoulders(bent) - below_the_shoulders(chest())).abs()
    assert 0.05 < (moved > 50).float().mean() < 0.5
    assert set(bent.structures.unique().tolist()) <= set(chest().structures.unique().tolist())


def test_a_deeper_breath_thins_the_lungs_alone() -> None:
    ct = chest()
    lung = torch.isin(ct.structures, LUNG) & (ct.hu < -700)
    deep, shallow = (vary(ct, Build(inflation=i)) for i in (-30.0, 50.0))
    same = vary(ct, Build())
    for changed, by in ((deep, -30.0), (shallow, 50.0)):
        torch.testing.assert_close(changed.hu[~lung], same.hu[~lung], atol=0.0, rtol=0)
        assert float((changed.hu - same.hu)[lung].median()) == pytest.approx(by, abs=0.5)
        assert changed.hu[lung].min() >= -985
    assert int(lung.sum()) * float(np.prod(ct.voxel)) / 1e6 > 2  # litres


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two, other = (vary(chest(), draw_build(np.random.default_rng(s))) for s in (3, 3, 4))
    assert torch.equal(one.hu, two.hu)
    assert torch.equal(one.structures, two.structures)
    assert one.voxel == two.voxel
    assert not torch.equal(one.hu, other.hu)
    assert one.voxel != other.voxel


def test_nothing_is_drawn_without_a_seed() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    build = draw_build(np.random.default_rng(0))
    vary(chest(), build)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.random.get_state()[1].tolist() == numpy_before


def test_the_memory_that_is_used_changes_nothing() -> None:
    build = draw_build(np.random.default_rng(5))
    one, two = (vary(chest(), build, slab=slab) for slab in (1, 16))
    assert torch.equal(one.hu, two.hu)
    assert torch.equal(one.structures, two.structures)


def test_the_chest_that_is_varied_stays_as_it_is() -> None:
    hu, structures = chest().hu.clone(), chest().structures.clone()
    vary(chest(), draw_build(np.random.default_rng(6)))
    assert torch.equal(chest().hu, hu)
    assert torch.equal(chest().structures, structures)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_builds_are_within_what_adults_differ_by(seed: int) -> None:
    build = draw_build(np.random.default_rng(seed))
    assert 0.9 <= build.depth <= 1.15
    assert 1.02 <= build.height <= 1.26
    assert 0.88 <= build.width <= 1.08
    assert 0.9 <= build.heart <= 1.35
    assert -30 <= build.inflation <= 50
    assert 10 <= build.droop <= 30
    assert len(build.bend) == 3 * KNOTS
    assert np.abs(build.bend).max() < 40


def test_a_drawn_chest_has_lungs_of_human_size() -> None:
    for seed in range(3):
        body = vary(chest(), draw_build(np.random.default_rng(seed)))
        assert 0.7 < volume(body, LOBES) / volume(chest(), LOBES) < 1.6
        tall = (body.box(LOBES)[1].stop - body.box(LOBES)[1].start) * body.voxel[1]
        assert (APEX - BASE) * 0.9 < tall < (APEX - BASE) * 1.4
