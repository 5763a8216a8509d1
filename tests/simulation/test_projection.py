"""Rays through a chest: known bodies have known shadows, and the shadow moves with the pose."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from deep_pneumonia.simulation.projection import (
    BONE_ATTENUATION,
    BONE_HU,
    WATER_ATTENUATION,
    Pose,
    attenuation,
    project,
    rays,
)

VOXEL = (2.0, 1.5, 1.0)
SIZE = (64, 64)


def ball(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> torch.Tensor:
    """1 within `radius` mm of `centre`, (60, 80, 120) voxels, with soft edges one voxel wide."""
    axes = [(torch.arange(n) + 0.5 - n / 2) * v - c for n, v, c in zip((60, 80, 120), VOXEL, centre, strict=True)]
    y, z, x = torch.meshgrid(*axes, indexing="ij")
    return (radius - (y**2 + z**2 + x**2).sqrt() + 0.5).clamp(0, 1)


def middle(shadow: torch.Tensor) -> tuple[float, float]:
    """Centre of gravity (row, column)."""
    total, rows, columns = shadow.sum(), torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5
    return float((shadow.sum(1) * rows).sum() / total), float((shadow.sum(0) * columns).sum() / total)


def test_attenuation_of_air_water_and_bone() -> None:
    found = attenuation(torch.tensor([-1000.0, -500.0, 0.0, BONE_HU, -2000.0]))
    torch.testing.assert_close(
        found, torch.tensor([0.0, WATER_ATTENUATION / 2, WATER_ATTENUATION, BONE_ATTENUATION, 0.0])
    )


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_a_ball_of_water_weakens_the_middle_ray_by_its_diameter(view: str) -> None:
    path = project(ball(40) * WATER_ATTENUATION, VOXEL, Pose(view, field=150), SIZE)
    assert path.max().item() == pytest.approx(80 * WATER_ATTENUATION, rel=0.02)  # 80 mm of water
    pixel = (150 / 64) ** 2
    # Its shadow's integral is its volume times the square of the magnification, nearly: 1800 / 1650.
    expected = 4 / 3 * math.pi * 40**3 * WATER_ATTENUATION * (1800 / 1650) ** 2
    assert path.sum().item() * pixel == pytest.approx(expected, rel=0.02)


def test_it_equals_brute_force_along_each_ray() -> None:
    volume = ball(25, (10, -8, 20)) + 0.5 * ball(15, (-20, 20, -10))
    pose = Pose(turn=4, lean=-3, roll=5, centre=(3, -4), field=160)
    tube, pixels = (p.double().numpy() for p in rays(pose, SIZE))
    share = np.linspace(0.85, 1, 4001)[:, None]
    for row, column in ((32, 32), (25, 40), (38, 45), (12, 29)):
        points = tube + share * (pixels[row, column] - tube)
        index = points / VOXEL + np.array(volume.shape) / 2 - 0.5
        values = map_coordinates(volume.numpy(), index.T, order=1)
        length = np.linalg.norm(pixels[row, column] - tube) * 0.15 / 4000
        found = project(volume, VOXEL, pose, SIZE)[row, column].item()
        assert found == pytest.approx(values.sum() * length, rel=0.02, abs=0.05)


@pytest.mark.parametrize(
    ("pose", "moves"),
    [
        (Pose(field=150, centre=(10, 0)), (1, 0)),  # the picture looks higher, so the shadow falls lower
        (Pose(field=150, centre=(0, 10)), (0, -1)),
    ],
)
def test_the_shadow_moves_with_the_pose(pose: Pose, moves: tuple[int, int]) -> None:
    before = middle(project(ball(20), VOXEL, Pose(field=150), SIZE))
    after = middle(project(ball(20), VOXEL, pose, SIZE))
    step = 10 * pose.magnification * 64 / 150
    assert after[0] - before[0] == pytest.approx(moves[0] * step, abs=0.6)
    assert after[1] - before[1] == pytest.approx(moves[1] * step, abs=0.6)


def test_the_head_is_up_and_the_patients_right_is_on_the_left() -> None:
    row, column = middle(project(ball(10, (0, 30, -35)), VOXEL, Pose(field=150), SIZE))
    assert row < 22
    assert column < 22


def test_ap_shows_what_lies_in_front_larger() -> None:
    front = ball(15, (40, 0, 0))
    pa, ap = (project(front, VOXEL, Pose(view, field=150), SIZE) for view in ("PA", "AP"))
    assert (ap > 0).sum() > (pa > 0).sum()


def test_a_part_at_its_own_place_casts_the_same_shadow() -> None:
    whole = ball(12, (8, 15, -20))
    part = whole[20:50, 40:75, 10:70]
    origin = tuple(v * ((a + b) / 2 - n / 2) for v, n, (a, b) in zip(
        VOXEL, whole.shape, ((20, 50), (40, 75), (10, 70)), strict=True
    ))  # fmt: skip
    pose = Pose(turn=3, field=150)
    torch.testing.assert_close(
        project(part, VOXEL, pose, SIZE, origin), project(whole, VOXEL, pose, SIZE), atol=1e-3, rtol=1e-4
    )
