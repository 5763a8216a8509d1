"""From optical path to image: quanta at the detector, scatter, noise, and the tone of a chest radiograph.

White means strong attenuation, as on a film.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

MAX_BAND_WIDTH = 40.0  # mm; wider differences are only scaled down
UNCHANGED_DIFFERENCE = 0.25  # of optical path, which keeps its size; fainter differences are amplified
Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """How an image is taken and processed.

    quanta: that reach a mm2 of the detector with nothing in the way. scatter: ratio of scattered to primary radiation
    behind the chest; scatter is approximated by primary radiation spread over 60 mm. blur: of the detector, mm.

    Processing (`develop`): wide: share that is kept of differences wider than 40 mm. power, gain: exponent and factor
    for differences at every finer scale. contrast: steepness of the tone curve. middle: share of the range from lung
    to spine that becomes middle grey.
    """

    quanta: float = 1_500_000.0
    scatter: float = 0.35
    blur: float = 0.25
    wide: float = 0.6
    power: float = 0.75
    gain: float = 1.15
    contrast: float = 1.0
    middle: float = 0.38


def draw_exposure(random: np.random.Generator) -> Exposure:
    """A random exposure within the range of radiology departments."""
    return Exposure(
        quanta=10 ** random.uniform(5.9, 6.5),
        scatter=random.uniform(0.2, 0.55),
        blur=random.uniform(0.15, 0.4),
        wide=random.uniform(0.5, 0.75),
        power=random.uniform(0.7, 0.85),
        gain=random.uniform(1.0, 1.3),
        contrast=random.uniform(0.85, 1.15),
        middle=random.uniform(0.3, 0.45),
    )


def intensity(path: torch.Tensor, exposure: Exposure, pixel: float) -> Picture:
    """Share of the quanta that reach each pixel, primary and scattered, without noise, float32 (H, W).

    path: optical path (H, W). pixel: side of a pixel, mm.
    """
    primary = np.exp(-path.numpy())
    small = primary[::8, ::8]  # scatter is smooth
    spread = ndimage.gaussian_filter(small, 60 / (8 * pixel), mode="nearest")
    spread = ndimage.zoom(spread, np.array(primary.shape) / small.shape, order=1, grid_mode=True, mode="nearest")
    direct = ndimage.gaussian_filter(primary, exposure.blur / pixel)
    return np.asarray(direct + exposure.scatter * np.minimum(spread, 0.2), np.float32)


def noisy(light: Picture, exposure: Exposure, pixel: float, random: np.random.Generator) -> Picture:
    """Add quantum noise: the counts of each pixel follow a Poisson distribution."""
    dose = exposure.quanta * pixel**2
    return (np.maximum(random.poisson(light * dose), 1) / dose).astype(np.float32)


def develop(light: Picture, exposure: Exposure, pixel: float) -> Picture:
    """The processed image, float32 (H, W) in [0, 1]: logarithm, multiscale contrast, and the tone curve of a film.

    A difference d at each scale becomes gain * u * |d / u| ** power with its sign, where u is `UNCHANGED_DIFFERENCE`
    (Vuylsteke and Schoeters, SPIE Medical Imaging 1994). It amplifies faint differences relative to strong ones, and
    detail relative to the wide difference of lung and belly.
    """
    signal = torch.from_numpy(-np.log(light))[None, None]
    bands = []
    side = pixel
    while side < MAX_BAND_WIDTH:
        wide = F.avg_pool2d(F.pad(signal, (1, 1, 1, 1), mode="replicate"), 4, 2)
        up = F.interpolate(wide, size=signal.shape[-2:], mode="bilinear")
        bands.append((side, signal - up))
        signal, side = wide, side * 2
    signal = exposure.wide * signal
    for side, band in reversed(bands):
        power = 1.0 if side < 0.5 else exposure.power
        raised = (
            band.sign() * (band.abs() / UNCHANGED_DIFFERENCE + 1e-6) ** power * UNCHANGED_DIFFERENCE * exposure.gain
        )
        signal = F.interpolate(signal, size=band.shape[-2:], mode="bilinear") + raised
    flat = signal[0, 0].numpy()
    h, w = flat.shape
    low, high = np.percentile(flat[h // 8 : -h // 8 : 4, w // 8 : -w // 8 : 4], (1, 98))
    tone = ((flat - low) / (high - low) - exposure.middle) * 2 * exposure.contrast
    return np.asarray(1 / (1 + np.exp(-2 * tone)), np.float32)
