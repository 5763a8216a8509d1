"""Pneumonia in three dimensions: air in chosen lung is replaced by fluid, as the disease does it.

A lesion is a share of filled air in 0 to 1 for each voxel of a box. Whatever lies there, vessel or wall, stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from deep_pneumonia.chest_ct import LEFT_LOBES, LOBES, RIGHT_LOBES, ChestCT

LOBAR, BRONCHO, INTERSTITIAL, ROUND, NORMAL = (
    "Lobar consolidation", "Bronchopneumonia", "Interstitial pneumonia", "Round pneumonia", "Normal",
)  # fmt: skip
FLUID = 35.0  # HU of consolidated lung
NAMES = {
    10: "left upper lobe", 11: "left lower lobe", 12: "right upper lobe", 13: "middle lobe", 14: "right lower lobe",
}  # fmt: skip

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Lesion:
    """A `kind` of pneumonia in `lobes` (ids): `filled` float32 in [0, 1] on the voxels of `box`."""

    kind: str
    lobes: tuple[int, ...]
    severity: float
    filled: torch.Tensor
    box: Box

    def added(self, ct: ChestCT, attenuation: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """What it adds to the attenuation per mm of each voxel of its box, 0 or more."""
        before = ct.hu[self.box]
        after = before + self.filled * (FLUID - before).clamp(min=0)
        return attenuation(after) - attenuation(before)

    def origin(self, ct: ChestCT) -> tuple[float, float, float]:
        """Middle of its box, mm (y, z, x) from the middle of the volume."""
        y, z, x = (
            v * ((s.start + s.stop) / 2 - n / 2) for s, n, v in zip(self.box, ct.hu.shape, ct.voxel, strict=True)
        )
        return y, z, x


def draw_lesion(kind: str, ct: ChestCT, severity: float, random: np.random.Generator) -> Lesion:
    """A lesion of that kind; `severity` in [0, 1] makes it larger and denser."""
    return {LOBAR: lobar, BRONCHO: broncho, INTERSTITIAL: interstitial, ROUND: round_}[kind](ct, severity, random)


def lobar(ct: ChestCT, severity: float, random: np.random.Generator) -> Lesion:
    """One lobe, or the part of it beyond a wavy front, filled up to the fissure, with air left in the bronchi."""
    lobe = int(random.choice(LOBES))
    box = ct.box((lobe,))
    inside, points = ct.where((lobe,))[box], _points(ct, box)
    height = (points @ _direction(random)) + 8 * smooth(inside.shape, ct.voxel, 25, random)
    least = torch.quantile(_some(height[inside]), 1 - (0.35 + 0.65 * severity))
    filled = inside * ((height - least) / 6 + 0.5).clamp(0, 1) * (0.55 + 0.4 * severity)
    filled = filled * (1 + 0.12 * smooth(inside.shape, ct.voxel, 12, random)).clamp(0, 1)
    return Lesion(LOBAR, (lobe,), severity, filled * ~_bronchi(ct, box, lobe, points, random), box)


def broncho(ct: ChestCT, severity: float, random: np.random.Generator) -> Lesion:
    """Several ragged foci of 6 to 18 mm around the airways, mostly below and in more than one lobe."""
    lobes = tuple(int(i) for i in random.choice(LOBES, 2, replace=False, p=(0.1, 0.3, 0.1, 0.15, 0.35)))
    box = ct.box(lobes)
    inside, points = ct.where(lobes)[box], _points(ct, box)
    places = points[inside]
    filled = torch.zeros(inside.shape)
    ragged = 0.35 * smooth(inside.shape, ct.voxel, 7, random)
    hub = places[int(random.integers(len(places)))]  # foci keep together around one part
    tries = places[torch.from_numpy(random.integers(len(places), size=400))]
    near = tries[(tries - hub).norm(dim=1).argsort()[:120]]
    for place in near[torch.from_numpy(random.integers(len(near), size=5 + int(11 * severity)))]:
        radius = random.uniform(7, 12 + 9 * severity)
        far = (points - place).norm(dim=-1) / radius + ragged
        filled = torch.maximum(filled, (1.6 - 1.3 * far).clamp(0, 1) * random.uniform(0.5, 0.9))
    return Lesion(BRONCHO, lobes, severity, filled * inside * (0.45 + 0.5 * severity), box)


def interstitial(ct: ChestCT, severity: float, random: np.random.Generator) -> Lesion:
    """Faint ground glass with a fine net in it, on both sides, more towards the base and the edge."""
    sides = (LOBES, LOBES, LEFT_LOBES, RIGHT_LOBES)[int(random.integers(4))]
    box = ct.box(sides)
    inside, points = ct.where(sides)[box], _points(ct, box)
    low = (points[..., 1].max() - points[..., 1]) / (points[..., 1].max() - points[..., 1].min())
    cloud = smooth(inside.shape, ct.voxel, 35, random) + 1.5 * (low - 0.6) + severity - 0.4
    net = 1 - smooth(inside.shape, ct.voxel, 4, random).abs().clamp(0, 1)
    filled = (cloud / 0.8 + 0.3).clamp(0, 1) * (0.08 + 0.2 * severity) * (0.6 + 0.8 * net**3)
    return Lesion(INTERSTITIAL, sides, severity, filled * inside, box)


def round_(ct: ChestCT, severity: float, random: np.random.Generator) -> Lesion:
    """One ball of 12 to 28 mm radius, slightly uneven, wholly consolidated."""
    lobe = int(random.choice(LOBES))
    box = ct.box((lobe,))
    inside, points = ct.where((lobe,))[box], _points(ct, box)
    places = points[inside]
    place = places[int(random.integers(len(places)))]
    radius = 12 + 16 * severity
    far = (points - place).norm(dim=-1) + 2.5 * smooth(inside.shape, ct.voxel, 12, random)
    filled = ((radius - far) / 5 + 0.5).clamp(0, 1) * (0.7 + 0.25 * severity)
    return Lesion(ROUND, (lobe,), severity, filled * inside, box)


def smooth(
    shape: torch.Size, voxel: tuple[float, float, float], scale: float, random: np.random.Generator
) -> torch.Tensor:
    """Smooth noise (Y, Z, X) of about unit spread with a grain of `scale` mm."""
    knots = [max(2, round(n * v / scale) + 1) for n, v in zip(shape, voxel, strict=True)]
    coarse = torch.from_numpy(random.standard_normal((1, 1, *knots), dtype=np.float32))
    return F.interpolate(coarse, size=tuple(shape), mode="trilinear", align_corners=True)[0, 0] * 1.4


def _points(ct: ChestCT, box: Box) -> torch.Tensor:
    """Places (Y, Z, X, 3) of the box's voxels in mm (y, z, x)."""
    axes = [torch.arange(s.start, s.stop) * v for s, v in zip(box, ct.voxel, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def _direction(random: np.random.Generator) -> torch.Tensor:
    """Unit vector; the part of a lobe that is filled lies on its side."""
    vector = torch.from_numpy(random.standard_normal(3).astype(np.float32))
    return vector / vector.norm()


def _some(values: torch.Tensor, count: int = 100_000) -> torch.Tensor:
    """At most about `count` of the values, evenly taken: torch.quantile refuses many."""
    return values[:: max(1, len(values) // count)]


def _bronchi(ct: ChestCT, box: Box, lobe: int, points: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Voxels (Y, Z, X) of branching tubes from the hilum into the lobe, 1 to 2.5 mm in radius."""
    inside = ct.where((lobe,))[box]
    places = points[inside]
    x_hilum = places[:, 2].max() if lobe in RIGHT_LOBES else places[:, 2].min()
    hilum = torch.stack([places[:, 0].mean(), places[:, 1].mean(), x_hilum])
    air = torch.zeros(inside.shape, dtype=torch.bool)
    start = torch.tensor([s.start for s in box])
    ends = places[torch.from_numpy(random.integers(len(places), size=14))]
    for number, end in enumerate(ends):
        fork = hilum + 0.4 * (ends[number // 4 * 4] - hilum)  # four branches share a stem
        line = torch.cat([_line(hilum, fork), _line(fork, end)])
        radius = torch.linspace(2.6, 0.8, len(line))
        for offset in _offsets(ct.voxel, 2.6):
            reach = (offset * torch.tensor(ct.voxel)).norm() <= radius
            index = (line[reach] / torch.tensor(ct.voxel)).round().long() - start + offset.long()
            index = index[((index >= 0) & (index < torch.tensor(inside.shape))).all(dim=1)]
            air[index[:, 0], index[:, 1], index[:, 2]] = True
    return air


def _line(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    steps = max(2, int((b - a).norm() / 0.7))
    return a + torch.linspace(0, 1, steps)[:, None] * (b - a)


def _offsets(voxel: tuple[float, float, float], radius: float) -> torch.Tensor:
    reach = [int(radius / v) for v in voxel]
    return torch.cartesian_prod(*(torch.arange(-r, r + 1) for r in reach))
