"""What a page asks of the server in plain JSON: each part is checked before it is used."""

from collections.abc import Mapping
from typing import Any

from deep_pneumonia.errors import WorkspaceError

Request = Mapping[str, Any]
Answer = dict[str, Any]


def whole_number(request: Request, key: str) -> int:
    """A number that a page sent.

    Raises:
        WorkspaceError: it is none.
    """
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise WorkspaceError(f"The page sent {key} {str(value)[:20]!r}, not a whole number; load it again.")
    return value


def text(request: Request, key: str, longest: int) -> str:
    """A text that a page sent, without space around it.

    Raises:
        WorkspaceError: it is none, or too long.
    """
    value = request.get(key, "")
    if not isinstance(value, str) or len(value) > longest:
        raise WorkspaceError(f"The {key} is no text of at most {longest} characters; shorten it.")
    return value.strip()


def changes(request: Request) -> list[Request]:
    """The changed masks that a page sent.

    Raises:
        WorkspaceError: they are no list of objects.
    """
    value = request.get("changes")
    if not isinstance(value, list) or not all(isinstance(change, dict) for change in value):
        raise WorkspaceError("The page sent no list of changed masks; load it again.")
    return value
