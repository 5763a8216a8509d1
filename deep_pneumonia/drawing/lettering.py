"""Text from outside on a picture: drawn as it is, never as a formula, and no wider than its place."""

from bisect import bisect_right
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font

UNKNOWN_LETTER = "\ufffd"
FINE_DPI = 720  # at a coarser resolution, the widths of letters are rounded to whole dots


@cache
def _file(bold: bool) -> str:
    return str(findfont(FontProperties(weight="bold" if bold else "normal")))


@cache
def _letters() -> frozenset[int]:
    """Code points that the font has in both weights."""
    return frozenset.intersection(*(frozenset(get_font(_file(bold)).get_charmap()) for bold in (False, True)))


def known(text: str) -> str:
    """The text with `UNKNOWN_LETTER` for each letter that the font lacks; matplotlib would warn of it."""
    return "".join(c if ord(c) in _letters() else UNKNOWN_LETTER for c in text)


def plain(text: str) -> str:
    """Text that matplotlib draws as it is. An unescaped dollar sign would start a formula."""
    return known(text).replace("$", r"\$")


def short(text: str, max_letters: int) -> str:
    """The text cut in its middle to at most `max_letters`; names of files often differ in their last letters."""
    if len(text) <= max_letters:
        return text
    end = (max_letters - 1) // 3
    return f"{text[: max_letters - 1 - end]}\u2026{text[len(text) - end :]}"


def fitted(text: str, inches: float, size: float, *, bold: bool = False) -> str:
    """The text, cut in its middle if it is wider than `inches` at `size` points. The result is not yet `plain`."""
    if width_of(text, size, bold=bold) <= inches:
        return text
    lengths = range(1, len(text))
    most = bisect_right(lengths, inches, key=lambda n: width_of(short(text, n), size, bold=bold))
    while most > 1 and width_of(short(text, most), size, bold=bold) > inches:
        most -= 1  # letters differ in width, so a longer cut can be narrower
    return short(text, most)


def wrapped(text: str, inches: float, size: float) -> list[str]:
    """The text in lines of at most `inches`, broken between words. The result is not yet `plain`."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if width_of(longer, size) <= inches:
            lines[-1] = longer
        else:
            lines.append(fitted(word, inches, size))
    return [line for line in lines if line]


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text at `size` points, in inches."""
    font: FT2Font = get_font(_file(bold))
    font.set_size(size, FINE_DPI)
    font.set_text(known(text))
    return float(font.get_width_height()[0] / 64 / FINE_DPI)
