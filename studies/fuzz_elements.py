"""DICOM files for `studies.fuzz` at the level of bytes: elements in Explicit VR Little Endian with right lengths."""

from __future__ import annotations

import struct
from random import Random

from studies.fuzz_bytes import resized

SHORT_VRS = (b"US", b"SS", b"DS", b"IS", b"CS", b"UI", b"LO", b"FD", b"UL")
LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"SQ", b"UN", b"UT", b"UC")


def elements(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes, bytes]]]:
    """The start of a valid file in Explicit VR Little Endian, and tag, VR and value of each element of defined length.

    The last one may have an undefined length; its value then holds all that follows.
    """
    at, found = 132, []
    while at + 8 <= len(data):
        tag, vr = data[at : at + 4], data[at + 4 : at + 6]
        if vr in (b"OB", b"OW", b"OF", b"OD", b"SQ", b"UN", b"UT", b"UC", b"UR", b"OL", b"OV", b"SV", b"UV"):
            (length,) = struct.unpack_from("<I", data, at + 8)
            at += 12
        else:
            (length,) = struct.unpack_from("<H", data, at + 6)
            at += 8
        length = len(data) - at if length == 2**32 - 1 else length
        found.append((tag, vr, data[at : at + length]))
        at += length
    return data[:132], found


def file(start: bytes, found: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """A file of these elements with right lengths."""
    parts = []
    for tag, vr, value in found:
        if vr in SHORT_VRS or vr not in LONG_VRS:
            value = value[:65534]
            parts.append(tag + vr + struct.pack("<H", len(value)) + value)
        else:
            parts.append(tag + vr + b"\0\0" + struct.pack("<I", len(value)) + value)
    return start + b"".join(parts)


def rewritten(random: Random, data: bytes) -> bytes:
    """A file in Explicit VR Little Endian with one to three elements changed at the level of bytes."""
    start, found = elements(data)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(found) or 1)
        tag, vr, value = found[place] if found else (b"\x28\0\x10\0", b"US", b"\0\0")
        match random.randrange(6):
            case 0:
                found[place : place + 1] = [(tag, random.choice(SHORT_VRS + LONG_VRS), value)]
            case 1 | 2:
                changed_value = resized(random, value)
                found[place : place + 1] = [(tag, vr, changed_value + bytes(len(changed_value) % 2))]
            case 3:
                found[place:place] = [(tag, vr, value)] * random.choice((1, 2, 50))
            case 4:
                found[place:place] = [(b"\x28\0\0\x30", b"SQ", deep(random.choice((1, 30, 2000))))]
            case _:
                found = (
                    random.sample(found, len(found)) if random.random() < 0.3 else found[:place] + found[place + 1 :]
                )
    return file(start, found)


def deep(depth: int) -> bytes:
    """The value of a sequence with `depth` sequences in each other, all of undefined length."""
    item, end = b"\xfe\xff\0\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0"
    inner, after = b"\x28\0\0\x30SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\xdd\xe0\0\0\0\0"
    return (item + inner) * depth + (after + end) * depth
