"""Optical path of X-rays through a chest: attenuation from Hounsfield units, and Joseph's cone-beam projector.

Coordinates are in millimetres (y, z, x) from the middle of the volume: back to front, feet to head, right to left.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

# Linear attenuation per mm at an effective 50 keV (a beam of about 100 kVp), from NIST's tables (Hubbell and
# Seltzer): water 0.2269 cm2/g at 1.00 g/cm3, cortical bone 0.4242 cm2/g at 1.92 g/cm3. A scanner's beam of about
# 70 keV gives this bone 1579 HU.
WATER_ATTENUATION = 0.02269
BONE_ATTENUATION = 0.08145
BONE_HU = 1579.0


def attenuation(hu: torch.Tensor) -> torch.Tensor:
    """Linear attenuation per mm at 50 keV from Hounsfield units, any shape; linear between air, water and bone."""
    soft = WATER_ATTENUATION * (1 + hu.clamp(max=0) / 1000)
    return (soft + (BONE_ATTENUATION - WATER_ATTENUATION) * hu.clamp(min=0) / BONE_HU).clamp(min=0)


@dataclass(frozen=True)
class Pose:
    """Position of tube and detector around the chest; lengths in mm, angles in degrees.

    view: "PA", with the tube behind the patient, or "AP", with the tube in front. focus: distance from tube to
    detector. gap: distance from the middle of the chest to the detector. field: side of the square image at the
    detector. centre: point (z, x) of the body in the middle of the image. turn: about the body's long axis. lean:
    about the axis from side to side. roll: about the beam.
    """

    view: str = "PA"
    focus: float = 1800.0
    gap: float = 150.0
    field: float = 350.0
    centre: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    lean: float = 0.0
    roll: float = 0.0

    @property
    def magnification(self) -> float:
        """Ratio of the size on the detector to the size in the middle of the chest."""
        return self.focus / (self.focus - self.gap)


def rotation(pose: Pose) -> torch.Tensor:
    """Rotation matrix (3, 3) on (y, z, x), from the frame of tube and detector to the body."""
    turn, lean, roll = (math.radians(a) for a in (pose.turn, pose.lean, pose.roll))

    def about(axis: int, angle: float) -> torch.Tensor:
        matrix = torch.eye(3, dtype=torch.float64)
        a, b = (i for i in range(3) if i != axis)
        matrix[a, a] = matrix[b, b] = math.cos(angle)
        matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
        return matrix

    return about(1, turn) @ about(2, lean) @ about(0, roll)


def rays(pose: Pose, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Position of the tube (3,) and of the pixel centres (H, W, 3), in mm of the body.

    Row 0 is towards the head and column 0 towards the patient's right, as radiographs are viewed.
    """
    height, width = size
    front = 1.0 if pose.view == "PA" else -1.0
    tube = torch.tensor([-front * (pose.focus - pose.gap), 0.0, 0.0], dtype=torch.float64)
    rows = (0.5 - (torch.arange(height, dtype=torch.float64) + 0.5) / height) * pose.field
    columns = ((torch.arange(width, dtype=torch.float64) + 0.5) / width - 0.5) * pose.field
    z, x = torch.meshgrid(rows, columns, indexing="ij")
    pixels = torch.stack([torch.full_like(z, front * pose.gap), z, x], dim=-1)
    turned, middle = rotation(pose).T, torch.tensor([0.0, *pose.centre], dtype=torch.float64)
    return (tube @ turned + middle).float(), (pixels @ turned + middle).float()


def shadow_of(points: torch.Tensor, pose: Pose, size: tuple[int, int]) -> torch.Tensor:
    """Project points (..., 3) in mm of the body to the image: row and column (..., 2) in pixels.

    The outer edge of the first pixel is at 0.
    """
    front = 1.0 if pose.view == "PA" else -1.0
    seen = (points.double() - torch.tensor([0.0, *pose.centre], dtype=torch.float64)) @ rotation(pose)
    toward = pose.focus / (pose.focus - pose.gap + front * seen[..., :1])
    z, x = (seen[..., 1:] * toward).unbind(dim=-1)
    return torch.stack([(0.5 - z / pose.field) * size[0], (0.5 + x / pose.field) * size[1]], dim=-1).float()


def window(low: torch.Tensor, high: torch.Tensor, pose: Pose, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the image (H, W) that a box from `low` to `high` (3,), in mm of the body, can reach."""
    corners = torch.cartesian_prod(*torch.stack([low, high], dim=1))
    found = shadow_of(corners, pose, size)
    first, last = found.amin(dim=0).floor().long() - 1, found.amax(dim=0).ceil().long() + 1
    rows, columns = (
        slice(max(0, min(int(a), n)), min(n, max(int(b), 0))) for a, b, n in zip(first, last, size, strict=True)
    )
    return rows, columns


def project(
    volume: torch.Tensor,
    voxel: tuple[float, float, float],
    pose: Pose,
    size: tuple[int, int],
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    planes: int = 16,
) -> torch.Tensor:
    """Line integrals of a volume along the rays, (H, W).

    volume: (Y, Z, X), values per mm, 0 outside. voxel: sides (y, z, x) in mm. size: of the image (H, W). origin: the
    middle of the volume (y, z, x) in mm. planes: computed at a time, which bounds the memory.

    Joseph's method (IEEE Transactions on Medical Imaging, 1982): each ray is sampled bilinearly where it crosses a
    coronal plane, and the samples are multiplied by the path length between planes.
    """
    image = torch.zeros(size)
    tube, pixels = rays(pose, size)
    half = torch.tensor(volume.shape) * torch.tensor(voxel) / 2
    where = window(torch.tensor(origin) - half, torch.tensor(origin) + half, pose, size)
    tube, pixels = tube - torch.tensor(origin), pixels[where] - torch.tensor(origin)
    if not pixels.numel():  # the volume lies outside the image
        return image
    total = torch.zeros(pixels.shape[:2])
    toward = pixels - tube
    steps = voxel[0] * torch.linalg.vector_norm(toward, dim=-1) / toward[..., 0].abs()
    count = volume.shape[0]
    # The crossing point is linear in y: (x, z) = start + y * slope, in the units of grid_sample.
    scale = half[[2, 1]]
    slope = toward[..., [2, 1]] / toward[..., [0]]
    start = (tube[[2, 1]] - tube[0] * slope) / scale
    slope = slope / scale
    y = (torch.arange(count) + 0.5 - count / 2) * voxel[0]
    for first in range(0, count, planes):
        some = slice(first, min(first + planes, count))
        grid = start + y[some, None, None, None] * slope
        total += F.grid_sample(volume[some, None], grid, align_corners=False).sum(dim=(0, 1))
    image[where] = total * steps
    return image
