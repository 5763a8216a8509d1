"""One pneumonia at several severities, for the lesson: body, pose, exposure and grain are the same, the lesion grows.

A folder's lesson.json says what is asked for: "recipe", as a teaching case has it, and "severities". Written anew are
"spacing_mm", "frames" (the first without a lesion, then one a severity), and "lettered": the first frame again with
letters burnt in, and not a pixel else changed.
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
from deep_pneumonia.simulation.dataset import save_picture
from deep_pneumonia.simulation.film import Exposure, Picture, develop, draw_exposure, intensity, noisy
from deep_pneumonia.simulation.scene import Lesioned, Recipe, Shadow, cast_lesion, nothing
from deep_pneumonia.simulation.teaching import Asked, asked_of, shadow_of

FILE = "lesson.json"


def render_series(ct: ChestCT, folder: Path, size: int, done: Callable[[], object]) -> None:
    """Render the frames at `size` pixels a side; lesson.json is written last. `done` is called after each frame.

    Raises:
        CasesError: lesson.json is missing or damaged, or lacks a part.
    """
    document = read_document(folder, FILE, "severities")
    asked, severities = _asked(folder, document)
    shadow = shadow_of(ct, asked, size)
    taker = _Taker(shadow, asked.recipe)
    frames = []
    for number, severity in enumerate([None, *severities]):
        lesion = nothing((size, size)) if severity is None else taker.lesion(severity)
        frames.append(_written(folder, number, severity, lesion, taker.picture(lesion)))
        done()
    document.update(spacing_mm=[round(shadow.pixel, 4)] * 2, frames=frames, lettered=_lettered(folder, taker))
    write_json(document, folder / FILE)


def _asked(folder: Path, document: dict[str, Any]) -> tuple[Asked, list[float]]:
    path = folder / FILE
    asked = asked_of(path, {"id": "severity", **document})
    try:
        severities = [float(s) for s in document["severities"]]
    except (TypeError, ValueError):
        severities = []
    if not severities or severities != sorted(severities) or not 0 <= severities[0] <= severities[-1] <= 1:
        raise CasesError(f"The severities in {path} are {document['severities']}; give some from 0 to 1, rising.")
    return asked, severities


class _Taker:
    """Takes the pictures of one recipe: exposure, lesion, letters and grain are drawn as `scene.render` draws them."""

    def __init__(self, shadow: Shadow, recipe: Recipe) -> None:
        self.shadow, self.recipe = shadow, recipe
        self.exposure: Exposure = draw_exposure(self._random(0))
        light = intensity(shadow.path, self.exposure, shadow.pixel)
        # Counts drawn anew for each frame would flicker: these, of the healthy chest, are kept as so many standard
        # deviations of Poisson's law, which is Gauss's for some ten thousand quanta a pixel.
        self.grain = (noisy(light, self.exposure, shadow.pixel, self._random(3)) - light) / self._spread(light)

    def _random(self, part: int) -> np.random.Generator:
        return np.random.default_rng((*self.recipe.seed, part))

    def _spread(self, light: Picture) -> Picture:
        return np.sqrt(light / np.float32(self.exposure.quanta * self.shadow.pixel**2))

    def lesion(self, severity: float) -> Lesioned:
        """The recipe's lesion at another severity: the same draws, so it grows and does not move."""
        return cast_lesion(self.shadow, replace(self.recipe, severity=severity), self.exposure, self._random(1))

    def picture(self, lesion: Lesioned) -> Picture:
        """The picture (H, W) in [0, 1] of the body with this lesion."""
        pixel = self.shadow.pixel
        over = confounders.opaque(
            self.recipe.confounders, self.shadow.body, self.shadow.pose, _size(lesion.added), self._random(2)
        )
        light = intensity(self.shadow.path + lesion.added + over, self.exposure, pixel)
        least = 1 / (self.exposure.quanta * pixel**2)
        return develop(np.maximum(light + self.grain * self._spread(light), least), self.exposure, pixel)

    def lettered(self, picture: Picture) -> Picture:
        """The same picture with letters burnt in."""
        return confounders.burn(picture, self.shadow.pixel, self._random(2))


def _size(path: torch.Tensor) -> tuple[int, int]:
    return path.shape[0], path.shape[1]


def _written(folder: Path, number: int, severity: float | None, lesion: Lesioned, picture: Picture) -> dict[str, Any]:
    image, mask = f"severity-{number}.png", None if severity is None else f"severity-{number}-truth.png"
    save_picture(picture, folder / image)
    if mask:
        write_mask(lesion.mask, folder / mask)
    return {
        "severity": severity, "image": image, "sha256": sha256(folder / image), "mask": mask,
        "contrast": round(lesion.contrast, 3), "area": round(float(lesion.mask.mean()), 4),
    }  # fmt: skip


def _lettered(folder: Path, taker: _Taker) -> dict[str, Any]:
    """The frame without a lesion, with letters."""
    image = "severity-0-letters.png"
    save_picture(taker.lettered(taker.picture(nothing(_size(taker.shadow.path)))), folder / image)
    return {"of": 0, "image": image, "sha256": sha256(folder / image)}
