"""Names of files and readers that come from unknown files, cleaned so that they can be compared, shown and written."""

from collections.abc import Sequence
from itertools import chain, count
from pathlib import PurePosixPath

from deep_pneumonia.limits import MAX_NAME_LENGTH


def base(name: str) -> str:
    """The last part of a POSIX or Windows path: "b.png" for "a/b.png" and for "a\\b.png"."""
    return PurePosixPath(name.replace("\\", "/")).name


def stem(name: str) -> str:
    """The last part of a path without its last suffix."""
    return PurePosixPath(base(name)).stem


def shown(name: str) -> str:
    """The last part of a path for a message: one printable line of at most 100 characters, or "The file" if empty."""
    return _printable(base(name)) or "The file"


def reader_name(value: object, otherwise: str) -> str:
    """The reader's name that a file states, made printable; `otherwise` if the file states none."""
    given = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return _printable(given) or _printable(otherwise) or "reader"


def distinct(names: Sequence[str]) -> list[str]:
    """The names in the same order, made unique: a second "A" becomes "A (2)"."""
    given: list[str] = []
    for name in names:
        choices = chain([name], (f"{name} ({n})" for n in count(2)))
        given.append(next(c for c in choices if c not in given and (c == name or c not in names)))
    return given


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text.strip())[:MAX_NAME_LENGTH].strip()
