"""Other views of a body for `studies.gate`: slices and lateral projections of a chest CT, drawn hands and skulls.

The CT is that of the simulation (`make ct`). Without it there are no slices and no lateral views.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deep_pneumonia.simulation.body import draw_build, vary
from deep_pneumonia.simulation.chest_ct import ChestCT, data_folder, read
from deep_pneumonia.simulation.cleaning import healthy_chest
from deep_pneumonia.simulation.pneumonia import NORMAL
from deep_pneumonia.simulation.scene import Recipe, draw_pose, expose, render
from studies.gate_pictures import Other, grey

WINDOWS = {"lung": (-600.0, 1500.0), "soft tissue": (40.0, 400.0), "bone": (400.0, 1800.0)}  # HU: level and width
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7)  # of the way through the chest at which it is cut
BODIES = 4
SIZE = 512  # pixels a side

Picture = NDArray[np.floating]


def slices() -> Iterator[Other]:
    """Axial, coronal and sagittal slices of the CT in three windows.

    Raises:
        SimulationError: the CT is not installed or cannot be read.
    """
    hu, _, (dx, dy, dz) = read(data_folder())
    for share in SHARES:
        x, y, z = (int(share * n) for n in hu.shape)
        cuts = {
            "axial": hu[:, ::-1, z].T,
            "coronal": ndimage.zoom(hu[:, y, ::-1].T, (dz / dx, 1), order=1),
            "sagittal": ndimage.zoom(hu[x, :, ::-1].T, (dz / dy, 1), order=1),
        }
        for plane, cut in cuts.items():
            for name, (level, width) in WINDOWS.items():
                yield grey(f"CT, {plane}", f"{plane} {share} {name}", (cut - level) / width + 0.5, f"{plane} {share}")


def laterals() -> Iterator[Other]:
    """Lateral radiographs of several bodies, from either side, rendered as the simulated frontal ones are.

    Raises:
        SimulationError: the CT is not installed or cannot be read.
    """
    ct = healthy_chest(data_folder())
    for seed in range(BODIES):
        random = np.random.default_rng(seed)
        body = on_its_side(vary(ct, draw_build(random)))
        for view in ("PA", "AP"):  # the tube on one side of the patient, or on the other
            shadow = expose(body, draw_pose(body, view, random), SIZE)
            pixels = render(shadow, Recipe(NORMAL, (seed, 0)), ()).pixels
            facing = pixels if view == "PA" else pixels[:, ::-1]
            yield grey("lateral views, simulated", f"{seed} {view}", facing, f"body {seed}")


def on_its_side(body: ChestCT) -> ChestCT:
    """The same body turned by 90 degrees about its long axis, so that rays cross it from side to side."""
    y, z, x = body.voxel
    hu, structures = (a.transpose(0, 2).contiguous() for a in (body.hu, body.structures))
    return ChestCT(hu, structures, (x, z, y))


def drawings() -> Iterator[Other]:
    """Hands and skulls drawn as X-rays would show them."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        yield grey("drawn hands", f"hand {seed}", exposed(*hand(random), random))
        yield grey("drawn skulls", f"skull {seed}", exposed(*skull(random), random))


def exposed(flesh: Picture, bone: Picture, random: np.random.Generator) -> Picture:
    """A film of flesh and bone of some thickness (H, W), with blur and grain."""
    film = 1 - np.exp(-random.uniform(0.5, 1.0) * flesh - random.uniform(1.2, 2.2) * bone)
    return ndimage.gaussian_filter(film, 1.5) + 0.01 * random.standard_normal(film.shape)


def rod(start: Picture, end: Picture, radius: float) -> Picture:
    """Thickness of a rod with round ends across the picture, which is of side 1: (SIZE, SIZE)."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    (y0, x0), (dy, dx) = start, end - start
    along = np.clip(((y - y0) * dy + (x - x0) * dx) / max(dy**2 + dx**2, 1e-9), 0, 1)
    return np.sqrt(np.maximum(radius**2 - (y - y0 - along * dy) ** 2 - (x - x0 - along * dx) ** 2, 0)) * 10


def hand(random: np.random.Generator) -> tuple[Picture, Picture]:
    """Flesh and bone of an open hand with its wrist."""
    wrist, size = np.array([0.72, 0.5 + random.uniform(-0.08, 0.08)]), random.uniform(0.8, 1.1)
    flesh = rod(wrist, np.array([1.1, wrist[1]]), 0.09 * size)
    bone = sum(rod(wrist + np.array([0.05, s]), np.array([1.1, wrist[1] + s]), 0.03 * size) for s in (-0.045, 0.04))
    bone += sum(rod(p, p + 0.01, 0.018) for p in wrist + random.uniform(-0.06, 0.06, (8, 2)) * [0.5, 1])
    for angle, length in zip((-60, -22, -6, 8, 24), (0.4, 0.58, 0.64, 0.6, 0.48), strict=True):
        turn = np.radians(angle + random.normal(0, 4))
        way = size * length * np.array([-np.cos(turn), np.sin(turn)])
        joints = [wrist + share * way for share in (0.08, 0.5, 0.74, 0.9, 1.0)]
        flesh = np.maximum(flesh, rod(joints[0], joints[-1], 0.035 * size))
        for a, b in pairwise(joints):
            bone = bone + rod(a + 0.06 * (b - a), b - 0.06 * (b - a), 0.014 * size)
    palm = rod(wrist, wrist + np.array([-0.2 * size, 0.02]), 0.12 * size)
    return np.maximum(flesh, palm), bone


def skull(random: np.random.Generator) -> tuple[Picture, Picture]:
    """Flesh and bone of a head from the front, with orbits, teeth and neck."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    middle, wide, tall = 0.5 + random.uniform(-0.05, 0.05), random.uniform(0.26, 0.32), random.uniform(0.34, 0.4)

    def oval(cy: float, cx: float, ry: float, rx: float) -> Picture:
        return np.sqrt(np.maximum(1 - ((y - cy) / ry) ** 2 - ((x - cx) / rx) ** 2, 0))

    outer, inner = oval(0.4, middle, tall, wide), oval(0.4, middle, 0.93 * tall, 0.92 * wide)
    jaw = oval(0.68, middle, 0.2, 0.17) - 0.9 * oval(0.66, middle, 0.16, 0.13)
    bone = 1.6 * (outer - 0.85 * inner) + np.maximum(jaw, 0)
    for side in (-0.11, 0.11):
        bone = bone - 0.3 * oval(0.45, middle + side, 0.055, 0.07)
    bone = bone - 0.3 * oval(0.55, middle, 0.07, 0.03)
    for place in np.linspace(-0.08, 0.08, 8):
        for row in (0.69, 0.735):
            bone = bone + 0.8 * oval(row, middle + place, 0.025, 0.009)
    for level in (0.86, 0.91, 0.96):
        bone = bone + 0.5 * oval(level, middle, 0.03, 0.06)
    neck = rod(np.array([0.7, middle]), np.array([1.1, middle]), 0.12) / 2
    return np.maximum(1.2 * oval(0.42, middle, tall + 0.04, wide + 0.03), neck), np.maximum(bone, 0)
