"""Markers, letters, tubes, lines and electrodes: radiopaque or white, where they belong, and in no mask."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation.chest_ct import LOBES, STOMACH, TRACHEA, VENA_CAVA, ChestCT
from deep_pneumonia.simulation.confounders import ELECTRODES, KINDS, LETTERS, LINE, MARKER, TUBE, burn, opaque
from deep_pneumonia.simulation.pneumonia import LOBAR, NORMAL
from deep_pneumonia.simulation.projection import Pose, shadow_of
from deep_pneumonia.simulation.scene import Recipe, draw_pose, expose, render
from tests.chest_phantom import chest

SIZE = (160, 160)
PIXEL = 2.2  # mm
OPAQUE = (MARKER, TUBE, LINE, ELECTRODES)
SEEDS = range(8)


def posed(view: str, seed: int = 0) -> Pose:
    return draw_pose(chest(), view, np.random.default_rng(seed))


def over(kinds: tuple[str, ...], seed: int = 0, view: str = "PA") -> torch.Tensor:
    return opaque(kinds, chest(), posed(view, seed), SIZE, np.random.default_rng(seed))


def place_of(structure: int, pose: Pose) -> tuple[float, float]:
    """Row and column on which the middle of a structure falls."""
    middle = chest().place(torch.tensor([(s.start + s.stop) / 2 for s in chest().box((structure,))]))
    row, column = shadow_of(middle, pose, SIZE).tolist()
    return row, column


def test_all_kinds_are_told_apart() -> None:
    assert set(KINDS) == {*OPAQUE, LETTERS}
    for one, two in combinations(OPAQUE, 2):
        assert not torch.equal(over((one,)), over((two,)))


@settings(max_examples=25)
@given(st.sampled_from(OPAQUE), st.integers(0, 2**32 - 1), st.sampled_from(["PA", "AP"]))
def test_each_kind_only_adds_to_the_path(kind: str, seed: int, view: str) -> None:
    found = over((kind,), seed, view)
    assert found.shape == SIZE
    assert found.dtype == torch.float32
    assert found.min() >= 0
    assert found.max() > 0.05
    assert (found > 0).float().mean() < 0.1  # a few lines and dots, no veil


@pytest.mark.parametrize("kinds", [(), (LETTERS,)])
def test_none_adds_nothing(kinds: tuple[str, ...]) -> None:
    assert not over(kinds).any()


def test_several_lie_over_each_other() -> None:
    both = over((MARKER, TUBE), 3)
    assert (both >= over((MARKER,), 3)).all()
    assert both.sum() > over((MARKER,), 3).sum()


@pytest.mark.parametrize("kind", OPAQUE)
def test_the_same_seed_gives_the_same_bits(kind: str) -> None:
    assert torch.equal(over((kind,), 2), over((kind,), 2))
    pose = posed("PA")
    one, other = (opaque((kind,), chest(), pose, SIZE, np.random.default_rng(s)) for s in (2, 3))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_the_marker_is_on_the_patients_left_which_is_the_right_of_the_film(view: str) -> None:
    for seed in SEEDS:
        rows, columns = (over((MARKER,), seed, view) > 1).nonzero().T
        assert columns.min() > 0.8 * SIZE[1]
        assert rows.max() < 0.35 * SIZE[0]
        assert over((MARKER,), seed, view).max() > 4  # lead


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_a_tube_runs_from_the_top_along_the_midline_into_the_stomach(view: str) -> None:
    for seed in SEEDS:
        pose, found = posed(view, seed), over((TUBE,), seed, view) > 0.03
        assert found[0].any()
        lit = found.any(dim=1).nonzero().flatten()
        stomach = place_of(STOMACH, pose)
        assert lit.max() == pytest.approx(min(stomach[0], SIZE[0] - 1), abs=0.1 * SIZE[0])
        assert found[: int(lit.max())].any(dim=1).all()  # without a gap
        windpipe = place_of(TRACHEA, pose)[1]
        columns = found[: SIZE[0] // 2].nonzero()[:, 1]
        assert (columns - windpipe).abs().max() < 0.1 * SIZE[1]
        if stomach[0] < SIZE[0] - 5:
            assert found[lit.max() - 2].nonzero().float().mean() > windpipe  # the stomach is on the left


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_a_line_comes_from_the_right_of_the_neck_and_ends_in_the_vena_cava(view: str) -> None:
    for seed in SEEDS:
        cava, found = place_of(VENA_CAVA, posed(view, seed)), over((LINE,), seed, view) > 0.03
        rows, columns = found.nonzero().T
        assert rows.min() == 0
        assert 0 < rows.max() - cava[0] < 50 / PIXEL  # at most 25 mm below its middle, a little magnified
        assert columns[rows == rows.max()].float().mean() == pytest.approx(cava[1], abs=5)
        assert columns[rows == 0].float().mean() < cava[1]


def test_three_electrodes_and_their_leads() -> None:
    for seed in SEEDS:
        found = over((ELECTRODES,), seed).numpy()
        assert label(found > 0.85)[1] == 3  # where two leads cross, it is 0.8
        assert (found[-1] > 0.05).any()  # leads leave the picture below
        assert not (found[:10] > 0.85).any()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.4, 3))
def test_letters_only_brighten_and_stay_in_the_upper_part(seed: int, pixel: float) -> None:
    random = np.random.default_rng(seed)
    before = random.random((400, 400), dtype=np.float32) * 0.8
    after = burn(before, pixel, random)
    assert after.dtype == np.float32
    assert (after >= before).all()
    assert after.max() <= 1
    changed = after != before
    assert changed.any()
    assert not changed[int(400 * 0.12 + 30 / pixel) :].any()


def test_letters_are_white_in_either_corner_and_drawn_by_seed() -> None:
    before = np.full((512, 512), 0.3, np.float32)
    left, right = [], []
    for seed in range(20):
        after = burn(before, 0.7, np.random.default_rng(seed))
        np.testing.assert_array_equal(after, burn(before, 0.7, np.random.default_rng(seed)))
        columns = np.flatnonzero((after > 0.9).any(axis=0))
        (left if columns.min() < 200 else right).append(after)
        assert columns.max() < 200 or columns.min() > 350
    assert left
    assert right
    assert (before == 0.3).all()
    assert len({after.tobytes() for after in left + right}) > 5


@pytest.mark.parametrize("kind", [NORMAL, LOBAR])
def test_none_enters_a_mask_or_changes_the_lesion(kind: str) -> None:
    shadow = expose(chest(), posed("AP"), 96)
    plain, covered = (render(shadow, Recipe(kind, (7,), 0.6, confounders=c)) for c in ((), KINDS))
    np.testing.assert_array_equal(plain.mask, covered.mask)
    assert plain.mask.any() == (kind == LOBAR)
    assert all((covered.readers[name] == mask).all() for name, mask in plain.readers.items())
    assert (plain.lobes, plain.contrast) == (covered.lobes, covered.contrast)
    assert np.abs(plain.pixels - covered.pixels).max() > 0.1


def test_a_tube_needs_a_stomach() -> None:
    ids = chest().structures.clone()
    ids[ids == STOMACH] = LOBES[0]
    without = ChestCT(chest().hu, ids, chest().voxel)
    with pytest.raises(SimulationError, match=r"lacks \[6\]"):
        opaque((TUBE,), without, posed("PA"), SIZE, np.random.default_rng(0))
