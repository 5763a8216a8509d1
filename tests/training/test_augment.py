"""Augmentation: a mask follows its image, a view follows its seed, and a radiograph stays a radiograph."""

from dataclasses import replace

import pytest
import torch

from deep_pneumonia.training import augment
from deep_pneumonia.training.augment import PRETRAINING, TRAINING, Strength, affine, jitter, tone, views, warp

STILL = Strength(zoom=(1, 1), rotate=0, squeeze=0, shift=0, tone=0, blur=0, noise=0, flip=0)
BOTH = pytest.mark.parametrize("strength", [PRETRAINING, TRAINING], ids=["pretraining", "training"])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grey(count: int = 4, size: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 1, size, size, generator=seeded(seed))


def square(count: int, size: int = 48) -> torch.Tensor:
    """A white square, off the middle, on black."""
    images = torch.zeros(count, 1, size, size)
    images[..., 8:22, 10:24] = 1
    return images


def test_a_mask_goes_exactly_where_its_image_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "TRAINING", replace(TRAINING, tone=0, blur=0, noise=0))
    shapes = (grey(16) > 0.5).float()
    images, masks = jitter(shapes, shapes, seeded())
    assert torch.allclose(images, masks, atol=2e-4)
    assert not torch.allclose(masks, shapes, atol=0.1)


def test_a_lesion_is_found_under_its_mask_whatever_the_tone() -> None:
    images, masks = jitter(square(24) * 0.9 + 0.05, square(24), seeded(1))
    inside = (images * masks).sum((1, 2, 3)) / masks.sum((1, 2, 3))
    outside = (images * (1 - masks)).sum((1, 2, 3)) / (1 - masks).sum((1, 2, 3))
    assert (inside - outside > 0.4).all()


def test_the_tone_leaves_masks_alone() -> None:
    _, masks = jitter(torch.rand(8, 1, 48, 48, generator=seeded()), square(8), seeded(2))
    assert torch.allclose(masks.amax((1, 2, 3)), torch.ones(8))
    assert masks.min() == 0
    edges = ((masks > 0.01) & (masks < 0.99)).float().mean()
    assert edges < 0.06  # only the rim of the square is between


def test_views_stay_in_range_and_have_the_size_asked_for() -> None:
    extreme = torch.cat([grey(8), torch.zeros(4, 1, 32, 32), torch.ones(4, 1, 32, 32)])
    for size in (16, 40):
        seen = views(extreme, size, seeded(size))
        assert seen.shape == (16, 1, size, size)
        assert 0 <= seen.min() <= seen.max() <= 1
    for part in jitter(extreme, extreme, seeded()):
        assert part.shape == extreme.shape
        assert 0 <= part.min() <= part.max() <= 1


def test_a_view_is_a_function_of_the_seed() -> None:
    images = grey()
    assert torch.equal(views(images, 24, seeded(5)), views(images, 24, seeded(5)))
    assert not torch.equal(views(images, 24, seeded(5)), views(images, 24, seeded(6)))
    first, again, other = (jitter(images, images, seeded(s)) for s in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_global_generator_plays_no_part() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = views(grey(), 24, seeded(5))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(views(grey(), 24, seeded(5)), one)


def test_each_draw_and_each_image_has_its_own_view() -> None:
    generator, same = seeded(), grey(1).expand(3, -1, -1, -1)
    first, second = views(same, 24, generator), views(same, 24, generator)
    assert not torch.allclose(first, second, atol=0.05)
    assert not torch.allclose(first[0], first[1], atol=0.05)
    assert not torch.allclose(first[1], first[2], atol=0.05)
    assert len({str(matrix.tolist()) for matrix in affine(50, TRAINING, generator)}) == 50


def test_identity_matrices_give_the_image_back() -> None:
    images = grey()
    identity = affine(4, STILL, seeded())
    assert identity.tolist() == [[[1, 0, 0], [0, 1, 0]]] * 4
    assert torch.allclose(warp(images, identity, 32), images, atol=1e-5)
    assert torch.allclose(tone(images, STILL, seeded()), images, atol=1e-4)


def test_warps_by_hand() -> None:
    image = grey(1, 8)
    mirror = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]])
    assert torch.allclose(warp(image, mirror, 8), image.flip(-1), atol=1e-5)
    two_right = torch.tensor([[[1.0, 0, 0.5], [0, 1, 0]]])  # a quarter of the width of 8
    shifted = warp(image, two_right, 8)
    assert torch.allclose(shifted[..., :6], image[..., 2:], atol=1e-5)
    assert shifted[..., 6:].abs().max() < 1e-5  # outside is black
    half = torch.tensor([[[0.5, 0, -0.5], [0, 0.5, -0.5]]])
    assert torch.allclose(warp(image, half, 4), image[..., :4, :4], atol=1e-5)


