"""One simulated case: the mask lies where the lesion's shadow falls, and nothing but the recipe decides the bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import confounders, projection, scene
from deep_pneumonia.simulation.body import draw_build, vary
from deep_pneumonia.simulation.chest_ct import LEFT_LOBES, LOBES
from deep_pneumonia.simulation.pneumonia import BRONCHO, INTERSTITIAL, LOBAR, NORMAL, ROUND
from deep_pneumonia.simulation.projection import Pose, project, rays, shadow_of, window
from deep_pneumonia.simulation.scene import Recipe, Shadow, draw_pose, expose, render
from deep_pneumonia.simulation.visible import HANDS
from tests.chest_phantom import chest

SIZE = (96, 96)
ILL = (LOBAR, BRONCHO, INTERSTITIAL, ROUND)
few = settings(deadline=None, max_examples=25)
angle, place = st.floats(-8, 8), st.floats(-50, 50)
centres = st.tuples(st.floats(-20, 20), st.floats(-20, 20))
poses = st.builds(
    Pose, st.sampled_from(("PA", "AP")), st.floats(1000, 1850), st.floats(100, 160), st.just(300.0), centres,
    angle, angle, angle,
)  # fmt: skip


@pytest.fixture(scope="module", params=["PA", "AP"])
def shadow(request: pytest.FixtureRequest) -> Shadow:
    """The healthy phantom in a pose."""
    return expose(chest(), draw_pose(chest(), request.param, np.random.default_rng(0)), SIZE[0])


@contextmanager
def looking_everywhere() -> Iterator[None]:
    """Within it, `project` casts every ray of the picture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "window", lambda _low, _high, _pose, size: tuple(slice(0, n) for n in size))
        yield


def ball(radius: float, side: int = 25) -> torch.Tensor:
    """A ball with soft edges in a box of 1 mm voxels."""
    away = torch.stack(torch.meshgrid(*[torch.arange(side) + 0.5 - side / 2] * 3, indexing="ij")).norm(dim=0)
    return (radius - away + 0.5).clamp(0, 1)


def middle(weights: NDArray[np.generic] | torch.Tensor) -> NDArray[np.float64]:
    """Centre of gravity (row, column), the edge of the first pixel at 0."""
    return np.array(ndimage.center_of_mass(np.asarray(weights))) + 0.5


@few
@given(poses, st.floats(0.6, 1))
def test_every_place_on_a_ray_falls_on_its_pixel(pose: Pose, share: float) -> None:
    tube, pixels = rays(pose, (5, 7))
    found = shadow_of(tube + share * (pixels - tube), pose, (5, 7))
    rows, columns = torch.meshgrid(torch.arange(5) + 0.5, torch.arange(7) + 0.5, indexing="ij")
    torch.testing.assert_close(found, torch.stack([rows, columns], dim=-1), atol=1e-3, rtol=0)


QUARTERS = [("turn", (40, 0, 0), (0, -1)), ("lean", (40, 0, 0), (1, 0)), ("roll", (0, 0, 40), (-1, 0))]


@pytest.mark.parametrize(("angle", "where", "moves"), QUARTERS)
def test_a_quarter_turn_about_each_axis(angle: str, where: tuple[int, ...], moves: tuple[int, int]) -> None:
    found = shadow_of(torch.tensor(where), Pose(field=150, **{angle: 90.0}), (150, 150))
    assert found.tolist() == pytest.approx([75 + 40 * 1800 / 1650 * m for m in moves], abs=1e-3)


@few
@given(poses, st.tuples(place, place, place))
def test_a_ball_casts_its_shadow_around_that_of_its_middle(pose: Pose, where: tuple[float, float, float]) -> None:
    with looking_everywhere():
        cast = project(ball(10), (1, 1, 1), pose, SIZE, where)
    expected = shadow_of(torch.tensor(where), pose, SIZE)
    assert middle(cast) == pytest.approx(expected.numpy(), abs=0.15)


