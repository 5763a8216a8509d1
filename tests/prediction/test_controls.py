"""The controls beside every agreement: maps that have not seen the radiograph, and how they are enlarged."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.prediction.agreement import (
    Scores,
    centre_map,
    compare,
    control_scores,
    enlarge,
    random_map,
)


@pytest.mark.parametrize(
    ("cells", "size"), [((14, 14), (128, 100)), ((7, 9), (31, 57)), ((5, 5), (5, 5)), ((1, 3), (4, 8))]
)
def test_enlarging_equals_torch(cells: tuple[int, int], size: tuple[int, int]) -> None:
    small = np.random.default_rng(1).random(cells, dtype=np.float32)
    expected = F.interpolate(torch.from_numpy(small)[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    np.testing.assert_allclose(enlarge(small, size), expected.numpy(), atol=1e-6)


@given(arrays.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)))
def test_enlarging_stays_within_the_cells_range(cells: NDArray[np.float32]) -> None:
    large = enlarge(cells, (11, 13))
    assert large.min() >= cells.min()
    assert large.max() <= cells.max()


def test_a_random_map_keeps_the_cells_and_loses_their_place() -> None:
    cells = np.random.default_rng(2).random((6, 6), dtype=np.float32)
    shuffled = random_map(cells, (6, 6), seed=1)
    np.testing.assert_array_equal(np.sort(shuffled, axis=None), np.sort(cells, axis=None))
    assert not np.array_equal(shuffled, cells)
    np.testing.assert_array_equal(shuffled, random_map(cells, (6, 6), seed=1))
    assert not np.array_equal(shuffled, random_map(cells, (6, 6), seed=2))


def test_the_centre_map_has_a_bump_on_each_lung_and_its_top_on_the_patients_right() -> None:
    centre = centre_map((200, 100))
    assert np.unravel_index(centre.argmax(), centre.shape) in [(89, 28), (89, 29), (90, 28), (90, 29)]
    assert centre.max() == pytest.approx(1, abs=0.01)
    assert centre[90, 71] == pytest.approx(0.95, abs=0.01)
    assert centre[90, 50] < 0.15
    assert centre.min() >= 0
    assert centre.dtype == np.float32


def test_the_bumps_of_the_centre_map_are_gaussian() -> None:
    centre = centre_map((1000, 1000))
    one, two = np.exp(-0.5), np.exp(-2)  # one and two standard deviations from the top: 0.10 across, 0.18 down
    assert centre[450, [190, 90]] == pytest.approx([one, two], abs=0.02)
    assert centre[[270, 630, 810], 290] == pytest.approx([one, one, two], abs=0.02)
    assert centre[450, [810, 910]] == pytest.approx([0.95 * one, 0.95 * two], abs=0.02)


@pytest.mark.parametrize(
    ("frame", "times"),
    [((60, 40), (1, 1)), ((128, 128), (2, 2)), ((128, 32), (3, 3)), ((1, 128), (1, 2)), ((128, 1), (2, 1))],
)
def test_the_frame_of_the_controls_keeps_the_shape_with_128_pixels_at_most(
    frame: tuple[int, int], times: tuple[int, int]
) -> None:
    small = np.random.default_rng(6).random(frame) > 0.7
    found = control_scores(np.full((2, 2), 0.5, np.float32), np.kron(small, np.ones(times, bool)), 0.5)
    assert asdict(found["centre"]) == pytest.approx(asdict(compare(centre_map(frame), small, 0.5)), rel=1e-6)


def test_the_random_control_is_the_mean_of_the_same_sixteen_draws_every_time() -> None:
    cells = np.random.default_rng(7).random((5, 4), dtype=np.float32)
    mask = np.random.default_rng(8).random((50, 40)) > 0.8
    draws = [control_scores(cells, mask, 0.5, draws=1, seed=seed)["random"] for seed in range(16)]
    found = control_scores(cells, mask, 0.5)["random"]
    assert asdict(found) == pytest.approx(asdict(Scores.mean(draws)))


def test_chance_and_place_show_in_the_controls() -> None:
    cells = np.zeros((14, 14), np.float32)
    cells[:7, :7] = 0.9
    lung = centre_map((280, 280)) > 0.5
    found = control_scores(cells, lung, 0.5)
    assert set(found) == {"random", "centre"}
    assert found["centre"].hit == 1.0
    assert found["centre"].iou == pytest.approx(1, abs=0.05)
    assert found["random"].average_precision == pytest.approx(lung.mean(), abs=0.05)


def test_controls_on_the_small_frame_equal_those_of_full_size() -> None:
    cells = np.random.default_rng(3).random((14, 14), dtype=np.float32) ** 3
    mask = np.zeros((500, 410), bool)
    mask[100:233, 57:301] = True
    small = control_scores(cells, mask, 0.4, draws=4, seed=5)
    full = Scores.mean(compare(random_map(cells, mask.shape, 5 + draw), mask, 0.4) for draw in range(4))
    assert asdict(small["random"]) == pytest.approx(asdict(full), abs=0.01)
    assert asdict(small["centre"]) == pytest.approx(asdict(compare(centre_map(mask.shape), mask, 0.4)), abs=0.01)


def test_lesions_thinner_than_a_pixel_of_the_small_frame_are_not_lost() -> None:
    stripes = np.zeros((512, 384), bool)
    stripes[::4] = True
    found = control_scores(np.random.default_rng(0).random((4, 4), dtype=np.float32), stripes, 0.5)
    assert found["random"].average_precision == pytest.approx(0.25)
    assert found["centre"].share_inside == pytest.approx(0.25)
