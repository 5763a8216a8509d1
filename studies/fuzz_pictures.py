"""JPEG, WebP, BMP and GIF files for `studies.fuzz`, changed inside their structure.

Checksums and lengths are made anew after each change, and compressed rows are changed before they are packed, so that
a decoder gets past its first check.
"""

from __future__ import annotations

import io
import struct
from random import Random

import numpy as np
from PIL import Image

from studies.fuzz_bytes import cut, havoc, resized, whole_number
from studies.fuzz_png import Chunks, changed_png, exif

MODES = ("L", "L", "RGB", "RGBA", "LA", "P", "1", "I;16")


def picture(random: Random, size: tuple[int, int] | None = None, mode: str = "") -> Image.Image:
    """A small picture of a slope with noise, in one of MODES; `size` is (H, W)."""
    height, width = size or (random.choice((16, 24, 33, 64)), random.choice((16, 32, 47)))
    slope = np.add.outer(np.arange(height) * 5, np.arange(width) * 3) % 256
    noise = np.frombuffer(random.randbytes(height * width), np.uint8).reshape(height, width) % 8
    grey = ((slope + noise) % 256).astype(np.uint8)
    mode = mode or random.choice(MODES)
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * random.choice((1, 16, 257)))
    return Image.fromarray(grey).convert("RGB").convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The file of a picture in a format of Pillow."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def jpeg_segments(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Marker and content of each segment of a valid JPEG up to the start of its scan, and the rest after that."""
    at, segments = 2, []
    while True:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        segments.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return segments, data[at:]


def jpeg(segments: list[tuple[int, bytes]], scan: bytes) -> bytes:
    """A JPEG of these segments with right lengths."""
    parts = (struct.pack(">BBH", 0xFF, m, min(len(c) + 2, 65535)) + c[:65533] for m, c in segments)
    return b"\xff\xd8" + b"".join(parts) + scan


def changed_jpeg(random: Random, data: bytes) -> bytes:
    """A JPEG with one to three changes in its segments or its scan."""
    segments, scan = jpeg_segments(data)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(segments) or 1)
        marker, content = segments[place] if segments else (0xE0, b"")
        match random.randrange(6):
            case 0:
                segments[place : place + 1] = []
            case 1:
                segments.insert(place, (marker, content))
            case 2:
                segments[place : place + 1] = [(marker, resized(random, content))]
            case 3:
                kind = random.choice((0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xDB, 0xDD, 0xEE, 0xE1, 0xE2, 0xFE))
                segments.insert(
                    place, (kind, random.choice((content, exif(random.randint(0, 9)), b"\0\0", b"Adobe" * 3)))
                )
            case 4:
                frame = next((i for i, (m, c) in enumerate(segments) if m in (0xC0, 0xC2) and len(c) > 6), None)
                if frame is not None:
                    marker, content = segments[frame]
                    header, at = bytearray(content), random.choice((0, 1, 3, 5, 6, 7))
                    new = (
                        whole_number(random, 16).to_bytes(2, "big") if at in (1, 3) else bytes([random.randrange(256)])
                    )
                    header[at : at + len(new)] = new
                    segments[frame] = (random.choice((marker, marker, 0xC1, 0xC3)), bytes(header))
            case _:
                scan = resized(random, scan)
    return jpeg(segments, scan)


def riff_chunks(data: bytes) -> Chunks:
    """Name and content of each chunk of a valid WebP."""
    at, chunks = 12, []
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return chunks


def riff(chunks: Chunks) -> bytes:
    """A WebP of these chunks with right lengths."""
    body = b"".join(k + struct.pack("<I", len(c)) + c + bytes(len(c) % 2) for k, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def changed_webp(random: Random, data: bytes) -> bytes:
    """A WebP with one to three changes in its chunks."""
    chunks = riff_chunks(data)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(chunks) or 1)
        match random.randrange(4):
            case 0:
                size = random.choice((b"\x1f\0\0\x17\0\0", b"\xff\xff\xff\xff\xff\xff", random.randbytes(6)))
                chunks.insert(0, (b"VP8X", bytes([random.randrange(256)]) + b"\0\0\0" + size))
            case 1:
                name = random.choice((b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"ICCP", b"XMP ", b"VP8 ", b"VP8L"))
                chunks.insert(
                    place, (name, random.choice((random.randbytes(24), exif(6), chunks[0][1] if chunks else b"")))
                )
            case 2:
                chunks = random.sample(chunks, len(chunks))
            case _ if chunks:
                chunks[place] = (chunks[place][0], resized(random, chunks[place][1]))
    return riff(chunks)


def changed_bmp(random: Random, data: bytes) -> bytes:
    """A BMP with changed fields of its header, or other pixels."""
    made = bytearray(data)
    for _ in range(random.randint(1, 3)):
        at, size = random.choice(((10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4)))
        number = random.choice((whole_number(random), -1 % 2**32, (-24) % 2**32, 0, 1, 2, 4, 24, 32)) % 2 ** (8 * size)
        if random.random() < 0.7:
            made[at : at + size] = number.to_bytes(size, "little")
        else:
            made[54:] = resized(random, bytes(made[54:]))
    return bytes(made)


def any_picture(random: Random) -> bytes:
    """A picture file of any format but TIFF, as it was written or changed."""
    form = random.choice(("PNG", "PNG", "PNG", "JPEG", "JPEG", "WEBP", "BMP", "GIF"))
    image = picture(random)
    if form in ("JPEG", "WEBP", "GIF", "BMP"):
        image = image.convert(random.choice(("L", "RGB", "RGBA" if form == "WEBP" else "L")))
    options: dict[str, object] = {"lossless": random.random() < 0.5} if form == "WEBP" else {}
    if form == "JPEG":
        options = {"progressive": random.random() < 0.3, "quality": random.choice((10, 75, 95))}
    if form in ("PNG", "GIF", "WEBP") and image.mode != "I;16" and random.random() < 0.1:
        options |= {"save_all": True, "append_images": [image.transpose(Image.Transpose.ROTATE_180)]}
    data = saved(image, form, **options)
    if random.random() < 0.05:
        return data
    if random.random() < 0.05:
        return random.choice((cut, havoc))(random, data)
    change = {"PNG": changed_png, "JPEG": changed_jpeg, "WEBP": changed_webp, "BMP": changed_bmp, "GIF": havoc}[form]
    return change(random, data)


def any_mask(random: Random, size: tuple[int, int]) -> bytes:
    """A label picture of a disc on a radiograph of `size` (H, W), as it was written or changed."""
    y, x = np.mgrid[: size[0], : size[1]]
    disc = ((y - 10) ** 2 + (x - 12) ** 2 < 40) & (random.random() < 0.9)
    image = Image.fromarray(disc.astype(np.uint8) * random.choice((1, 128, 200, 255)))
    match random.randrange(6):
        case 0:
            overlay = Image.new("RGBA", image.size, (255, 0, 0, 0))
            overlay.putalpha(image.point(lambda value: bool(value) * 102))
            image = overlay
        case 1:
            image = image.convert("P")
        case 2:
            image = image.convert("1")
        case 3:
            image = Image.fromarray(disc.astype(np.uint16) * random.choice((1, 255, 4095, 65535)))
        case 4:
            image = image.convert(random.choice(("LA", "RGB", "RGBA")))
    data = saved(image, "PNG")
    return changed_png(random, data) if random.random() < 0.8 else data
