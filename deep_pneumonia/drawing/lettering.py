"""Text that is not ours on a figure: as it stands, never a formula, and no longer than its place."""

from bisect import bisect_right
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font

UNKNOWN = "\ufffd"
POINTS = 72  # to an inch
FINE = 720  # dots to an inch: measured more coarsely, letters are rounded to whole dots


@cache
def _file(bold: bool) -> str:
    return str(findfont(FontProperties(weight="bold" if bold else "normal")))


@cache
def _letters() -> frozenset[int]:
    """What the font can draw, in both weights."""
    return frozenset.intersection(*(frozenset(get_font(_file(bold)).get_charmap()) for bold in (False, True)))


def known(text: str) -> str:
    """The text with `UNKNOWN` for each letter that the font lacks, of which matplotlib would warn."""
    return "".join(c if ord(c) in _letters() else UNKNOWN for c in text)


def plain(text: str) -> str:
    """Text that matplotlib takes as it is: a dollar sign would start a formula."""
    return known(text).replace("$", r"\$")


def short(text: str, most: int) -> str:
    """At most `most` letters, from both ends: names of files often differ in the last ones."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}\u2026{text[len(text) - end :]}"


def fitted(text: str, inches: float, size: float, *, bold: bool = False) -> str:
    """The text, cut in its middle where it is wider than `inches` at `size` points; not yet `plain`."""
    if width_of(text, size, bold=bold) <= inches:
        return text
    lengths = range(1, len(text))
    most = bisect_right(lengths, inches, key=lambda n: width_of(short(text, n), size, bold=bold))
    while most > 1 and width_of(short(text, most), size, bold=bold) > inches:
        most -= 1  # letters differ in width, so a longer cut can be the narrower one
    return short(text, most)


def wrapped(text: str, inches: float, size: float) -> list[str]:
    """Lines of at most `inches`, broken between words; not yet `plain`."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if width_of(longer, size) <= inches:
            lines[-1] = longer
        else:
            lines.append(fitted(word, inches, size))
    return [line for line in lines if line]


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Inches that a text takes at `size` points."""
    font: FT2Font = get_font(_file(bold))
    font.set_size(size, FINE)
    font.set_text(known(text))
    return float(font.get_width_height()[0] / 64 / FINE)
