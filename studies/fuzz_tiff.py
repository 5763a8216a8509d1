"""TIFF files for `studies.fuzz`: tags changed, added and removed in a directory whose offsets stay right."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import tifffile

from studies.fuzz_bytes import havoc, resized, whole_number
from studies.fuzz_pictures import picture, saved

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of a type of TIFF 6.0
TAGS = (
    254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 284, 317, 320, 322, 323, 324, 325, 330, 338,
    339, 340, 341, 347, 530, 34665, 34675,
)  # fmt: skip
VALUES = {
    258: (1, 2, 4, 8, 12, 16, 32, 64), 259: (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 50000), 262: range(9),
    266: (1, 2), 274: range(10), 277: (1, 2, 3, 4, 5), 284: (1, 2, 3), 317: (1, 2, 3, 9), 338: (0, 1, 2),
    339: (1, 2, 3, 4, 5, 6),
}  # fmt: skip
STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS = 273, 279, 324, 325


@dataclass(frozen=True)
class Entry:
    """A tag of a directory; `count` may be wrong on purpose."""

    tag: int
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True)
class Tiff:
    """One directory with the bytes of its strips or tiles. `order`: "<" or ">". `after`: offset of a next directory."""

    order: str
    entries: tuple[Entry, ...]
    parts: tuple[bytes, ...]
    after: int = 0


def read(data: bytes) -> Tiff:
    """The first directory of a valid classic TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    entries = []
    for i in range(count):
        tag, kind, number = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
        size = SIZES.get(kind, 1) * number
        place = at + 10 + 12 * i
        if size > 4:
            (place,) = struct.unpack_from(order + "I", data, place)
        entries.append(Entry(tag, kind, number, data[place : place + size]))
    numbers = {e.tag: _numbers(e, order) for e in entries}
    starts = numbers.get(STRIP_OFFSETS, numbers.get(TILE_OFFSETS, ()))
    lengths = numbers.get(STRIP_COUNTS, numbers.get(TILE_COUNTS, ()))
    return Tiff(order, tuple(entries), tuple(data[a : a + n] for a, n in zip(starts, lengths, strict=False)))


def _numbers(entry: Entry, order: str) -> tuple[int, ...]:
    letter = {1: "B", 3: "H", 4: "I"}.get(entry.kind)
    return struct.unpack(f"{order}{entry.count}{letter}", entry.value) if letter else ()


def written(tiff: Tiff) -> bytes:
    """A classic TIFF whose strips lie where its directory says."""
    head = struct.pack(tiff.order + "2sHI", b"II" if tiff.order == "<" else b"MM", 42, 8)
    start = 8 + 2 + 12 * len(tiff.entries) + 4
    offsets, lengths, body = [], [], b""
    for part in tiff.parts:
        offsets.append(start + len(body))
        lengths.append(len(part))
        body += part + bytes(len(part) % 2)
    table = struct.pack(tiff.order + "H", len(tiff.entries))
    for entry in tiff.entries:
        found = {STRIP_OFFSETS: offsets, TILE_OFFSETS: offsets, STRIP_COUNTS: lengths, TILE_COUNTS: lengths}
        if entry.tag in found and entry.kind in (3, 4):
            values = found[entry.tag]
            value = struct.pack(f"{tiff.order}{len(values)}I", *values)
            entry = replace(entry, kind=4, count=entry.count if entry.count > len(values) else len(values), value=value)
        table += struct.pack(tiff.order + "HHI", entry.tag, entry.kind, entry.count % 2**32)
        if len(entry.value) <= 4:
            table += entry.value.ljust(4, b"\0")
        else:
            table += struct.pack(tiff.order + "I", start + len(body))
            body += entry.value + bytes(len(entry.value) % 2)
    return head + table + struct.pack(tiff.order + "I", tiff.after) + body


def changed(random: Random, tiff: Tiff) -> Tiff:
    """One change: a tag's value, type or count; a tag more or less; other strips; a next directory."""
    entries, place = list(tiff.entries), random.randrange(len(tiff.entries) or 1)
    match random.randrange(8):
        case 0 | 1 | 2 if entries:
            entry = entries[place]
            letter = {1: "B", 3: "H", 4: "I"}.get(entry.kind)
            if letter and entry.tag not in (STRIP_OFFSETS, TILE_OFFSETS):
                bits = 8 * SIZES[entry.kind]
                values = [_value(random, entry.tag, bits) for _ in range(max(1, entry.count % 8))]
                entries[place] = replace(entry, value=struct.pack(f"{tiff.order}{len(values)}{letter}", *values))
            else:
                entries[place] = replace(entry, value=resized(random, entry.value))
        case 3 if entries:
            entries[place] = replace(entries[place], kind=random.choice((0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 99)))
        case 4 if entries:
            entries[place] = replace(entries[place], count=whole_number(random))
        case 5 if entries:
            del entries[place]
        case 6:
            tag = random.choice(TAGS)
            entries.append(Entry(tag, 3, 1, struct.pack(tiff.order + "H", _value(random, tag, 16))))
            entries.sort(key=lambda entry: entry.tag)
        case _:
            if random.random() < 0.2:
                return replace(tiff, after=random.choice((8, 0, 2, whole_number(random))))
            return replace(tiff, parts=tuple(resized(random, part) for part in tiff.parts))
    return replace(tiff, entries=tuple(entries))


def _value(random: Random, tag: int, bits: int) -> int:
    usual = VALUES.get(tag)
    return random.choice(usual) if usual and random.random() < 0.7 else whole_number(random, bits)


def base(random: Random) -> bytes:
    """A valid TIFF of Pillow or tifffile: many depths, signs, byte orders, compressions, tiles and planes."""
    if random.random() < 0.5:
        image = picture(random)
        packing = random.choice(("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"))
        if packing == "jpeg":
            image = image.convert(random.choice(("L", "RGB")))
        return saved(image, "TIFF", compression=packing)
    kind = random.choice(("u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8"))
    values = np.frombuffer(random.randbytes(16 * 32 * np.dtype(kind).itemsize), kind).reshape(16, 32)
    if kind[0] == "f" and random.random() < 0.8:
        values = np.nan_to_num(values, nan=0.5, posinf=1, neginf=0).clip(-3, 3).astype(kind)
    colour = random.random() < 0.2
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        np.stack([values] * 3, axis=-1) if colour else values,
        photometric="rgb" if colour else random.choice(("minisblack", "miniswhite")),
        byteorder=random.choice("<>"),
        tile=random.choice((None, None, (16, 16))),
        metadata=None,
    )
    return stream.getvalue()


def any_tiff(random: Random) -> bytes:
    """A TIFF with no to three changes; one in twenty with bytes changed anywhere."""
    data = base(random)
    if random.random() < 0.05:
        return havoc(random, data)
    tiff = read(data)
    for _ in range(random.randint(0, 3)):
        tiff = changed(random, tiff)
    return written(tiff)
