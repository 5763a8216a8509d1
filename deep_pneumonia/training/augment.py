"""Random views of radiographs for training and pre-training; a mask undergoes the same warp as its image.

Views stay plausible radiographs: crop, small rotation, brightness, contrast, gamma, blur, noise and horizontal flip,
but no hue, solarisation or vertical flip. All random numbers come from the generator that is passed in, so a resumed
run sees the same views.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Strength:
    """Limits of a random view.

    zoom: range of the share of the side that is kept; above 1 there is black around. rotate: largest angle in
    degrees. squeeze: largest relative change of the aspect ratio. shift: largest shift as a share of the side. tone:
    spread of brightness, contrast and log-gamma. blur: largest share of a blurred copy. noise: largest standard
    deviation, on the scale of [0, 1]. flip: probability of a horizontal flip.
    """

    zoom: tuple[float, float] = (0.8, 1.1)
    rotate: float = 10.0
    squeeze: float = 0.1
    shift: float = 0.06
    tone: float = 0.2
    blur: float = 0.5
    noise: float = 0.04
    flip: float = 0.5


PRETRAINING = Strength(zoom=(0.5, 1.0), rotate=15.0, squeeze=0.2, shift=0.2, tone=0.4, blur=1.0, noise=0.06)
TRAINING = Strength()


def views(images: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """One random pre-training view of each image (B, 1, S, S) in [0, 1], as (B, 1, size, size) in [0, 1]."""
    warped = warp(images, affine(len(images), PRETRAINING, generator), size)
    return tone(warped, PRETRAINING, generator)


def jitter(images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """One random training view of each image, and the same view of its mask; all (B, 1, S, S) in [0, 1]."""
    matrices = affine(len(images), TRAINING, generator)
    size = images.shape[-1]
    return tone(warp(images, matrices, size), TRAINING, generator), warp(masks, matrices, size)


def affine(count: int, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    """Random matrices (count, 2, 3) from output to input, in the coordinates of `affine_grid`, [-1, 1]."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.empty(count).uniform_(low, high, generator=generator)

    zoom = uniform(*strength.zoom)
    squeeze = uniform(-strength.squeeze, strength.squeeze).exp().sqrt()
    angle = uniform(-strength.rotate, strength.rotate) * math.pi / 180
    flip = 1 - 2 * (uniform(0, 1) < strength.flip).float()
    # A crop may move anywhere inside the image, and beyond its edge by the allowed shift.
    room = (1 - zoom).clamp(min=0) + strength.shift
    x, y = (uniform(-1, 1) * room for _ in range(2))
    cos, sin = angle.cos(), angle.sin()
    rows = [
        zoom * squeeze * cos * flip,
        -zoom * sin / squeeze,
        x,
        zoom * squeeze * sin * flip,
        zoom * cos / squeeze,
        y,
    ]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def warp(images: torch.Tensor, matrices: torch.Tensor, size: int) -> torch.Tensor:
    """Warp images (B, 1, S, S) by `matrices` (B, 2, 3) into (B, 1, size, size); outside the images is 0."""
    grid = F.affine_grid(matrices.to(images), [len(images), 1, size, size], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def tone(images: torch.Tensor, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    """Apply random gamma, contrast, brightness, blur and noise to images (B, 1, S, S) in [0, 1]; the range stays."""

    def spread(limit: float) -> torch.Tensor:
        drawn = torch.empty(len(images), 1, 1, 1).uniform_(-limit, limit, generator=generator)
        return drawn.to(images)

    images = images.clamp(min=1e-4) ** spread(strength.tone * 1.5).exp()
    images = (images - 0.5) * spread(strength.tone).exp() + 0.5 + spread(strength.tone / 2)
    blurred = F.avg_pool2d(F.avg_pool2d(images, 3, 1, 1, count_include_pad=False), 3, 1, 1, count_include_pad=False)
    images = torch.lerp(images, blurred, spread(strength.blur).clamp(min=0))
    # The noise is drawn on the device of the images, from a seed of the caller's generator.
    seed = int(torch.randint(2**62, (1,), generator=generator))
    local = torch.Generator(images.device).manual_seed(seed)
    noise = torch.randn(images.shape, generator=local, device=images.device, dtype=images.dtype)
    return (images + noise * spread(strength.noise).clamp(min=0)).clamp(0, 1)