@few
@given(poses, st.tuples(place, place, place), st.tuples(*[st.floats(10, 40)] * 3))
def test_the_window_holds_the_whole_shadow_and_little_more(
    pose: Pose, where: tuple[float, float, float], half: tuple[float, float, float]
) -> None:
    box = torch.zeros(10, 10, 10)
    box[1:-1, 1:-1, 1:-1] = 1  # what is between two voxels fades over half a voxel
    low, high = torch.tensor(where) - torch.tensor(half), torch.tensor(where) + torch.tensor(half)
    voxel = tuple(2 * h / 10 for h in half)
    with looking_everywhere():
        whole = project(box, voxel, pose, SIZE, where)
    torch.testing.assert_close(project(box, voxel, pose, SIZE, where), whole, atol=1e-4, rtol=1e-4)
    seen = whole.nonzero()
    for axis, part in enumerate(window(low, high, pose, SIZE)):
        first, last = int(seen[:, axis].min()), int(seen[:, axis].max())
        assert part.start <= first <= last < part.stop
        assert part.stop - part.start <= 1.3 * (last - first) + 8


@pytest.mark.parametrize("where", [(0, 900, 0), (0, -900, 0), (0, 0, 900), (50, 0, -900)])
def test_what_falls_beside_the_picture_is_not_there(where: tuple[float, float, float]) -> None:
    cast = project(ball(10), (1, 1, 1), Pose(), SIZE, where)
    assert torch.equal(cast, torch.zeros(SIZE))


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_a_pose_keeps_both_lungs_in_the_field(view: str) -> None:
    for seed in range(12):
        body = vary(chest(), draw_build(np.random.default_rng(seed)))
        pose, again = (draw_pose(body, view, np.random.default_rng((seed, 1))) for _ in range(2))
        assert (pose, pose.view) == (again, view)
        assert (1000 <= pose.focus <= 1200) == (view == "AP")
        lung = torch.isin(body.structures, torch.tensor(LOBES, dtype=torch.uint8)).nonzero()
        rows, columns = shadow_of(body.place(lung + 0.5), pose, (1, 1)).unbind(dim=-1)
        assert 0 < columns.min() < 0.25
        assert 0.75 < columns.max() < 1
        assert 0 < rows.min() < 0.25
        assert (rows < 1).float().mean() > 0.95  # the lowest of a long lung, behind the diaphragm, may be cut


@pytest.mark.parametrize(("kind", "lobe"), [(ROUND, 12), (ROUND, 14), (LOBAR, 12)])
@pytest.mark.parametrize("step", [(20, 0), (0, 20)])
def test_the_mask_moves_with_the_pose(shadow: Shadow, kind: str, lobe: int, step: tuple[int, int]) -> None:
    recipe = Recipe(kind, (4,), lobes=(lobe,))
    centre = (shadow.pose.centre[0] + step[0], shadow.pose.centre[1] + step[1])
    moved = expose(shadow.body, replace(shadow.pose, centre=centre), SIZE[0])
    found = middle(render(moved, recipe).mask) - middle(render(shadow, recipe).mask)
    pixels = shadow.pose.magnification / shadow.pixel
    # The picture looks higher, so the shadow falls lower; what is nearer the tube moves a little further.
    assert found == pytest.approx(np.array([step[0], -step[1]]) * pixels, abs=1.6 * pixels)


@pytest.mark.parametrize("kind", ILL)
def test_the_lesion_lies_in_the_lobes_asked_for(shadow: Shadow, kind: str) -> None:
    for lobes in (LEFT_LOBES, (12,)):
        case = render(shadow, Recipe(kind, (1,), 0.7, lobes))
        assert case.lobes == lobes
        assert 0.1 < case.contrast < 1
        column = float(shadow_of(torch.zeros(3), shadow.pose, SIZE)[1])  # of the spine
        assert (middle(case.mask)[1] > column) == (lobes == LEFT_LOBES)


