"""One simulated case: a body in a pose, its disease, and the resulting image and masks."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.chest_ct import LOBES, ChestCT
from deep_pneumonia.simulation.film import Exposure, develop, draw_exposure, intensity, noisy
from deep_pneumonia.simulation.pneumonia import NORMAL, draw_lesion
from deep_pneumonia.simulation.projection import Pose, attenuation, project
from deep_pneumonia.simulation.visible import HANDS, Hand, contrast, outline, visible

MIN_MASK_AREA = 0.004  # share of the image; lesions with smaller masks are drawn again
LESION_ATTEMPTS = 20

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """What turns a body in a pose into a case.

    kind: of pneumonia, or Normal. seed: of all random numbers. severity: in [0, 1]. lobes: ids, empty for lobes that
    are typical of the kind. confounders: some of `confounders.KINDS`.
    """

    kind: str
    seed: tuple[int, ...]
    severity: float = 0.5
    lobes: tuple[int, ...] = ()
    confounders: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Shadow:
    """A healthy body in a pose, with its optical path (H, W), which all its cases share."""

    body: ChestCT
    pose: Pose
    path: torch.Tensor

    @property
    def pixel(self) -> float:
        """Side of a pixel at the detector, mm."""
        return self.pose.field / self.path.shape[0]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated case.

    pixels: float32 (H, W) in [0, 1]. mask: the true mask, bool (H, W), empty for a normal case. readers: the mask that
    each simulated reader drew, by name. lobes: ids of the diseased lobes. contrast: the strongest contrast of the
    lesion, in [0, 1).
    """

    pixels: NDArray[np.float32]
    mask: Mask
    readers: dict[str, Mask]
    lobes: tuple[int, ...]
    contrast: float


def draw_pose(body: ChestCT, view: str, random: np.random.Generator) -> Pose:
    """A random pose, PA standing at 1.8 m or AP at the bedside at 1.1 m, with the lungs filling the image."""
    box = body.box(LOBES)
    low, high = (body.place(torch.tensor([float(getattr(s, end)) for s in box])) for end in ("start", "stop"))
    focus, gap = (random.uniform(1750, 1850), 150.0) if view == "PA" else (random.uniform(1000, 1200), 130.0)
    seen = (focus - gap) / focus
    wide, tall = float(high[2] - low[2]) * random.uniform(1.12, 1.3), float(high[1] - low[1])
    above = random.uniform(0.05, 0.13)  # share of the image above the lungs
    field = max(wide, 0.97 * tall / (1 - above)) / seen
    centre_z = float(high[1]) + field * seen * (above - 0.5)
    centre_x = float(low[2] + high[2]) / 2 + random.normal(0, 4)
    # Upright, the clavicles cross the tops of the lungs; lying, they stand above them.
    lean = random.normal(6 if view == "PA" else 1, 2.5)
    return Pose(
        view, focus, gap, field, (centre_z, centre_x), turn=random.normal(0, 2.5), lean=lean, roll=random.normal(0, 1.5)
    )


def expose(body: ChestCT, pose: Pose, size: int) -> Shadow:
    """The optical path of a body in a pose, `size` pixels a side."""
    return Shadow(body, pose, project(attenuation(body.hu), body.voxel, pose, (size, size)))


def render(shadow: Shadow, recipe: Recipe, hands: tuple[Hand, ...] = HANDS) -> Simulated:
    """Image and masks of a case; the same recipe on the same shadow gives the same bits.

    Exposure, lesion, confounders, noise and readers have random numbers of their own. Without its lesion or its
    confounders, a recipe gives the same image apart from them and from the noise.

    Raises:
        SimulationError: the lesion is not visible at any severity.
    """
    size, pixel = (shadow.path.shape[0], shadow.path.shape[1]), shadow.pixel
    taken, ill, over, noise, drawing = (np.random.default_rng((*recipe.seed, part)) for part in range(5))
    exposure = draw_exposure(taken)
    lesion = _seen(shadow, recipe, exposure, ill) if recipe.kind != NORMAL else nothing(size)
    opaque = confounders.opaque(recipe.confounders, shadow.body, shadow.pose, size, over)
    light = intensity(shadow.path + lesion.added + opaque, exposure, pixel)
    picture = develop(noisy(light, exposure, pixel, noise), exposure, pixel)
    if confounders.LETTERS in recipe.confounders:
        picture = confounders.burn(picture, pixel, over)
    readers = {hand.name: outline(lesion.mask, hand, pixel, drawing) for hand in hands}
    return Simulated(picture, lesion.mask, readers, lesion.lobes, lesion.contrast)


@dataclass(frozen=True, eq=False)
class Lesioned:
    """A lesion on the detector: the optical path (H, W) that it adds, its mask, lobes and strongest contrast."""

    added: torch.Tensor
    mask: Mask
    lobes: tuple[int, ...]
    contrast: float


def nothing(size: tuple[int, int]) -> Lesioned:
    """The absence of a lesion on a detector of `size` (H, W)."""
    return Lesioned(torch.zeros(size), np.zeros(size, np.bool_), (), 0.0)


def _seen(shadow: Shadow, recipe: Recipe, exposure: Exposure, random: np.random.Generator) -> Lesioned:
    """A lesion whose mask covers at least `MIN_MASK_AREA`; until it does, it is drawn again, a little more severe."""
    for attempt in range(LESION_ATTEMPTS):
        severity = min(1.0, recipe.severity + 0.05 * attempt)
        lesion = cast_lesion(shadow, replace(recipe, severity=severity), exposure, random)
        if lesion.mask.mean() >= MIN_MASK_AREA:
            return lesion
    raise SimulationError(
        f"{recipe.kind} of severity {recipe.severity} in {f'lobes {recipe.lobes}' if recipe.lobes else 'any lobe'} is "
        "not visible in this pose; choose other lobes or another seed."
    )


def cast_lesion(shadow: Shadow, recipe: Recipe, exposure: Exposure, random: np.random.Generator) -> Lesioned:
    """The recipe's lesion on the detector, visible or not."""
    body, size = shadow.body, (shadow.path.shape[0], shadow.path.shape[1])
    lesion = draw_lesion(recipe.kind, body, recipe.severity, random, recipe.lobes)
    path = project(lesion.added(body, attenuation), body.voxel, shadow.pose, size, lesion.origin(body))
    share = contrast(shadow.path, path, exposure, shadow.pixel)
    return Lesioned(path, visible(share, shadow.pixel), lesion.lobes, float(share.max()))
