"""Pneumonia in the lungs: each kind stays in its lobes, replaces air alone, and grows with its severity."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, label

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import pneumonia
from deep_pneumonia.simulation.chest_ct import AIR, LEFT_LOBES, LOBES, RIGHT_LOBES, ChestCT
from deep_pneumonia.simulation.pneumonia import (
    BRONCHO,
    FLUID,
    INTERSTITIAL,
    LOBAR,
    ROUND,
    Lesion,
    Lung,
    bronchi,
    draw_lesion,
)
from deep_pneumonia.simulation.projection import Pose, attenuation, project
from tests.chest_phantom import chest

KINDS = (LOBAR, BRONCHO, INTERSTITIAL, ROUND)
SEEDS = range(6)


def drawn(kind: str, severity: float, seed: int, lobes: tuple[int, ...] = (), ct: ChestCT | None = None) -> Lesion:
    return draw_lesion(kind, ct or chest(), severity, np.random.default_rng(seed), lobes)


def all_lung(lobe: int = 11, side: int = 60) -> ChestCT:
    """A cube of nothing but one lobe, in voxels of 3 mm."""
    shape = (side, side, side)
    return ChestCT(torch.full(shape, -850.0), torch.full(shape, lobe, dtype=torch.uint8), (3.0, 3.0, 3.0))


def round_lung() -> ChestCT:
    """The same, but the lobe is a ball of 75 mm radius in soft tissue."""
    ct = all_lung()
    outside = (torch.stack(torch.meshgrid(*[torch.arange(60) - 29.5] * 3, indexing="ij")) * 3).norm(dim=0) > 75
    return ChestCT(ct.hu.masked_fill(outside, FLUID), ct.structures.masked_fill(outside, 0), ct.voxel)


def within(lesion: Lesion, ct: ChestCT) -> torch.Tensor:
    """Voxels of its box that are in its lobes, bool."""
    return torch.isin(ct.structures[lesion.box], torch.tensor(lesion.lobes, dtype=torch.uint8))


@settings(max_examples=20)
@given(st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_lesion_fills_a_share_of_its_lobes_alone(kind: str, severity: float, seed: int) -> None:
    lesion = drawn(kind, severity, seed)
    inside = within(lesion, chest())
    assert lesion.kind == kind
    assert set(lesion.lobes) <= set(LOBES)
    assert lesion.filled.dtype == torch.float32
    assert lesion.filled.shape == inside.shape
    assert 0 <= lesion.filled.min() <= lesion.filled.max() <= 1
    assert lesion.filled.sum() > 0
    beside = binary_dilation(inside.numpy(), np.ones((3, 3, 3)))
    assert not lesion.filled[~torch.from_numpy(beside)].any()  # the soft edge is one voxel of 4 mm
    assert lesion.filled[inside].sum() > 0.85 * lesion.filled.sum()


@settings(max_examples=12)
@given(st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_it_adds_attenuation_where_air_was_and_none_to_soft_tissue(kind: str, seed: int) -> None:
    lesion, before = drawn(kind, 0.7, seed), chest().hu
    added = lesion.added(chest(), attenuation)
    assert added.shape == lesion.filled.shape
    assert added.min() >= 0
    assert added.max() <= attenuation(torch.tensor(FLUID)) - attenuation(torch.tensor(AIR))
    assert not added[before[lesion.box] >= FLUID].any()
    assert not added[lesion.filled == 0].any()
    assert (added[(lesion.filled > 0.2) & (before[lesion.box] < -500)] > 0).all()


def test_what_is_wholly_filled_is_fluid() -> None:
    ct = all_lung(side=4)
    box = (slice(1, 3), slice(0, 2), slice(0, 4))
    filled = torch.tensor([0.0, 0.5, 1.0, 0.25]).expand(2, 2, 4)
    found = Lesion(ROUND, (11,), filled, box).added(ct, lambda hu: hu)[1, 1]
    assert found.tolist() == pytest.approx([0, 885 / 2, 885, 885 / 4])


@pytest.mark.parametrize("kind", KINDS)
def test_the_more_severe_is_larger_and_denser(kind: str) -> None:
    lobes = (11, 14)[: 1 + (kind != ROUND)]
    sums = [
        np.mean([float(drawn(kind, severity, seed, lobes).filled.sum()) for seed in SEEDS])
        for severity in (0.1, 0.5, 0.9)
    ]
    assert sums[0] * 1.2 < sums[1]
    assert sums[1] * 1.2 < sums[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bits(kind: str) -> None:
    one, two, other = (drawn(kind, 0.5, seed) for seed in (8, 8, 9))
    assert one.lobes == two.lobes
    assert torch.equal(one.filled, two.filled)
    assert one.filled.shape != other.filled.shape or not torch.equal(one.filled, other.filled)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lobes", [(12,), (10, 11)])
def test_lobes_that_are_asked_for_are_taken(kind: str, lobes: tuple[int, ...]) -> None:
    lesion = drawn(kind, 0.5, 1, lobes)
    assert lesion.lobes == lobes
    assert lesion.box == chest().box(lobes)


def test_a_lobe_that_is_not_there_is_a_named_error() -> None:
    with pytest.raises(SimulationError, match="lacks"):
        drawn(LOBAR, 0.5, 0, (12,), all_lung())


def test_each_kind_has_the_lobes_that_it_prefers() -> None:
    chosen = {kind: [drawn(kind, 0.3, seed).lobes for seed in range(12)] for kind in KINDS}
    assert all(len(lobes) == 1 for kind in (LOBAR, ROUND) for lobes in chosen[kind])
    assert all(len(set(lobes)) == 2 for lobes in chosen[BRONCHO])
    assert set(chosen[INTERSTITIAL]) <= {LOBES, LEFT_LOBES, RIGHT_LOBES}
    assert all(len(set(chosen[kind])) > 1 for kind in KINDS)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_a_balls_volume_is_near_its_formula(severity: float) -> None:
    ct, radius = round_lung(), 15 + 15 * severity
    balls = [drawn(ROUND, severity, seed, (11,), ct).filled for seed in SEEDS]
    found = np.mean([float(ball.sum()) * 27 for ball in balls])
    assert found == pytest.approx(4 / 3 * math.pi * radius**3 * (0.75 + 0.25 * severity), rel=0.15)
    for ball in balls:
        assert label(ball.numpy() > 0.3)[1] == 1
        spread = [int(ball.amax(dim=tuple({0, 1, 2} - {axis})).gt(0.3).sum()) * 3 for axis in range(3)]
        assert spread == pytest.approx([2 * radius] * 3, abs=13)


def test_most_of_a_ball_lies_in_its_lobe() -> None:
    volumes = [float(drawn(ROUND, 0.5, seed, (11,)).filled.sum()) * float(np.prod(chest().voxel)) for seed in SEEDS]
    assert np.mean(volumes) > 0.75 * 4 / 3 * math.pi * 22.5**3 * 0.875
    assert min(volumes) > 0.5 * 4 / 3 * math.pi * 22.5**3 * 0.875


@pytest.mark.parametrize("severity", [0.2, 0.8])
def test_a_front_leaves_the_share_of_the_lobe_beyond_it(severity: float) -> None:
    shares = [float((drawn(LOBAR, severity, seed, (14,), all_lung(14)).filled > 0.2).float().mean()) for seed in SEEDS]
    assert np.mean(shares) == pytest.approx(0.35 + 0.65 * severity, abs=0.08)


def test_air_stays_in_the_bronchi_of_a_consolidated_lobe(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def recorded(lung: Lung, random: np.random.Generator) -> torch.Tensor:
        made.append(bronchi(lung, random))
        return made[-1]

    monkeypatch.setattr(pneumonia, "bronchi", recorded)
    lesion = drawn(LOBAR, 1.0, 2, (14,))
    air = made[0] & within(lesion, chest())
    assert air.sum() > 50
    assert not lesion.filled[air].any()
    monkeypatch.setattr(pneumonia, "bronchi", lambda lung, _: torch.zeros(lung.inside.shape, dtype=torch.bool))
    without = drawn(LOBAR, 1.0, 2, (14,)).filled
    assert without[air].mean() > 0.5
    assert torch.equal(without[~made[0]], lesion.filled[~made[0]])


@pytest.mark.parametrize(("lobe", "column"), [(11, 0), (14, -1)])
def test_bronchi_branch_from_the_middle_of_the_chest(lobe: int, column: int) -> None:
    air = bronchi(Lung.of(all_lung(lobe), (lobe,)), np.random.default_rng(0))
    assert air.dtype == torch.bool
    assert air[28:32, 28:32, column].any()
    assert label(air.numpy(), np.ones((3, 3, 3)))[1] == 1
    assert 0.001 < air.float().mean() < 0.05


def test_interstitial_pneumonia_is_faint_and_low() -> None:
    lesions = [drawn(INTERSTITIAL, 0.5, seed, LOBES) for seed in SEEDS]
    assert max(float(lesion.filled.max()) for lesion in lesions) < 0.4
    half = lesions[0].filled.shape[1] // 2
    low, high = (np.mean([float(x.filled[:, part].mean()) for x in lesions]) for part in (slice(half), slice(half, -1)))
    assert low > 1.3 * high


def test_bronchopneumonia_has_foci_with_lung_between() -> None:
    shares = [float((drawn(BRONCHO, 0.5, seed, (11,), all_lung()).filled > 0.2).float().mean()) for seed in SEEDS]
    assert min(shares) > 0.003
    assert max(shares) < 0.2


def test_its_shadow_is_that_of_the_whole_chest_less_the_healthy_one() -> None:
    ct, pose, size = chest(), Pose(field=380, turn=3, lean=4), (48, 48)
    lesion = drawn(LOBAR, 0.8, 3, (12,))
    ill = attenuation(ct.hu)
    ill[lesion.box] += lesion.added(ct, attenuation)
    expected = project(ill, ct.voxel, pose, size) - project(attenuation(ct.hu), ct.voxel, pose, size)
    found = project(lesion.added(ct, attenuation), ct.voxel, pose, size, lesion.origin(ct))
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)
    assert found[:24, :24].sum() > 0.9 * found.sum()  # the right upper lobe is on the left of the film
