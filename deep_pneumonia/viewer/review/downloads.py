"""What is taken along of a whole work list: its export as a ZIP, its report as a PDF."""

from datetime import date
from pathlib import Path

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.exchange.export import export
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.viewer.review.requests import Request
from deep_pneumonia.viewer.review.workspaces import Place
from deep_pneumonia.worklist.report import set_report
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.statistics import tally

NAME = "work-list"
MOST = 2 * 2**30  # bytes of radiographs


def take(place: Place, request: Request, folder: Path, checkpoint: Checkpoint) -> Path:
    """The file that a page wants, in a folder of its own: {"what": "export" or "report"}.

    An export has the radiographs, as where they lie on the server is no visitor's business, and with "seg" true
    DICOM segmentations.

    Raises:
        WorkspaceError: it wants something else, or more than a browser can take.
        DeepPneumoniaError: the list is empty, or has a damaged mask.
    """
    if request.get("what") == "export":
        _check_size(place)
        target = folder / f"{NAME}.zip"
        export(place.workspace, target, predictions=place.predictions, radiographs=True, seg=request.get("seg") is True)
        return target
    if request.get("what") != "report":
        raise WorkspaceError("The page asked for a file that this program does not make; load it again.")
    return _report(place, folder / f"{NAME}.pdf", checkpoint)


def _check_size(place: Place) -> None:
    images = [item.case.image for item in place.workspace.items()]
    size = sum(image.stat().st_size for image in images if image.exists())
    if size > MOST:
        raise WorkspaceError(
            f"The radiographs of this list have {size / 2**30:.1f} GiB, more than the {MOST // 2**30} that a browser "
            "is sent; export it on the server with: python -m deep_pneumonia.review export."
        )


def _report(place: Place, target: Path, checkpoint: Checkpoint) -> Path:
    found = rows(place.workspace, place.predictions)
    if not found:
        raise WorkspaceError("The work list is empty; add radiographs before its report is made.")
    set_report(
        target,
        found,
        tally(found),
        name="Work list",
        checkpoint_name=checkpoint.name,
        checkpoint_sha256=checkpoint.sha256,
        day=date.today().isoformat(),
    )
    return target
