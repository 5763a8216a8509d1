"""Values and bytes for `studies.fuzz` that programs get wrong: edges of integers, odd texts, changed bytes."""

from __future__ import annotations

from random import Random

NUMBERS = (
    0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536,
    2**24, 2**31 - 1, 2**31, 2**32 - 1,
)  # fmt: skip
TEXTS = (
    "", " ", "0", "1", "-1", "1.0", "1,5", " 1", "1e400", "nan", "NaN", "inf", "TRUE", "false", "None", "null", "a;b",
    "a,b", '"', "'", "\t", "\n", "\r\n", "\0", "../../etc/passwd", "C:\\x", "/", "\u0661", "\u00e9", "e\u0301",
    "\U0001f600", "\u202e", "x" * 300, "=1+1", "<script>", "%00", "{}", "[]",
)  # fmt: skip


def whole_number(random: Random, bits: int = 32) -> int:
    """An unsigned integer of at most `bits` bits, mostly at an edge."""
    found = random.choice(NUMBERS) if random.random() < 0.8 else random.getrandbits(bits)
    return found % 2**bits


def havoc(random: Random, data: bytes, changes: int = 3) -> bytes:
    """The bytes with up to `changes` of them overwritten, cut out, inserted or repeated anywhere."""
    changed = bytearray(data)
    for _ in range(random.randint(1, changes)):
        at = random.randrange(len(changed) + 1)
        match random.randrange(6):
            case 0 if at < len(changed):
                changed[at] ^= 1 << random.randrange(8)
            case 1 if at < len(changed):
                changed[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del changed[at : at + random.choice((1, 2, 4, 16, 256))]
            case 3:
                changed[at:at] = random.randbytes(random.choice((1, 2, 4, 16)))
            case 4:
                part = changed[at : at + random.choice((4, 32))]
                changed[at:at] = part * random.choice((1, 2, 16))
            case _:
                size = random.choice((1, 2, 4))
                changed[at : at + size] = whole_number(random, 8 * size).to_bytes(
                    size, random.choice(("little", "big"))
                )
    return bytes(changed)


def cut(random: Random, data: bytes) -> bytes:
    """The bytes without their end."""
    return data[: random.randrange(len(data) + 1)]


def resized(random: Random, data: bytes) -> bytes:
    """The bytes made shorter, longer or empty, or changed at the same length."""
    match random.randrange(5):
        case 0:
            return cut(random, data)
        case 1:
            return data + random.randbytes(random.choice((1, 2, 3, 64)))
        case 2:
            return data * random.choice((0, 2, 9))
        case _:
            return havoc(random, data)
