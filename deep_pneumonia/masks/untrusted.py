"""Checks for annotation files of unknown origin: JSON of limited size, finite numbers, plausible sizes.

Every error names the file as the user knows it, without its folders.
"""

import codecs
import math
import re
from typing import Any

from pydantic_core import from_json

from deep_pneumonia.errors import AnnotationError, TooLargeAnnotationError
from deep_pneumonia.limits import MAX_COORDINATE, MAX_JSON_MEMORY, MAX_WIDE_JSON_BYTES

# A text with one character beyond U+FFFF, in UTF-8 or as \ud83d, takes four bytes of memory for each of its characters.
WIDE_CHARACTER = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")

# Bytes that a list, an object, a number and half a text take in memory, by the character that begins or ends each.
VALUE_BYTES = {b"[": 100, b"{": 250, b",": 40, b'"': 35}


def parse_json(data: bytes, name: str) -> Any:
    """Parse a JSON file in UTF-8. NaN and Infinity are accepted, as other tools write them into fields of no use here.

    Raises:
        TooLargeAnnotationError: its values would take more memory than MAX_JSON_MEMORY, or it has more bytes than
            MAX_WIDE_JSON_BYTES and characters beyond U+FFFF.
        AnnotationError: not JSON, cut short, or nested in more than 200 levels.
    """
    if sum(data.count(character) * size for character, size in VALUE_BYTES.items()) > MAX_JSON_MEMORY:
        raise TooLargeAnnotationError(
            f"{name} has so many values that they take more than {MAX_JSON_MEMORY} bytes of memory; export the "
            "annotations of fewer radiographs."
        )
    if len(data) > MAX_WIDE_JSON_BYTES and WIDE_CHARACTER.search(data):
        raise TooLargeAnnotationError(
            f"{name} has more than {MAX_WIDE_JSON_BYTES} bytes with characters such as emoji, which take four bytes "
            "each; export it without the image itself."
        )
    try:
        # It reads the bytes without a copy as text, which may take four times their size, and refuses deep nesting.
        return from_json(data.removeprefix(codecs.BOM_UTF8))
    except ValueError:
        raise AnnotationError(
            f"{name} is not JSON, or is damaged, cut short or nested too deep; export it again."
        ) from None


def items(value: object, what: str, name: str) -> list[dict[str, Any]]:
    """Check that a value is a list of JSON objects; `what` names it in errors.

    Raises:
        AnnotationError: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise AnnotationError(f"{name} has no list of {what} where one is expected; export it again.")
    return value


def numbers(values: object, what: str, name: str, *, count: int | None = None) -> list[float]:
    """Check that values are numbers in pixels; `what` names what they describe in errors.

    Raises:
        AnnotationError: not a list, not of length `count`, or a value is not a finite number of at most a million.
    """
    if isinstance(values, list | tuple) and count in (None, len(values)):
        found = [float(v) for v in values if _is_number(v)]
        if len(found) == len(values):
            return found
    wanted = "numbers" if count is None else f"{count} numbers"
    raise AnnotationError(
        f"{name} has {what} that is not a list of {wanted} of at most {MAX_COORDINATE} pixels; correct or redraw it."
    )


def _is_number(value: object) -> bool:
    # Compared before the conversion to float, because an integer may have thousands of digits. NaN fails.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE


def frame(height: object, width: object, otherwise: tuple[int, int], name: str) -> tuple[int, int]:
    """(H, W) of the annotated image; `otherwise` if the file does not state it.

    Raises:
        AnnotationError: a side is not a whole number of pixels.
    """
    if height is None and width is None:
        return otherwise
    sides = numbers([height, width], "an image size", name, count=2)
    if min(sides) < 1 or not all(map(float.is_integer, sides)):
        raise AnnotationError(f"{name} has an image of {height} x {width} pixels; expected whole numbers from 1.")
    return math.floor(sides[0]), math.floor(sides[1])
