"""The mask of a lesion: a tenth of the quanta, worked by hand, and outlines that waver around the truth."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deep_pneumonia.simulation.film import Exposure
from deep_pneumonia.simulation.visible import (
    HANDS,
    MIN_CONTRAST,
    MIN_ISLAND_AREA,
    Hand,
    Mask,
    contrast,
    outline,
    visible,
)

SIZE = (96, 96)
SEEDS = range(12)
A, B = HANDS


def square(size: int, at: int = 40, canvas: tuple[int, int] = SIZE) -> Mask:
    mask = np.zeros(canvas, bool)
    mask[at : at + size, at : at + size] = True
    return mask


def disk(radius: float, canvas: tuple[int, int] = (160, 140)) -> Mask:
    y, x = np.ogrid[: canvas[0], : canvas[1]]
    return (y - canvas[0] / 2) ** 2 + (x - canvas[1] / 2) ** 2 <= radius**2


def iou(one: Mask, two: Mask) -> float:
    return float((one & two).sum() / (one | two).sum())


def drawn(mask: Mask, hand: Hand, seed: int = 0, pixel: float = 1.0) -> Mask:
    return outline(mask, hand, pixel, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("path", "added", "scatter", "wanted"),
    [
        (2.0, math.log(2), 0.0, 0.5),  # half of what arrives
        (2.0, math.log(2), 0.25, 0.5 / 1.25),  # a fifth of the light is scattered and stays
        (0.0, math.log(4), 0.5, 0.75 / (1 + 0.5 * 0.2)),  # scatter is that of a fifth of the beam at most
        (5.0, 0.0, 0.4, 0.0),
    ],
)
def test_contrast_of_an_even_field_by_hand(path: float, added: float, scatter: float, wanted: float) -> None:
    found = contrast(torch.full(SIZE, path), torch.full(SIZE, added), Exposure(scatter=scatter), 1.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0.3, 4))
def test_contrast_is_a_share(seed: int, scatter: float, pixel: float) -> None:
    random = np.random.default_rng(seed)
    path, added = (torch.from_numpy(random.random(SIZE, np.float32)) * most for most in (6, 3))
    found = contrast(path, added, Exposure(scatter=scatter), pixel)
    assert found.min() >= 0
    assert found.shape == SIZE


def lesion_of(share: float, path: float = 2.0, scatter: float = 0.35) -> Mask:
    """The mask of a square of 40 mm in the middle that takes this share of the quanta of an even field."""
    added = torch.zeros(SIZE)
    added[28:68, 28:68] = -math.log(1 - share * (1 + scatter))  # of the primary ones it takes more
    return visible(contrast(torch.full(SIZE, path), added, Exposure(scatter=scatter), 1.0), 1.0)


def test_what_takes_12_percent_is_in_the_mask_and_8_percent_is_not() -> None:
    assert MIN_CONTRAST == 0.1
    seen = lesion_of(0.12)
    assert seen[32:64, 32:64].all()
    assert not seen[:26].any()
    assert not seen[:, 70:].any()
    assert not lesion_of(0.08).any()


def test_a_strong_lesion_is_seen_to_its_edge() -> None:
    seen = lesion_of(0.6)
    assert iou(seen, square(40, 28)) > 0.8
    assert (seen >= lesion_of(0.12)).all()


def test_less_is_seen_of_the_same_lesion_behind_the_heart() -> None:
    path, added = torch.full(SIZE, 2.0), torch.zeros(SIZE)
    path[:, 48:] = 5.0  # the heart, behind which mostly scattered light arrives
    added[28:68, 28:68] = 0.25
    share = contrast(path, added, Exposure(scatter=0.5), 1.0)
    assert share[48, 34] > 4 * share[48, 62]
    mask = visible(share, 1.0)
    assert mask[40:56, 32:44].all()
    assert not mask[:, 52:].any()


@pytest.mark.parametrize("pixel", [0.5, 1.0, 2.0])
def test_specks_are_dropped_and_holes_filled(pixel: float) -> None:
    small, large = (round(side / pixel) for side in (math.sqrt(MIN_ISLAND_AREA) - 2, math.sqrt(MIN_ISLAND_AREA) + 4))
    canvas = (int(160 / pixel), int(160 / pixel))
    at = int(100 / pixel)
    lesion = square(int(60 / pixel), int(20 / pixel), canvas)
    middle = int(45 / pixel)
    for side, kept in ((small, False), (large, True)):
        island = square(side, at, canvas)
        found = visible(np.where(lesion | island, 0.2, 0.0).astype(np.float32), pixel)
        assert found[at, at] == kept
        assert found[middle, middle]
        hole = square(side, middle, canvas)
        found = visible(np.where(lesion & ~hole, 0.2, 0.0).astype(np.float32), pixel)
        assert found[middle, middle] != kept  # a large hole stays a hole
        assert found.sum() == lesion.sum() - (hole.sum() if kept else 0)


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("radius", [20, 40, 50])
def test_an_outline_is_near_the_truth_and_not_the_truth(hand: Hand, radius: float) -> None:
    truth = disk(radius)
    overlaps = [iou(drawn(truth, hand, seed), truth) for seed in SEEDS]
    assert 0.6 < np.median(overlaps) < 0.95
    assert max(overlaps) < 0.99
    assert radius < 40 or min(overlaps) > 0.6  # a hand of 5 mm can miss most of a disk of 20 mm


def test_a_wide_hand_draws_more_than_a_narrow_one() -> None:
    truth = disk(30)
    wide, narrow = (np.mean([drawn(truth, hand, seed).sum() for seed in SEEDS]) for hand in (A, B))
    assert A.bias > 0 > B.bias
    assert wide > truth.sum() > narrow


@pytest.mark.parametrize("bias", [-4.0, 0.0, 5.0])
def test_a_steady_hand_draws_its_bias(bias: float) -> None:
    found = drawn(disk(40), Hand("Steady", bias, spread=0.0))
    assert found.sum() == pytest.approx(math.pi * (40 + bias) ** 2, rel=0.04)


def test_an_outline_wavers_more_with_spread() -> None:
    truth = disk(35)
    little, much = (
        np.mean([iou(drawn(truth, Hand("", 0.0, spread=s), seed), truth) for seed in SEEDS]) for s in (1.0, 6.0)
    )
    assert little > much + 0.05


def test_bias_is_in_millimetres() -> None:
    fine, coarse = (drawn(disk(r, (200, 200)), Hand("", 4.0, spread=0.0), pixel=p) for r, p in ((60, 0.5), (15, 2.0)))
    assert fine.sum() * 0.5**2 == pytest.approx(coarse.sum() * 2.0**2, rel=0.06)


def test_small_islands_are_passed_over() -> None:
    truth = square(30, 10) | square(8, 70)
    found = drawn(truth, Hand("", 0.0, spread=0.5, least=200.0))
    assert found[15:35, 15:35].all()
    assert not found[60:, 60:].any()


@pytest.mark.parametrize("hand", HANDS)
def test_an_empty_truth_has_an_empty_outline(hand: Hand) -> None:
    empty = np.zeros(SIZE, bool)
    found = drawn(empty, hand)
    assert not found.any()
    found[0] = True
    assert not empty.any()


@settings(max_examples=30)
@given(
    arrays.arrays(np.bool_, (9, 8), fill=st.just(False)), st.sampled_from(HANDS), st.integers(0, 999), st.floats(0.3, 4)
)
def test_an_outline_is_never_empty_where_the_truth_is_not(few: Mask, hand: Hand, seed: int, pixel: float) -> None:
    truth = np.zeros((48, 40), bool)
    truth[20:29, 16:24] = few
    before = truth.copy()
    found = drawn(truth, hand, seed, pixel)
    assert found.dtype == np.bool_
    assert found.shape == truth.shape
    assert found.any() == truth.any()
    np.testing.assert_array_equal(truth, before)


def test_the_same_seed_gives_the_same_outline() -> None:
    truth = disk(30)
    np.testing.assert_array_equal(drawn(truth, A, 4), drawn(truth, A, 4))
    assert (drawn(truth, A, 4) != drawn(truth, A, 5)).any()
    assert A.name != B.name
