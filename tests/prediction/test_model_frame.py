"""Geometry: hand-worked frames, and the way there and back between radiograph, frame and map."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.prediction.model_frame import InputRecipe, enlarge, mask_to_model, to_grid, to_model

few = settings(max_examples=30)
SIDES = st.integers(1, 6)
PIXELS = st.integers(16, 64)
CELLS = arrays.arrays(np.float32, st.tuples(SIDES, SIDES), elements=st.floats(0, 1, width=32))
DRAWINGS = arrays.arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 4)))


def centres(cells: int, pixels: int) -> NDArray[np.int64]:
    """The pixel in the middle of each cell."""
    return ((np.arange(cells) + 0.5) * pixels / cells).astype(np.int64)


def lone_cell(shape: tuple[int, int], i: int, j: int) -> NDArray[np.float32]:
    cells = np.zeros(shape, np.float32)
    cells[i, j] = 1
    return cells


def test_pixels_are_stretched_between_two_percentiles() -> None:
    # 121 steps: the 10th percentile is step 12, the 90th step 108; half way between them is step 60.
    ramp = np.arange(121, dtype=np.float32).reshape(11, 11) / np.float32(120)
    frame = to_model(ramp, InputRecipe(11, low=10, high=90)).ravel()
    expected = np.clip((np.arange(121) - 12) / 96, 0, 1) * 255
    assert frame.dtype == np.uint8
    assert np.abs(frame - expected).max() <= 0.5001
    assert (frame[12], frame[13], frame[36], frame[107], frame[108]) == (0, 3, 64, 252, 255)


def test_a_wide_radiograph_is_squeezed_into_the_square_by_hand() -> None:
    # Halving with a triangle of half-width 2: the left pixel weighs its columns 3, 3, 1, 0 of 7.
    wide = np.array([[0, 0, 1, 1], [1, 1, 0, 0]], np.float32)
    sevenths = np.array([[1, 6], [6, 1]]) / 7
    assert to_model(wide, InputRecipe(2, 0, 100)).tolist() == np.rint(sevenths * 255).tolist()
    assert to_model(wide.T, InputRecipe(2, 0, 100)).tolist() == np.rint(sevenths.T * 255).tolist()


def test_the_frame_has_neither_bars_nor_crop() -> None:
    rows = np.zeros((20, 60), np.float32)
    rows[::2] = 1
    rows[:, :30] *= 0.5
    frame = to_model(rows, InputRecipe(20, 0, 100))
    assert frame.shape == (20, 20)
    assert (frame[::2, -1] == 255).all()
    assert (frame[::2, 0] == 128).all()
    assert (frame[1::2] == 0).all()


def test_detail_is_reduced_before_anything_else_by_hand() -> None:
    # Sides of 4 become 2, by the weights above: stripes of one column become one grey; then 2 become 4 again.
    stripes = np.tile(np.array([0, 1, 0, 1], np.float32), (4, 1))
    sevenths = np.array([[3, 4]] * 2, np.float32) / 7
    recipe = InputRecipe(4, 0, 100, detail=2)
    assert np.array_equal(to_model(stripes, recipe), to_model(sevenths, InputRecipe(4, 0, 100)))
    assert not np.array_equal(to_model(stripes, recipe), to_model(stripes, InputRecipe(4, 0, 100)))


def test_sides_that_are_no_longer_than_the_detail_stay() -> None:
    pixels = np.random.default_rng(0).random((20, 60), np.float32)
    assert np.array_equal(to_model(pixels, InputRecipe(16, detail=60)), to_model(pixels, InputRecipe(16)))
    squeezed = to_model(pixels, InputRecipe(16, detail=20))
    assert not np.array_equal(squeezed, to_model(pixels, InputRecipe(16)))


def test_two_sharpnesses_become_one() -> None:
    sharp = np.random.default_rng(0).random((256, 256), np.float32)
    blurred = to_model(sharp, InputRecipe(64, 0, 100)).astype(np.float32) / 255

    def edges(pixels: NDArray[np.float32], detail: int) -> float:
        frame = to_model(pixels, InputRecipe(128, 0, 100, detail)).astype(float)
        return float(np.abs(np.diff(frame)).mean() / frame.std())

    assert edges(sharp, 0) > 1.5 * edges(blurred, 0)
    assert edges(sharp, 64) == pytest.approx(edges(blurred, 64), rel=0.02)


@few
@given(st.floats(0, 1, width=32), PIXELS, PIXELS, st.sampled_from([17, 32, 48]))
def test_a_radiograph_without_contrast_becomes_black(value: float, height: int, width: int, size: int) -> None:
    frame = to_model(np.full((height, width), value, np.float32), InputRecipe(size))
    assert frame.shape == (size, size)
    assert frame.dtype == np.uint8
    assert not frame.any()


@few
@given(st.floats(0.2, 0.7), st.floats(0.0, 0.3), st.integers(0, 99))
def test_exposure_does_not_change_the_frame(gain: float, offset: float, seed: int) -> None:
    pixels = np.random.default_rng(seed).random((30, 24), np.float32)
    plain, exposed = (to_model(p.astype(np.float32), InputRecipe(16)) for p in (pixels, pixels * gain + offset))
    assert np.abs(plain.astype(int) - exposed).max() <= 1


def test_masks_by_hand() -> None:
    assert mask_to_model(np.ones((30, 50), np.bool_), 16).dtype == np.uint8
    assert (mask_to_model(np.ones((30, 50), np.bool_), 16) == 255).all()
    assert (mask_to_model(np.zeros((30, 50), np.bool_), 16) == 0).all()
    assert (mask_to_model(np.full((30, 50), 0.25, np.float32), 16) == 64).all()
    half = np.array([[False, False, True, True]] * 4)
    assert mask_to_model(half, 4).tolist() == (half * 255).tolist()
    assert mask_to_model(half, 2).tolist() == [[36, 219]] * 2  # a seventh and six sevenths of 255


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(0, 99))
def test_a_mask_of_lesion_alone_stays_full(height: int, width: int, size: int, seed: int) -> None:
    assert (mask_to_model(np.ones((height, width), np.float32), size) == 255).all()
    shares = np.random.default_rng(seed).integers(0, 2, (height, width)).astype(np.float32)
    assert (mask_to_model(shares, size).astype(int) + mask_to_model(1 - shares, size) - 255 <= 1).all()


@few
@given(PIXELS, PIXELS, st.tuples(*[st.floats(0, 1)] * 4))
def test_the_share_of_a_mask_survives(height: int, width: int, edges: tuple[float, float, float, float]) -> None:
    mask = np.zeros((height, width), np.bool_)
    top, bottom = sorted(int(e * height) for e in edges[:2])
    left, right = sorted(int(e * width) for e in edges[2:])
    mask[top:bottom, left:right] = True
    frame = torch.from_numpy(mask_to_model(mask, 32))[None, None] / 255
    assert float(frame.mean()) == pytest.approx(mask.mean(), abs=0.03)
    assert float(to_grid(frame, (2, 2)).mean()) == pytest.approx(float(frame.mean()), abs=1e-6)


def test_the_grid_holds_averages_of_its_cells() -> None:
    masks = torch.tensor([[1.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]])
    both = to_grid(torch.stack([masks, 1 - masks])[:, None], (2, 2))
    assert both.tolist() == [[[0.75, 0], [0, 0.5]], [[0.25, 1], [1, 0.5]]]
    assert to_grid(masks[None, None], (1, 2)).tolist() == [[[0.375, 0.25]]]


@few
@given(CELLS, PIXELS, PIXELS)
def test_enlarging_equals_torch(cells: NDArray[np.float32], height: int, width: int) -> None:
    own = enlarge(cells, (height, width))
    batch = torch.from_numpy(cells)[None, None]
    reference = F.interpolate(batch, size=(height, width), mode="bilinear", align_corners=False)
    assert own.dtype == np.float32
    assert np.allclose(own, reference[0, 0].numpy(), atol=1e-5)


@few
@given(CELLS, PIXELS, PIXELS)
def test_enlarging_makes_no_new_extremes(cells: NDArray[np.float32], height: int, width: int) -> None:
    large = enlarge(cells, (height, width))
    assert cells.min() - 1e-6 <= large.min()
    assert large.max() <= cells.max() + 1e-6


@few
@given(DRAWINGS, st.integers(5, 14), st.integers(5, 14))
def test_a_drawing_of_whole_cells_comes_there_and_back(drawing: NDArray[np.bool_], tall: int, wide: int) -> None:
    mask = np.kron(drawing, np.ones((tall, wide), np.bool_))
    frame = torch.from_numpy(mask_to_model(mask, 48))[None, None] / 255
    cells = to_grid(frame, drawing.shape)[0].numpy()
    assert ((cells > 0.5) == drawing).all()
    back = enlarge(cells, mask.shape)
    middles = np.ix_(*(centres(n, m) for n, m in zip(drawing.shape, mask.shape, strict=True)))
    assert back.shape == mask.shape
    assert ((back[middles] > 0.5) == drawing).all()


@few
@given(SIDES, SIDES, st.data())
def test_a_cell_lands_in_its_own_rectangle(h: int, w: int, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(4 * h, 50)), data.draw(st.integers(4 * w, 50))
    i, j = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
    row, column = divmod(int(enlarge(lone_cell((h, w), i, j), (height, width)).argmax()), width)
    assert i * height / h <= row < (i + 1) * height / h
    assert j * width / w <= column < (j + 1) * width / w


def test_an_inner_cell_is_centred_on_its_rectangle() -> None:
    # Cell (1, 3) of (3, 5) in a radiograph of 30 x 100: rows 10 to 20, columns 60 to 80.
    large = enlarge(lone_cell((3, 5), 1, 3), (30, 100))
    y, x = (np.arange(n) + 0.5 for n in large.shape)
    assert (large.sum(1) @ y) / large.sum() == pytest.approx(15)
    assert (large.sum(0) @ x) / large.sum() == pytest.approx(70)
    assert large.sum() == pytest.approx(10 * 20, rel=1e-5)
