"""Pneumonia in three dimensions: fluid replaces air in part of the lung, as in the disease.

A lesion is the share in [0, 1] of air that is replaced, for each voxel of a box. Vessels and walls stay. A higher
`severity` in [0, 1] makes each kind larger and denser.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F

from deep_pneumonia.simulation.chest_ct import LEFT_LOBES, LOBES, RIGHT_LOBES, Box, ChestCT, Voxel

LOBAR, BRONCHO, INTERSTITIAL, ROUND, NORMAL = (
    "Lobar consolidation", "Bronchopneumonia", "Interstitial pneumonia", "Round pneumonia", "Normal",
)  # fmt: skip
KINDS = (LOBAR, BRONCHO, INTERSTITIAL, ROUND, NORMAL)
FLUID = 35.0  # HU of consolidated lung
LOBE_EDGE = 1.2  # mm, standard deviation of the blur of a lobe's edge, which hides the slices of the map


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion: `kind` of pneumonia, ids of the `lobes`, and `filled`, float32 in [0, 1] on the voxels of `box`."""

    kind: str
    lobes: tuple[int, ...]
    filled: torch.Tensor
    box: Box

    def added(self, ct: ChestCT, attenuation: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The attenuation per mm, 0 or more, that the lesion adds to each voxel of its box."""
        before = ct.hu[self.box]
        after = before + self.filled * (FLUID - before).clamp(min=0)
        return attenuation(after) - attenuation(before)

    def origin(self, ct: ChestCT) -> tuple[float, float, float]:
        """Middle of the box, in mm (y, z, x) from the middle of the volume."""
        y, z, x = ct.place(torch.tensor([(s.start + s.stop) / 2 for s in self.box])).tolist()
        return y, z, x


@dataclass(frozen=True, eq=False)
class Lung:
    """Some lobes of the lung.

    ids: of the lobes. box: their bounding box. inside: float32 in [0, 1] on its voxels. axes: positions of the voxels
    along y, z and x in mm, shaped to broadcast. voxel: sides (y, z, x) in mm.
    """

    ids: tuple[int, ...]
    box: Box
    inside: torch.Tensor
    axes: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    voxel: Voxel

    @classmethod
    def of(cls, ct: ChestCT, ids: tuple[int, ...]) -> "Lung":
        """The lobes of these ids."""
        box = ct.box(ids)
        inside = torch.isin(ct.structures[box], torch.tensor(ids, dtype=torch.uint8)).numpy().astype(np.float32)
        soft = ndimage.gaussian_filter(inside, [LOBE_EDGE / v for v in ct.voxel], mode="nearest", truncate=2)
        shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
        y, z, x = (
            (torch.arange(s.start, s.stop) * v).reshape(shape)
            for s, v, shape in zip(box, ct.voxel, shapes, strict=True)
        )
        return cls(ids, box, torch.from_numpy(soft), (y, z, x), ct.voxel)

    def places(self, count: int, random: np.random.Generator) -> torch.Tensor:
        """Random points (count, 3) inside, in mm."""
        voxels = (self.inside > 0.5).nonzero()
        chosen = voxels[torch.from_numpy(random.integers(len(voxels), size=count))]
        return (chosen + torch.tensor([s.start for s in self.box])) * torch.tensor(self.voxel)

    def away(self, place: torch.Tensor) -> torch.Tensor:
        """Distance of each voxel from a point (3,), in mm."""
        y, z, x = ((axis - p) ** 2 for axis, p in zip(self.axes, place, strict=True))
        return (y + z + x).sqrt()

    def noise(self, grain: float, random: np.random.Generator) -> torch.Tensor:
        """Smooth noise with a standard deviation of about 1 and a correlation length of `grain` mm."""
        knots = [max(2, round(n * v / grain) + 1) for n, v in zip(self.inside.shape, self.voxel, strict=True)]
        coarse = torch.from_numpy(random.standard_normal((1, 1, *knots), dtype=np.float32))
        size = tuple(self.inside.shape)
        return F.interpolate(coarse, size=size, mode="trilinear", align_corners=True)[0, 0] * 1.4


def draw_lesion(
    kind: str, ct: ChestCT, severity: float, random: np.random.Generator, lobes: tuple[int, ...] = ()
) -> Lesion:
    """A random lesion of this kind and severity, in the given lobes or in lobes that are typical of the kind."""
    chosen = lobes or _usual_lobes(kind, random)
    lung = Lung.of(ct, chosen)
    fill = {LOBAR: lobar, BRONCHO: broncho, INTERSTITIAL: interstitial, ROUND: round_}[kind]
    return Lesion(kind, chosen, lung.inside * fill(lung, severity, random), lung.box)


def _usual_lobes(kind: str, random: np.random.Generator) -> tuple[int, ...]:
    if kind == INTERSTITIAL:
        return (LOBES, LOBES, LEFT_LOBES, RIGHT_LOBES)[int(random.integers(4))]
    if kind == BRONCHO:
        return tuple(int(i) for i in random.choice(LOBES, 2, replace=False, p=(0.1, 0.3, 0.1, 0.15, 0.35)))
    return (int(random.choice(LOBES)),)


def lobar(lung: Lung, severity: float, random: np.random.Generator) -> torch.Tensor:
    """A lobe, or the part of it beyond a wavy front, filled up to the fissure; the bronchi keep their air."""
    side = random.standard_normal(3)
    side /= np.linalg.norm(side)
    height = sum(axis * float(s) for axis, s in zip(lung.axes, side, strict=True)) + 8 * lung.noise(25, random)
    some = height[lung.inside > 0.5]
    least = torch.quantile(some[:: max(1, len(some) // 100_000)], 1 - (0.35 + 0.65 * severity))
    density = (0.55 + 0.4 * severity) * (1 + 0.12 * lung.noise(12, random)).clamp(0, 1)
    return ((height - least) / 6 + 0.5).clamp(0, 1) * density * ~bronchi(lung, random)


def broncho(lung: Lung, severity: float, random: np.random.Generator) -> torch.Tensor:
    """Several ragged foci of 7 to 20 mm close together, often in two lobes."""
    tries = lung.places(400, random)
    near = tries[(tries - tries[0]).norm(dim=1).argsort()[:120]]
    filled = torch.zeros_like(lung.inside)
    ragged = 0.35 * lung.noise(7, random)
    for index in random.integers(len(near), size=6 + int(11 * severity)):
        far = lung.away(near[index]) / random.uniform(8, 13 + 9 * severity) + ragged
        filled = torch.maximum(filled, (1.6 - 1.3 * far).clamp(0, 1) * random.uniform(0.6, 0.95))
    return filled * (0.6 + 0.4 * severity)


def interstitial(lung: Lung, severity: float, random: np.random.Generator) -> torch.Tensor:
    """Faint ground-glass opacity with a fine reticular pattern, stronger towards the base."""
    z = lung.axes[1]
    low = (z.max() - z) / (z.max() - z.min())
    cloud = lung.noise(35, random) + 1.5 * (low - 0.6) + severity - 0.2
    net = 1 - lung.noise(4, random).abs().clamp(0, 1)
    return (cloud / 0.8 + 0.3).clamp(0, 1) * (0.14 + 0.24 * severity) * (0.6 + 0.8 * net**3)


def round_(lung: Lung, severity: float, random: np.random.Generator) -> torch.Tensor:
    """One slightly uneven ball of 15 to 30 mm radius, consolidated throughout, mostly inside the lobe."""
    radius = 15 + 15 * severity
    few = (slice(None, None, 2), slice(None, None, 4), slice(None, None, 4))
    coarse = [v * step.step for v, step in zip(lung.voxel, few, strict=True)]
    depth = ndimage.distance_transform_edt(lung.inside[few].numpy() > 0.5, sampling=coarse)
    deep = np.argwhere(depth >= min(0.8 * radius, 0.9 * depth.max()))
    chosen = deep[random.integers(len(deep))] * [step.step for step in few]
    place = torch.tensor([float(axis.flatten()[i]) for axis, i in zip(lung.axes, chosen, strict=True)])
    far = lung.away(place) + 2.5 * lung.noise(12, random)
    return ((radius - far) / 5 + 0.5).clamp(0, 1) * (0.75 + 0.25 * severity)


def bronchi(lung: Lung, random: np.random.Generator) -> torch.Tensor:
    """Branching tubes from the hilum into the lung, 0.8 to 2.6 mm in radius, bool on the voxels of the box."""
    ends = lung.places(14, random)
    y, z, x = lung.axes
    hilum = torch.stack([y.mean(), z.mean(), x.max() if lung.ids[0] in RIGHT_LOBES else x.min()])
    air = torch.zeros(lung.inside.shape, dtype=torch.bool)
    voxel, start = torch.tensor(lung.voxel), torch.tensor([s.start for s in lung.box])
    for number, end in enumerate(ends):
        fork = hilum + 0.4 * (ends[number // 4 * 4] - hilum)  # four branches share a stem
        line = torch.cat([_line(hilum, fork), _line(fork, end)])
        radius = torch.linspace(2.6, 0.8, len(line))
        for offset in _offsets(lung.voxel, 2.6):
            reach = (offset * voxel).norm() <= radius
            index = (line[reach] / voxel).round().long() - start + offset.long()
            index = index[((index >= 0) & (index < torch.tensor(air.shape))).all(dim=1)]
            air[index[:, 0], index[:, 1], index[:, 2]] = True
    return air


def _line(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    steps = max(2, int((b - a).norm() / 0.7))
    return a + torch.linspace(0, 1, steps)[:, None] * (b - a)


def _offsets(voxel: Voxel, radius: float) -> torch.Tensor:
    reach = [int(radius / v) for v in voxel]
    return torch.cartesian_prod(*(torch.arange(-r, r + 1) for r in reach))
