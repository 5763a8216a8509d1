"""One pneumonia at several severities, for the lesson: body, pose, exposure and noise stay, and the lesion grows.

The lesson.json of a folder gives "recipe", as for a teaching case, and "severities". Rendering writes "spacing_mm",
"frames" (one without a lesion, then one per severity), and "lettered": the first frame with burnt-in letters and no
other change.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deep_pneumonia.datasets.teaching_cases import read_document
from deep_pneumonia.errors import CasesError
from deep_pneumonia.files import sha256, write_json
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.chest_ct import ChestCT
from deep_pneumonia.simulation.dataset import write_png
from deep_pneumonia.simulation.film import Exposure, Picture, develop, draw_exposure, intensity, noisy
from deep_pneumonia.simulation.scene import Lesioned, Recipe, Shadow, cast_lesion, nothing
from deep_pneumonia.simulation.teaching import Asked, asked_of, shadow_of

FILE = "lesson.json"


def render_series(ct: ChestCT, folder: Path, size: int, done: Callable[[], object]) -> None:
    """Render the frames, `size` pixels a side; lesson.json is written last, and `done` is called after each frame.

    Raises:
        CasesError: lesson.json is missing, damaged or incomplete.
    """
    document = read_document(folder, FILE, "severities")
    asked, severities = _asked(folder, document)
    shadow = shadow_of(ct, asked, size)
    camera = _Camera(shadow, asked.recipe)
    frames = []
    for number, severity in enumerate([None, *severities]):
        lesion = nothing((size, size)) if severity is None else camera.lesion(severity)
        frames.append(_written(folder, number, severity, lesion, camera.picture(lesion)))
        done()
    document.update(spacing_mm=[round(shadow.pixel, 4)] * 2, frames=frames, lettered=_lettered(folder, camera))
    write_json(document, folder / FILE)


def _asked(folder: Path, document: dict[str, Any]) -> tuple[Asked, list[float]]:
    path = folder / FILE
    asked = asked_of(path, {"id": "severity", **document})
    try:
        severities = [float(s) for s in document["severities"]]
    except (TypeError, ValueError, OverflowError):
        severities = []
    if not severities or severities != sorted(severities) or not 0 <= severities[0] <= severities[-1] <= 1:
        raise CasesError(f"The severities in {path} are {document['severities']}; give rising numbers from 0 to 1.")
    return asked, severities


class _Camera:
    """Renders one recipe at several severities, with the random numbers that `scene.render` uses."""

    def __init__(self, shadow: Shadow, recipe: Recipe) -> None:
        self.shadow, self.recipe = shadow, recipe
        self.exposure: Exposure = draw_exposure(self._random(0))
        light = intensity(shadow.path, self.exposure, shadow.pixel)
        # New counts for each frame would flicker. The noise of the healthy chest is kept instead, in standard
        # deviations of the Poisson distribution, which is close to normal at some ten thousand quanta per pixel.
        self.grain = (noisy(light, self.exposure, shadow.pixel, self._random(3)) - light) / self._spread(light)

    def _random(self, part: int) -> np.random.Generator:
        return np.random.default_rng((*self.recipe.seed, part))

    def _spread(self, light: Picture) -> Picture:
        return np.sqrt(light / np.float32(self.exposure.quanta * self.shadow.pixel**2))

    def lesion(self, severity: float) -> Lesioned:
        """The recipe's lesion at another severity; with the same random numbers, it grows and does not move."""
        return cast_lesion(self.shadow, replace(self.recipe, severity=severity), self.exposure, self._random(1))

    def picture(self, lesion: Lesioned) -> Picture:
        """The image (H, W) in [0, 1] of the body with this lesion."""
        pixel = self.shadow.pixel
        over = confounders.opaque(
            self.recipe.confounders, self.shadow.body, self.shadow.pose, _size(lesion.added), self._random(2)
        )
        light = intensity(self.shadow.path + lesion.added + over, self.exposure, pixel)
        least = 1 / (self.exposure.quanta * pixel**2)
        return develop(np.maximum(light + self.grain * self._spread(light), least), self.exposure, pixel)

    def lettered(self, picture: Picture) -> Picture:
        """The same image with burnt-in letters."""
        return confounders.burn(picture, self.shadow.pixel, self._random(2))


def _size(path: torch.Tensor) -> tuple[int, int]:
    return path.shape[0], path.shape[1]


def _written(folder: Path, number: int, severity: float | None, lesion: Lesioned, picture: Picture) -> dict[str, Any]:
    image, mask = f"severity-{number}.png", None if severity is None else f"severity-{number}-truth.png"
    write_png(picture, folder / image)
    if mask:
        write_mask(lesion.mask, folder / mask)
    return {
        "severity": severity, "image": image, "sha256": sha256(folder / image), "mask": mask,
        "contrast": round(lesion.contrast, 3), "area": round(float(lesion.mask.mean()), 4),
    }  # fmt: skip


def _lettered(folder: Path, camera: _Camera) -> dict[str, Any]:
    """Write the frame without a lesion but with letters."""
    image = "severity-0-letters.png"
    write_png(camera.lettered(camera.picture(nothing(_size(camera.shadow.path)))), folder / image)
    return {"of": 0, "image": image, "sha256": sha256(folder / image)}
