"""Which pixels of a label picture are lesion: the one rule for PNG, JPEG, TIFF and BMP, in grey, palette and colour.

- A pixel is lesion if its value (its brightest channel) is above half of the file's range. In a picture whose brightest
  value is 1, 1 is lesion. Values that are floats or have 32 bits must be two, of which 0 is the background.
- If the picture has an alpha channel, a pixel counts only if it is more opaque than half of the most opaque one, so an
  overlay may be as transparent as its tool made it. If all pixels that count have one colour, they are the lesion.
- Values between the darkest and the brightest (by an eighth of their distance) are allowed only at an edge of the
  lesion, which drawing programs soften: where a dark and a bright pixel are within 8 pixels, or 16 in JPEG, whose
  compression rings.
- Everything else is rejected: radiographs, overlays on them, maps of probability, and pictures of several classes, such
  as grey levels, flat colours of several hues, or labels such as 1 beside a bright void value. JPEG mixes neighbouring
  colours, so a mask in JPEG must be grey.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import maximum_filter

from deep_pneumonia.errors import AnnotationError

MAX_LABEL = 31  # values up to this beside a bright one, and nothing between them, number classes
MIN_COLOUR = 32  # of 255; the hue of a darker colour is not known well
MAX_HUE_SPREAD = 0.25  # of the brightest channel; the shades of one hue at a soft edge differ by rounding
MAX_JPEG_COLOUR = 64  # of 255, between the channels of a pixel
MARGIN = 1 / 8  # of the distance between the darkest and the brightest value
SOFT_EDGE, JPEG_EDGE = 8, 16  # pixels; a JPEG codes squares of 8 pixels, whose diagonal has 11
CHUNK_PIXELS = 1_000_000  # compared at once, to bound the memory


def lesion_pixels(image: Image.Image, name: str) -> NDArray[np.bool_]:
    """The lesion as bool (H, W).

    name: what errors call the picture.

    Raises:
        AnnotationError: the picture shows several classes or grey levels, or is so dark that lesion and background
            cannot be distinguished.
    """
    if image.mode == "1":
        return np.asarray(image, dtype=np.bool_)
    if image.mode in ("F", "I") and image.format != "PNG":
        return _two_values(np.asarray(image), name)
    jpeg = image.format == "JPEG"
    if image.mode in ("L", "I", "I;16", "I;16B", "I;16L"):
        values = np.asarray(image)
        return _bright(values, 255 if image.mode == "L" else 65535, name, jpeg=jpeg)
    pixels = np.asarray(image if image.mode == "RGBA" else image.convert("RGBA"))
    colour, alpha = pixels[..., :3], pixels[..., 3]
    if jpeg:
        if np.any(colour.max(axis=2) - colour.min(axis=2) > MAX_JPEG_COLOUR):
            raise AnnotationError(f"{name} is a JPEG in colour, which mixes neighbouring colours; save it as PNG.")
        return _bright(colour.max(axis=2), 255, name, jpeg=True)
    half = int(alpha.max()) // 2
    counts = alpha > half
    if alpha.min() < alpha.max() and _one_colour(colour, counts):
        return counts
    _check_one_hue(pixels, half, name)
    return _bright(np.where(counts, colour.max(axis=2), 0), 255, name)


def _one_colour(colour: NDArray[np.uint8], counts: NDArray[np.bool_]) -> bool:
    """Whether all pixels that count have the same colour (H, W, 3); compared a band of rows at a time."""
    first = colour[np.unravel_index(counts.argmax(), counts.shape)]
    rows = max(1, CHUNK_PIXELS // colour.shape[1])
    bands = (slice(top, top + rows) for top in range(0, len(colour), rows))
    return not any(((colour[band] != first).any(axis=2) & counts[band]).any() for band in bands)


def _two_values(values: NDArray[np.generic], name: str) -> NDArray[np.bool_]:
    """The lesion in values without a known range."""
    lesion = np.asarray(values == values.max(), dtype=np.bool_)
    if not np.all(lesion | (values == 0)) or not values.max() >= 0:  # NaN fails
        raise AnnotationError(f"{name} has more than two values, or none is 0; save it as PNG, lesion white on black.")
    return lesion & (values != 0)


def _bright(values: NDArray[np.integer], full: int, name: str, *, jpeg: bool = False) -> NDArray[np.bool_]:
    darkest, brightest = int(values.min()), int(values.max())
    if (0 if jpeg else 1) < brightest <= full // 2:
        raise AnnotationError(
            f"{name} has {brightest} of {full} as its brightest value, so lesion and background "
            f"cannot be distinguished; save it with 0 for background and {full} (or 1) for lesion."
        )
    if brightest > 1 and not jpeg:
        label = int(values.max(initial=0, where=values < brightest))
        if 0 < label <= MAX_LABEL:
            raise AnnotationError(
                f"{name} has several classes (values up to {label}, and {brightest}); "
                f"save the lesion alone, as {full} on 0."
            )
    lesion = np.asarray(values > (0 if brightest == 1 else full // 2), dtype=np.bool_)
    if brightest > 1:
        _check_two_levels(values, darkest, brightest, name, JPEG_EDGE if jpeg else SOFT_EDGE)
    return lesion


def _check_two_levels(values: NDArray[np.integer], darkest: int, brightest: int, name: str, edge: int) -> None:
    """Check that values between the darkest and the brightest lie within `edge` pixels of a dark and a bright one."""
    margin = (brightest - darkest) * MARGIN
    dark, bright = values <= darkest + margin, values >= brightest - margin
    far = ~(dark | bright)
    if far.any():
        far &= ~(maximum_filter(dark, 2 * edge + 1) & maximum_filter(bright, 2 * edge + 1))
    if far.any():
        row, column = np.argwhere(far)[0]
        raise AnnotationError(
            f"{name} has grey levels, such as {values[row, column]} between {darkest} and {brightest} in row {row}, "
            f"column {column}: it is a radiograph, an overlay or has several classes; save the lesion alone, white "
            "on black."
        )


def _check_one_hue(pixels: NDArray[np.uint8], half: int, name: str) -> None:
    low, high = np.ones(3), np.zeros(3)
    flat = pixels.reshape(-1, 4)
    for start in range(0, len(flat), CHUNK_PIXELS):
        chunk = flat[start : start + CHUNK_PIXELS]
        brightest = chunk[:, :3].max(axis=1)
        shades = chunk[(chunk[:, 3] > half) & (brightest >= MIN_COLOUR), :3].astype(np.float32)
        if len(shades):
            hues = shades / shades.max(axis=1, keepdims=True)
            low, high = np.minimum(low, hues.min(axis=0)), np.maximum(high, hues.max(axis=0))
    if (high - low).max() > MAX_HUE_SPREAD:
        raise AnnotationError(f"{name} has several classes (colours of different hue); save the lesion alone, white.")
