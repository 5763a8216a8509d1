"""From optical path to a picture: quanta at the detector, scatter, noise, and a chest film's tone.

Display: white is much attenuation, as on a film.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

WIDEST = 40.0  # mm; differences wider than this are only weakened
TYPICAL = 0.25  # a difference of optical path that keeps its size; what is fainter is raised
Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """How a picture is taken and shown. `quanta` reach a mm2 of the detector where nothing is in the way; `scatter`
    over primary radiation behind the chest (a plain stand-in: primary spread over 60 mm); `blur` of the detector in
    mm. How it is developed (`develop`): `wide` is the share of the differences wider than 40 mm that is kept, `power`
    and `gain` apply to those at every finer scale, `contrast` is the steepness of the tone curve, and `middle` the
    share of the range from lung to spine that becomes middle grey.
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
    """An exposure as they differ from one department to another."""
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
    """The picture (H, W) in [0, 1]: logarithm, contrast evened over its scales, and a film's curve.

    A difference d at each scale becomes gain * typical * |d / typical| ** power with its sign, as Vuylsteke and
    Schoeters do it (SPIE Medical Imaging 1994): what is faint is raised over what is strong, and detail over the wide
    difference of lung and belly.
    """
    signal = torch.from_numpy(-np.log(light))[None, None]
    bands = []
    side = pixel
    while side < WIDEST:
        wide = F.avg_pool2d(F.pad(signal, (1, 1, 1, 1), mode="replicate"), 4, 2)
        up = F.interpolate(wide, size=signal.shape[-2:], mode="bilinear")
        bands.append((side, signal - up))
        signal, side = wide, side * 2
    signal = exposure.wide * signal
    for side, band in reversed(bands):
        power = 1.0 if side < 0.5 else exposure.power
        raised = band.sign() * (band.abs() / TYPICAL + 1e-6) ** power * TYPICAL * exposure.gain
        signal = F.interpolate(signal, size=band.shape[-2:], mode="bilinear") + raised
    flat = signal[0, 0].numpy()
    h, w = flat.shape
    low, high = np.percentile(flat[h // 8 : -h // 8 : 4, w // 8 : -w // 8 : 4], (1, 98))
    tone = ((flat - low) / (high - low) - exposure.middle) * 2 * exposure.contrast
    return np.asarray(1 / (1 + np.exp(-2 * tone)), np.float32)
