"""Negative examples for the gate: radiographs that are rotated, inverted, cropped or rearranged.

The gate learns from them where everything belongs in a radiograph (`gate_fitting`).
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F
from torchvision.transforms import functional as TF

from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training.draws import uniform

Alteration = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def window(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Hard contrast like that of a CT slice."""
    level, width = uniform(0.3, 0.7, chance), uniform(0.05, 0.25, chance)
    return ((image - level) / width + 0.5).clamp(0, 1)


def cropped(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A crop of about a quarter of the image."""
    tall, wide = (int(uniform(0.36, 0.64, chance) * n) for n in image.shape)
    top, left = (int(uniform(0, n - m, chance)) for n, m in zip(image.shape, (tall, wide), strict=True))
    return image[top : top + tall, left : left + wide]


def half(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The left, right, upper or lower half; a side of the chest is as narrow as a lateral view."""
    share, side = uniform(0.42, 0.5, chance), int(uniform(0, 4, chance))
    part = int(share * image.shape[side % 2])
    return image.narrow(side % 2, 0 if side < 2 else image.shape[side % 2] - part, part)


def swapped(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The left and right parts exchanged, so that the spine is at the edges."""
    return image.roll(int(uniform(0.35, 0.65, chance) * image.shape[1]), dims=1)


def narrow(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The whole image squeezed to a strip on black, grey or white."""
    side = image.shape[1]
    wide = max(2, int(uniform(0.35, 0.6, chance) * side))
    strip = resized(image, (image.shape[0], wide))
    paper = (0.0, 0.0, 0.1, 1.0)[int(uniform(0, 4, chance))]
    left = int(uniform(0, side - wide, chance))
    return F.pad(strip, (left, side - wide - left), value=paper)


def tilted(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Rotated by 20 to 70 degrees to either side."""
    angle = uniform(20, 70, chance) * (1 if uniform(0, 1, chance) < 0.5 else -1)
    return TF.rotate(image[None], angle, TF.InterpolationMode.BILINEAR)[0]


def quarters(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The four quarters in another order."""
    tall, wide = (n // 2 for n in image.shape)
    parts = [image[y : y + tall, x : x + wide] for y in (0, tall) for x in (0, wide)]
    orders = ((1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0), (1, 2, 3, 0), (3, 0, 1, 2), (2, 0, 3, 1), (1, 3, 0, 2))
    a, b, c, d = (parts[i] for i in orders[int(uniform(0, len(orders), chance))])
    return torch.cat([torch.cat([a, b], dim=1), torch.cat([c, d], dim=1)])


ALTERED_BY: tuple[Alteration, ...] = (
    lambda image, _: image.rot90(1),
    lambda image, _: image.rot90(3),
    lambda image, _: image.rot90(2),
    lambda image, _: image.flip(0),
    lambda image, _: 1 - image,
    cropped, half, swapped, window, narrow, tilted, quarters,
)  # fmt: skip


def altered(image: torch.Tensor, number: int, recipe: InputRecipe) -> torch.Tensor:
    """An image in the model's frame (S, S) in [0, 1], altered in one way and mirrored with probability 1/2.

    number: chooses the alteration among `ALTERED_BY` and is the seed. Size and range stay; the contrast is stretched
    again as for any input.
    """
    chance = torch.Generator().manual_seed(number)
    made = ALTERED_BY[number % len(ALTERED_BY)](image, chance)
    if uniform(0, 1, chance) < 0.5:
        made = made.flip(1)
    low, high = (float(torch.quantile(made, share / 100)) for share in (recipe.low, recipe.high))
    stretched = (made - low) / max(high - low, 1e-6)
    return resized(stretched, (recipe.size, recipe.size)).clamp(0, 1)


def resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize an image (H, W) to `size` (H, W), with antialiasing."""
    return F.interpolate(image[None, None], size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
