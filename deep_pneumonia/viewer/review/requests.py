"""The requests that the Review page sends as plain JSON, each checked before it is used."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.limits import (
    MAX_CHANGES,
    MAX_COMMENT_LENGTH,
    MAX_DRAWN_RUNS,
    MAX_LISTED_FILES,
    MAX_NAME_LENGTH,
    MAX_PATH_LENGTH,
)
from deep_pneumonia.strict_json import StrictModel, first_problem

Answer = dict[str, Any]

WholeNumber = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME_LENGTH)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_COMMENT_LENGTH)]
Path = Annotated[str, Field(max_length=MAX_PATH_LENGTH)]


class Request(StrictModel):
    """What every request has: `what` is asked for, and the page's `token`, which the registry checks."""

    what: str = ""
    token: Any = None


class OpenRequest(Request):
    """Open the case `id`."""

    id: WholeNumber


class JudgeRequest(Request):
    """Store a verdict on the case `id`; `version` is the one that the page showed."""

    id: WholeNumber
    version: WholeNumber
    reviewer: Name = ""
    verdict: Name = ""
    comment: Comment = ""


class Change(StrictModel):
    """A reader's mask that was drawn, or removed; `version` is the one that the page showed.

    kind, counts, size: see `opened_case.drawn`.
    """

    version: WholeNumber
    reader: Name = ""
    removed: bool = False
    kind: str = "pixel"
    counts: Annotated[list[int], Field(max_length=MAX_DRAWN_RUNS, default_factory=list)]
    size: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None

    @property
    def drawing(self) -> Mapping[str, Any]:
        """The change as `opened_case.drawn` takes it."""
        return {"reader": self.reader, "kind": self.kind, "counts": self.counts, "size": self.size}


class DrawRequest(Request):
    """Store changed masks of the case `id`."""

    id: WholeNumber
    author: Name = ""
    changes: Annotated[list[Change], Field(max_length=MAX_CHANGES)]


class Upload(StrictModel):
    """An uploaded file. `name`: the file's own, with its folders if a folder was chosen."""

    path: Path
    name: Path = ""


class AddRequest(Request):
    """Add uploaded files to the work list."""

    files: Annotated[list[Upload], Field(max_length=MAX_LISTED_FILES)]


class DownloadRequest(Request):
    """A file of the whole list: its export, with DICOM segmentations on request, or its report."""

    what: Literal["export", "report"]
    seg: bool = False


R = TypeVar("R", bound=Request)


def checked(kind: type[R], request: object) -> R:
    """The request as a model.

    Raises:
        WorkspaceError: a part is missing, too long, or of another type.
    """
    try:
        return kind.model_validate(request)
    except ValidationError as error:
        raise WorkspaceError(
            f"The page sent a request that is not valid: {first_problem(error)}; correct it, or load the page again."
        ) from None
