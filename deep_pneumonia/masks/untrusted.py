"""Checks for annotation files of unknown origin: JSON of limited size, finite numbers, plausible sizes.

Every error names the file as the user knows it, without its folders.
"""

import json
import math
from typing import Any

from deep_pneumonia.errors import AnnotationError

MAX_PARTS = 2_000_000  # lists and objects in a JSON file; a mask of 100,000 points has 100,001
MAX_COORDINATE = 1_000_000  # pixels from the origin; far beyond any radiograph


def parse_json(data: bytes, name: str) -> Any:
    """Parse a JSON file in UTF-8. NaN and Infinity are accepted, as other tools write them into fields of no use here.

    Raises:
        AnnotationError: not JSON, cut short, nested too deep, or more than two million lists and objects.
    """
    if data.count(b"[") + data.count(b"{") > MAX_PARTS:
        raise AnnotationError(f"{name} has more than {MAX_PARTS} parts; export the annotations of one radiograph.")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
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
