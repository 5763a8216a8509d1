"""Taking lesions out: what is kept is untouched, what is filled looks like its surroundings."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.prediction.inpaint import fill, lesion_only, lesion_removed

few = settings(max_examples=30)


def disc(size: tuple[int, int] = (48, 48), radius: float = 8, centre: tuple[int, int] = (20, 26)) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2
    return inside.float()[None, None]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def slope(size: int = 48) -> torch.Tensor:
    """A plane that gets brighter to the right and to the bottom, from 0.3 to 0.7."""
    along = torch.linspace(0.15, 0.35, size)
    return (along[:, None] + along)[None, None]


def test_what_is_kept_is_unchanged() -> None:
    image, mask = noise(1, 1, 48, 48), disc()
    filled = fill(image, mask)
    assert torch.equal(filled[mask == 0], image[mask == 0])
    assert not torch.isclose(filled[mask == 1], image[mask == 1], atol=1e-3).all()
    away, near = disc(radius=12) == 0, disc(radius=6) == 1  # further than the margin on both sides
    assert torch.equal(lesion_removed(image, mask)[away], image[away])
    assert torch.equal(lesion_only(image, mask)[near], image[near])


def test_what_was_in_the_lesion_leaves_no_trace() -> None:
    image, mask = noise(1, 1, 48, 48), disc()
    other = torch.where(mask > 0, 1 - image, image)
    assert torch.allclose(lesion_removed(image, mask), lesion_removed(other, mask), atol=1e-6)
    around = torch.where(disc(radius=12) > 0, image, 1 - image)  # more than the margin away
    assert torch.allclose(lesion_only(image, mask), lesion_only(around, mask), atol=1e-6)


def test_the_rim_of_a_lesion_goes_with_it() -> None:
    image, drawn = torch.full((1, 1, 56, 56), 0.2) + 0.6 * disc((56, 56), radius=9), disc((56, 56), radius=8)
    inside = drawn > 0  # drawn a pixel too small: what surrounds the mask is still lesion
    assert float(fill(image, drawn)[inside].mean()) > 0.35
    assert float(lesion_removed(image, drawn)[inside].mean()) < 0.27


@few
@given(st.integers(0, 999), st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 0.95))
def test_the_fill_lies_between_the_extremes_of_what_is_kept(seed: int, h: int, w: int, share: float) -> None:
    image = 0.2 + 0.5 * noise(1, 1, h, w, seed=seed)
    where = (noise(1, 1, h, w, seed=seed + 1) < share).float()
    if where.all():
        return
    kept = image[where == 0]
    filled = fill(torch.where(where > 0, torch.ones_like(image), image), where)
    assert kept.min() - 1e-5 <= filled.min()
    assert filled.max() <= kept.max() + 1e-5


@pytest.mark.parametrize("level", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("size", [(48, 48), (37, 51)])
def test_a_hole_in_a_flat_picture_is_filled_flat(level: float, size: tuple[int, int]) -> None:
    mask = disc(size)
    flat = torch.full((1, 1, *size), level)
    holed = torch.where(mask > 0, 1 - flat, flat)
    assert torch.allclose(lesion_removed(holed, mask), flat, atol=1e-5)
    assert torch.allclose(lesion_only(torch.where(mask > 0, flat, 1 - flat), 1 - disc(size, 12)), 1 - flat, atol=1e-5)


def test_a_hole_in_a_slope_is_filled_smoothly() -> None:
    image, mask = slope(), disc()
    removed = lesion_removed(torch.where(mask > 0, torch.zeros_like(image), image), mask)
    steps = torch.cat([removed.diff(dim=-1).flatten(), removed.diff(dim=-2).flatten()])
    assert steps.abs().max() < 0.035  # an edge of a black hole would be a step of 0.3 or more
    assert torch.allclose(removed, image, atol=0.1)
    assert removed.min() >= image.min() - 1e-6


def test_what_is_half_kept_is_blended() -> None:
    image = torch.zeros(1, 1, 16, 16)
    image[..., 8:] = 1
    where = torch.zeros_like(image)
    where[..., 4, 12] = 0.25  # the surroundings are white there, and so is the pixel
    assert fill(image, where)[..., 4, 12] == pytest.approx(1)
    image[..., 4, 12] = 0  # now 3/4 of the black pixel is kept, and its own 3/4 count among its surroundings
    assert 0.0 < float(fill(image, where)[..., 4, 12]) < 0.25


def test_a_mask_that_reaches_the_border_is_filled_there_as_elsewhere() -> None:
    image = noise(1, 1, 1, 48).expand(1, 1, 48, 48).contiguous()
    mask = torch.zeros_like(image)
    mask[..., 10:24] = 1
    removed = lesion_removed(image, mask)
    assert torch.allclose(removed, removed[..., :1, :].expand_as(removed), atol=1e-6)


def test_only_the_lesion_is_kept_and_the_rest_is_filled_from_it() -> None:
    image = torch.full((1, 1, 48, 48), 0.1) + 0.6 * disc(radius=14)
    only = lesion_only(image, disc())
    assert torch.allclose(only, torch.full_like(image, 0.7), atol=1e-5)
    removed = lesion_removed(image, disc(radius=14))
    assert float(removed[disc() > 0].mean()) == pytest.approx(0.1, abs=0.15)


def test_empty_and_full_masks() -> None:
    image = noise(1, 1, 24, 24)
    none, everywhere, grey = torch.zeros_like(image), torch.ones_like(image), torch.full_like(image, 0.5)
    assert torch.equal(lesion_removed(image, none), image)
    assert torch.equal(lesion_only(image, everywhere), image)
    assert torch.equal(lesion_removed(image, everywhere), grey)
    assert torch.equal(lesion_only(image, none), grey)


def test_images_of_a_batch_do_not_touch() -> None:
    images = noise(4, 1, 40, 40)
    masks = torch.cat([disc((40, 40)), torch.zeros(1, 1, 40, 40), torch.ones(1, 1, 40, 40), disc((40, 40), 3, (5, 5))])
    for way in (lesion_removed, lesion_only):
        together = way(images, masks)
        apart = torch.cat([way(images[i : i + 1], masks[i : i + 1]) for i in range(4)])
        assert torch.allclose(together, apart, atol=1e-6)
        assert together.isfinite().all()
        assert together.shape == images.shape
