"""Remove a lesion from a radiograph, or everything but the lesion, without leaving a telltale edge.

There are two uses: the positives and negatives of contrastive regulation, and the what-if predictions that a
person sees. Removed pixels are filled from their surroundings by push-pull (Gortler et al., The Lumigraph,
1996): averages of the known pixels are pushed down a pyramid until every hole is covered, then pulled back up.
A black hole would be a shape that the network could recognise.
"""

import torch
from torch.nn import functional as F

# Share of the side by which a mask is widened and feathered before filling. A drawn outline cuts through the
# soft rim of a lesion, and the rim alone would give the lesion away.
MARGIN_SHARE = 1 / 56


def lesion_removed(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Fill the lesion from its surroundings. `images`, `masks` and the result: (B, 1, H, W) in [0, 1]."""
    return fill(images, _feather(masks))


def lesion_only(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Keep the lesion and fill everything else from it. Shapes and ranges as in `lesion_removed`."""
    return fill(images, 1 - _feather(masks))


def fill(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Replace pixels by their surroundings: `where` is 1 to replace, 0 to keep, and between to blend.

    images, where: (B, 1, H, W) in [0, 1]. An image with nothing to keep becomes grey (0.5).
    """
    keep = 1 - where
    nothing = keep.amax(dim=(1, 2, 3), keepdim=True) < 1e-3
    filled = images * keep + where * _pull(images * keep, keep)
    return torch.where(nothing, torch.full_like(images, 0.5), filled)


def _pull(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The weighted average of this level where there is weight, that of the coarser level elsewhere."""
    average = value / weight.clamp(min=1e-6)
    if max(value.shape[-2:]) == 1:
        return average
    coarse = _pull(*(F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False) for x in (value, weight)))
    coarse = F.interpolate(coarse, size=value.shape[-2:], mode="bilinear", align_corners=False)
    trust = weight.clamp(max=1)
    return trust * average + (1 - trust) * coarse


def _feather(masks: torch.Tensor) -> torch.Tensor:
    """Widen masks by the margin and give them a soft rim. An empty mask stays empty, a full one full."""
    reach = 2 * max(1, round(min(masks.shape[-2:]) * MARGIN_SHARE)) + 1
    wide = F.max_pool2d(masks, reach, stride=1, padding=reach // 2)
    soft = F.avg_pool2d(wide, reach, stride=1, padding=reach // 2, count_include_pad=False)
    return torch.maximum(masks, soft)
