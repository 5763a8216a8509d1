"""Convert between stored integers and pixels in [0, 1] with bright bone: scales, lookup tables and windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from deep_pneumonia.radiographs.bands import bands

MAX_MARK_SHARE = 0.05  # of the pixels
MIN_MARK_RATIO = 4  # of the darkest pixel of a mark to the full scale of the film


def scaled_integers(values: NDArray[np.integer]) -> NDArray[np.float32]:
    """Scale integers (H, W) to [0, 1] by the full scale of their brightest value; see `full_scale`.

    Bright marks such as letters do not count and become 1: at most 5% of the pixels, each at least 4 times as bright
    as the full scale of the others, as where 65535 is written into a film of 12 bits.
    Values that are negative or need more than 16 bits have no such scale and are stretched as floats are.
    """
    brightest = int(values.max())
    if values.min() < 0 or brightest >= 2**16:
        return scaled_floats(values)
    pixels = values.astype(np.float32)
    pixels /= np.float32(_scale_below_marks(values, brightest))
    return np.minimum(pixels, np.float32(1), out=pixels)


def _scale_below_marks(values: NDArray[np.integer], brightest: int) -> int:
    for scale in (2**b - 1 for b in (8, 10, 12, 14)):
        if brightest < MIN_MARK_RATIO * scale:
            break
        marks = values > scale
        if marks.mean() <= MAX_MARK_SHARE and values[marks].min() >= MIN_MARK_RATIO * scale:
            # A nearly black rest is no film, and the bright pixels are the picture.
            return scale if values.max(initial=0, where=~marks) > scale // 4 else full_scale(brightest)
    return full_scale(brightest)


def scaled_floats(values: NDArray[np.number]) -> NDArray[np.float32]:
    """Scale numbers (H, W) to [0, 1]: unchanged if they lie in that range, else stretched from minimum to maximum.

    Raises:
        ValueError: a value is not finite.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("pixels are not finite")
    if low >= 0 and high <= 1:
        return values.astype(np.float32)
    return stretched(values, low, high)


def full_scale(brightest: int) -> int:
    """2^b - 1 for the smallest b of 8, 10, 12, 14 and 16 that holds the brightest value.

    Detectors store 10 to 14 bits in 16-bit files, and such an image divided by 65535 would be almost black.
    """
    return next(2**b - 1 for b in (8, 10, 12, 14, 16) if brightest < 2**b or b == 16)


def stretched(values: NDArray[np.number], low: float, high: float) -> NDArray[np.float32]:
    """Map [low, high] linearly to [0, 1] and clip; all zero if the range is empty."""
    if not high > low:
        return np.zeros(values.shape, dtype=np.float32)
    scaled = np.empty(values.shape, dtype=np.float32)
    for rows in bands(values.shape):  # in double precision, without a copy of the whole
        band = values[rows].astype(np.float64)
        band -= low
        band /= high - low
        scaled[rows] = np.clip(band, 0, 1, out=band)
    return scaled


def stored_integers(pixels: NDArray[np.float32]) -> NDArray[np.uint8 | np.uint16]:
    """Pixels in [0, 1] as the integers to store: uint8 where that loses nothing, else uint16 (rounded)."""
    eight = np.rint(pixels * 255).astype(np.uint8)
    if np.array_equal(eight.astype(np.float32) / np.float32(255), pixels):
        return eight
    return np.rint(pixels.astype(np.float64) * 65535).astype(np.uint16)


def stored_bits(values: NDArray[np.integer], header: Dataset, precision: int) -> NDArray[np.integer]:
    """Keep the Bits Stored below High Bit of decoded integers (DICOM PS3.5 8.1.1); other bits may hold overlays.

    precision: bits a sample of the code stream, or Bits Allocated if the frame has none. A code stream without unused
    low bits holds the value itself, whatever High Bit says.
    """
    container, bits = 8 * values.dtype.itemsize, int(header.BitsStored)
    high = int(header.get("HighBit") or bits - 1)
    if not bits - 1 <= high < int(header.BitsAllocated):
        high = bits - 1
    low = max(0, min(high + 1, precision) - bits)
    # The shift to the right extends the sign of a signed type.
    return (values << max(0, container - bits - low)) >> max(0, container - bits)


def displayed(stored: NDArray[Any], header: Dataset) -> NDArray[np.float32]:
    """Stored values as a viewer displays them: float32 (H, W) in [0, 1] with bright bone.

    Apply the modality LUT or rescale, then the VOI LUT or the first window (DICOM PS3.3 C.11.1 and C.11.2), or the
    range of the pixels if there is neither. Then invert MONOCHROME1, and MONOCHROME2 with the Presentation LUT Shape
    INVERSE (C.11.6). MONOCHROME1 is inverted once, whatever its shape. Padding does not count for the range
    and is black. Bright marks (see `scaled_integers`) do not count for it either.
    """
    padding = _padding(stored, header)
    extremes: tuple[float, float] | None = None
    seen = np.empty(stored.shape, np.float32)
    for rows in bands(stored.shape):  # in double precision, without a copy of the whole
        values = _modality(stored[rows], header)
        band = _voi(values, header)
        if band is None:
            extremes = extremes or _extremes(stored, padding, header)
            band = stretched(values, *extremes)
        seen[rows] = band
    if header.PhotometricInterpretation == "MONOCHROME1" or header.get("PresentationLUTShape") == "INVERSE":
        np.subtract(1, seen, out=seen)
    seen[padding] = 0
    return seen