@BOTH
def test_rotation_zoom_and_shift_keep_their_limits(strength: Strength) -> None:
    m = affine(500, strength, seeded())
    # m = zoom * rotation * diag(squeeze * flip, 1 / squeeze), so its determinant is +-zoom^2.
    zoom = m[:, :, :2].det().abs().sqrt()
    angle = torch.atan2(-m[:, 0, 1], m[:, 1, 1]).rad2deg().abs()
    ratio = m[:, :, 0].norm(dim=1) / m[:, :, 1].norm(dim=1)
    shift = m[:, :, 2].abs().amax(1) - (1 - zoom).clamp(min=0)
    assert strength.zoom[0] - 1e-5 <= zoom.min() < zoom.max() <= strength.zoom[1] + 1e-5
    assert 0.9 * strength.rotate < angle.max() <= strength.rotate + 1e-3
    assert 0.9 * strength.squeeze < ratio.log().abs().max() <= strength.squeeze + 1e-5
    assert shift.max() <= strength.shift + 1e-5


@BOTH
def test_views_are_mirrored_in_half_of_the_cases_and_never_upside_down(strength: Strength) -> None:
    m = affine(500, strength, seeded(3))
    assert (m[:, 1, 1] > 0).all()
    mirrored = m[:, :, :2].det() < 0
    assert float(mirrored.float().mean()) == pytest.approx(0.5, abs=0.1)
    assert (m[mirrored, 0, 0] < 0).all()
    assert (m[~mirrored, 0, 0] > 0).all()


def test_tone_changes_brightness_but_not_what_lies_where() -> None:
    ramp = torch.linspace(0.1, 0.9, 32).expand(12, 1, 32, 32).contiguous()
    seen = tone(ramp, replace(PRETRAINING, noise=0), seeded(4))
    assert (seen.diff(dim=-1) >= -1e-6).all()  # darker stays darker
    assert seen.mean((1, 2, 3)).std() > 0.03
    noisy = tone(ramp, replace(STILL, noise=0.1), seeded(4)) - ramp
    spread = noisy.std((1, 2, 3))
    assert 0.01 < spread.max() < 0.1
    assert (spread < 1e-3).any()  # half of the images get no noise


def test_a_flat_grey_becomes_as_bright_as_gamma_contrast_and_brightness_allow() -> None:
    flat = tone(torch.full((500, 1, 4, 4), 0.5), replace(STILL, tone=0.2), seeded()).amax((1, 2, 3))
    # Gamma of e^-0.3 makes 0.598, contrast of e^0.2 makes that 0.620, and brightness adds 0.1.
    assert 0.66 < flat.max() <= 0.7203
    # Gamma of e^0.3 makes 0.392, contrast 0.369, brightness 0.269.
    assert 0.268 <= flat.min() < 0.34


def test_noise_is_new_each_time() -> None:
    generator, flat = seeded(), torch.full((16, 1, 32, 32), 0.5)
    first, second = (tone(flat, replace(STILL, noise=0.1), generator) - 0.5 for _ in range(2))
    both = (first.std((1, 2, 3)) > 0.01) & (second.std((1, 2, 3)) > 0.01)
    assert both.any()
    for one, other in zip(first[both], second[both], strict=True):
        assert abs(float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])) < 0.2
