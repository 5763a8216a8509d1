"""What a workspace holds: its cases, the versions of a reader's mask, the versions of a reviewer's verdict."""

from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.masks.annotation import Annotation, Kind, read_as_normal, read_mask

VERDICTS = ("agree", "partly", "disagree", "unsure")


@dataclass(frozen=True)
class Item:
    """A case of the work list. `key`: SHA-256 of the radiograph's file; the same bytes are the same case."""

    id: int
    key: str
    case: Case


@dataclass(frozen=True)
class Drawing:
    """One version of a reader's mask.

    mask: its PNG file; None when read as normal, or `removed`. digest: SHA-256 of that file, by which figures are kept.
    """

    reader: str
    version: int
    kind: Kind
    mask: Path | None
    digest: str | None
    removed: bool
    author: str
    time: str

    def annotation(self, size: tuple[int, int]) -> Annotation:
        """The mask, for a radiograph of `size` (H, W).

        Raises:
            AnnotationError: the file is missing, damaged or of another size.
        """
        if self.mask is None:
            return read_as_normal(size, reader=self.reader)
        return read_mask(self.mask, size, reader=self.reader, kind=self.kind)


@dataclass(frozen=True)
class Verdict:
    """One version of what a reviewer thinks: one of `VERDICTS`, and a comment. `time` is UTC, ISO 8601."""

    reviewer: str
    version: int
    verdict: str
    comment: str
    time: str