def _extremes(stored: NDArray[Any], padding: NDArray[np.bool_], header: Dataset) -> tuple[float, float]:
    """The lowest and the highest value after the modality step, of pixels that are neither padding nor bright marks."""
    counted = _below_marks(stored, ~padding if not padding.all() else padding)
    low, high = np.inf, -np.inf
    for rows in bands(stored.shape):
        values = _modality(stored[rows], header)
        low = np.minimum(low, values.min(initial=np.inf, where=counted[rows]))  # keeps a NaN, as `min` would not
        high = np.maximum(high, values.max(initial=-np.inf, where=counted[rows]))
    return float(low), float(high)


def _below_marks(stored: NDArray[Any], counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The counted pixels (H, W) without bright marks, which integers of at most 16 bits may have."""
    real = stored[counted]
    if stored.dtype.kind == "f" or real.min() < 0 or real.max() >= 2**16:
        return counted
    return counted & (stored <= _scale_below_marks(real, int(real.max())))


def numbers(header: Dataset, keyword: str) -> list[float]:
    """The numbers of an element; an empty list if it is missing, empty, not numeric or not finite."""
    try:
        found = np.atleast_1d(np.asarray(header.get(keyword), dtype=np.float64))
    except (TypeError, ValueError):
        return []
    return found.tolist() if np.isfinite(found).all() else []


def _padding(stored: NDArray[Any], header: Dataset) -> NDArray[np.bool_]:
    start = {"f4": "Float", "f8": "DoubleFloat"}.get(stored.dtype.str[1:], "")
    value = numbers(header, f"{start}PixelPaddingValue")
    if not value:
        return np.zeros(stored.shape, dtype=bool)
    limit = numbers(header, f"{start}PixelPaddingRangeLimit") or value
    first, last = value[0], limit[0]
    if not start:
        first, last = (_with_sign(v, int(header.BitsAllocated), _signed(header)) for v in (first, last))
    return (stored >= min(first, last)) & (stored <= max(first, last))


def _signed(header: Dataset) -> bool:
    return bool(header.get("PixelRepresentation"))


def _with_sign(value: float, bits: int, signed: bool) -> float:
    """The number that the bits of an integer stand for; writers confuse the types US and SS of an element.

    DICOM PS3.3 C.7.6.3 and C.11 derive the type from Pixel Representation.
    """
    value %= 2**bits
    return value - 2**bits if signed and value >= 2 ** (bits - 1) else value


def _modality(stored: NDArray[Any], header: Dataset) -> NDArray[np.float64]:
    values = stored.astype(np.float64)
    if table := _table(header, "ModalityLUTSequence", signed=_signed(header)):
        return _looked_up(values, *table)
    slope, intercept = _rescale(header)
    return values * slope + intercept


def _rescale(header: Dataset) -> tuple[float, float]:
    """Slope and intercept. A slope of 0 would make every pixel equal; then neither counts, as in dcmtk."""
    slope, intercept = numbers(header, "RescaleSlope") or [1.0], numbers(header, "RescaleIntercept") or [0.0]
    return (slope[0], intercept[0]) if slope[0] else (1.0, 0.0)


def _voi(values: NDArray[np.float64], header: Dataset) -> NDArray[np.float32] | None:
    # The table starts at an output of the modality step, which is never negative after a lookup table.
    after_table = _table(header, "ModalityLUTSequence", signed=False) is not None
    signed = not after_table and (_signed(header) or min(_rescale(header)) < 0)
    if table := _table(header, "VOILUTSequence", signed=signed):
        return stretched(_looked_up(values, *table), 0, full_scale(int(table[0].max())))
    centre, width = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    if not centre or not width:
        return None
    return _windowed(values, centre[0], width[0], str(header.get("VOILUTFunction") or "LINEAR").upper())


def _windowed(values: NDArray[np.float64], c: float, w: float, function: str) -> NDArray[np.float32] | None:
    """DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 with y from 0 to 1; None if the width is not valid."""
    if w <= 0 or (function == "LINEAR" and w < 1):
        return None
    if function == "SIGMOID":
        return (1 / (1 + np.exp(-4 * (values - c) / w))).astype(np.float32)
    if function == "LINEAR":
        c, w = c - 0.5, w - 1
    low, high = c - w / 2, c + w / 2
    return stretched(values, low, high) if high > low else (values > low).astype(np.float32)


def _table(header: Dataset, keyword: str, *, signed: bool) -> tuple[NDArray[np.float64], float] | None:
    """Entries of the first lookup table of a sequence (DICOM PS3.3 C.11.1.1) and the value of its first entry.

    None if there is no table: the sequence is missing, or its item is empty.
    """
    item = next(iter(header.get(keyword) or ()), None)
    if item is None or item.get("LUTDescriptor") is None or item.get("LUTData") is None:
        return None
    rows = int(item.LUTDescriptor[0]) % 2**16 or 2**16
    first = _with_sign(int(item.LUTDescriptor[1]), 16, signed)
    data = item.LUTData
    if isinstance(data, bytes):
        data = np.frombuffer(data, "<u2" if len(data) >= 2 * rows else "u1")
    return np.asarray(data, dtype=np.float64)[:rows], first


def _looked_up(values: NDArray[np.float64], table: NDArray[np.float64], first: float) -> NDArray[np.float64]:
    # pydicom's apply_voi overflows if a table of 8-bit entries has more than 256 rows
    return table[np.clip(values - first, 0, len(table) - 1).astype(np.intp)]
