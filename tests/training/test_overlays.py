"""Overlays: letters, borders and erased corners that follow the generator and never cover a lesion or the lungs."""

import numpy as np
import pytest
import torch

from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training import overlays
from deep_pneumonia.training.augment import jitter
from deep_pneumonia.training.data import Batch
from deep_pneumonia.training.overlays import BORDER_WIDTHS, LUNG_AXES, overlaid
from deep_pneumonia.training.step import LossConfig, step_losses

SIZE = 128
KINDS = ("_border", "_erase", "_write")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grey(count: int = 8, size: int = SIZE) -> torch.Tensor:
    """Images of which no two pixels are equal, so that whatever is laid over them shows."""
    return 0.3 + 0.4 * torch.rand(count, 1, size, size, generator=seeded(99))


def none(images: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(images)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Leave one kind of overlay, and switch the two others off."""
    for kind in KINDS:
        if kind != request.param:
            monkeypatch.setattr(overlays, kind, lambda image, lesion, generator: None)  # noqa: ARG005
    return str(request.param)


one = pytest.mark.parametrize("only", KINDS, indirect=True)


def lungs(size: int = SIZE) -> torch.Tensor:
    y, x = np.abs((np.mgrid[:size, :size] + 0.5) / size - 0.5)
    return torch.from_numpy((y / LUNG_AXES[0]) ** 3 + (x / LUNG_AXES[1]) ** 3 < 1)


def test_a_share_of_zero_gives_the_images_back_and_draws_nothing() -> None:
    images, generator = grey(), seeded(3)
    assert torch.equal(overlaid(images, none(images), 0.0, generator), images)
    assert torch.equal(generator.get_state(), seeded(3).get_state())


def test_overlays_are_a_function_of_the_generator_alone() -> None:
    images, before = grey(), torch.get_rng_state()
    first, again, other = (overlaid(images, none(images), 1.0, seeded(s)) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert all(not torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_images_given_are_not_changed() -> None:
    images = grey()
    kept = images.clone()
    overlaid(images, none(images), 1.0, seeded())
    assert torch.equal(images, kept)


@one
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_each_kind_is_laid_over_its_share_of_images(only: str, share: float) -> None:
    images = grey(500, 48)
    changed = (overlaid(images, none(images), share, seeded()) != images).flatten(1).any(1).float().mean()
    # A patch that finds no place is left out, so erased and written images are a little fewer.
    assert share - 0.06 - (0.05 if only != "_border" else 0) < changed < share + 0.06


@one
def test_a_drawn_lesion_is_never_covered(only: str) -> None:
    images, masks = grey(200, 64), none(grey(200, 64))
    at = torch.randint(0, 52, (200, 2), generator=seeded(1)).tolist()
    for mask, (y, x) in zip(masks, at, strict=True):
        mask[:, y : y + 12, x : x + 12] = 0.3  # where one of three readers drew
    for seed in range(5):
        seen = overlaid(images, masks, 1.0, seeded(seed))
        assert torch.equal(seen[masks > 0], images[masks > 0]), only
        assert not torch.equal(seen, images), only


def test_a_lesion_that_fills_the_frame_leaves_no_room() -> None:
    images = grey()
    assert torch.equal(overlaid(images, torch.ones_like(images), 1.0, seeded()), images)


def test_values_stay_between_black_and_white() -> None:
    extreme = torch.cat([torch.zeros(20, 1, 64, 64), torch.ones(20, 1, 64, 64), torch.rand(20, 1, 64, 64)])
    seen = overlaid(extreme, none(extreme), 1.0, seeded())
    assert 0 <= seen.min() <= seen.max() <= 1
    assert seen.dtype == extreme.dtype


@pytest.mark.parametrize("only", ["_erase", "_write"], indirect=True)
def test_what_is_erased_or_written_lies_outside_the_lungs(only: str) -> None:
    images = grey(200)
    changed = (overlaid(images, none(images), 1.0, seeded()) != images)[:, 0].any(0)
    assert not (changed & lungs()).any(), only
    for corner in (changed[:16, :16], changed[:16, -16:], changed[-16:, :16], changed[-16:, -16:]):
        assert corner.float().mean() > 0.8


@pytest.mark.parametrize("only", ["_border"], indirect=True)
def test_borders_are_flat_bands_along_one_to_four_sides(only: str) -> None:
    assert only == "_border"
    images = grey(200)
    found, levels = set(), set()
    for image, before in zip(overlaid(images, none(images), 1.0, seeded())[:, 0], images[:, 0], strict=True):
        changed = image != before
        # A band's rows (columns) are changed from end to end.
        rows, columns = changed.all(1), changed.all(0)
        assert torch.equal(changed, rows[:, None] | columns)
        widths = [int(n) for side in (rows, columns) for n in (side[: SIZE // 2].sum(), side[SIZE // 2 :].sum())]
        assert max(widths) <= round(BORDER_WIDTHS[1] * SIZE)
        found.add(sum(w > 0 for w in widths))
        values = image[changed]
        levels.add("flat" if len(values.unique()) <= 4 else "not flat")
        levels.add({0.0: "black", 1.0: "white"}.get(float(values[0]), "mean"))
    assert found == {1, 2, 3, 4}
    assert levels == {"flat", "black", "white", "mean"}


def test_a_border_of_the_mean_is_as_bright_as_what_it_covers() -> None:
    part = torch.tensor([[0.1, 0.5], [0.2, 0.8]])
    overlays._flatten(part, 2)
    assert torch.allclose(part, torch.full((2, 2), 0.4))


@pytest.mark.parametrize("only", ["_write"], indirect=True)
def test_writing_is_bright_or_dark_and_not_a_filled_box(only: str) -> None:
    assert only == "_write"
    flat = torch.full((200, 1, SIZE, SIZE), 0.5)
    seen = overlaid(flat, none(flat), 1.0, seeded())
    bright, dark = (seen > 0.75).flatten(1).any(1), (seen < 0.25).flatten(1).any(1)
    assert 0.3 < bright.float().mean() < 0.9
    assert 0.3 < dark.float().mean() < 0.9
    letters = [s for s in overlays._stamps(SIZE) if s.min() < 1]
    assert len(letters) > 100
    assert all(s.max() > 0.5 and 0.05 < s.mean() < 0.9 for s in letters)


@pytest.mark.parametrize("size", [32, 224])
def test_writing_is_as_high_as_its_share_of_the_side(size: int) -> None:
    heights = [len(s) / size for s in overlays._stamps(size)]
    assert max(heights) <= 0.25
    assert 0.05 < float(np.median(heights)) < 0.2 if size == 32 else 0.03 < float(np.median(heights)) < 0.08


def test_patches_find_a_place_about_as_often_beside_a_lesion_as_without() -> None:
    lesion = (SIZE // 3, SIZE // 5, 2 * SIZE // 3, SIZE // 2)
    generator = seeded()
    placed = [
        np.mean([overlays._place(12, 14, SIZE, box, generator) is not None for _ in range(400)])
        for box in (None, lesion)
    ]
    assert min(placed) > 0.8
    assert abs(placed[0] - placed[1]) < 0.08


def test_a_training_step_lays_them_over_before_the_view_is_drawn() -> None:
    torch.manual_seed(0)
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", width=8))
    seen: list[torch.Tensor] = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    images = grey(3, 64)
    masks = none(images)
    masks[0, :, 20:40, 20:40] = 1
    batch = Batch(images, masks, torch.ones(3, dtype=torch.bool), torch.tensor([1, 0, 1]))
    for share in (0.0, 1.0):
        step_losses(network, batch, LossConfig(1, 0, 0, 0, share), torch.ones(2), seeded(4))
        generator = seeded(4)
        expected = jitter(overlaid(images, masks, share, generator), masks, generator)[0]
        assert torch.equal(seen[-1], expected)
    assert not torch.equal(seen[0], seen[1])
