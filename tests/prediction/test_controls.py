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
