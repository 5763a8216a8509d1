"""Take a lesion out of a radiograph, or leave nothing but it, without an edge that gives it away.

Used twice: for the positives and negatives of contrastive regulation, and for the what-if readings that a
person sees. What is taken out is filled from its surroundings by push-pull (Gortler et al., The Lumigraph,
1996): averages of the known pixels are pushed down a pyramid until every hole is covered and pulled back up.
A black hole would be a shape the network could read.
"""

import torch
from torch.nn import functional as F

# Fraction of the side by which a mask is widened and feathered before filling: a drawn outline cuts
# through the soft rim of a lesion, and the rim alone would betray it.
MARGIN = 1 / 56


def lesion_removed(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Fill the lesion from around it. `images`, `masks`: (B, 1, H, W) in [0, 1]; returns the same shape."""
    return fill(images, _feather(masks))


def lesion_only(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Keep the lesion and fill everything else from it. Shapes and range as `lesion_removed`."""
    return fill(images, 1 - _feather(masks))


def fill(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Replace `where` (1 = replace, 0 = keep, between = blend) by what surrounds it.

    images, where: (B, 1, H, W) in [0, 1]. An image with nothing to keep comes back grey (0.5).
    """
    keep = 1 - where
    nothing = keep.amax(dim=(1, 2, 3), keepdim=True) < 1e-3
    filled = images * keep + where * _pull(images * keep, keep)
    return torch.where(nothing, torch.full_like(images, 0.5), filled)


def _pull(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted average at this level where there is weight, of the coarser level where there is none."""
    average = value / weight.clamp(min=1e-6)
    if max(value.shape[-2:]) == 1:
        return average
    coarse = _pull(*(F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False) for x in (value, weight)))
    coarse = F.interpolate(coarse, size=value.shape[-2:], mode="bilinear", align_corners=False)
    trust = weight.clamp(max=1)
    return trust * average + (1 - trust) * coarse


def _feather(masks: torch.Tensor) -> torch.Tensor:
    """Widen masks by the margin and give them a soft rim; an empty mask stays empty, a full one full."""
    reach = 2 * max(1, round(min(masks.shape[-2:]) * MARGIN)) + 1
    wide = F.max_pool2d(masks, reach, stride=1, padding=reach // 2)
    soft = F.avg_pool2d(wide, reach, stride=1, padding=reach // 2, count_include_pad=False)
    return torch.maximum(masks, soft)
