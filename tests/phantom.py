"""Small radiographs drawn from formulas: a bright body, two dark lungs, and if asked a bright round lesion."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.datasets.manifest import Case, MaskRef, write_manifest
from deep_pneumonia.masks.annotation import write_mask


def draw(
    seed: int, size: tuple[int, int] = (96, 80), lesion: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A radiograph (H, W) in [0, 1] and the mask of its lesion; the same seed gives the same body."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    y, x = (y + 0.5) / size[0], (x + 0.5) / size[1]
    body = 0.75 * np.exp(-(((x - 0.5) / 0.55) ** 4) - ((y - 0.5) / 0.65) ** 4)
    sides = (0.3, 0.7)
    lungs = sum(np.exp(-(((x - c) / 0.14) ** 2) - ((y - 0.48) / 0.27) ** 2) for c in sides)
    side, height = sides[rng.integers(2)], rng.uniform(0.35, 0.65)
    distance = ((x - side) / 0.11) ** 2 + ((y - height) / 0.13) ** 2
    picture = body - 0.55 * lungs + (0.45 * np.exp(-distance) if lesion else 0)
    picture = picture + rng.normal(0, 0.02, size)
    return np.clip(picture, 0, 1).astype(np.float32), (distance < 1) & lesion


def save_png(pixels: NDArray[np.float32], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((pixels * 255).round().astype(np.uint8)).save(path)
    return path


def make_set(folder: Path, patients: int = 24, source: str = "drawn") -> Path:
    """A prepared data set of drawn patients, half of them with a lesion; returns its manifest."""
    cases = []
    for number in range(patients):
        lesion = number % 2 == 1
        pixels, mask = draw(number, lesion=lesion)
        image = save_png(pixels, folder / "images" / f"{number}.png")
        path = None
        if lesion:
            path = folder / "masks" / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            write_mask(mask, path)
        split = ("train", "train", "train", "train", "val", "val", "test", "test")[number % 8]
        masks = (MaskRef(path, "pixel" if lesion else "normal", "A"),)
        cases.append(Case(image, f"p{number}", source, split, "Opacity" if lesion else "Clear", masks))
    write_manifest(cases, folder / "manifest.csv")
    return folder / "manifest.csv"
