"""Variants of one body: the chest stretched and bent smoothly, so that each stands for another patient."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from deep_pneumonia.simulation.chest_ct import AIR, HEART, LOBES, NECK, ChestCT

KNOTS = (3, 4, 4, 4)
COARSE = 4
SHOULDER = 45.0  # mm below the CT's top slice where the slope of the shoulders begins
SKIN = 6.0  # mm over which it ends


@dataclass(frozen=True)
class Build:
    """How one body differs from the CT's.

    `depth`, `height`, `width` scale the chest, `heart` the heart (1: as it is). `inflation` in HU is added to lung
    (below 0: deeper breath). `droop`: mm by which the shoulders hang lower than beside the raised arms of a CT.
    `bend` (3, 4, 4, 4) moves the body by that many mm at the knots of a smooth field.
    """

    depth: float = 1.0
    height: float = 1.0
    width: float = 1.0
    heart: float = 1.0
    inflation: float = 0.0
    droop: float = 0.0
    bend: tuple[float, ...] = (0.0,) * 192


def draw_build(random: np.random.Generator) -> Build:
    """A build within what adults differ by; nothing is drawn but from `random`. The CT lies, so its lungs are short:
    all builds but the smallest stand and have breathed in."""
    return Build(
        depth=random.uniform(0.9, 1.15),
        height=random.uniform(1.02, 1.26),
        width=random.uniform(0.88, 1.08),
        heart=random.uniform(0.9, 1.35),
        inflation=random.uniform(-30, 50),
        droop=random.uniform(10, 30),
        bend=tuple(random.normal(0, 6, 192).tolist()),
    )


def vary(ct: ChestCT, build: Build, slab: int = 16) -> ChestCT:
    """The chest of another build, on a grid of the same shape. `slab` planes are taken at a time, to bound memory."""
    shape = ct.hu.shape
    whence = _whence(ct, build)
    hu, structures = ct.hu[None, None], ct.structures[None, None].float()
    out, ids = torch.empty_like(ct.hu), torch.empty_like(ct.structures)
    skin = _shoulders(ct)
    for first in range(0, shape[0], slab):
        some = slice(first, min(first + slab, shape[0]))
        grid = F.interpolate(whence[some], size=shape[1:], mode="bilinear", align_corners=True).movedim(1, -1)[None]
        bent = F.grid_sample(hu, grid, padding_mode="border", align_corners=False)[0, 0]
        out[some] = AIR + skin * (bent - AIR)
        ids[some] = F.grid_sample(structures, grid, mode="nearest", align_corners=False)[0, 0].to(torch.uint8)
    lung = torch.isin(ids, torch.tensor(LOBES, dtype=torch.uint8)) & (out < -700)
    out[lung] = (out[lung] + build.inflation).clamp(-985, -500)
    y, z, x = ct.voxel
    return ChestCT(out, ids, (y * build.depth, z * build.height, x * build.width))


def _whence(ct: ChestCT, build: Build) -> torch.Tensor:
    """Where in the CT each place is taken from, (Y, 3, Z / COARSE, X / COARSE), as grid_sample wants it: (x, y, z)
    from -1 to 1. The field is smooth, so it is made on few points."""
    size = torch.tensor(ct.hu.shape) * torch.tensor(ct.voxel)  # mm (y, z, x)
    y, z, x = _axes(ct)
    z, x = (torch.linspace(float(a[0]), float(a[-1]), len(a) // COARSE) for a in (z, x))
    place = torch.stack(torch.meshgrid(y, z, x, indexing="ij"), dim=-1)
    bend = torch.tensor(build.bend, dtype=torch.float32).reshape(1, *KNOTS)
    source = place + F.grid_sample(bend, (2 * place / size).flip(-1)[None], align_corners=True)[0].movedim(0, -1)
    source[..., 1] += build.droop * _hanging(ct, z, x)
    away = source - _middle(ct, HEART)
    near = torch.exp(-(away**2).sum(-1, keepdim=True) / (2 * 50.0**2))
    source -= away * near * (1 - 1 / build.heart)
    return (2 * source / size).flip(-1).movedim(-1, 1)


def _axes(ct: ChestCT) -> list[torch.Tensor]:
    """Centres of the voxels along y, z and x, mm from the middle."""
    return [(torch.arange(n) + 0.5 - n / 2) * v for n, v in zip(ct.hu.shape, ct.voxel, strict=True)]


def _middle(ct: ChestCT, *ids: int) -> torch.Tensor:
    """Middle (3,) of the box around these structures, mm from the middle of the volume."""
    return ct.place(torch.tensor([(s.start + s.stop) / 2 for s in ct.box(ids)]))


def _hanging(ct: ChestCT, z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """How much of the droop each (Z, X) takes: none in the lower chest and near the spine, all at the shoulders."""
    lungs = ct.box(LOBES)[1]
    apex = ct.place(torch.tensor([0.0, lungs.stop, 0.0]))[1]
    up = ((z - apex + 70) / 70).clamp(0, 1)
    out = (((x - _middle(ct, *LOBES)[2]).abs() - 40) / 80).clamp(0, 1)
    return (up**2 * (3 - 2 * up))[:, None] * (out**2 * (3 - 2 * out))


def _shoulders(ct: ChestCT) -> torch.Tensor:
    """1 inside the body, 0 above the slope from neck to shoulders, (Z, X): there the CT has raised arms."""
    _, z, x = _axes(ct)
    top = z.max() - NECK - SHOULDER
    high = ((z - top) / (NECK + SHOULDER)).clamp(0, 1)
    half_width = 42 + 190 * (1 - high.sqrt())
    away = (x - _middle(ct, *LOBES)[2]).abs()
    return ((half_width[:, None] - away) / SKIN + 0.5).clamp(0, 1)
