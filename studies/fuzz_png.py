"""PNG files for `studies.fuzz`: chunks and rows changed, lengths and checksums made anew."""

from __future__ import annotations

import struct
import zlib
from random import Random

from studies.fuzz_bytes import havoc, resized, whole_number

PNG_START = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]


def png_chunks(data: bytes) -> Chunks:
    """Type and content of each chunk of a valid PNG."""
    at, chunks = len(PNG_START), []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return chunks


def png(chunks: Chunks) -> bytes:
    """A PNG of these chunks with right lengths and checksums."""
    parts = (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return PNG_START + b"".join(parts)


def png_rows(chunks: Chunks) -> bytes:
    """The rows of a PNG, unpacked and with their filter bytes."""
    return zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))


def with_rows(random: Random, chunks: Chunks, rows: bytes) -> Chunks:
    """The chunks with other rows, packed anew and cut into one to four parts."""
    packed = zlib.compress(rows, random.randrange(10))
    step = max(1, -(-len(packed) // random.choice((1, 1, 2, 4))))
    parts = [(b"IDAT", packed[i : i + step]) for i in range(0, len(packed), step)]
    first = next((i for i, (kind, _) in enumerate(chunks) if kind == b"IDAT"), len(chunks))
    others = [c for c in chunks if c[0] != b"IDAT"]
    return others[:first] + parts + others[first:]


def changed_png(random: Random, data: bytes) -> bytes:
    """A PNG with one to three changes in its chunks or rows."""
    chunks = png_chunks(data)
    for _ in range(random.randint(1, 3)):
        chunks = _changed_chunks(random, chunks)
    made = png(chunks)
    return havoc(random, made, 1) if random.random() < 0.05 else made


def _changed_chunks(random: Random, chunks: Chunks) -> Chunks:
    place = random.randrange(len(chunks) or 1)
    match random.randrange(7):
        case 0 if chunks and len(chunks[0][1]) == 13:
            header = bytearray(chunks[0][1])
            at = random.choice((0, 4, 8, 9, 10, 11, 12))
            new = whole_number(random).to_bytes(4, "big") if at < 8 else random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
            header[at : at + 4 if at < 8 else at + 1] = new if isinstance(new, bytes) else bytes([new])
            return [(b"IHDR", bytes(header)), *chunks[1:]]
        case 1:
            return [c for i, c in enumerate(chunks) if i != place]
        case 2:
            return (
                [*chunks, *chunks[place : place + 1]] if random.random() < 0.3 else chunks[:place] + chunks[place - 1 :]
            )
        case 3:
            return random.sample(chunks, len(chunks))
        case 4:
            return [*chunks[:place], _extra_chunk(random), *chunks[place:]]
        case 5 if chunks:
            kind, content = chunks[place]
            return [*chunks[:place], (kind, resized(random, content)), *chunks[place + 1 :]]
    try:
        return with_rows(random, chunks, resized(random, png_rows(chunks)))
    except zlib.error:  # an earlier change reached the packed rows
        return chunks


def _extra_chunk(random: Random) -> tuple[bytes, bytes]:
    turn = exif(whole_number(random, 16) if random.random() < 0.3 else random.randint(1, 8))
    bomb = zlib.compress(bytes(random.choice((0, 100, 4_000_000))))
    numbers = random.randbytes(random.choice((0, 1, 2, 3, 6, 8, 26, 256, 768)))
    return random.choice((
        (b"tRNS", numbers), (b"PLTE", numbers), (b"gAMA", numbers), (b"sBIT", numbers), (b"pHYs", numbers),
        (b"eXIf", turn[6:]), (b"iCCP", b"x\0\0" + bomb), (b"zTXt", b"x\0\0" + bomb), (b"tEXt", b"x\0y"),
        (b"iTXt", b"x\0\1\0\0\0" + bomb), (b"acTL", struct.pack(">II", whole_number(random), 0)),
        (b"fcTL", numbers), (b"fdAT", numbers), (b"IDAT", numbers), (b"IEND", b""), (b"abcd", numbers),
    ))  # fmt: skip


def exif(orientation: int) -> bytes:
    """An EXIF block that states an orientation."""
    entry = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
