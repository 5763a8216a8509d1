import json
from dataclasses import asdict, dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from torchmetrics.functional.classification import binary_average_precision

from deep_pneumonia.errors import MaskSizeError
from deep_pneumonia.prediction.agreement import (
    Agreement,
    Scores,
    agree,
    between_readers,
    compare,
    enlarge,
)

HARD = arrays.arrays(np.bool_, (6, 5))
SOFT = arrays.arrays(np.float32, (6, 5), elements=st.floats(0, 1, width=16))
MAPS = arrays.arrays(np.float32, (6, 5), elements=st.floats(0, 1, width=32))


@dataclass(frozen=True, eq=False)
class Drawn:
    mask: NDArray[np.bool_]
    reader: str = "Reader A"
    kind: str = "polygon"


def corner(size: tuple[int, int] = (4, 4)) -> NDArray[np.bool_]:
    """The left upper quarter."""
    mask = np.zeros(size, bool)
    mask[: size[0] // 2, : size[1] // 2] = True
    return mask


WORKED = np.array([[0.9, 0.6, 0.8, 0.0], [0.4, 0.2, 0.0, 0.0], [0.0, 0.7, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32)


def test_figures_of_a_map_worked_by_hand() -> None:
    found = compare(WORKED, corner(), threshold=0.5)
    # at or above 0.5: 0.9, 0.8, 0.7, 0.6, of which 0.9 and 0.6 are inside; the mask has four pixels
    assert found.hit == 1.0
    assert found.iou == pytest.approx(2 / 6)
    assert found.dice == pytest.approx(4 / 8)
    assert found.share_inside == pytest.approx(2.1 / 3.6)
    # lesion pixels come at ranks 1, 4, 5, 6
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 4 + 3 / 5 + 4 / 6) / 4)


def test_a_soft_mask_counts_its_share() -> None:
    attention = np.array([[0.9, 0.6, 0.3]], np.float32)
    found = compare(attention, np.array([[0.25, 1.0, 0.5]]), threshold=0.6)
    assert found.hit == 0.0
    assert found.iou == pytest.approx(1.25 / (2 + 1.75 - 1.25))
    assert found.dice == pytest.approx(2 * 1.25 / (2 + 1.75))
    assert found.share_inside == pytest.approx((0.9 * 0.25 + 0.6 + 0.3 * 0.5) / 1.8)
    assert found.average_precision == pytest.approx((0.25 * 0.25 + 1 * 1.25 / 2 + 0.5 * 1.75 / 3) / 1.75)


def test_a_soft_mask_is_hit_where_half_or_more_is_lesion() -> None:
    attention = np.array([[0.9, 0.1]], np.float32)
    assert compare(attention, np.array([[0.5, 0.0]]), 0.5).hit == 1.0
    assert compare(attention, np.array([[0.49, 1.0]]), 0.5).hit == 0.0


def test_a_faint_map_has_a_share_inside_too() -> None:
    attention = np.array([[0.375, 0.125]], np.float32)
    assert compare(attention, np.array([[True, False]]), 0.5).share_inside == 0.75


def test_small_shares_of_many_pixels_add_up() -> None:
    # Added one after another in single precision, a million tenths make 100,958.
    found = compare(np.ones((1000, 1000), np.float32), np.full((1000, 1000), 0.1, np.float32), 0.5)
    assert found.iou == pytest.approx(0.1, rel=1e-6)
    assert found.average_precision == pytest.approx(0.1, rel=1e-6)
    assert found.share_inside == pytest.approx(0.1, rel=1e-6)


def test_of_tied_highest_points_the_first_counts() -> None:
    attention = np.array([[0.0, 0.5], [0.5, 0.0]], np.float32)
    assert compare(attention, np.array([[False, True], [False, False]]), 0.5).hit == 1.0
    assert compare(attention, np.array([[False, False], [True, False]]), 0.5).hit == 0.0


def test_a_perfect_map_is_perfect() -> None:
    mask = corner()
    assert asdict(compare(mask.astype(np.float32), mask, 0.5)) == dict.fromkeys(asdict(Scores()), 1.0)


def test_an_empty_mask_has_no_figures() -> None:
    assert compare(WORKED, np.zeros((4, 4), bool), 0.5) == Scores()


def test_a_map_of_zeros_has_no_share_and_ranks_nothing() -> None:
    found = compare(np.zeros((4, 4), np.float32), corner(), 0.5)
    assert found == Scores(hit=1.0, iou=0.0, dice=0.0, share_inside=None, average_precision=0.25)


@given(MAPS, HARD, st.floats(0, 1))
def test_figures_are_shares_and_dice_follows_iou(
    attention: NDArray[np.float32], mask: NDArray[np.bool_], threshold: float
) -> None:
    found = compare(attention, mask, threshold)
    assert all(v is None or 0 <= v <= 1 for v in asdict(found).values())
    if found.iou is not None and found.dice is not None:
        assert found.dice == pytest.approx(2 * found.iou / (1 + found.iou))


@given(MAPS, SOFT)
def test_soft_figures_are_shares(attention: NDArray[np.float32], mask: NDArray[np.float32]) -> None:
    assert all(v is None or 0 <= v <= 1 for v in asdict(compare(attention, mask, 0.5)).values())


@given(MAPS, HARD)
def test_turning_map_and_mask_together_changes_nothing_but_tied_hits(
    attention: NDArray[np.float32], mask: NDArray[np.bool_]
) -> None:
    one, two = (asdict(compare(a, m, 0.5)) for a, m in ((attention, mask), (attention[::-1, ::-1], mask[::-1, ::-1])))
    if (attention == attention.max()).sum() > 1:
        one.pop("hit"), two.pop("hit")
    assert two == pytest.approx(one)


@given(
    arrays.arrays(np.float32, 40, elements=st.sampled_from([0, 1e-30, 1e-4, 0.25, 0.5, 1])),
    arrays.arrays(bool, 40),
)
def test_average_precision_equals_torchmetrics_with_ties(score: NDArray[np.float32], lesion: NDArray[np.bool_]) -> None:
    found = compare(score[None], lesion[None], 0.5).average_precision
    if lesion.any():
        expected = binary_average_precision(torch.from_numpy(score), torch.from_numpy(lesion).long())
        assert found == pytest.approx(float(expected), abs=1e-6)
    else:
        assert found is None


def test_average_precision_equals_torchmetrics_on_a_large_map() -> None:
    random = np.random.default_rng(0)
    attention = enlarge(random.random((14, 14), dtype=np.float32), (300, 260))
    lesion = random.random(attention.shape) < attention / 2
    expected = binary_average_precision(torch.from_numpy(attention).ravel(), torch.from_numpy(lesion).ravel().long())
    assert compare(attention, lesion, 0.5).average_precision == pytest.approx(float(expected), abs=1e-5)


def test_negative_zero_ranks_as_zero() -> None:
    found = compare(np.array([[-0.0, 0.5]], np.float32), np.array([[False, True]]), 0.5)
    assert found.average_precision == 1.0


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5])
def test_values_outside_0_to_1_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"^Attention and masks must not be empty and must lie in \[0, 1\]"):
        compare(np.array([[bad, 0.5]], np.float32), np.array([[False, True]]), 0.5)