@pytest.mark.parametrize("kind", [*ILL, NORMAL])
def test_the_recipe_alone_decides_every_bit(shadow: Shadow, kind: str) -> None:
    recipe = Recipe(kind, (2, 7), 0.6, confounders=confounders.KINDS)
    first = render(shadow, recipe)
    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    again = render(expose(shadow.body, shadow.pose, SIZE[0]), recipe)
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    assert first.pixels.dtype == np.float32
    assert 0 <= first.pixels.min() <= first.pixels.max() <= 1
    assert not (first.pixels - again.pixels).any()
    for one, two in zip((first.mask, *first.readers.values()), (again.mask, *again.readers.values()), strict=True):
        np.testing.assert_array_equal(one, two)
    other = render(shadow, replace(recipe, seed=(2, 8)))
    assert (other.pixels != first.pixels).mean() > 0.9


@pytest.mark.parametrize("kind", ILL)
def test_only_its_shadow_tells_the_ill(shadow: Shadow, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    light = scene.intensity
    monkeypatch.setattr(scene, "intensity", lambda path, *rest: paths.append(path.numpy()) or light(path, *rest))
    ill, healthy = (render(shadow, Recipe(k, (9,), 0.3, (12,))) for k in (kind, NORMAL))
    added = paths[0] - paths[1]
    assert added.min() >= 0
    np.testing.assert_array_equal(paths[1], shadow.path)
    assert added[ill.mask].min() > 0
    assert not added[:, 60:].any()  # left of the spine, where the right upper lobe casts no shadow
    # Tone is evened over the whole picture, so the rest changes, but by little.
    change = np.abs(ill.pixels - healthy.pixels)
    far = ndimage.distance_transform_edt(~ill.mask) * shadow.pixel > 60  # mm
    assert change[far].max() < 0.03
    assert change[ill.mask].mean() > 5 * change[far].mean()
    assert (healthy.mask.any(), healthy.lobes, healthy.contrast) == (False, (), 0)


@pytest.mark.parametrize("kind", ILL)
def test_confounders_never_enter_the_mask(shadow: Shadow, kind: str) -> None:
    recipe = Recipe(kind, (3,), 0.4)
    plain = render(shadow, recipe)
    for chosen in (confounders.KINDS, *((k,) for k in confounders.KINDS)):
        covered = render(shadow, replace(recipe, confounders=chosen))
        assert np.abs(covered.pixels - plain.pixels).max() > 0.02
        np.testing.assert_array_equal(covered.mask, plain.mask)
        assert (covered.lobes, covered.contrast) == (plain.lobes, plain.contrast)
        assert all((covered.readers[name] == plain.readers[name]).all() for name in plain.readers)


@pytest.mark.parametrize("kind", [BRONCHO, ROUND])
def test_a_faint_lesion_is_drawn_again(shadow: Shadow, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(shadow, Recipe(kind, (5,), 0.0)).mask.mean()
    monkeypatch.setattr(scene, "LEAST", 1.5 * first)
    assert render(shadow, Recipe(kind, (5,), 0.0)).mask.mean() >= 1.5 * first


@pytest.mark.parametrize("kind", ILL)
def test_a_lesion_that_cannot_be_seen_is_refused(shadow: Shadow, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "LEAST", 0.99)
    with pytest.raises(SimulationError, match=rf"{kind} of severity 0\.8 in lobes \(13,\) cannot be seen"):
        render(shadow, Recipe(kind, (1,), 0.8, (13,)))


def test_every_reader_outlines_what_there_is(shadow: Shadow) -> None:
    assert [*render(shadow, Recipe(LOBAR, (1,)), HANDS[:1]).readers] == ["Simulated reader A"]
    for kind in (*ILL, NORMAL):
        case = render(shadow, Recipe(kind, (1,)))
        assert list(case.readers) == [hand.name for hand in HANDS]
        for drawn in case.readers.values():
            assert (drawn.dtype, drawn.shape) == (np.bool_, SIZE)
            assert (drawn & case.mask).any() == drawn.any() == (kind != NORMAL)
