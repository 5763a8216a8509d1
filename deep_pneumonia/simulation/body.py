"""Variants of one body: the chest is scaled and bent smoothly, so that each variant stands for another patient."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from deep_pneumonia.simulation.chest_ct import AIR, HEART, LOBES, NECK_HEIGHT, ChestCT

BEND_SHAPE = (3, 4, 4, 4)  # (y, z, x) components at knots along y, z and x
GRID_STEP = 4  # voxels along z and x between points at which the deformation is computed
SHOULDER_HEIGHT = 45.0  # mm below the CT's top slice where the slope of the shoulders begins
SKIN_WIDTH = 6.0  # mm over which the body fades into air at that slope


@dataclass(frozen=True)
class Build:
    """How one body differs from the body in the CT.

    depth, height, width: scale of the chest, 1 = unchanged. heart: scale of the heart. inflation: HU added to lung;
    negative values mean a deeper breath. droop: mm by which the shoulders hang lower than with the raised arms of the
    CT. bend: displacements in mm at the knots of a smooth field, (3, 4, 4, 4) flattened.
    """

    depth: float = 1.0
    height: float = 1.0
    width: float = 1.0
    heart: float = 1.0
    inflation: float = 0.0
    droop: float = 0.0
    bend: tuple[float, ...] = (0.0,) * 192


def draw_build(random: np.random.Generator) -> Build:
    """A random build within the range of adults.

    The patient of the CT lies, so the lungs are short; nearly all builds are taller, as standing people who have
    breathed in.
    """
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
    """The chest of another build, on a grid of the same shape.

    slab: planes computed at a time, which bounds the memory.
    """
    shape = ct.hu.shape
    sources = _sources(ct, build)
    hu, structures = ct.hu[None, None], ct.structures[None, None].float()
    out, ids = torch.empty_like(ct.hu), torch.empty_like(ct.structures)
    skin = _shoulders(ct)
    for first in range(0, shape[0], slab):
        some = slice(first, min(first + slab, shape[0]))
        grid = F.interpolate(sources[some], size=shape[1:], mode="bilinear", align_corners=True).movedim(1, -1)[None]
        bent = F.grid_sample(hu, grid, padding_mode="border", align_corners=False)[0, 0]
        out[some] = AIR + skin * (bent - AIR)
        ids[some] = F.grid_sample(structures, grid, mode="nearest", align_corners=False)[0, 0].to(torch.uint8)
    lung = torch.isin(ids, torch.tensor(LOBES, dtype=torch.uint8)) & (out < -700)
    out[lung] = (out[lung] + build.inflation).clamp(-985, -500)
    y, z, x = ct.voxel
    return ChestCT(out, ids, (y * build.depth, z * build.height, x * build.width))


def _sources(ct: ChestCT, build: Build) -> torch.Tensor:
    """Where in the CT each point comes from: (Y, 3, Z / GRID_STEP, X / GRID_STEP), (x, y, z) in [-1, 1].

    The coordinates are those of `grid_sample`. The field is smooth, so a coarse grid suffices.
    """
    size = torch.tensor(ct.hu.shape) * torch.tensor(ct.voxel)  # mm (y, z, x)
    y, z, x = _axes(ct)
    z, x = (torch.linspace(float(a[0]), float(a[-1]), len(a) // GRID_STEP) for a in (z, x))
    place = torch.stack(torch.meshgrid(y, z, x, indexing="ij"), dim=-1)
    bend = torch.tensor(build.bend, dtype=torch.float32).reshape(1, *BEND_SHAPE)
    source = place + F.grid_sample(bend, (2 * place / size).flip(-1)[None], align_corners=True)[0].movedim(0, -1)
    source[..., 1] += build.droop * _hanging(ct, z, x)
    away = source - ct.middle((HEART,))
    near = torch.exp(-(away**2).sum(-1, keepdim=True) / (2 * 50.0**2))
    source -= away * near * (1 - 1 / build.heart)
    return (2 * source / size).flip(-1).movedim(-1, 1)


def _axes(ct: ChestCT) -> list[torch.Tensor]:
    """Centres of the voxels along y, z and x, in mm from the middle of the volume."""
    return [(torch.arange(n) + 0.5 - n / 2) * v for n, v in zip(ct.hu.shape, ct.voxel, strict=True)]


def _hanging(ct: ChestCT, z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Share of the droop, (Z, X): 0 in the lower chest and near the spine, 1 at the shoulders."""
    lungs = ct.box(LOBES)[1]
    apex = ct.place(torch.tensor([0.0, lungs.stop, 0.0]))[1]
    up = ((z - apex + 70) / 70).clamp(0, 1)
    out = (((x - ct.middle(LOBES)[2]).abs() - 40) / 80).clamp(0, 1)
    return (up**2 * (3 - 2 * up))[:, None] * (out**2 * (3 - 2 * out))


def _shoulders(ct: ChestCT) -> torch.Tensor:
    """Share of the body to keep, (Z, X): 0 above the slope from neck to shoulders, where the CT shows raised arms."""
    _, z, x = _axes(ct)
    top = z.max() - NECK_HEIGHT - SHOULDER_HEIGHT
    high = ((z - top) / (NECK_HEIGHT + SHOULDER_HEIGHT)).clamp(0, 1)
    half_width = 42 + 190 * (1 - high.sqrt())
    away = (x - ct.middle(LOBES)[2]).abs()
    return ((half_width[:, None] - away) / SKIN_WIDTH + 0.5).clamp(0, 1)
