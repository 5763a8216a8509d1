"""COCO's run-length encoding: the lengths of runs in a mask read column by column, starting with background.

JSON has the runs as a list of numbers or as a compressed string. In the string, each run after the third is the
difference to the run two before it. Each number is split into groups of five bits, lowest first, and each group becomes
the character 48 + group, + 32 if more groups follow. The highest bit of the last group is the sign.
Source: rleToString and rleFrString of the COCO API, common/maskApi.c.
"""

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.limits import MAX_RUN_LENGTH_TEXT
from deep_pneumonia.masks.annotation import Mask, Size

MAX_GROUPS = 7  # 35 bits with sign; a mask of 36 megapixels needs 27


def encode(mask: Mask) -> list[int]:
    """Encode a bool mask (H, W) as run lengths, whose sum is H x W."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def decode(counts: object, size: Size, name: str) -> Mask:
    """Decode a list of run lengths or a compressed string to a bool mask of `size` (H, W).

    Raises:
        AnnotationError: `counts` is neither, or does not add up to H x W.
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
    """Run lengths from a compressed string, or None if it is not one."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_RUN_LENGTH_TEXT or not text.isascii():
        return None
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int8) - np.int8(48)
    last = np.flatnonzero((codes & 32) == 0)
    if codes.min() < 0 or codes.max() > 63 or not last.size or last[-1] != len(codes) - 1:
        return None
    first = np.concatenate([[0], last[:-1] + 1])
    groups = last - first + 1
    if groups.max() > MAX_GROUPS:
        return None
    shifts = np.arange(len(codes))
    shifts -= np.repeat(first, groups)
    shifts *= 5
    np.left_shift((codes & 31).astype(np.int64), shifts, out=shifts)
    numbers = np.add.reduceat(shifts, first)
    numbers -= np.where(codes[last] & 16, 1 << 5 * groups, 0)
    for start in (1, 2):  # undo the differences to the run two before
        numbers[start::2] = np.cumsum(numbers[start::2])
    return numbers
