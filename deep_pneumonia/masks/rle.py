"""COCO's run lengths: a mask read column by column as the lengths of runs, the first of background.

In JSON the runs stand either as a list of numbers or compressed, as a string. Compressed, the first three runs stand
as they are and every later one as its difference to the run two before it; each number is cut into groups of five
bits, lowest first, and each group becomes the character of code 48 + group, + 32 where more groups follow. The last
group's highest bit is the sign.
Source: rleToString and rleFrString of the COCO API, common/maskApi.c.
"""

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Mask, Size

MAX_TEXT = 8 * 2**20  # characters; noise over four megapixels has two million runs
MAX_GROUPS = 7  # 35 bits with sign; a mask of 64 megapixels needs 27


def encode(mask: Mask) -> list[int]:
    """Run lengths of a bool mask (H, W); their sum is H x W."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def decode(counts: object, size: Size, name: str) -> Mask:
    """Bool mask of `size` (H, W) from a list of run lengths or from a compressed string.

    Raises:
        AnnotationError: they are neither, or do not add up to H x W; the sentence names the file.
    """
    pixels = size[0] * size[1]
    runs = _whole_numbers(counts, pixels) if isinstance(counts, list) else _decompressed(counts)
    if runs is None or runs.min(initial=0) < 0 or runs.max(initial=0) > pixels or runs.sum() != pixels:
        raise AnnotationError(
            f"{name} has run lengths (RLE) that are damaged or do not add up to {size[0]} x {size[1]} pixels; "
            "export it again."
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(size[1], size[0]).T)


def _whole_numbers(counts: list[object], pixels: int) -> NDArray[np.int64] | None:
    if all(type(count) is int and 0 <= count <= pixels for count in counts):
        return np.array(counts, dtype=np.int64)
    return None


def _decompressed(text: object) -> NDArray[np.int64] | None:
    """Run lengths from a compressed string; None where it is none."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT or not text.isascii():
        return None
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    last = np.flatnonzero((codes & 32) == 0)
    if codes.min() < 0 or codes.max() > 63 or not last.size or last[-1] != len(codes) - 1:
        return None
    first = np.concatenate([[0], last[:-1] + 1])
    groups = last - first + 1
    if groups.max() > MAX_GROUPS:
        return None
    shifts = 5 * (np.arange(len(codes)) - np.repeat(first, groups))
    numbers = np.add.reduceat((codes & 31) << shifts, first)
    numbers -= np.where(codes[last] & 16, 1 << 5 * groups, 0)
    for start in (1, 2):  # differences to the run two before
        numbers[start::2] = np.cumsum(numbers[start::2])
    return numbers
