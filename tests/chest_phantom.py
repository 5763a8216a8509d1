"""A small chest CT drawn from formulas: body, lungs in five lobes, heart, spine, ribs, table, contrast agent, grain.

Arrays are (X, Y, Z) like those of the real CT: the patient's right to left, back to front, feet to head.
Millimetres are from the middle of the body along x and y, and from the lowest slice along z.
"""

from functools import cache
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.simulation import chest_ct, cleaning
from deep_pneumonia.simulation.chest_ct import HEART, OESOPHAGUS, STOMACH, TRACHEA, VENA_CAVA, ChestCT

SHAPE = (80, 112, 40)
STEP = (4.4, 2.2, 8.0)  # mm

BASE, APEX = 88.0, 288.0  # mm, of the lungs
FLESH, FAT, GAS, LUNG, BONE, CONTRAST, TABLE = 40.0, -100.0, -1000.0, -850.0, 600.0, 250.0, -150.0
SPINE, RIBS_LEFT, RIBS_RIGHT, ARM_LEFT, ARM_RIGHT = 32, 92, 104, 69, 70

Volume = NDArray[np.float32]
Ids = NDArray[np.uint8]
Where = NDArray[np.bool_]


def axes() -> tuple[Volume, Volume, Volume]:
    """Centres of the voxels along x, y and z in mm, shaped to broadcast."""
    x, y, z = (((np.arange(n) + 0.5) * s).astype(np.float32) for n, s in zip(SHAPE, STEP, strict=True))
    return (x - x.mean())[:, None, None], (y - y.mean())[None, :, None], z[None, None, :]


def ball(centre: tuple[float, float, float], radius: float | tuple[float, float, float]) -> Where:
    """Voxels within an ellipsoid, or a ball, around a place (x, y, z); sizes in mm."""
    radii = np.broadcast_to(np.asarray(radius, np.float32), 3)
    return sum(((a - c) / r) ** 2 for a, c, r in zip(axes(), centre, radii, strict=True)) <= 1


def pillar(x: float, y: float, radius: float, low: float, high: float) -> Where:
    """Voxels of an upright cylinder from `low` to `high`."""
    across, deep, up = axes()
    return (((across - x) ** 2 + (deep - y) ** 2) <= radius**2) & (up >= low) & (up < high)


@cache
def draw(grain: float = 15.0) -> tuple[Volume, Ids]:
    """HU (whole numbers) and ids of structures; `grain` is the spread of the scanner's noise. Copy before writing."""
    hu, ids = np.full(SHAPE, GAS, np.float32), np.zeros(SHAPE, np.uint8)
    x, y, z = axes()
    edge = (np.abs(x / 170) ** 2.5 + np.abs(y / 110) ** 2.5) * np.ones_like(z)
    hu[edge <= 1], hu[edge <= 0.8] = FAT, FLESH
    for number, lobe in _lobes(ball((20, 30, 140), (60, 45, 52))).items():
        hu[lobe], ids[lobe] = LUNG, number
    _vessels(hu, ids)
    for number, (where, value) in _organs().items():
        hu[where], ids[where] = value, number
    hu[ball((65, 30, 72), (20, 18, 12)) & (ids == STOMACH)] = -900.0  # its gas
    for number, bone in _bones().items():
        hu[bone], ids[bone] = BONE, number
    hu += np.random.default_rng(0).normal(0, grain, SHAPE) * (hu > GAS)
    hu[8:-8, :3] = TABLE
    return hu.round(), ids


def write_ct(folder: Path) -> Path:
    """Write the pair cxr.nii.gz and mask.nii.gz into `folder`, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    hu, ids = draw()
    affine = np.diag([*STEP, 1.0])
    nibabel.save(nibabel.Nifti1Image(hu.astype(np.int16), affine), folder / "cxr.nii.gz")
    nibabel.save(nibabel.Nifti1Image(ids, affine), folder / "mask.nii.gz")
    return folder


@cache
def chest() -> ChestCT:
    """The phantom, cleaned and on the grid as the real CT is. Do not write to it."""
    hu, ids = draw()
    levels = chest_ct.without_belly(ids, STEP)
    hu, ids = hu[..., levels], ids[..., levels]
    return chest_ct.on_grid(cleaning.healthy(hu, ids, STEP), ids, STEP)


def _lung(margin: float = 0.0) -> Where:
    """Both lungs, larger by `margin` mm to the sides: narrow at the top, over a dome at the base."""
    x, y, z = axes()
    up = np.clip((z - BASE) / (APEX - BASE), 0, 1)
    narrow = np.sqrt(1 - up**4)
    away = ((np.abs(x) - 68) / (52 * narrow + margin + 1e-3)) ** 2 + (y / (80 * narrow + margin + 1e-3)) ** 2
    return (away <= 1) & (z < APEX) & (z > BASE + 45 * (1 - away) * (margin == 0))


def _lobes(heart: Where) -> dict[int, Where]:
    x, y, z = axes()
    lung = _lung() & ~heart
    below, back = z <= 190, z < 190 - 1.2 * y  # of the horizontal and of the oblique fissure
    left, right = lung & (x > 0), lung & (x < 0)
    return {
        10: left & ~back,
        11: left & back,
        12: right & ~back & ~below,
        13: right & ~back & below,
        14: right & back,
    }


def _vessels(hu: Volume, ids: Ids) -> None:
    """Thin vessels in the lungs, from each hilum outwards; an odd voxel of each holds more blood than air."""
    ends = np.random.default_rng(1).uniform((30, -70, BASE), (115, 70, APEX), (50, 3))
    share = np.linspace(0, 1, 120)[:, None]
    for number, end in enumerate(ends):
        hilum, end = (np.array(p) * ((-1) ** number, 1, 1) for p in ((22, -5, 195), end))
        way = hilum + share * (end - hilum) + (STEP[0] * SHAPE[0] / 2, STEP[1] * SHAPE[1] / 2, 0)
        index = tuple((way / STEP).astype(int).T)
        inside = np.isin(ids[index], (10, 11, 12, 13, 14))
        hu[tuple(i[inside] for i in index)] = -450.0


def _organs() -> dict[int, tuple[Where, float]]:
    """Where each organ lies, and its HU, with contrast agent in heart and vein."""
    return {
        STOMACH: (ball((65, 10, 58), (36, 45, 28)), FLESH),
        HEART: (ball((20, 30, 140), (60, 45, 52)), CONTRAST),
        OESOPHAGUS: (pillar(0, -38, 7, 40, 312), FLESH),
        TRACHEA: (pillar(0, -20, 9, 208, 320), GAS),
        VENA_CAVA: (pillar(-20, 5, 9, 176, 256), CONTRAST),
    }


def _bones() -> dict[int, Where]:
    """Vertebrae, ribs sloping down to the front around the lungs, and the bones of the raised arms."""
    x, y, z = axes()
    spine = {SPINE + n: pillar(0, -72, 17, 24 * n, 24 * n + 20) for n in range(13)}
    ring = _lung(margin=11) & ~_lung(margin=4) & (np.abs(x) > 22)
    ribs = {}
    for n in range(9):
        near = ring & (np.abs(z + 0.3 * y - (APEX - 16 - 24 * n)) < 5)
        ribs |= {RIBS_LEFT + n: near & (x > 0), RIBS_RIGHT + n: near & (x < 0)}
    arms = {ARM_LEFT: pillar(128, 0, 12, 280, 320), ARM_RIGHT: pillar(-128, 0, 12, 280, 320)}
    return spine | ribs | arms
