"""From optical path to a picture: quanta at the detector, scatter, noise, and a chest film's tone.

Display: white is much attenuation, as on a film.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """How a picture is taken and shown. `quanta` reach a mm2 of the detector where nothing is in the way; `scatter`
    over primary radiation behind the chest (a plain stand-in: primary spread over 60 mm); `blur` of the detector in
    mm; `detail` is how much of the wide brightness is kept, below 1, as digital detectors do; `contrast` of the tone
    curve.
    """

    quanta: float = 60_000.0
    scatter: float = 0.35
    blur: float = 0.25
    detail: float = 0.55
    contrast: float = 1.0


def draw_exposure(random: np.random.Generator) -> Exposure:
    """An exposure as they differ from one department to another."""
    return Exposure(
        quanta=10 ** random.uniform(4.3, 5.0),
        scatter=random.uniform(0.2, 0.55),
        blur=random.uniform(0.15, 0.4),
        detail=random.uniform(0.45, 0.7),
        contrast=random.uniform(0.85, 1.15),
    )


def intensity(path: torch.Tensor, exposure: Exposure, pixel: float) -> Picture:
    """Share of the quanta that reach each pixel (H, W), primary and scattered, without noise. `pixel`: its side, mm."""
    primary = np.exp(-path.numpy())
    small = primary[::8, ::8]  # scatter is smooth
    spread = ndimage.gaussian_filter(small, 60 / (8 * pixel), mode="nearest")
    spread = ndimage.zoom(spread, np.array(primary.shape) / small.shape, order=1, grid_mode=True, mode="nearest")
    direct = ndimage.gaussian_filter(primary, exposure.blur / pixel)
    return np.asarray(direct + exposure.scatter * np.minimum(spread, 0.2), np.float32)


def noisy(light: Picture, exposure: Exposure, pixel: float, random: np.random.Generator) -> Picture:
    """Quantum noise: the counts of each pixel follow Poisson's law."""
    dose = exposure.quanta * pixel**2
    return (np.maximum(random.poisson(light * dose), 1) / dose).astype(np.float32)


def develop(light: Picture, exposure: Exposure, pixel: float) -> Picture:
    """The picture (H, W) in [0, 1]: logarithm, local contrast, and a film's curve."""
    signal = -np.log(light)
    small = signal[::8, ::8].clip(0.5, None)
    wide = ndimage.gaussian_filter(small, 30 / (8 * pixel), mode="nearest")
    wide = ndimage.zoom(wide, np.array(signal.shape) / small.shape, order=1, grid_mode=True, mode="nearest")
    flat = signal - (1 - exposure.detail) * wide
    low, high = np.percentile(flat[::4, ::4], (3, 97))
    tone = (flat - (low + high) / 2) / (high - low) * 3.4 * exposure.contrast
    return np.asarray(1 / (1 + np.exp(-1.6 * tone)), np.float32) * 0.96
