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

from collections.abc import Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.radiographs.bands import bands, image_bands, image_values

MAX_LABEL = 31  # values up to this beside a bright one, and nothing between them, number classes
MIN_COLOUR = 32  # of 255; the hue of a darker colour is not known well
MAX_HUE_SPREAD = 0.25  # of the brightest channel; the shades of one hue at a soft edge differ by rounding
MAX_JPEG_COLOUR = 64  # of 255, between the channels of a pixel
MARGIN = 1 / 8  # of the distance between the darkest and the brightest value
SOFT_EDGE, JPEG_EDGE = 8, 16  # pixels; a JPEG codes squares of 8 pixels, whose diagonal has 11
GREY_MODES = ("L", "I", "I;16", "I;16B", "I;16L")  # of Pillow


def lesion_pixels(image: Image.Image, name: str) -> NDArray[np.bool_]:
    """The lesion as bool (H, W). The image is closed, so that its memory is free before the values are compared.

    name: what errors call the picture.

    Raises:
        AnnotationError: the picture shows several classes or grey levels, or is so dark that lesion and background
            cannot be distinguished.
    """
    with closing(image):
        if image.mode == "1":
            return np.array(image, dtype=np.bool_)
        if image.mode in ("F", "I") and image.format != "PNG":
            return _two_values(image, name)
        if image.mode not in GREY_MODES and image.format != "JPEG":
            low, high = _alpha_range(image)
            if low < high and (lesion := _one_colour(image, high // 2)) is not None:
                return lesion
            _check_one_hue(image, high // 2, name)
            values = _brightest(image, high // 2)
        elif image.mode not in GREY_MODES:
            _check_grey(image, name)
            values = _brightest(image, 0)
        else:
            values = image_values(image)
        full, jpeg = 255 if values.dtype == np.uint8 else 65535, image.format == "JPEG"
    return _bright(values, full, name, jpeg=jpeg)


def _rgba_bands(image: Image.Image) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The rows of each band, and its colours with alpha (h, W, 4)."""
    for rows, band in image_bands(image):
        yield rows, np.asarray(band if band.mode == "RGBA" else band.convert("RGBA"))


def _alpha_range(image: Image.Image) -> tuple[int, int]:
    if not image.has_transparency_data:
        return 255, 255
    ranges = [(int(band[..., 3].min()), int(band[..., 3].max())) for _, band in _rgba_bands(image)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _one_colour(image: Image.Image, half: int) -> NDArray[np.bool_] | None:
    """The pixels with alpha above `half`, if all of them have the same colour."""
    lesion, first = np.empty((image.height, image.width), np.bool_), None
    for rows, band in _rgba_bands(image):
        lesion[rows] = band[..., 3] > half
        colours = band[lesion[rows]][:, :3]
        if len(colours):
            first = colours[0].copy() if first is None else first
            if (colours != first).any():
                return None
    return lesion


def _brightest(image: Image.Image, half: int) -> NDArray[np.uint8]:
    """The brightest channel of each pixel with alpha above `half`, else 0: uint8 (H, W)."""
    values = np.empty((image.height, image.width), np.uint8)
    for rows, band in _rgba_bands(image):
        values[rows] = np.where(band[..., 3] > half, band[..., :3].max(axis=2), 0)
    return values


def _check_grey(image: Image.Image, name: str) -> None:
    for _, band in _rgba_bands(image):
        if np.any(np.ptp(band[..., :3], axis=2) > MAX_JPEG_COLOUR):
            raise AnnotationError(f"{name} is a JPEG in colour, which mixes neighbouring colours; save it as PNG.")


def _two_values(image: Image.Image, name: str) -> NDArray[np.bool_]:
    """The lesion in values without a known range."""
    highest = np.max([np.asarray(band).max() for _, band in image_bands(image)])  # NaN if there is one
    lesion = np.empty((image.height, image.width), np.bool_)
    for rows, band in image_bands(image):
        values = np.asarray(band)
        lesion[rows] = (values == highest) & (values != 0)
        if not np.all(lesion[rows] | (values == 0)) or not highest >= 0:
            raise AnnotationError(
                f"{name} has more than two values, or none is 0; save it as PNG, lesion white on black."
            )
    return lesion


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
    if brightest > 1:
        _check_two_levels(values, darkest, brightest, name, JPEG_EDGE if jpeg else SOFT_EDGE)
    return np.asarray(values > (0 if brightest == 1 else full // 2), dtype=np.bool_)


def _check_two_levels(values: NDArray[np.integer], darkest: int, brightest: int, name: str, edge: int) -> None:
    """Check that values between the darkest and the brightest lie within `edge` pixels of a dark and a bright one."""
    margin = (brightest - darkest) * MARGIN
    for rows in bands(values.shape):
        above = min(edge, rows.start)  # rows around the band, which decide about its own
        band = values[rows.start - above : rows.stop + edge]
        dark, bright = band <= darkest + margin, band >= brightest - margin
        far = ~(dark | bright)
        if far.any():
            far &= ~(_near(dark, edge) & _near(bright, edge))
        far = far[above : above + rows.stop - rows.start]
        if far.any():
            row, column = divmod(rows.start * far.shape[1] + int(far.argmax()), far.shape[1])
            raise AnnotationError(
                f"{name} has grey levels, such as {values[row, column]} between {darkest} and {brightest} in row "
                f"{row}, column {column}: it is a radiograph, an overlay or has several classes; save the lesion "
                "alone, white on black."
            )


def _near(marked: NDArray[np.bool_], edge: int) -> NDArray[np.bool_]:
    """The pixels within a square of `edge` pixels around a marked one."""
    from scipy.ndimage import maximum_filter  # 30 MB that most files do not need

    return np.asarray(maximum_filter(marked, 2 * edge + 1), dtype=np.bool_)


def _check_one_hue(image: Image.Image, half: int, name: str) -> None:
    low, high = np.ones(3), np.zeros(3)
    for _, band in _rgba_bands(image):
        shades = band[(band[..., 3] > half) & (band[..., :3].max(axis=2) >= MIN_COLOUR), :3].astype(np.float32)
        if len(shades):
            hues = shades / shades.max(axis=1, keepdims=True)
            low, high = np.minimum(low, hues.min(axis=0)), np.maximum(high, hues.max(axis=0))
        if (high - low).max() > MAX_HUE_SPREAD:
            raise AnnotationError(
                f"{name} has several classes (colours of different hue); save the lesion alone, white."
            )
