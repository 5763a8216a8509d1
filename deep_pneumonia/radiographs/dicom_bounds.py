"""Bounds of DICOM data sets that are applied while pydicom reads them.

A few kilobytes of a deflated data set can hold millions of elements or items, and pydicom makes an object of each.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement

from deep_pneumonia.errors import TooLargeError
from deep_pneumonia.limits import MAX_DICOM_ITEMS, MAX_DICOM_READS, MAX_DICOM_SEQUENCE_BYTES, MAX_DICOM_VALUE_BYTES

ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")  # little and big endian
PIXEL_GROUP = 0x7FE0
PACKED_AT_ONCE = 2**9


def inflated(packed: bytes, limit: int, name: str) -> bytes:
    """A deflated data set, inflated.

    Raises:
        TooLargeError: it has more than `limit` bytes, which is found before they are kept.
        zlib.error: it is damaged.
    """
    counter, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for start in range(0, len(packed), PACKED_AT_ONCE):  # which inflate to a thousand times as many bytes at most
        total += len(counter.decompress(packed[start : start + PACKED_AT_ONCE]))
        if total > limit:
            raise TooLargeError(f"{name} inflates to more than the allowed {limit} bytes; export it uncompressed.")
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit + 1)


def read(data: bytes, tags: Sequence[str], name: str) -> Dataset:
    """Read the elements of `tags` within the bounds on items, elements and the bytes of a value.

    Raises:
        TooLargeError: a bound is exceeded.
    """
    if any(data.count(tag) > MAX_DICOM_ITEMS for tag in ITEM_TAGS):
        raise TooLargeError(f"{name} has more than the allowed {MAX_DICOM_ITEMS} items in sequences; export it again.")
    header = dcmread(_Metered(data, name), force=True, specific_tags=list(tags))
    _check_values(header, name)
    return header


class _Metered(io.BytesIO):
    """The bytes of a file that may be read in a limited number of steps; pydicom takes one to three for an element."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self._name, self._left = name, int(MAX_DICOM_READS)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes.

        Raises:
            TooLargeError: too many steps were made.
        """
        self._left -= 1
        if self._left < 0:
            raise TooLargeError(f"{self._name} has more DICOM elements than allowed; export it again.")
        return super().read(size)


def _check_values(header: Dataset, name: str) -> None:
    """Check the lengths of all values but the pixels, before pydicom makes numbers and items of them."""
    for tag in list(header.keys()):
        element: Any = header.get_item(tag)
        if tag.group == PIXEL_GROUP:
            continue
        if isinstance(element, RawDataElement):
            most = MAX_DICOM_SEQUENCE_BYTES if _holds_items(element) else MAX_DICOM_VALUE_BYTES
            if element.value is not None and len(element.value) > most:
                raise TooLargeError(
                    f"{name} has a DICOM element of {len(element.value)} bytes, more than the {most} allowed; "
                    "export it again."
                )
        elif element.VR == "SQ":
            for item in element.value:
                _check_values(item, name)


def _holds_items(element: RawDataElement) -> bool:
    return element.VR == "SQ" or (element.value or b"")[:4] in ITEM_TAGS
