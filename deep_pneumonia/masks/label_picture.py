"""Which pixels of a label picture are lesion: the one rule for greyscale, palette, colour and transparent pictures.

- A pixel is lesion if its value (its brightest channel) is above half of the file's range. In a picture whose brightest
  value is 1, 1 is lesion.
- If the picture has an alpha channel, a pixel counts only if it is more opaque than half of the most opaque one, so an
  overlay may be as transparent as its tool made it. If all pixels that count have one colour, they are the lesion.
- A picture of several classes is rejected: labels such as 1 beside a bright void value, or flat colours of several
  hues.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.errors import AnnotationError

MAX_LABEL = 31  # values up to this beside a bright one, and nothing between them, number classes
MAX_FLAT_COLOURS = 64  # a picture with more colours is not drawn in flat ones
MIN_COLOUR = 32  # of 255; the hue of a darker colour is not known well
MAX_HUE_SPREAD = 0.25  # of the brightest channel; the shades of one hue at a soft edge differ by rounding


def lesion_pixels(image: Image.Image, name: str) -> NDArray[np.bool_]:
    """The lesion as bool (H, W).

    name: what errors call the picture.

    Raises:
        AnnotationError: the picture shows several classes, or is so dark that lesion and background cannot be
            distinguished.
    """
    if image.mode == "1":
        return np.asarray(image, dtype=np.bool_)
    if image.mode in ("L", "I", "I;16", "I;16B"):
        return _bright(np.asarray(image), 255 if image.mode == "L" else 65535, name)
    image = image.convert("RGBA")
    pixels = np.asarray(image)
    colour, alpha = pixels[..., :3], pixels[..., 3]
    half = int(alpha.max()) // 2
    counts = alpha > half
    if alpha.min() < alpha.max() and (colour[counts] == colour[counts][0]).all():
        return counts
    _check_one_hue(image, half, name)
    return _bright(np.where(counts, colour.max(axis=2), 0), 255, name)


def _bright(values: NDArray[np.integer], full: int, name: str) -> NDArray[np.bool_]:
    brightest = int(values.max())
    if 1 < brightest <= full // 2:
        raise AnnotationError(
            f"{name} has {brightest} of {full} as its brightest value, so lesion and background "
            f"cannot be distinguished; save it with 0 for background and {full} (or 1) for lesion."
        )
    if brightest > 1:
        label = int(values.max(initial=0, where=values < brightest))
        if 0 < label <= MAX_LABEL and brightest > full // 2:
            raise AnnotationError(
                f"{name} has several classes (values up to {label}, and {brightest}); "
                f"save the lesion alone, as {full} on 0."
            )
    return np.asarray(values > (0 if brightest == 1 else full // 2), dtype=np.bool_)


def _check_one_hue(image: Image.Image, half: int, name: str) -> None:
    found = image.getcolors(MAX_FLAT_COLOURS) or []  # None if there are more
    shades = np.array([colour for _, colour in found], dtype=np.float64).reshape(-1, 4)
    shades = shades[(shades[:, 3] > half) & (shades[:, :3].max(axis=1, initial=0) >= MIN_COLOUR), :3]
    if len(shades) and np.ptp(shades / shades.max(axis=1, keepdims=True), axis=0).max() > MAX_HUE_SPREAD:
        raise AnnotationError(f"{name} has several classes (colours of different hue); save the lesion alone, white.")
