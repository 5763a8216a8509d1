"""What became of every file of a folder: the radiographs with their masks, and what was left out for which reason."""

from collections import defaultdict
from collections.abc import Sequence

MASKED = "with masks"
NORMAL = "read as normal"
UNKNOWN = "without a mask, so unknown"
KINDS = (MASKED, NORMAL, UNKNOWN)


class Listing:
    """Collects what became of each file while `cases_from` goes through a folder.

    Names are paths below the folder, with slashes.
    """

    def __init__(self) -> None:
        self._radiographs: dict[str, tuple[str, str]] = {}  # the kind and the text by the name
        self.left_out: dict[str, list[str]] = defaultdict(list)
        self._problems: dict[str, None] = {}
        self._notes: dict[str, None] = {}

    @property
    def count(self) -> int:
        """How many radiographs were found."""
        return len(self._radiographs)

    def found(self, name: str, sources: Sequence[str], *, is_normal: bool) -> None:
        """List a radiograph with the files of its masks; `is_normal` if all that is known is that it was normal."""
        kind = UNKNOWN if not sources else NORMAL if is_normal else MASKED
        beside = name.rpartition("/")[0] + "/"
        shown = dict.fromkeys(source.removeprefix(beside) for source in sources)
        text = f"{name} ({', '.join(shown)})" if sources else name
        self._radiographs[name] = kind, text

    def unread(self, name: str, error: Exception) -> None:
        """List a radiograph, which was found before, as one that cannot be read."""
        self._radiographs.pop(name, None)
        self.refuse(name, error)

    def leave_out(self, name: str, why: str) -> None:
        """List a file that was not used. `why` completes "Left out because ..." and is shared by many files."""
        self.left_out[why].append(name)

    def refuse(self, name: str, error: Exception, of: str = "") -> None:
        """List a file that cannot be used, with its error; `of` names the radiograph if the file has several."""
        said = str(error)
        text = said if name in said else f"{name}: {said}"
        self.problem(text + (f" [{of}]" if of and of not in text else ""))

    def problem(self, text: str) -> None:
        """Add a sentence about something that could not be used."""
        self._problems[text] = None

    def note(self, text: str) -> None:
        """Add a sentence about a file that was used only in part."""
        self._notes[text] = None

    def lines(self, limit: int | None = None) -> list[str]:
        """The list in plain text; each group names at most `limit` files."""
        found = [
            f"{len(names)} radiograph{'s' * (len(names) != 1)} {kind}: {some(names, limit)}"
            for kind in KINDS
            if (names := [text for of, text in self._radiographs.values() if of == kind])
        ]
        left = [f"Left out because {why}: {some(names, limit)}" for why, names in self.left_out.items()]
        refused = [f"Left out: {text}" for text in [*self._problems][:limit]]
        if len(refused) < len(self._problems):
            refused.append(f"Left out: {len(self._problems) - len(refused)} more for such reasons")
        return [*found, *left, *refused, *self._notes]


def some(names: Sequence[str], limit: int | None) -> str:
    """At most `limit` of the names in one line, and how many more there are."""
    shown = names if limit is None else names[:limit]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more
