"""Radiographs made into what must not be read: turned, inverted, cut, mixed up, with nothing but the radiograph itself.

The gate learns from them where in a radiograph everything belongs (`gate_fit`).
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F
from torchvision.transforms import functional as TF

from deep_pneumonia.prediction.model_frame import InputRecipe

Way = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def between(low: float, high: float, chance: torch.Generator) -> float:
    """A number drawn evenly from an interval."""
    return low + (high - low) * float(torch.rand((), generator=chance))


def window(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Hard contrast, as slices of a CT have it."""
    level, width = between(0.3, 0.7, chance), between(0.05, 0.25, chance)
    return ((image - level) / width + 0.5).clamp(0, 1)


def cropped(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """About a quarter of the picture."""
    tall, wide = (int(between(0.36, 0.64, chance) * n) for n in image.shape)
    top, left = (int(between(0, n - m, chance)) for n, m in zip(image.shape, (tall, wide), strict=True))
    return image[top : top + tall, left : left + wide]


def half(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """One side of the chest, which is as narrow as a lateral view, or its upper or lower half."""
    share, side = between(0.42, 0.5, chance), int(between(0, 4, chance))
    part = int(share * image.shape[side % 2])
    return image.narrow(side % 2, 0 if side < 2 else image.shape[side % 2] - part, part)


def swapped(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Left and right side by side the wrong way round, the spine at the rims."""
    return image.roll(int(between(0.35, 0.65, chance) * image.shape[1]), dims=1)


def narrow(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The whole picture as a strip before black or, more seldom, grey or white."""
    side = image.shape[1]
    wide = max(2, int(between(0.35, 0.6, chance) * side))
    strip = resized(image, (image.shape[0], wide))
    paper = (0.0, 0.0, 0.1, 1.0)[int(between(0, 4, chance))]
    left = int(between(0, side - wide, chance))
    return F.pad(strip, (left, side - wide - left), value=paper)


def tilted(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Turned by 20 to 70 degrees to either side."""
    angle = between(20, 70, chance) * (1 if between(0, 1, chance) < 0.5 else -1)
    return TF.rotate(image[None], angle, TF.InterpolationMode.BILINEAR)[0]


def quarters(image: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The four quarters, each in another's place."""
    tall, wide = (n // 2 for n in image.shape)
    parts = [image[y : y + tall, x : x + wide] for y in (0, tall) for x in (0, wide)]
    orders = ((1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0), (1, 2, 3, 0), (3, 0, 1, 2), (2, 0, 3, 1), (1, 3, 0, 2))
    a, b, c, d = (parts[i] for i in orders[int(between(0, len(orders), chance))])
    return torch.cat([torch.cat([a, b], dim=1), torch.cat([c, d], dim=1)])


WAYS: tuple[Way, ...] = (
    lambda image, _: image.rot90(1),
    lambda image, _: image.rot90(3),
    lambda image, _: image.rot90(2),
    lambda image, _: image.flip(0),
    lambda image, _: 1 - image,
    cropped, half, swapped, window, narrow, tilted, quarters,
)  # fmt: skip


def altered(image: torch.Tensor, number: int, recipe: InputRecipe) -> torch.Tensor:
    """A model's frame (S, S) in [0, 1] altered in one of `WAYS` and every other time mirrored, of the same size.

    `number` chooses the way and seeds all that is drawn. The contrast is stretched again, as the decoder would.
    """
    chance = torch.Generator().manual_seed(number)
    made = WAYS[number % len(WAYS)](image, chance)
    if between(0, 1, chance) < 0.5:
        made = made.flip(1)
    low, high = (float(torch.quantile(made, share / 100)) for share in (recipe.low, recipe.high))
    stretched = (made - low) / max(high - low, 1e-6)
    return resized(stretched, (recipe.size, recipe.size)).clamp(0, 1)


def resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(H, W) at another size."""
    return F.interpolate(image[None, None], size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