def test_another_size_is_a_named_error() -> None:
    with pytest.raises(MaskSizeError, match=r"^A mask has 3 x 4 pixels .* 4 x 4"):
        compare(WORKED, np.ones((3, 4), bool), 0.5)
    with pytest.raises(MaskSizeError, match=r"^A mask has 4 x 3 pixels .* 3 x 4"):
        between_readers(np.ones((3, 4), bool), np.ones((4, 3), bool))


def test_means_leave_out_what_has_no_meaning() -> None:
    found = Scores.mean([Scores(hit=1.0, iou=0.2), Scores(hit=0.0), Scores()])
    assert found == Scores(hit=0.5, iou=0.2)


def test_readers_are_compared_by_overlap_alone() -> None:
    other = np.zeros((4, 4), bool)
    other[0] = True
    found = between_readers(corner(), other)
    assert found == Scores(iou=pytest.approx(2 / 6), dice=pytest.approx(4 / 8))
    assert between_readers(corner(), np.zeros((4, 4), bool)) == Scores(iou=0.0, dice=0.0)
    assert between_readers(np.zeros((4, 4), bool), np.zeros((4, 4), bool)) == Scores()


def test_a_hit_is_true_or_false_in_json() -> None:
    assert [Scores(hit=hit).to_json()["hit"] for hit in (1.0, 0.0, None)] == [True, False, None]


def test_an_agreement_is_plain_json_and_the_same_every_time() -> None:
    cells = np.random.default_rng(4).random((4, 4), dtype=np.float32)
    attention, drawn = enlarge(cells, (40, 60)), Drawn(corner((40, 60)))
    found = agree(attention, cells, drawn, 0.5)
    assert found == agree(attention, cells, drawn, 0.5)
    text = json.dumps(found.to_json(), allow_nan=False)
    own = [
        "reader",
        "kind",
        "hit",
        "iou",
        "dice",
        "share_inside",
        "average_precision",
        "area_fraction",
        "controls",
    ]
    assert list(json.loads(text)) == own
    assert isinstance(found.to_json()["hit"], bool)
    assert isinstance(found.to_json()["controls"]["random"]["hit"], float)
    assert found.area_fraction == 0.25


def test_an_agreement_with_an_image_read_as_normal_is_null() -> None:
    cells = np.full((4, 4), 0.5, np.float32)
    drawn = Drawn(np.zeros((8, 8), bool), kind="normal")
    found = agree(enlarge(cells, (8, 8)), cells, drawn, 0.5)
    empty = dict.fromkeys(asdict(Scores()))
    assert found == Agreement("Reader A", "normal", Scores(), 0.0, {"random": Scores(), "centre": Scores()})
    assert found.to_json()["controls"] == {"random": empty, "centre": empty}
    assert found.to_json()["hit"] is None
