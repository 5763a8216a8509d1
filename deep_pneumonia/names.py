"""Names from strangers' files, made fit to be compared, shown and written: of files, of readers, of images."""

from collections.abc import Sequence
from itertools import chain, count
from pathlib import PurePosixPath

MAX_NAME_LENGTH = 100  # characters


def base(name: str) -> str:
    """A file's name without its folders, of either system: "b.png" of "a/b.png" and of "a\\b.png"."""
    return PurePosixPath(name.replace("\\", "/")).name


def stem(name: str) -> str:
    """A file's name without its folders and its last ending."""
    return PurePosixPath(base(name)).stem


def shown(name: str) -> str:
    """A file's name fit for a sentence: one printable line of at most 100 characters, "The file" if there is none."""
    return _printable(base(name)) or "The file"


def reader_name(value: object, otherwise: str) -> str:
    """A reader's name that a file gives, fit to be shown; `otherwise` where it gives none."""
    given = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return _printable(given) or _printable(otherwise) or "reader"


def distinct(names: Sequence[str]) -> list[str]:
    """The same names in the same order, each once: a second "A" becomes "A (2)"."""
    given: list[str] = []
    for name in names:
        choices = chain([name], (f"{name} ({n})" for n in count(2)))
        given.append(next(c for c in choices if c not in given and (c == name or c not in names)))
    return given


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text.strip())[:MAX_NAME_LENGTH].strip()
