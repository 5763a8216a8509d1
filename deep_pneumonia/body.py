"""Variants of one body: the chest stretched smoothly, so that each stands for another patient."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from deep_pneumonia.chest_ct import HEART, LOBES, ChestCT


@dataclass(frozen=True)
class Build:
    """How one body differs from the CT's.

    `depth`, `height`, `width` scale the chest, `heart` the heart (1: as it is). `inflation` in HU is added to lung
    (below 0: deeper breath). `bend` (3, 4, 4, 4) moves the body by that many mm at the knots of a smooth field.
    """

    depth: float = 1.0
    height: float = 1.0
    width: float = 1.0
    heart: float = 1.0
    inflation: float = 0.0
    bend: tuple[float, ...] = (0.0,) * 192


def draw_build(random: np.random.Generator) -> Build:
    """A build within what adults differ by; nothing is drawn but from `random`."""
    return Build(
        depth=random.uniform(0.9, 1.15),
        height=random.uniform(0.9, 1.06),
        width=random.uniform(0.92, 1.06),
        heart=random.uniform(0.92, 1.25),
        inflation=random.uniform(-30, 60),
        bend=tuple(random.normal(0, 4, 192).tolist()),
    )


def vary(ct: ChestCT, build: Build, slab: int = 16) -> ChestCT:
    """The chest of another build, on the same grid. `slab` planes are taken at a time, to bound memory."""
    shape = ct.hu.shape
    size = torch.tensor([n * v for n, v in zip(shape, ct.voxel, strict=True)])  # mm (y, z, x)
    bend = torch.tensor(build.bend, dtype=torch.float32).reshape(1, 3, 4, 4, 4)
    # The top slice ends at the shoulders: stretched beyond, it goes on as it was.
    hu, structures = ct.hu[None, None], ct.structures[None, None].float()
    out, ids = torch.empty_like(ct.hu), torch.empty_like(ct.structures)
    heart = _middle(ct, (HEART,))
    factors = torch.tensor([build.depth, build.height, build.width])
    axes = [torch.arange(n) + 0.5 for n in shape]
    for first in range(0, shape[0], slab):
        some = slice(first, min(first + slab, shape[0]))
        place = torch.stack(torch.meshgrid(axes[0][some], axes[1], axes[2], indexing="ij"), dim=-1)
        place = place * torch.tensor(ct.voxel) - size / 2
        knots = (2 * place / size)[None]
        source = place / factors + F.grid_sample(bend, knots.flip(-1), align_corners=True)[0].movedim(0, -1)
        away = source - heart
        near = torch.exp(-(away**2).sum(-1, keepdim=True) / (2 * 50.0**2))
        source = source - away * near * (1 - 1 / build.heart)
        grid = (2 * source / size).flip(-1)[None]
        out[some] = F.grid_sample(hu, grid, padding_mode="border", align_corners=False)[0, 0]
        ids[some] = F.grid_sample(structures, grid, mode="nearest", align_corners=False)[0, 0].to(torch.uint8)
    lung = torch.isin(ids, torch.tensor(LOBES, dtype=torch.uint8)) & (out < -700)
    out[lung] = (out[lung] + build.inflation).clamp(-985, -500)
    return ChestCT(out, ids, ct.voxel)


def _middle(ct: ChestCT, ids: tuple[int, ...]) -> torch.Tensor:
    """Middle (3,) of the box around these structures, mm from the middle of the volume."""
    box = ct.box(ids)
    return torch.tensor(
        [v * ((s.start + s.stop) / 2 - n / 2) for s, n, v in zip(box, ct.hu.shape, ct.voxel, strict=True)]
    )
